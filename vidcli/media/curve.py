"""The curve of `find` as a picture: scores over time, what was found, and the threshold."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.core.time import format_range, format_time

WIDTH, HEIGHT = 960, 360  # pixels
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 60, 64
INK, GRID = (40, 40, 40), (225, 225, 225)  # BGR
CURVE, FOUND, LIMIT, DOT = (170, 90, 20), (205, 240, 205), (30, 30, 200), (60, 150, 40)
FONT = cv2.FONT_HERSHEY_SIMPLEX
TITLE_LETTERS = 84
DASH = 8  # pixels

Image = NDArray[np.uint8]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn.

    Attributes:
        title: Above all; letters that OpenCV has no drawing of come out as `?`.
        start: Seconds at the left edge.
        end: Seconds at the right edge.
        points: (seconds, probability) of the windows, in order.
        looks: (seconds, probability) of single pictures.
        spans: (start, end) of what was found, in seconds.
        threshold: Probability.
    """

    title: str
    start: float
    end: float
    points: Sequence[Point]
    looks: Sequence[Point]
    spans: Sequence[tuple[float, float]]
    threshold: float


def draw_curve(drawing: Drawing) -> bytes:
    """A PNG of 960 by 360 pixels."""
    image = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    low, high = _y(0.0), _y(1.0)
    for start, end in drawing.spans:
        left, right = _x(drawing, start), max(_x(drawing, end), _x(drawing, start) + 2)
        cv2.rectangle(image, (left, high), (right, low), FOUND, -1)
    _draw_axes(image, drawing)
    _draw_dashes(image, LEFT, WIDTH - RIGHT, y=_y(drawing.threshold))
    places = np.array([(_x(drawing, time), _y(value)) for time, value in drawing.points])
    cv2.polylines(image, [places.astype(np.int32)], False, CURVE, 2, cv2.LINE_AA)
    for time, value in drawing.points:
        cv2.circle(image, (_x(drawing, time), _y(value)), 3, CURVE, -1, cv2.LINE_AA)
    for time, value in drawing.looks:
        cv2.circle(image, (_x(drawing, time), _y(value)), 3, DOT, 1, cv2.LINE_AA)
    _draw_spans(image, drawing)
    _draw_head(image, drawing)
    _, packed = cv2.imencode(".png", image)
    return packed.tobytes()


def _draw_axes(image: Image, drawing: Drawing) -> None:
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _y(share)
        cv2.line(image, (LEFT, y), (WIDTH - RIGHT, y), GRID, 1)
        _write(image, f"{share:.2f}", (20, y + 4))
    decimals = 1 if drawing.end - drawing.start < 10 else 0
    for part in range(7):
        time = drawing.start + (drawing.end - drawing.start) * part / 6
        x, text = _x(drawing, time), format_time(time, decimals=decimals)
        cv2.line(image, (x, _y(0.0)), (x, _y(0.0) + 5), INK, 1)
        _write(image, text, (min(x, WIDTH - RIGHT) - 4 * len(text), _y(0.0) + 20))


def _draw_spans(image: Image, drawing: Drawing) -> None:
    """The times of what was found, under the axis, where they do not meet each other."""
    reached = 0
    for start, end in drawing.spans:
        text = format_range(start, end, dash="-")  # the font is ASCII
        middle = (_x(drawing, start) + _x(drawing, end)) // 2
        left = min(max(LEFT, middle - 4 * len(text)), WIDTH - RIGHT - 8 * len(text))
        if left > reached:
            _write(image, text, (left, HEIGHT - 14), colour=DOT)
            reached = left + 8 * len(text) + 12


def _draw_head(image: Image, drawing: Drawing) -> None:
    title = drawing.title.encode("ascii", "replace").decode()
    if len(title) > TITLE_LETTERS:
        title = f"{title[: TITLE_LETTERS - 3]}..."
    _write(image, title, (LEFT, 24), scale=0.6)
    x = LEFT
    for name, colour in (("window", CURVE), ("closer look", DOT), ("threshold", LIMIT)):
        _draw_key(image, x, colour)
        _write(image, name, (x + 28, 45))
        x += 44 + 9 * len(name)
    if drawing.spans:
        cv2.rectangle(image, (x, 34), (x + 18, 48), FOUND, -1)
        _write(image, "found", (x + 24, 45))


def _draw_key(image: Image, x: int, colour: tuple[int, int, int]) -> None:
    """What stands before a name of the head: drawn as it is below."""
    if colour == LIMIT:
        _draw_dashes(image, x, x + 3 * DASH, y=41)
        return
    if colour == CURVE:
        cv2.line(image, (x, 41), (x + 18, 41), colour, 2)
    cv2.circle(image, (x + 9, 41), 3, colour, -1 if colour == CURVE else 1, cv2.LINE_AA)


def _draw_dashes(image: Image, left: int, right: int, *, y: int) -> None:
    for x in range(left, right, 2 * DASH):
        cv2.line(image, (x, y), (min(x + DASH, right), y), LIMIT, 1)


def _x(drawing: Drawing, time: float) -> int:
    share = (time - drawing.start) / (drawing.end - drawing.start)
    return LEFT + round(min(1.0, max(0.0, share)) * (WIDTH - LEFT - RIGHT))


def _y(probability: float) -> int:
    return TOP + round((1 - probability) * (HEIGHT - TOP - BOTTOM))


def _write(
    image: Image,
    text: str,
    at: tuple[int, int],
    *,
    scale: float = 0.45,
    colour: tuple[int, int, int] = INK,
) -> None:
    cv2.putText(image, text, at, FONT, scale, colour, 1, cv2.LINE_AA)
