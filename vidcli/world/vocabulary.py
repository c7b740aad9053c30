"""The words of the small world: what there is, how it looks, how it moves, and what is held out."""

import hashlib
from typing import Literal

from vidcli.world.drawings import KINDS

Split = Literal["train", "eval", "eval-drawings"]
Motion = Literal["left", "right", "up", "down", "circle", "still"]

SPLITS: tuple[Split, ...] = ("train", "eval", "eval-drawings")
MOTIONS: tuple[Motion, ...] = ("left", "right", "up", "down", "circle", "still")
STRAIGHT: tuple[Motion, ...] = ("left", "right", "up", "down")
HEADINGS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up", "circle": "circle",
            "still": "still", "top": "bottom", "bottom": "top"}  # fmt: skip
SIDES = ("left", "right", "top", "bottom")
WAYS = {"left": "to the left", "right": "to the right", "up": "up", "down": "down",
        "circle": "in a circle"}  # fmt: skip

COLOURS: dict[str, tuple[int, int, int]] = {  # sRGB
    "red": (214, 30, 36),
    "orange": (250, 134, 10),
    "yellow": (250, 222, 30),
    "green": (34, 160, 54),
    "blue": (30, 84, 220),
    "purple": (128, 40, 176),
    "pink": (250, 130, 190),
    "white": (248, 248, 248),
}
NUMBERS = ("one", "two", "three", "four")
SIZES = {"small": (0.23, 0.28), "medium": (0.32, 0.37), "big": (0.43, 0.49)}  # of the frame's side

WORDS: tuple[str, ...] = (
    "STOP", "GO", "EXIT", "OPEN", "SHOP", "TAXI", "BUS", "HELP", "HOT", "COLD", "WET", "DRY",
    "YES", "NO", "ON", "OFF", "UP", "DOWN", "LEFT", "RIGHT", "IN", "OUT", "PUSH", "PULL", "SLOW",
    "FAST", "WAIT", "WALK", "RUN", "PLAY", "END", "START", "NEW", "OLD", "BIG", "TEA", "MILK",
    "CAKE", "FOOD", "ZOO", "PARK", "BANK", "HOME", "ROAD", "CITY", "SEA", "SUN", "MOON", "STAR",
    "NEWS", "GAME", "LOVE", "KING", "WIN", "FREE", "SALE", "CAFE", "HELLO", "BYE", "FIRE",
)  # fmt: skip
DIGITS: tuple[str, ...] = tuple("0123456789")

_PLURALS = {"bus": "buses", "fish": "fish", "butterfly": "butterflies", "cactus": "cacti"}
SINGULARS = {_PLURALS.get(kind, f"{kind}s"): kind for kind in KINDS} | {
    kind: kind for kind in KINDS
}

MOTION_STEP = 3  # colours from one motion's held-out colour to the next one's


def is_held_out(kind: str, colour: str, motion: str) -> bool:
    """Whether this combination is kept from training: of each kind and motion, one colour is.

    A hash orders the kinds, so that all kinds, and nearly all colours, are kept equally often; a
    kind in one colour is kept from training in one motion at most.
    """
    place = _PLACES[kind] + MOTION_STEP * MOTIONS.index(motion)
    return list(COLOURS)[place % len(COLOURS)] == colour


_PLACES = {
    kind: place
    for place, kind in enumerate(
        sorted(KINDS, key=lambda kind: hashlib.sha256(kind.encode()).digest())
    )
}


def plural(kind: str) -> str:
    """Several of a kind."""
    return _PLURALS.get(kind, f"{kind}s")


def article(word: str) -> str:
    """The word with its indefinite article."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def name_group(count: int, colour: str, kind: str) -> str:
    """`a red ball`, `three blue buses`."""
    if count == 1:
        return f"{article(colour)} {kind}"
    return f"{NUMBERS[count - 1]} {colour} {plural(kind)}"
