"""A toy world with known truth: a coloured light that gets brighter or darker.

The colour is in every frame; whether it gets brighter is in their order alone.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.clips import make_clip

COLOURS = {"red": (230, 20, 20), "green": (20, 210, 40), "blue": (20, 40, 240), "white": (250,) * 3}
WAYS = ("brighter", "darker")
SIDE = 32  # pixels
SECONDS = 2
RATE = 8


@dataclass(frozen=True)
class Toy:
    """One clip: what it shows decides every pixel."""

    colour: str
    way: str
    shade: int  # 0 to 3: tells clips of one kind apart

    @property
    def caption(self) -> str:
        return f"{self.colour} light gets {self.way}"

    def draw(self, number: int, size: tuple[int, int]) -> np.ndarray:
        width, height = size
        share = (number + 0.5) / (SECONDS * RATE)
        share = 1 - share if self.way == "darker" else share
        level = 0.25 + 0.7 * share - 0.04 * self.shade
        return np.full((height, width, 3), np.array(COLOURS[self.colour]) * level, np.uint8)


def list_toys() -> list[Toy]:
    """Every clip there is, in a fixed shuffled order."""
    toys = [Toy(colour, way, n) for colour in COLOURS for way in WAYS for n in range(4)]
    return [toys[i] for i in np.random.default_rng(0).permutation(len(toys))]


def write_videos(folder: Path, toys: Sequence[Toy], *, side: int = SIDE) -> list[Path]:
    """Render clips as square files, `t00.mp4` on."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        make_clip(
            folder / f"t{n:02d}.mp4",
            duration=SECONDS,
            size=(side, side),
            rate=RATE,
            gop=4,
            draw=toy.draw,
        )
        for n, toy in enumerate(toys)
    ]


def write_captions(path: Path, toys: Sequence[Toy], *, first: int = 0) -> Path:
    """Caption pairs of clips that `write_videos` numbered from `first`."""
    rows = [{"video": f"t{n:02d}.mp4", "caption": toy.caption} for n, toy in enumerate(toys, first)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def write_questions(path: Path, toys: Sequence[Toy], *, first: int = 0) -> Path:
    """Two turns about each clip, in LLaVA's shape: its colour and how it changes."""
    rows = [
        {
            "id": str(n),
            "video": f"t{n:02d}.mp4",
            "conversations": [
                {"from": "human", "value": "<video>\nWhich colour is it? Answer in one word."},
                {"from": "gpt", "value": toy.colour},
                {"from": "human", "value": "Does it get brighter or darker? Answer in one word."},
                {"from": "gpt", "value": toy.way},
            ],
        }
        for n, toy in enumerate(toys, first)
    ]
    path.write_text(json.dumps(rows), "utf-8")
    return path
