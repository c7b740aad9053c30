"""Boxes drawn into a frame, for people to look at."""

import zlib
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.core.tracks import Box

Image = NDArray[np.uint8]  # RGB (height, width, 3)

# Colours that stay apart for colour-blind eyes. Source: Okabe and Ito, Color Universal Design.
COLOURS = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0),
    (204, 121, 167),
)  # fmt: skip
FONT = cv2.FONT_HERSHEY_SIMPLEX
CAPITAL = 22  # pixels of a capital at font scale 1


def draw_boxes(image: Image, boxes: Sequence[tuple[str, Box]]) -> Image:
    """A copy of a frame with its boxes, each named; a name always has the same colour.

    Args:
        image: The frame.
        boxes: What to write at each box, and where it is.
    """
    drawn = image.copy()
    height, width = drawn.shape[:2]
    line = max(1, round(min(height, width) / 160))
    for name, box in boxes:
        first = name.split(" ")[0]
        colour = COLOURS[zlib.crc32(first.encode()) % len(COLOURS)]
        left, top = round(box.x * width), round(box.y * height)
        right, bottom = round((box.x + box.width) * width), round((box.y + box.height) * height)
        cv2.rectangle(drawn, (left, top), (right - 1, bottom - 1), colour, line)
        _write(drawn, name, colour, at=(left, top))
    return drawn


def _write(image: Image, text: str, colour: tuple[int, int, int], *, at: tuple[int, int]) -> None:
    """Write on a plate of the colour: above the box, or inside it where that is off the frame."""
    text = "".join(letter if " " <= letter <= "~" else "?" for letter in text)
    letter = max(7, round(min(image.shape[:2]) / 32))  # pixels
    scale, pen = letter / CAPITAL, max(1, letter // 9)
    (wide, tall), below = cv2.getTextSize(text, FONT, scale, pen)
    left = max(0, min(at[0], image.shape[1] - wide - 4))
    top = at[1] - tall - below - 4
    top = at[1] if top < 0 else top
    cv2.rectangle(image, (left, top), (left + wide + 4, top + tall + below + 3), colour, -1)
    cv2.putText(image, text, (left + 2, top + tall + 2), FONT, scale, (0, 0, 0), pen, cv2.LINE_AA)
