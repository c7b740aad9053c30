"""A video as tiny pictures with their times: what shots are told apart by.

Every frame is shrunk to 16 × 9 cells of four values each, straight from the decoder's own planes,
so that ten hours pass through a few megabytes. Decoding is nearly all of the cost; the loop filter
is left out, since what it smooths is far smaller than a cell.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from vidcli.core.time import Span
from vidcli.media.ends import counted_rate
from vidcli.media.libav import PacketReader, translated
from vidcli.media.pictures import Pictures, open_pictures, tick_of
from vidcli.media.pulse import beat

ROWS, COLUMNS = 9, 16  # cells
LUMA, CHROMA = 6, 3  # pixels a side of a cell, of the two planes of 4:2:0
VALUES = 4  # of a cell: mean Y, U, V, and how much Y varies inside it (standard deviation)
MAX_THREADS = 4

Cells = NDArray[np.float32]  # [..., VALUES, ROWS, COLUMNS], 0 to 255


def _means(side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Matrices that average cells of `side` pixels: times a plane from the left, from the right."""
    share = np.float32(1 / side)
    rows: NDArray[np.float32] = np.eye(ROWS, dtype=np.float32).repeat(side, axis=1) * share
    columns: NDArray[np.float32] = np.eye(COLUMNS, dtype=np.float32).repeat(side, axis=0) * share
    return rows, columns


_LUMA_MEANS, _CHROMA_MEANS = _means(LUMA), _means(CHROMA)


def read_thumbnails(path: str, span: Span | None = None) -> Iterator[tuple[Fraction, Cells]]:
    """Decode every frame of `span` once, in the order shown.

    Args:
        path: A local file.
        span: Part of the video; None is all of it.

    Yields:
        (seconds on the video's clock, cells `[4, 9, 16]`), stepping over damage.

    Raises:
        MediaError: No picture can be decoded.
    """
    reformatter = VideoReformatter()
    with open_pictures(path) as pictures, translated(path), decoding_in_threads(pictures):
        end = None if span is None else span.end
        for time, frame in _timed_frames(pictures, span):
            if end is not None and time >= end:
                return
            if span is None or time >= span.start:
                if span is not None:
                    beat((time - span.start) / span.length)
                yield time, measure_cells(frame, reformatter)


@contextmanager
def decoding_in_threads(pictures: Pictures) -> Iterator[None]:
    """Decode with as many threads as pay, and let them all come to rest at the end.

    A decoder freed while they work waits for them and holds Python's lock, which they need to
    log an error: neither would ever go on.
    """
    context = pictures.stream.codec_context
    context.thread_type = "AUTO"
    context.thread_count = min(MAX_THREADS, os.cpu_count() or 1)
    try:
        yield
    finally:
        context.flush_buffers()  # waits without Python's lock


def measure_cells(frame: VideoFrame, reformatter: VideoReformatter) -> Cells:
    """Shrink one frame to cells `[4, 9, 16]`.

    The scaler takes a sparse grid of pixels (bilinear, not the area of each), of which every cell
    averages 36: six times cheaper than averaging all pixels, and as good for telling shots apart.
    """
    small = reformatter.reformat(
        frame,
        width=COLUMNS * LUMA,
        height=ROWS * LUMA,
        format="yuv420p",
        interpolation="FAST_BILINEAR",
        threads=1,  # on so little work, more threads only cost
    )
    luma, *chroma = (_pixels(plane) for plane in small.planes)
    cells = np.empty((VALUES, ROWS, COLUMNS), np.float32)
    cells[0] = _LUMA_MEANS[0] @ luma @ _LUMA_MEANS[1]
    squares = _LUMA_MEANS[0] @ (luma * luma) @ _LUMA_MEANS[1]
    cells[3] = np.sqrt(np.maximum(squares - cells[0] * cells[0], 0))
    for value, plane in enumerate(chroma, start=1):
        cells[value] = _CHROMA_MEANS[0] @ plane @ _CHROMA_MEANS[1]
    return cells


def _pixels(plane: VideoPlane) -> NDArray[np.float32]:
    """[height, width] of an 8-bit plane, without the padding of its rows."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    pixels: NDArray[np.float32] = rows[:, : plane.width].astype(np.float32)
    return pixels


def _timed_frames(pictures: Pictures, span: Span | None) -> Iterator[tuple[Fraction, VideoFrame]]:
    pictures.stream.codec_context.options = {"skip_loop_filter": "all"}
    if span is not None and span.start > 0 and pictures.origin is not None and not pictures.piped:
        target = pictures.origin + int(span.start / pictures.time_base)
        pictures.container.seek(target, stream=pictures.stream)
    rate = counted_rate(pictures) if pictures.origin is None else None
    latest = Fraction(-1)
    for number, frame in enumerate(PacketReader(pictures.container, pictures.stream).frames()):
        if rate is not None:
            yield number / rate, frame
            continue
        tick = tick_of(frame)
        assert pictures.origin is not None
        time = latest if tick is None else (tick - pictures.origin) * pictures.time_base
        if time > latest:  # damage can repeat a time or turn it back
            latest = time
            yield time, frame
