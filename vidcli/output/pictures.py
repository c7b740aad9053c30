"""Names of picture files: the format an extension asks for, a name that carries a frame's time."""

import os
from fractions import Fraction
from pathlib import Path

from vidcli.errors import UsageError

EXTENSIONS = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".webp": "webp"}
STEM_BYTES = 180  # of the video's own name, so that a name stays below 255 bytes


def format_of(path: Path) -> str:
    """The format that a file's extension asks for.

    Raises:
        UsageError: It is none that can be written.
    """
    extension = path.suffix.lower()
    if extension not in EXTENSIONS:
        raise UsageError(
            f"{path} has no extension of a picture format", hint="name it .jpg, .png or .webp"
        )
    return EXTENSIONS[extension]


def picture_name(video: str, time: Fraction, *, extension: str, taken: set[str]) -> str:
    """A file name such as `clip_000012.345.jpg`: names sort as the times do.

    Args:
        video: Path of the video.
        time: Seconds from its start; written with milliseconds, rounded down.
        extension: With its dot.
        taken: Names given before; the new one is added. Frames less than a millisecond apart get
            a number at the end.
    """
    stem = Path(video).stem
    while len(os.fsencode(stem)) > STEM_BYTES:
        stem = stem[:-1]
    milliseconds = int(time * 1000)
    base = f"{stem}_{milliseconds // 1000:06d}.{milliseconds % 1000:03d}"
    name, number = base + extension, 1
    while name in taken:
        number += 1
        name = f"{base}_{number}{extension}"
    taken.add(name)
    return name
