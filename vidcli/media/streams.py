"""Which stream to look at, where its clock starts, how large it is shown.

Facts read from an open container without decoding; `probe` adds what only pictures tell.
"""

from fractions import Fraction

from av.audio.stream import AudioStream as AvAudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream as AvVideoStream

from vidcli.core.media import refuse_sound
from vidcli.errors import NoVideoStreamError
from vidcli.media.libav import to_fraction

COVER = Disposition.attached_pic | Disposition.timed_thumbnails
WIDEST_PIXEL = 10  # a sample aspect ratio beyond 10:1 either way is damage, not a picture
MICROSECOND = Fraction(1, 1_000_000)  # what a container's own times are counted in


def choose_stream(path: str, container: InputContainer) -> AvVideoStream:
    """The default picture stream, else the largest; never cover art.

    Raises:
        NoVideoStreamError: The file holds sound, subtitles or a cover, and no picture stream.
    """
    pictures = [stream for stream in container.streams.video if not stream.disposition & COVER]
    if pictures:
        return max(pictures, key=_preference)
    if not container.streams.audio:
        raise NoVideoStreamError(f"{path} has no video stream (nothing to see or hear)")
    held = "only sound and a cover picture" if container.streams.video else "only sound"
    raise refuse_sound(path, held=held)


def _preference(stream: AvVideoStream) -> tuple[bool, int, int]:
    context = stream.codec_context
    pixels = context.width * context.height if context is not None else 0
    return bool(stream.disposition & Disposition.default), pixels, -stream.index


def start_of(stream: AvVideoStream) -> int | None:
    """PTS at which the stream's clock shows 0, in its ticks; None where only pictures can tell.

    AVI and raw streams carry no PTS, and what FFmpeg says of their start is a guess.
    """
    if stream.container.format.name in ("avi", "h264", "hevc", "vvc", "m4v", "mpegvideo"):
        return None
    return stream.start_time


def sample_aspect_ratio_of(stream: AvVideoStream) -> Fraction:
    """Width over height of a stored pixel; 1 where unsaid or absurd."""
    ratio = to_fraction(stream.sample_aspect_ratio) or Fraction(1)
    return ratio if Fraction(1, WIDEST_PIXEL) <= ratio <= WIDEST_PIXEL else Fraction(1)


def displayed_size(
    coded: tuple[int, int], *, sample_aspect_ratio: Fraction, rotation: int
) -> tuple[int, int]:
    """(width, height) as shown: square pixels by changing the width, then upright."""
    width = max(1, round(coded[0] * sample_aspect_ratio))
    height = coded[1]
    return (height, width) if rotation in (90, 270) else (width, height)


def claimed_duration(stream: AvVideoStream | AvAudioStream) -> Fraction | None:
    """Seconds the header gives the stream, else the file; None where it gives neither."""
    if stream.duration is not None and stream.duration > 0:
        return stream.duration * to_time_base(stream)
    whole = stream.container.duration  # type: ignore[attr-defined]  # an input container
    return whole * MICROSECOND if whole is not None and whole > 0 else None


def to_time_base(stream: AvVideoStream | AvAudioStream) -> Fraction:
    """Seconds of one tick of the stream."""
    base = to_fraction(stream.time_base)
    assert base is not None, "FFmpeg gives every stream a time base"
    return base
