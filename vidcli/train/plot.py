"""The loss curve as a picture: training and held-out loss over steps."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from vidcli.core.files import atomic_write

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH, HEIGHT = 960, 540  # pixels
LEFT, RIGHT, TOP, BOTTOM = 80, 24, 60, 56
INK, FAINT = (60, 60, 60), (225, 225, 225)  # BGR, as OpenCV draws
COLOURS = {"loss": (180, 119, 31), "val_loss": (14, 127, 255)}
FONT = cv2.FONT_HERSHEY_SIMPLEX
SMOOTH = 0.9


def draw_losses(metrics: Sequence[Mapping[str, Any]], path: Path, *, title: str) -> None:
    """Draw the losses of a metrics file as PNG.

    Args:
        metrics: Lines with `step` and `loss`, some with `val_loss`.
        path: The picture.
        title: Above it.
    """
    image = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    lines = {
        name: [(line["step"], float(line[name])) for line in metrics if name in line]
        for name in COLOURS
    }
    values = [value for line in lines.values() for _, value in line if math.isfinite(value)]
    if values:
        low, high = _round_range(min(values), max(values))
        last = max(step for line in lines.values() for step, _ in line)
        _draw_axes(image, low, high, last)
        for name, line in lines.items():
            _draw_line(image, name, line, low=low, high=high, last=last)
    cv2.putText(image, title, (LEFT, 26), FONT, 0.6, INK, 1, cv2.LINE_AA)
    _, encoded = cv2.imencode(".png", image)
    with atomic_write(path) as file:
        file.write(encoded.tobytes())


def _round_range(low: float, high: float) -> tuple[float, float]:
    """A range that begins and ends at a round value and holds both."""
    step = choose_step(max(high - low, 1e-3))
    return max(0.0, math.floor(low / step) * step), math.ceil(high / step + 1e-9) * step


def choose_step(length: float) -> float:
    """A round number (1, 2 or 5 times a power of ten) that divides a length into 4 to 10 parts."""
    power = 10.0 ** math.floor(math.log10(length))
    return next(part * power for part in (0.1, 0.2, 0.5, 1) if length / (part * power) <= 10)


def _ticks(low: float, high: float) -> list[float]:
    step = choose_step(high - low)
    first = math.ceil(low / step - 1e-9)
    return [step * n for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _at(step: float, value: float, *, low: float, high: float, last: int) -> tuple[int, int]:
    x = LEFT + (WIDTH - LEFT - RIGHT) * step / max(1, last)
    y = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)
    return round(x), round(y)


def _draw_axes(image: "NDArray[np.uint8]", low: float, high: float, last: int) -> None:
    for value in _ticks(low, high):
        _, y = _at(0, value, low=low, high=high, last=last)
        cv2.line(image, (LEFT, y), (WIDTH - RIGHT, y), FAINT, 1)
        _write(image, f"{value:.6g}", (LEFT - 10, y + 5), share=1.0)
    for step in _ticks(0, max(1, last)):
        if step == int(step):
            x, y = _at(step, low, low=low, high=high, last=last)
            cv2.line(image, (x, y), (x, y + 5), INK, 1)
            _write(image, f"{step:.0f}", (x, HEIGHT - 32), share=0.5)
    _write(image, "step", ((LEFT + WIDTH - RIGHT) // 2, HEIGHT - 8), share=0.5)
    _write(image, "loss", (LEFT - 10, TOP - 14), share=1.0)


def _write(image: "NDArray[np.uint8]", text: str, at: tuple[int, int], *, share: float) -> None:
    """Write text with so much of its width left of a place, and all of it on the picture."""
    wide = cv2.getTextSize(text, FONT, 0.5, 1)[0][0]
    left = min(max(0, round(at[0] - share * wide)), WIDTH - wide - 4)
    cv2.putText(image, text, (left, at[1]), FONT, 0.5, INK, 1, cv2.LINE_AA)


def _draw_line(
    image: "NDArray[np.uint8]",
    name: str,
    line: Sequence[tuple[int, float]],
    *,
    low: float,
    high: float,
    last: int,
) -> None:
    if not line:
        return
    smooth = 0.0 if name == "val_loss" else SMOOTH
    points, held = [], line[0][1]
    for step, value in line:
        held = smooth * held + (1 - smooth) * value
        points.append(_at(step, held, low=low, high=high, last=last))
    colour = COLOURS[name]
    cv2.polylines(image, [np.array(points, np.int32)], False, colour, 2, cv2.LINE_AA)
    label = {"loss": "training", "val_loss": "held out"}[name]
    x = WIDTH - RIGHT - 110
    cv2.putText(
        image, label, (x, 84 if name == "loss" else 106), FONT, 0.55, colour, 1, cv2.LINE_AA
    )
