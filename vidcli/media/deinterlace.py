"""Interlaced frames as whole pictures: one frame out for one frame in, at the same time."""

from collections.abc import Iterable, Iterator

import av.error
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

FILTER = "bwdif"
SETTINGS = "mode=send_frame:parity=auto:deint=interlaced"


def deinterlaced(frames: Iterable[VideoFrame], stream: VideoStream) -> Iterator[VideoFrame]:
    """Deinterlace the frames that are flagged so; the others pass unchanged.

    The filter looks at the frames before and after, and so is one frame behind its input.

    Args:
        frames: As decoded from `stream`, in order shown, without a seek between them.
        stream: Gives size, pixel format and time base.

    Yields:
        As many frames, each with the PTS it came with, in ticks of `stream`.
    """
    graph, shape = None, None
    for frame in frames:
        if graph is None or shape != (frame.width, frame.height, frame.format.name):
            yield from _drained(graph, stream)
            graph, shape = _build(frame, stream), (frame.width, frame.height, frame.format.name)
        graph.push(frame)
        yield from _ready(graph, stream)
    yield from _drained(graph, stream)


def _build(frame: VideoFrame, stream: VideoStream) -> Graph:
    graph = Graph()
    graph.threads = 1
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=stream.time_base
    )
    whole, sink = graph.add(FILTER, SETTINGS), graph.add("buffersink")
    source.link_to(whole)
    whole.link_to(sink)
    graph.configure()
    return graph


def _drained(graph: Graph | None, stream: VideoStream) -> Iterator[VideoFrame]:
    if graph is not None:
        graph.push(None)
        yield from _ready(graph, stream)


def _ready(graph: Graph, stream: VideoStream) -> Iterator[VideoFrame]:
    while True:
        try:
            whole = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        assert isinstance(whole, VideoFrame)
        if whole.pts is not None:  # the filter counts half ticks, so that it could show each field
            assert whole.time_base is not None
            assert stream.time_base is not None
            whole.pts = round(whole.pts * whole.time_base / stream.time_base)
            whole.time_base = stream.time_base
        yield whole
