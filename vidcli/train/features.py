"""What the vision encoder made of each video, kept on disk: frozen parts run once, not every step.

A file holds one video under one frame policy: the features, the frames' times and the duration.
What is kept depends on what learns: pixels where the vision encoder does, its output where the
connector does, the connector's output where neither does.
"""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from vidcli.core.files import atomic_write
from vidcli.core.prompt import SeenFrame
from vidcli.core.time import Timestamp
from vidcli.train.frames import Clip

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION = 1  # rises when the same key would hold other numbers


class Level(StrEnum):
    """How far frames are carried before they are kept."""

    PIXELS = "pixels"
    ENCODER = "encoder"
    TOKENS = "tokens"


@dataclass(frozen=True, eq=False)
class Kept:
    """One video's features with its clip, whose pixels are left out.

    Attributes:
        clip: Times, duration and size of the frames.
        data: uint8 pixels [groups, frames, height, width, 3], or float16 [groups, n, width].
    """

    clip: Clip
    data: "NDArray[Any]"


def choose_level(parts: tuple[str, ...]) -> Level:
    """What to keep where these parts learn."""
    if "vision" in parts:
        return Level.PIXELS
    return Level.ENCODER if "connector" in parts else Level.TOKENS


class FeatureStore:
    """Features of every video seen, in one folder.

    Args:
        folder: Made when the first file is written.
        level: What is kept.
        encoder: Names the vision encoder (and connector): the digest of its file.
    """

    def __init__(self, folder: Path, *, level: Level, encoder: str) -> None:
        self.level = level
        self._folder = folder
        self._encoder = "" if level is Level.PIXELS else encoder

    def path_of(self, what: str) -> Path:
        """Where the features of a video under a frame policy are, or would be."""
        key = f"{VERSION} {self.level} {self._encoder} {what}"
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.npz"

    def load(self, path: Path) -> Kept | None:
        """Read a file; None where there is none, or it is damaged."""
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                meta = json.loads(str(file["meta"]))
                return Kept(_read_clip(meta), file["data"])
        except (OSError, ValueError, KeyError, EOFError, TypeError, BadZipFile):
            return None

    def save(self, path: Path, kept: Kept) -> None:
        """Write a file whole.

        Raises:
            OSError: The disk is full or cannot be written.
        """
        with atomic_write(path) as file:
            np.savez(file, data=kept.data, meta=np.array(json.dumps(_write_clip(kept.clip))))


def _write_clip(clip: Clip) -> dict[str, Any]:
    return {
        "name": clip.name,
        "size": clip.size,
        "duration": None if clip.duration is None else str(clip.duration),
        "shown": [
            [(f.id, f.time.pts, str(f.time.time_base), str(f.wanted), f.reason) for f in frames]
            for frames in clip.shown
        ],
    }


def _read_clip(meta: dict[str, Any]) -> Clip:
    shown = tuple(
        tuple(
            SeenFrame(n, Timestamp(pts, Fraction(base)), Fraction(wanted), reason)
            for n, pts, base, wanted, reason in frames
        )
        for frames in meta["shown"]
    )
    duration = None if meta["duration"] is None else Fraction(meta["duration"])
    return Clip(meta["name"], None, shown, duration, tuple(meta["size"]))
