"""The data of a run: files read, videos found, split by video, and named by digests."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidcli.errors import UsageError
from vidcli.models.bundle import digest_video
from vidcli.train.data.files import read_data
from vidcli.train.data.sample import Sample
from vidcli.train.data.videos import find_videos, split_videos, video_id


@dataclass(frozen=True, slots=True)
class Dataset:
    """Samples to learn from and to measure on.

    Attributes:
        train: To learn from.
        held_out: To measure on; no video of it is in `train`.
        files: Each data file with its digest and rows.
        missing: Samples left out because their video is not there.
    """

    train: tuple[Sample, ...]
    held_out: tuple[Sample, ...]
    files: tuple[dict[str, Any], ...]
    missing: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Names the files' content."""
        state = hashlib.sha256()
        for file in self.files:
            state.update(f"{file['sha256']} {file['rows']}\n".encode())
        return state.hexdigest()

    @property
    def video_ids(self) -> list[str]:
        """Digests of the ids of the videos that are learnt from, sorted."""
        return sorted({digest_video(video_id(sample)) for sample in self.train})


def open_dataset(
    data: Sequence[Path],
    *,
    val: Sequence[Path] = (),
    videos: Path | None = None,
    val_split: float = 0.1,
    skip_missing: bool = False,
    seed: int = 0,
) -> Dataset:
    """Read data files and decide what is held out.

    Args:
        data: To learn from.
        val: To measure on; where there is any, nothing of `data` is held out.
        videos: What relative video names are relative to; None takes each data file's folder.
        val_split: Share of the videos that is held out.
        skip_missing: Leave out samples whose video is not there.
        seed: Of mixtures' random choices.

    Raises:
        UsageError: A row is wrong, a half is empty, or a video is in both.
        MediaError: A video is missing.
    """
    files, missing = [], []
    halves: list[list[Sample]] = []
    for paths in (data, val):
        samples: list[Sample] = []
        for path in paths:
            rows = read_data(path, seed=seed)
            files.append({"file": path.name, "sha256": digest_path(path), "rows": len(rows)})
            samples += rows
        found = find_videos(samples, videos, skip_missing=skip_missing) if samples else None
        halves.append(found.samples if found else [])
        missing += found.missing if found else []
    train, held_out = halves if val else split_videos(halves[0], val_split)
    both = {video_id(s) for s in train} & {video_id(s) for s in held_out}
    if both:
        raise UsageError(
            f"video {min(both)} is both in --data and in --val",
            hint="held-out videos must not be learnt from",
        )
    return Dataset(tuple(train), tuple(held_out), tuple(files), tuple(missing))


def digest_path(path: Path) -> str:
    """Hex SHA-256 of a file, or of the names and contents of a folder's files."""
    state = hashlib.sha256()
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        if file.is_file():
            state.update(file.name.encode() + b"\0" if path.is_dir() else b"")
            state.update(file.read_bytes())
    return state.hexdigest()
