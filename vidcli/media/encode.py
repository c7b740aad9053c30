"""Writing frames as a video file: H.264 in MP4, the same bytes for the same frames."""

import os
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from vidcli.media import ffmpeg as program

TIMEOUT_S = 600.0
RATE = 16_000  # samples a second
LOUDNESS = 0.15  # of full scale, for each tone
PART = ".part"


@dataclass(frozen=True, slots=True)
class Tone:
    """A sine tone in the sound track, in `[start, end)`, in seconds."""

    hertz: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class ClipFormat:
    """How a clip is written.

    Attributes:
        width: Pixels; even.
        height: Pixels; even.
        fps: Frames a second.
        crf: Constant rate factor of H.264.
    """

    width: int
    height: int
    fps: int
    crf: int


def encode_clip(
    target: Path,
    chunks: Iterable[NDArray[np.uint8]],
    form: ClipFormat,
    *,
    n_frames: int,
    tones: Sequence[Tone] = (),
) -> None:
    """Write a clip beside `target` and rename it when it is whole; a failure leaves nothing.

    Args:
        target: An MP4 file, whose folder exists.
        chunks: Frames in order, uint8 RGB (n, height, width, 3).
        form: Size, rate and quality.
        n_frames: How many there are; the sound is as long.
        tones: Of the sound track; without any there is none.

    Raises:
        SetupError: There is no ffmpeg program.
        MediaError: ffmpeg failed; its last words are the reason.
        OSError: The file cannot be renamed.
    """
    part = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}{PART}")
    try:
        stream = _describe(part, form, seconds=n_frames / form.fps, tones=tones)
        program.feed(stream, (chunk.tobytes() for chunk in chunks), timeout_s=TIMEOUT_S)
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def remove_parts(folder: Path) -> None:
    """Remove what processes that are gone have left half written in a folder."""
    for part in folder.glob(f".*{PART}"):
        owner = part.name.removesuffix(PART).rpartition(".")[2].partition("-")[0]
        if not (owner.isdigit() and _is_alive(int(owner))):
            part.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    with suppress(ProcessLookupError):
        try:
            os.kill(process, 0)
        except PermissionError:
            return True
        return True
    return False


def _describe(target: Path, form: ClipFormat, *, seconds: float, tones: Sequence[Tone]) -> Any:
    size = f"{form.width}x{form.height}"
    frames = ffmpeg.input("pipe:0", f="rawvideo", pix_fmt="rgb24", s=size, r=form.fps)
    picture = frames.video.filter("scale", out_color_matrix="bt709", out_range="tv")
    streams = [picture]
    sound: dict[str, Any] = {}
    if tones:
        wave = "+".join(
            f"{LOUDNESS}*sin(2*PI*{tone.hertz:.2f}*t)*gte(t,{tone.start:.4f})*lt(t,{tone.end:.4f})"
            for tone in tones
        )
        streams.append(ffmpeg.input(f"aevalsrc='{wave}':d={seconds:.4f}:s={RATE}", f="lavfi").audio)
        sound = {"acodec": "aac", "b:a": "32k", "flags:a": "+bitexact"}
    return ffmpeg.output(
        *streams, f"file:{target}", f="mp4", vcodec="libx264", preset="veryfast", crf=form.crf,
        pix_fmt="yuv420p", threads=1, g=form.fps * 2, map_metadata=-1, fflags="+bitexact",
        movflags="+faststart", colorspace="bt709", color_primaries="bt709", color_trc="bt709",
        **{"flags:v": "+bitexact"}, **sound,
    ).overwrite_output()  # fmt: skip
