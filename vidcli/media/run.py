"""Frames in the order shown from one place of a stream on, decoding no more than must be decoded.

A run looks some packets ahead of the one it decodes. So it knows when the next picture is due
before decoding it: pictures that no other one needs (H.264 and HEVC mark them) and that are over
before the wanted instant are not decoded, and a picture is given out as soon as it is known to be
the last one at or before that instant.
"""

import bisect
from collections import deque
from collections.abc import Iterator

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vidcli.media.deinterlace import deinterlaced
from vidcli.media.libav import PacketReader
from vidcli.media.pictures import tick_of

SKIPPABLE = frozenset({"h264", "hevc"})  # AV1 latches the setting when it opens, VP9 ignores it
LOOKAHEAD = 24  # packets of those; more than the 16 pictures that they may reorder
LOOKAHEAD_OTHERS = 2  # packets of other codecs, which reorder by one picture at most
KEPT_TIMES = 4096  # PTS remembered behind the picture last given out


class Run:
    """Frames from where the container stands on.

    Args:
        reader: Of the stream; its container was just opened or sought.
        interlaced: Whether frames need deinterlacing; then none is skipped.
        counted: Whether frames carry no times: the first is then at 0, each next one tick later.

    Attributes:
        ended: Whether the last frame was reached.
        read_to: Largest DTS of the packets read; None where packets carry none.
    """

    def __init__(self, reader: PacketReader, *, interlaced: bool, counted: bool) -> None:
        self.ended = False
        self.read_to: int | None = None
        self._reader = reader
        self._context = reader.stream.codec_context
        self._counted = counted
        self._skips = not interlaced and not counted and self._context.name in SKIPPABLE
        self._ahead: deque[av.Packet[VideoStream]] = deque()
        self._times: list[int] = []  # PTS of the packets read, sorted
        self._packets_ended = False
        self._wanted = 0
        decoded = self._decoded()
        self._frames = deinterlaced(decoded, reader.stream) if interlaced else decoded
        self._last_tick = -1 if counted else None
        self._shown: tuple[int, VideoFrame] | None = None
        self._next: tuple[int, VideoFrame] | None = None

    def first(self, wanted: int) -> tuple[int, VideoFrame] | None:
        """The first frame of the run and its tick, on the way to `wanted`; None where it has none.

        Only before `at` was called.
        """
        assert self._shown is None
        if self._next is None:
            self._wanted = wanted
            self._next = self._read()
        return self._next

    def at(self, wanted: int) -> tuple[int, VideoFrame] | None:
        """The last frame at or before the tick `wanted`; None where the first one comes later.

        Args:
            wanted: No less than before.
        """
        self._wanted = wanted
        while not self._is_settled(wanted):
            self._next = self._next or self._read()
            if self._next is None or self._next[0] > wanted:
                break
            self._shown, self._next = self._next, None
        self._forget()
        return self._shown

    def _is_settled(self, wanted: int) -> bool:
        """Whether what follows the frame shown is known to come after `wanted`."""
        if self._shown is None or self._shown[0] > wanted:
            return False
        due = self._following(self._shown[0])
        return due is not None and due > wanted

    def _following(self, tick: int) -> int | None:
        """When the picture after the one at `tick` is due; None while that is not certain."""
        place = bisect.bisect_right(self._times, tick)
        if place == len(self._times):
            return None
        due = self._times[place]
        is_certain = self._packets_ended or (self.read_to is not None and self.read_to >= due)
        return due if is_certain else None

    def _read(self) -> tuple[int, VideoFrame] | None:
        frame = next(self._frames, None)
        if frame is None:
            self.ended = True
            return None
        tick = None if self._counted else tick_of(frame)
        if tick is None:
            tick = (self._last_tick or 0) + (1 if self._counted else frame.duration or 1)
        self._last_tick = tick
        return tick, frame

    def _decoded(self) -> Iterator[VideoFrame]:
        for packet in self._packets():
            if self._skips:
                self._context.skip_frame = "NONREF" if self._is_over(packet) else "DEFAULT"
            yield from self._reader.decode(packet)
        yield from self._reader.decode(None)

    def _is_over(self, packet: "av.Packet[VideoStream]") -> bool:
        """Whether the next picture replaces this one before or at the wanted instant."""
        if packet.pts is None or packet.is_discard:
            return False
        due = self._following(packet.pts)
        return due is not None and due <= self._wanted

    def _packets(self) -> "Iterator[av.Packet[VideoStream]]":
        depth = LOOKAHEAD if self._skips else LOOKAHEAD_OTHERS
        for packet in self._reader.packets():
            self._note(packet)
            self._ahead.append(packet)
            if len(self._ahead) > depth:
                yield self._ahead.popleft()
        self._packets_ended = True
        while self._ahead:
            yield self._ahead.popleft()

    def _note(self, packet: "av.Packet[VideoStream]") -> None:
        if packet.dts is not None:
            self.read_to = max(packet.dts, self.read_to or packet.dts)
        if packet.pts is not None and not packet.is_discard:
            bisect.insort(self._times, packet.pts)

    def _forget(self) -> None:
        """Drop times that lie behind, so that memory does not grow with the video."""
        if self._shown is not None and len(self._times) > KEPT_TIMES:
            del self._times[: bisect.bisect_left(self._times, self._shown[0])]
