"""Clips made from clips: copies of the compressed streams through the ffmpeg program."""

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
