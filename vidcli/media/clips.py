"""Clips for measuring: made up, or copies of the compressed streams of others."""

from pathlib import Path

import ffmpeg

from vidcli.media import ffmpeg as program

COPY_TIMEOUT_S = 600.0


def loop_clip(source: Path, target: Path, seconds: int) -> Path:
    """Repeat a clip until it lasts `seconds`, without decoding it.

    Args:
        source: A clip whose streams can be copied.
        target: Written; its extension chooses the container.
        seconds: Length of the result.

    Returns:
        `target`.

    Raises:
        SetupError: There is no ffmpeg program.
        MediaError: ffmpeg failed; its last words are the reason.
    """
    stream = ffmpeg.input(f"file:{source}", stream_loop=-1)
    copy = ffmpeg.output(stream, f"file:{target}", t=seconds, c="copy", an=None)
    program.run(copy.overwrite_output(), timeout_s=COPY_TIMEOUT_S)
    return target


def draw_clip(target: Path, seconds: int, size: tuple[int, int]) -> Path:
    """Make a moving H.264 test picture at 30 frames a second, 1 to 2 Mbit/s at 1280x720.

    Args:
        target: Written; its extension chooses the container.
        seconds: Length.
        size: (width, height) in pixels.

    Returns:
        `target`.

    Raises:
        SetupError: There is no ffmpeg program.
        MediaError: ffmpeg failed; its last words are the reason.
    """
    width, height = size
    source = f"testsrc2=size={width}x{height}:rate=30,noise=alls=6:allf=t"
    stream = ffmpeg.input(source, f="lavfi", t=seconds)
    drawn = ffmpeg.output(
        stream, f"file:{target}", vcodec="libx264", preset="veryfast", pix_fmt="yuv420p", g=120,
        maxrate="1500k", bufsize="3000k",
    )  # fmt: skip
    program.run(drawn.overwrite_output(), timeout_s=COPY_TIMEOUT_S)
    return target
