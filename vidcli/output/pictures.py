"""Frames as picture files: the bytes of one, and a name that carries its time."""

import os
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from vidcli.errors import ResourceError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXTENSIONS = {"jpeg": ".jpg", "png": ".png", "webp": ".webp"}
MAX_SIDE = {"jpeg": 65535, "png": 2**31 - 1, "webp": 16383}  # what each format can hold
STEM_BYTES = 180  # of the video's own name, so that a name stays below 255 bytes


def encode_picture(image: "NDArray[np.uint8]", *, format_name: str, quality: int) -> bytes:
    """Write a picture in a file format.

    Args:
        image: uint8 RGB (height, width, 3).
        format_name: `jpeg`, `png` or `webp`.
        quality: 1 to 100; PNG is lossless and ignores it.

    Raises:
        ResourceError: The picture is larger than the format can hold.
    """
    import cv2

    height, width = image.shape[:2]
    if max(height, width) > MAX_SIDE[format_name]:
        raise ResourceError(
            f"a picture of {width}×{height} does not fit the {format_name} format",
            hint="choose --format png, or a smaller --size",
        )
    settings = {
        "jpeg": [cv2.IMWRITE_JPEG_QUALITY, quality],
        "png": [],
        "webp": [cv2.IMWRITE_WEBP_QUALITY, quality],
    }[format_name]
    done, data = cv2.imencode(
        EXTENSIONS[format_name], cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings
    )
    assert done, "OpenCV refused a valid picture"
    return data.tobytes()


def format_of(path: Path) -> str:
    """The format that a file's extension asks for.

    Raises:
        UsageError: It is none that can be written.
    """
    extension = path.suffix.lower().replace(".jpeg", ".jpg")
    for name, known in EXTENSIONS.items():
        if known == extension:
            return name
    raise UsageError(
        f"{path} has no extension of a picture format", hint="name it .jpg, .png or .webp"
    )


def picture_name(video: str, time: Fraction, *, format_name: str, taken: set[str]) -> str:
    """A file name such as `clip_000012.345.jpg`: names sort as the times do.

    Args:
        video: Path of the video.
        time: Seconds from its start; written with milliseconds, rounded down.
        format_name: `jpeg`, `png` or `webp`.
        taken: Names given before; the new one is added. Frames less than a millisecond apart get
            a number at the end.
    """
    stem = Path(video).stem
    while len(os.fsencode(stem)) > STEM_BYTES:
        stem = stem[:-1]
    milliseconds = int(time * 1000)
    base = f"{stem}_{milliseconds // 1000:06d}.{milliseconds % 1000:03d}"
    name, number = base + EXTENSIONS[format_name], 1
    while name in taken:
        number += 1
        name = f"{base}_{number}{EXTENSIONS[format_name]}"
    taken.add(name)
    return name
