"""Clips that show text: slides and a terminal, lettered by OpenCV, with known times."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from tests.clips import make_clip

SIZE = (640, 360)
RATE = 10
DARK, LIGHT = (24, 20, 20), (245, 250, 250)
SLIDES = (
    (0.0, 2.3, ("Quarterly results", "Revenue up 12 percent", "Costs are flat")),
    (2.3, 4.7, ("Quarterly results", "Headcount 41", "Offices in Bern and Graz")),
    (4.7, 7.0, ("Thank you", "questions@example.org")),
)
"""Start, end and lines of each slide; the first line of two of them is the same."""
COMMAND = "$ vidcli ask clip.mp4 hello"
GREETING, ANSWER = "Welcome to the terminal", "the dog leaves the house"
TYPED = (1.0, 0.3)  # seconds: when typing begins, and what a letter takes
ANSWERED = 10.4  # seconds: when the answer is printed
SESSION = 12.0  # seconds


def letter(
    lines: Sequence[str], *, size: tuple[int, int] = SIZE, ink: tuple[int, int, int] = DARK
) -> np.ndarray:
    """uint8 RGB (height, width, 3) with lines of text, one below the other."""
    paper = LIGHT if ink == DARK else DARK
    image = np.full((size[1], size[0], 3), paper, np.uint8)
    for number, line in enumerate(lines):
        place = (24, 50 + 56 * number)
        cv2.putText(image, line, place, cv2.FONT_HERSHEY_DUPLEX, 0.9, ink, 1, cv2.LINE_AA)
    return image


def draw_slide(number: int, size: tuple[int, int]) -> np.ndarray:
    """Frame `number` of the slides."""
    moment = number / RATE
    return letter(next(lines for start, end, lines in SLIDES if start <= moment < end), size=size)


def draw_terminal(number: int, size: tuple[int, int]) -> np.ndarray:
    """Frame `number` of a terminal in which a command is typed slowly."""
    begins, each = TYPED
    moment = number / RATE
    typed = 2 + max(0, int((moment - begins) / each))
    lines = [GREETING, COMMAND[:typed], *([ANSWER] if moment >= ANSWERED else [])]
    return letter(lines, size=size, ink=LIGHT)


def make_slides(path: Path) -> Path:
    """Seven seconds of three slides, with a tone."""
    return make_clip(path, duration=7, size=SIZE, rate=RATE, draw=draw_slide, audio=True)


def make_terminal(path: Path) -> Path:
    """Twelve seconds of a terminal."""
    return make_clip(path, duration=SESSION, size=SIZE, rate=RATE, draw=draw_terminal)


WORDS = [
    "open",
    "close",
    "begin",
    "finish",
    "carry",
    "bring",
    "wander",
    "listen",
    "gather",
    "answer",
]
LOG = tuple(f"{WORDS[n % 10]} the {WORDS[(n * 3 + 1) % 10]} gate {n + 10}" for n in range(20))
"""Lines that scroll by, one more every half second; all differ."""
SHOWN = 6  # of them at once


def draw_log(number: int, size: tuple[int, int]) -> np.ndarray:
    """Frame `number` of a terminal in which lines scroll by."""
    last = min(len(LOG), number // (RATE // 2) + 1)
    return letter(LOG[max(0, last - SHOWN) : last], size=size, ink=LIGHT)


def make_log(path: Path) -> Path:
    """Ten seconds of scrolling lines."""
    return make_clip(path, duration=10, size=SIZE, rate=RATE, draw=draw_log)
