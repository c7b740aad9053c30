"""From names in data files to files on the disk, and which half of the split a video is in."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vidcli.errors import MediaError, UsageError
from vidcli.train.data.sample import Sample

SUFFIXES = (".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".mpg", ".gif")


@dataclass(frozen=True, slots=True)
class Found:
    """Samples whose videos are there.

    Attributes:
        samples: With paths in place of names.
        missing: `file row: name` of those left out.
    """

    samples: list[Sample]
    missing: list[str]


def find_videos(samples: Sequence[Sample], root: Path | None, *, skip_missing: bool) -> Found:
    """Find the video of every sample.

    Args:
        samples: From `read_data`.
        root: What relative names are relative to; None takes the folder of each data file.
        skip_missing: Leave out samples whose video is not there, instead of failing.

    Raises:
        MediaError: A video is missing: its name, file and row are told.
    """
    found: list[Sample] = []
    missing: list[str] = []
    for sample in samples:
        path = _find(sample.video, root or _folder_of(sample))
        if path is None:
            missing.append(f"{sample.origin}: there is no video {sample.video}")
        else:
            found.append(replace(sample, video=str(path)))
    if missing and not skip_missing:
        more = f" (and {len(missing) - 1} more are missing)" if len(missing) > 1 else ""
        raise MediaError(
            f"{missing[0]}{more}",
            hint="name their folder with --videos, or leave them out with --skip-missing",
        )
    if not found:
        raise MediaError(f"none of the {len(missing)} videos is there: {missing[0]}")
    return Found(found, missing)


def _folder_of(sample: Sample) -> Path:
    return Path(sample.origin.rsplit(" row ", 1)[0].rsplit(" video ", 1)[0]).parent


def _find(name: str, root: Path) -> Path | None:
    """The file of that name, else with a usual suffix: some data sets name no extension."""
    path = root / Path(name).expanduser()
    if path.is_file():
        return path
    return next((both for suffix in SUFFIXES if (both := Path(f"{path}{suffix}")).is_file()), None)


def video_id(sample: Sample) -> str:
    """What a video is called in a split: its file's name without folder and extension."""
    return Path(sample.video).stem


def split_videos(samples: Sequence[Sample], share: float) -> tuple[list[Sample], list[Sample]]:
    """Training and held-out samples; all rows of a video are in one half.

    Decided by a hash of the video's id alone, so that it is the same for every file, order and
    machine.

    Args:
        samples: Of any files.
        share: Of the videos that is held out, 0 to 1; at least one of several.

    Raises:
        UsageError: A half that should hold something is empty.
    """
    names = {video_id(sample) for sample in samples}
    apart = {name for name in names if is_held_out(name, share)}
    if share > 0 and not apart and len(names) > 1:
        apart = {min(names, key=place_of)}
    train = [sample for sample in samples if video_id(sample) not in apart]
    held_out = [sample for sample in samples if video_id(sample) in apart]
    if not train or (share > 0 and not held_out):
        empty = "hold out" if train else "train on"
        raise UsageError(
            f"a split of {share:g} leaves no video to {empty}",
            hint="choose another --val-split, or name held-out data with --val",
        )
    return train, held_out


def is_held_out(name: str, share: float) -> bool:
    """Whether a video of this id is in the held-out half."""
    return place_of(name) < share


def place_of(name: str) -> float:
    """Where a video's id falls between 0 and 1."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
