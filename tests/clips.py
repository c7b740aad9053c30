"""Clips with known truth, made by the carried ffmpeg program: every frame wears its own number.

`make_clip` writes numbered frames; `read_number` tells which frame an image shows. `ClipCache` (the
fixture `clips`) makes each distinct clip once a test session. `run_ffmpeg` makes anything else.
"""

import functools
import itertools
import subprocess
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg
import imageio_ffmpeg
import numpy as np

BITS = 12  # cells of the strip along the top of every frame: black is 0, white is 1
STRIP = 4  # the strip takes one part in four of the height

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


def run_ffmpeg(stream: Any, *, stdin: bytes | None = None, before: Sequence[str] = ()) -> None:
    """Run an ffmpeg-python output node with the carried program; its stderr is the failure."""
    command = [FFMPEG, "-nostdin", "-y", "-loglevel", "error", *before, *stream.compile()[1:]]
    done = subprocess.run(
        command,
        input=stdin,
        stdin=None if stdin is not None else subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")


def numbered_frame(number: int, size: tuple[int, int]) -> np.ndarray:
    """uint8 RGB (height, width, 3): a gradient with `number` in binary along the top."""
    width, height = size
    image = np.empty((height, width, 3), np.uint8)
    image[..., 0] = np.linspace(40, 200, width)[None, :]
    image[..., 1] = np.linspace(40, 200, height)[:, None]
    image[..., 2] = 60 + number * 7 % 120
    edges = np.linspace(0, width, BITS + 1).round().astype(int)
    for bit in range(BITS):
        image[: max(1, height // STRIP), edges[bit] : edges[bit + 1]] = 235 * (number >> bit & 1)
    return image


def read_number(image: np.ndarray) -> int:
    """Number of the frame that this upright picture, at any scale, shows."""
    height, width = image.shape[:2]
    row = image[: max(1, height // STRIP)].astype(float).mean(axis=(0, 2))
    centres = ((np.arange(BITS) + 0.5) * width / BITS).astype(int)
    return sum(1 << bit for bit in range(BITS) if row[centres[bit]] > 110)


def make_clip(
    path: Path,
    *,
    duration: float = 2.0,
    size: tuple[int, int] = (192, 108),
    rate: int | Fraction = 25,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    gop: int = 12,
    b_frames: int = 0,
    filters: str | None = None,
    audio: bool = False,
    draw: Callable[[int, tuple[int, int]], np.ndarray] = numbered_frame,
    options: dict[str, Any] | None = None,
) -> Path:
    """Write `duration` seconds of numbered frames at `rate` a second, counted from 0.

    Args:
        path: Its extension chooses the container.
        duration: Seconds of video before `filters`.
        size: (width, height) of the pixels as drawn.
        rate: Frames a second.
        codec: An encoder of the carried ffmpeg.
        pix_fmt: As stored.
        gop: Frames from keyframe to keyframe, exactly.
        b_frames: Frames in a row between references (H.264, HEVC, MPEG-2).
        filters: An ffmpeg `-vf` chain, such as `select='not(mod(n,3))'`.
        audio: Add a tone.
        draw: Makes frame `number` as uint8 RGB (height, width, 3).
        options: More output options, by ffmpeg's name without the dash.

    Returns:
        `path`.
    """
    count = round(duration * rate)
    pixels = b"".join(draw(number, size).tobytes() for number in range(count))
    source = ffmpeg.input(
        "pipe:", format="rawvideo", pix_fmt="rgb24", s=f"{size[0]}x{size[1]}", r=str(rate)
    )
    streams = [source]
    if audio:
        tone = f"sine=frequency=440:sample_rate=16000:duration={duration}"
        streams.append(ffmpeg.input(tone, f="lavfi"))
    chosen: dict[str, Any] = {"c:v": codec, "pix_fmt": pix_fmt, "g": gop, "threads": 1}
    chosen |= {"fps_mode": "passthrough", "map_metadata": -1}
    if codec == "libx264":
        chosen |= {"preset": "ultrafast", "crf": 18, "bf": b_frames, "sc_threshold": 0}
    elif codec == "libx265":
        chosen |= {"preset": "ultrafast", "crf": 18}
        chosen["x265-params"] = f"log-level=none:pools=1:bframes={b_frames}:keyint={gop}"
    elif b_frames:
        chosen["bf"] = b_frames
    if filters:
        chosen["vf"] = filters
    chosen |= options or {}
    run_ffmpeg(ffmpeg.output(*streams, f"file:{path}", **chosen), stdin=pixels)
    return path


def still_colors(*colors: tuple[int, int, int]) -> Callable[[int, tuple[int, int]], np.ndarray]:
    """A `draw` that shows `colors` in turn, a second each at 25 frames a second."""

    def draw(number: int, size: tuple[int, int]) -> np.ndarray:
        color = colors[min(number // 25, len(colors) - 1)]
        return np.full((size[1], size[0], 3), color, np.uint8)

    return draw


class ClipCache:
    """Makes each distinct clip once; the files live as long as the test session.

    A cached file is shared: copy it before damaging it.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._numbers = itertools.count()
        self._made: dict[tuple[Any, ...], Path] = {}

    def get(self, suffix: str = ".mp4", **wanted: Any) -> Path:
        """Path of the clip that `make_clip(path, **wanted)` writes."""
        return self.build(suffix, functools.partial(make_clip, **wanted), key=repr(wanted))

    def build(self, suffix: str, make: Callable[[Path], object], *, key: str) -> Path:
        """Path of what `make` writes there, made once for each (`suffix`, `key`)."""
        if (suffix, key) not in self._made:
            path = self.directory / f"clip{next(self._numbers)}{suffix}"
            make(path)
            self._made[suffix, key] = path
        return self._made[suffix, key]
