"""Drawing accuracies as a PNG: one group of bars a kind, guessing marked, whiskers for 95 %."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.evaluate.metrics import KindScore

WIDTH, ROW, BAR = 960, 22, 14  # pixels
LEFT, RIGHT, TOP, BOTTOM = 150, 210, 64, 44
INK, GRID, GUESS = (40, 40, 40), (225, 225, 225), (30, 30, 200)  # BGR
BARS = ((170, 110, 40), (180, 180, 180), (60, 150, 240))
FONT = cv2.FONT_HERSHEY_SIMPLEX

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Bars:
    """One colour of bars: a name, and a score for each kind of question."""

    name: str
    kinds: Sequence[KindScore]


def draw_bars(bars: Sequence[Bars], *, title: str) -> bytes:
    """A PNG of the accuracies, 0 to 100 %.

    Args:
        bars: At most three; each in its own colour.
        title: Above all.
    """
    kinds = list(dict.fromkeys(score.kind for one in bars for score in one.kinds))
    group = ROW * len(bars) + 8
    image = np.full((TOP + BOTTOM + max(1, len(kinds)) * group, WIDTH, 3), 255, np.uint8)
    _draw_frame(image, title, [one.name for one in bars])
    for at, kind in enumerate(kinds):
        top = TOP + at * group
        _write(image, kind, (10, top + group // 2 + 4))
        for number, one in enumerate(bars):
            score = next((score for score in one.kinds if score.kind == kind), None)
            if score is not None:
                _draw_bar(image, score, top + 4 + number * ROW, BARS[number % len(BARS)])
    _, packed = cv2.imencode(".png", image)
    return packed.tobytes()


def _draw_frame(image: Image, title: str, names: Sequence[str]) -> None:
    _write(image, title.encode("ascii", "replace").decode(), (10, 24), scale=0.6)
    low = len(image) - BOTTOM
    for percent in range(0, 101, 20):
        x = _place(percent / 100)
        cv2.line(image, (x, TOP - 6), (x, low), GRID, 1)
        _write(image, f"{percent} %", (x - 14, low + 18))
    for number, name in enumerate(names):
        x = 10 + number * 150
        cv2.rectangle(image, (x, 36), (x + 12, 48), BARS[number % len(BARS)], -1)
        _write(image, name, (x + 18, 47))
    x = 10 + len(names) * 150
    cv2.line(image, (x + 6, 34), (x + 6, 50), GUESS, 2)
    _write(image, "guessing", (x + 18, 47))


def _draw_bar(image: Image, score: KindScore, top: int, colour: tuple[int, int, int]) -> None:
    accuracy, interval = score.all.accuracy, score.all.interval
    if accuracy is None or interval is None:
        return
    cv2.rectangle(image, (LEFT, top), (_place(accuracy), top + BAR), colour, -1)
    low, high = (_place(end) for end in interval)
    middle = top + BAR // 2
    cv2.line(image, (low, middle), (high, middle), INK, 1)
    for end in (low, high):
        cv2.line(image, (end, middle - 4), (end, middle + 4), INK, 1)
    if score.chance is not None:
        x = _place(score.chance)
        cv2.line(image, (x, top - 2), (x, top + BAR + 2), GUESS, 2)
    text = f"{100 * accuracy:.1f} % of {score.all.n}"
    _write(image, text, (WIDTH - RIGHT + 30, middle + 5))


def _place(share: float) -> int:
    return LEFT + round(share * (WIDTH - LEFT - RIGHT))


def _write(image: Image, text: str, at: tuple[int, int], *, scale: float = 0.45) -> None:
    cv2.putText(image, text, at, FONT, scale, INK, 1, cv2.LINE_AA)
