"""The picture stream of a file, ready to be decoded by whichever FFmpeg can.

FFmpeg's libraries inside this process decode almost everything. A file none of whose first
pictures they can decode is handed to the ffmpeg program, which has decoders of its own (animated
WebP, JPEG XL): it writes plain pictures with their times into a pipe, which is read in order.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import av.error
import ffmpeg
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vidcli.errors import MediaError, NoVideoStreamError
from vidcli.media.ffmpeg import piped, programs
from vidcli.media.libav import PacketReader, has_decoder, translated
from vidcli.media.source import CONTAINERS, address_of, open_source
from vidcli.media.streams import choose_stream, start_of, to_time_base

PROGRAM_CPU_S = 3600  # after which the ffmpeg program ends itself, were its reader gone
FIRST_PACKETS = 200  # without a picture among them, the libraries are given up on


@dataclass(slots=True)
class Pictures:
    """One open picture stream.

    Attributes:
        path: As the user gave it.
        header: The file itself, opened by FFmpeg's libraries: tags, audio, chapters.
        listed: The picture stream as `header` lists it.
        container: What pictures are read from: `header` again, or a pipe from the program.
        stream: The picture stream in `container`.
        first: The first picture that decodes.
        origin: PTS at which the video's clock shows 0; None where frames carry no times.
        piped: Whether the ffmpeg program decodes; then there is no seeking.
    """

    path: str
    header: InputContainer
    listed: VideoStream
    container: InputContainer
    stream: VideoStream
    first: VideoFrame
    origin: int | None
    piped: bool

    @property
    def codec(self) -> str:
        """FFmpeg's name of the codec in the file."""
        context = self.listed.codec_context
        return (
            context.codec.canonical_name if context is not None else self.listed.name or "unknown"
        )

    @property
    def time_base(self) -> Fraction:
        """Seconds of one tick of `stream`, and of `origin`."""
        return to_time_base(self.stream)

    @property
    def is_still(self) -> bool:
        """Whether the file is a single picture, which lasts no time."""
        if self.piped:
            return False
        if self.listed.disposition & Disposition.still_image:
            return True
        return self.header.format.name.endswith("_pipe") and self.listed.duration is None


def tick_of(frame: VideoFrame) -> int | None:
    """When `frame` is shown, in ticks of its stream; None where it carries no time."""
    return frame.pts if frame.pts is not None else frame.dts


@contextmanager
def open_pictures(path: str) -> Iterator[Pictures]:
    """Open `path`, choose its picture stream, and decode the first picture.

    The container stands at its beginning when the block starts.

    Raises:
        NoVideoStreamError: It holds no pictures, or only a cover.
        MediaError: It is no video, or neither FFmpeg decodes a picture of it.
    """
    with ExitStack() as stack:
        header = stack.enter_context(open_source(path))
        listed = choose_stream(path, header)
        with translated(path):
            first = first_picture(header, listed)
        if first is not None:
            container = stack.enter_context(open_source(path))
            stream = container.streams[listed.index]
            assert isinstance(stream, VideoStream)
            origin = start_of(stream) if tick_of(first) is not None else None
            if origin is None:
                origin = tick_of(first)
            yield Pictures(path, header, listed, container, stream, first, origin, False)
            return
        container, first = _open_program(path, listed, stack)
        stream = container.streams.video[0]
        yield Pictures(path, header, listed, container, stream, first, tick_of(first), True)


def first_picture(container: InputContainer, stream: VideoStream) -> VideoFrame | None:
    """The first picture that decodes; None where the first packets hold none that does."""
    if not has_decoder(stream):
        return None
    reader = PacketReader(container, stream)
    stream.codec_context.thread_count = 1
    for count, packet in enumerate(reader.packets()):
        for frame in reader.decode(packet):
            return frame
        if count >= FIRST_PACKETS:
            return None
    return next(iter(reader.decode(None)), None)


def _open_program(
    path: str, listed: VideoStream, stack: ExitStack
) -> tuple[InputContainer, VideoFrame]:
    """A pipe of decoded pictures from the first ffmpeg program that decodes one of them."""
    for program in programs():
        first = _first_of_program(path, listed, program)
        if first is not None:
            return _open_pipe(path, listed, program, stack)[0], first
    raise MediaError(
        f"no picture of {path} can be decoded", hint=f"'vidcli info {path}' shows what it holds"
    )


def _first_of_program(path: str, listed: VideoStream, program: str) -> VideoFrame | None:
    try:
        with ExitStack() as attempt:
            return first_picture(*_open_pipe(path, listed, program, attempt))
    except (av.error.FFmpegError, NoVideoStreamError):  # it wrote nothing that can be read
        return None


def _open_pipe(
    path: str, listed: VideoStream, program: str, stack: ExitStack
) -> tuple[InputContainer, VideoStream]:
    address = stack.enter_context(address_of(path))
    node = _as_plain_pictures(address, listed.index)
    output, _ = stack.enter_context(piped(node, program=program))
    container = stack.enter_context(av.open(output, mode="r", format="nut"))
    return container, choose_stream(path, container)


def _as_plain_pictures(address: str, index: int) -> Any:
    """ffmpeg-python node: the stream's pictures, upright, uncompressed, at their own times."""
    source = ffmpeg.input(
        address,
        protocol_whitelist="file",
        format_whitelist=",".join(sorted(CONTAINERS | {"webp_anim"})),
    )
    return ffmpeg.output(
        source[str(index)],
        "pipe:1",
        format="nut",
        vcodec="rawvideo",
        pix_fmt="rgb24",
        fps_mode="passthrough",
    ).global_args("-timelimit", str(PROGRAM_CPU_S))
