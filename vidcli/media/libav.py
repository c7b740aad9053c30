"""The edge to FFmpeg's libraries (PyAV): errors, rationals, log lines, damaged packets.

Everything that leaves this floor is ours: `MediaError`s, `Fraction`s, Python log records under
`libav.*`. Opening files safely is `source`'s.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import av
import av.error
import av.logging
from av.container import InputContainer
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vidcli.errors import MediaError
from vidcli.media.pulse import beat

MAX_DEMUX_FAILURES = 50  # in a row; a reader that only ever fails has reached the end of use
QUOTE_MAX = 100  # letters; it lists every format it knows where it refuses one

_DAMAGED = "is damaged, or is no video"
_LACKS_CODEC = "needs a decoder that this FFmpeg lacks"
_NETWORK = "wants the network, which vidcli never opens for a video"
_UNSUPPORTED = "uses something FFmpeg does not support"
_SYSTEM = "cannot be read"
_INTERNAL = "makes FFmpeg fail"

MEANINGS: dict[type[Exception], str] = {
    av.error.InvalidDataError: _DAMAGED,
    av.error.EOFError: "ends before its pictures begin",
    av.error.ArgumentError: "is in no format that vidcli opens",
    av.error.DemuxerNotFoundError: "is in no format that FFmpeg knows",
    av.error.DecoderNotFoundError: _LACKS_CODEC,
    av.error.BSFNotFoundError: _LACKS_CODEC,
    av.error.EncoderNotFoundError: _INTERNAL,
    av.error.MuxerNotFoundError: _INTERNAL,
    av.error.FilterNotFoundError: _INTERNAL,
    av.error.OptionNotFoundError: _INTERNAL,
    av.error.ProtocolNotFoundError: _NETWORK,
    av.error.LookupError: _LACKS_CODEC,
    av.error.PatchWelcomeError: _UNSUPPORTED,
    av.error.NotImplementedError: _UNSUPPORTED,
    av.error.ExperimentalError: _UNSUPPORTED,
    av.error.FileNotFoundError: "does not exist",
    av.error.PermissionError: "may not be read by you",
    av.error.IsADirectoryError: "is a directory",
    av.error.NotADirectoryError: "does not exist",
    av.error.MemoryError: "needs more memory than the decoder may have",
    av.error.FileExistsError: _SYSTEM,
    av.error.BlockingIOError: _SYSTEM,
    av.error.BrokenPipeError: _SYSTEM,
    av.error.ChildProcessError: _SYSTEM,
    av.error.InterruptedError: _SYSTEM,
    av.error.ProcessLookupError: _SYSTEM,
    av.error.TimeoutError: "took too long to read",
    av.error.OverflowError: _DAMAGED,
    av.error.OSError: _SYSTEM,
    av.error.ConnectionAbortedError: _NETWORK,
    av.error.ConnectionRefusedError: _NETWORK,
    av.error.ConnectionResetError: _NETWORK,
    av.error.HTTPBadRequestError: _NETWORK,
    av.error.HTTPUnauthorizedError: _NETWORK,
    av.error.HTTPForbiddenError: _NETWORK,
    av.error.HTTPNotFoundError: _NETWORK,
    av.error.HTTPTooManyRequestsError: _NETWORK,
    av.error.HTTPOtherClientError: _NETWORK,
    av.error.HTTPClientError: _NETWORK,
    av.error.HTTPServerError: _NETWORK,
    av.error.HTTPError: _NETWORK,
    av.error.BugError: _INTERNAL,
    av.error.BufferTooSmallError: _INTERNAL,
    av.error.ExitError: _INTERNAL,
    av.error.ExternalError: _DAMAGED,
    av.error.InputChangedError: _INTERNAL,
    av.error.OutputChangedError: _INTERNAL,
    av.error.PyAVCallbackError: _INTERNAL,
    av.error.UndefinedError: _INTERNAL,
    av.error.UnknownError: _DAMAGED,
    av.error.FFmpegError: _INTERNAL,
}
"""What each class of PyAV's errors says of a file; the most specific one wins."""

logging.getLogger("libav").addHandler(logging.NullHandler())  # never Python's last resort, stderr
av.logging.set_level(av.logging.ERROR)


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Turn what PyAV raises inside the block into a `MediaError` that names the file."""
    before, _ = av.logging.get_last_error()
    try:
        yield
    except (av.error.FFmpegError, MemoryError) as error:
        raise MediaError(f"{path} {meaning_of(error)}{_last_words(before)}") from error


def meaning_of(error: Exception) -> str:
    """What `error` says of the file it came from, as the end of a sentence."""
    for ancestor in type(error).__mro__:
        if ancestor in MEANINGS:
            return MEANINGS[ancestor]
    return MEANINGS[av.error.MemoryError] if isinstance(error, MemoryError) else _INTERNAL


def _last_words(before: int) -> str:
    """FFmpeg's last complaint since its count of them was `before`, in brackets; else empty."""
    count, line = av.logging.get_last_error()
    words = line[2].strip().rstrip(".") if line is not None and count > before else ""
    return f" (FFmpeg: {words})" if 0 < len(words) <= QUOTE_MAX else ""


def to_fraction(value: Fraction | None) -> Fraction | None:
    """An FFmpeg rational as a positive `Fraction`; None where it is unset, zero or negative."""
    return Fraction(value) if value is not None and value > 0 else None


def has_decoder(stream: Stream) -> bool:
    """Whether FFmpeg's libraries, as PyAV carries them, know the stream's codec at all."""
    return getattr(stream, "codec_context", None) is not None


def read_packets(container: InputContainer, *streams: Stream) -> "Iterator[av.Packet[Any] | None]":
    """Packets of `streams` from where the container stands to its end, stepping over damage.

    Yields:
        Packets, none empty; None for each place that could not be read.
    """
    failures = 0
    while failures < MAX_DEMUX_FAILURES:
        try:
            for packet in container.demux(streams):
                beat()
                failures = 0
                if packet.size:
                    yield packet
            return
        except av.error.MemoryError:
            raise
        except av.error.FFmpegError:
            failures += 1
            yield None


class PacketReader:
    """Reads and decodes one picture stream, stepping over damage and counting it.

    Attributes:
        damaged: Packets that could not be read or decoded so far.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self.container = container
        self.stream = stream
        self.damaged = 0

    def packets(self) -> "Iterator[av.Packet[VideoStream]]":
        """Packets of the stream from where the container stands to its end; none is empty."""
        in_a_row = 0
        for packet in read_packets(self.container, self.stream):
            if packet is not None:
                in_a_row = 0
                yield packet
                continue
            self.damaged += in_a_row == 0  # a run of failures is one damaged place
            in_a_row += 1

    def decode(self, packet: "av.Packet[VideoStream] | None") -> list[VideoFrame]:
        """Frames that `packet` completes; None drains the decoder, which then must be flushed."""
        try:
            return self.stream.codec_context.decode(packet)
        except av.error.EOFError:
            return []
        except av.error.MemoryError:
            raise
        except av.error.FFmpegError:
            self.damaged += 1
            return []

    def frames(self) -> Iterator[VideoFrame]:
        """Every frame from where the container stands to the end, in order shown."""
        for packet in self.packets():
            yield from self.decode(packet)
        yield from self.decode(None)
