"""Letters and digits as strokes, drawn for vidcli: they look the same with every OpenCV.

Strokes lie on a grid four wide and six high, x to the right and y down.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.world.scene import Writing

SHIFT = 4  # bits of a pixel's fraction in OpenCV's coordinates
GRID_WIDTH, GRID_HEIGHT = 4.0, 6.0
WIDEST = 0.9  # of the frame's side
MARGIN = 0.02  # between the plate and the frame's edge

_STROKES: dict[str, str] = {  # strokes divided by |, corners by spaces
    "A": "0,6 2,0 4,6|0.7,4 3.3,4",
    "B": "0,0 0,6 2.6,6 4,5.3 4,3.8 2.6,3 0,3|0,0 2.4,0 3.6,.7 3.6,2.3 2.4,3",
    "C": "4,1 3,0 1,0 0,1 0,5 1,6 3,6 4,5",
    "D": "0,0 0,6 2.5,6 4,4.5 4,1.5 2.5,0 0,0",
    "E": "4,0 0,0 0,6 4,6|0,3 3,3",
    "F": "4,0 0,0 0,6|0,3 3,3",
    "G": "4,1 3,0 1,0 0,1 0,5 1,6 3,6 4,5 4,3.3 2.3,3.3",
    "H": "0,0 0,6|4,0 4,6|0,3 4,3",
    "I": "2,0 2,6|1,0 3,0|1,6 3,6",
    "J": "4,0 4,5 3,6 1,6 0,5",
    "K": "0,0 0,6|4,0 0,3.4 4,6",
    "L": "0,0 0,6 4,6",
    "M": "0,6 0,0 2,3 4,0 4,6",
    "N": "0,6 0,0 4,6 4,0",
    "O": "1,0 3,0 4,1 4,5 3,6 1,6 0,5 0,1 1,0",
    "P": "0,6 0,0 3,0 4,.9 4,2.4 3,3.3 0,3.3",
    "Q": "1,0 3,0 4,1 4,5 3,6 1,6 0,5 0,1 1,0|2.5,4.5 4.2,6.3",
    "R": "0,6 0,0 3,0 4,.9 4,2.4 3,3.3 0,3.3|2,3.3 4,6",
    "S": "4,1 3,0 1,0 0,1 0,2.2 1,3 3,3 4,3.8 4,5 3,6 1,6 0,5",
    "T": "0,0 4,0|2,0 2,6",
    "U": "0,0 0,5 1,6 3,6 4,5 4,0",
    "V": "0,0 2,6 4,0",
    "W": "0,0 1,6 2,2.5 3,6 4,0",
    "X": "0,0 4,6|4,0 0,6",
    "Y": "0,0 2,3 4,0|2,3 2,6",
    "Z": "0,0 4,0 0,6 4,6",
    "0": "1,0 3,0 4,1 4,5 3,6 1,6 0,5 0,1 1,0|3.1,1.6 0.9,4.4",
    "1": "0.8,1.3 2,0 2,6|0.6,6 3.4,6",
    "2": "0,1.2 1,0 3,0 4,1 4,2.3 0,6 4,6",
    "3": "0,.8 1,0 3,0 4,.9 4,2.2 3,3 1.5,3|3,3 4,3.8 4,5 3,6 1,6 0,5.2",
    "4": "3,6 3,0 0,4.2 4,4.2",
    "5": "4,0 0.4,0 0,2.8 1,2.2 3,2.2 4,3.2 4,5 3,6 1,6 0,5.1",
    "6": "3.8,.6 3,0 1,0 0,1 0,5 1,6 3,6 4,5 4,3.7 3,2.8 1,2.8 0,3.7",
    "7": "0,0 4,0 1.5,6",
    "8": "1,3 0,2.2 0,.9 1,0 3,0 4,.9 4,2.2 3,3 1,3 0,3.8 0,5.1 1,6 3,6 4,5.1 4,3.8 3,3",
    "9": "0.2,5.4 1,6 3,6 4,5 4,1 3,0 1,0 0,1 0,2.3 1,3.2 3,3.2 4,2.3",
}
LETTERS = "".join(_STROKES)


@dataclass(frozen=True, slots=True)
class Font:
    """How letters are drawn, in shares of their height.

    Attributes:
        width: Of a letter.
        gap: Between letters.
        stroke: Thickness.
        slant: How far the top leans to the right.
    """

    width: float
    gap: float
    stroke: float
    slant: float = 0.0


FONTS = (
    Font(0.60, 0.24, 0.14),
    Font(0.50, 0.24, 0.19),
    Font(0.56, 0.26, 0.15, slant=0.24),
    Font(0.74, 0.26, 0.11),
)
TRAINED_FONTS, HELD_OUT_FONTS = (0, 1), (2, 3)

Corners = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Lettering:
    """A writing as it stands in a frame, in pixels.

    Attributes:
        strokes: In units of 1 / 2**SHIFT pixels, each (n, 2).
        thickness: Of the strokes.
        plate: Left, top, right, bottom of what is behind the letters.
        boxes: Each letter with its left, top, right, bottom.
    """

    strokes: list[Corners]
    thickness: int
    plate: tuple[int, int, int, int]
    boxes: list[tuple[str, tuple[float, float, float, float]]]


def place_letters(writing: Writing, size: int) -> Lettering:
    """Set a writing in frames of `size` pixels a side, as high as it says or as wide as fits."""
    font = FONTS[writing.font]
    count = len(writing.text)
    wide_per_high = count * font.width + (count - 1) * font.gap + font.slant + font.stroke
    pad = 0.3  # of the height, between letters and the plate's edge
    high = min(writing.height * size, WIDEST * size / (wide_per_high + 2 * pad))
    wide = wide_per_high * high
    reach_x, reach_y = wide / 2 + pad * high, high / 2 + pad * high
    edge = MARGIN * size
    x = min(max(writing.x * size, reach_x + edge), size - reach_x - edge)
    y = min(max(writing.y * size, reach_y + edge), size - reach_y - edge)
    left, top = x - wide / 2 + font.stroke * high / 2, y - high / 2
    strokes: list[Corners] = []
    boxes = []
    for number, letter in enumerate(writing.text):
        start = left + number * (font.width + font.gap) * high
        strokes += [_set(stroke, font, start, top, high) for stroke in _read(letter)]
        half = font.stroke * high / 2
        end = start + (font.width + font.slant) * high
        boxes.append((letter, (start - half, top - half, end + half, top + high + half)))
    plate = (x - reach_x, y - reach_y, x + reach_x, y + reach_y)
    sides = (round(plate[0]), round(plate[1]), round(plate[2]), round(plate[3]))
    return Lettering(strokes, max(1, round(font.stroke * high)), sides, boxes)


def draw_letters(
    frame: NDArray[np.uint8],
    lettering: Lettering,
    *,
    ink: tuple[int, int, int],
    plate: tuple[int, int, int],
) -> None:
    """Draw a writing on its plate."""
    left, top, right, bottom = lettering.plate
    cv2.rectangle(frame, (left, top), (right, bottom), plate, -1)
    cv2.polylines(
        frame, lettering.strokes, False, ink, lettering.thickness, cv2.LINE_AA, SHIFT
    )  # fmt: skip


def _read(letter: str) -> list[NDArray[np.float64]]:
    return [
        np.array([[float(value) for value in corner.split(",")] for corner in stroke.split()])
        for stroke in _STROKES[letter].split("|")
    ]


def _set(stroke: NDArray[np.float64], font: Font, left: float, top: float, high: float) -> Corners:
    down = stroke[:, 1] / GRID_HEIGHT
    across = stroke[:, 0] / GRID_WIDTH * font.width + font.slant * (1 - down)
    placed = np.stack([left + across * high, top + down * high], axis=1)
    return np.rint((placed - 0.5) * (1 << SHIFT)).astype(np.int32)
