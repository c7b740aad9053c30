"""What a video file is, told without inventing anything.

Reads the header, the first picture, the packets of the first seconds and those of the last: enough
to tell rotation, varying rate, and whether the file really reaches the end that its header claims
(`ends`). Not here: shots, sound levels, anything that needs the whole file decoded.
"""

import itertools
import os
from fractions import Fraction

from av.audio.stream import AudioStream as AvAudioStream
from av.container import InputContainer
from av.subtitles.stream import SubtitleStream as AvSubtitleStream

from vidcli.core.media import AudioStream, Chapter, SubtitleStream, VideoInfo, VideoStream
from vidcli.core.time import Span
from vidcli.errors import NoVideoStreamError
from vidcli.media.ends import Ends, find_end, find_sound_end
from vidcli.media.libav import PacketReader, to_fraction, translated
from vidcli.media.pictures import Pictures, open_pictures, tick_of
from vidcli.media.recording import open_recording
from vidcli.media.streams import MICROSECOND, displayed_size, sample_aspect_ratio_of

OPENING_PACKETS = 300  # looked at to tell whether the rate varies
REORDER_MAX = 16  # pictures that a codec may hold back
RATE_TOLERANCE = Fraction(1, 50)
JITTER_S = Fraction(1, 500)  # by which containers round times
ODD_STEPS_MAX = Fraction(1, 50)  # part of the steps that may be uneven at a steady rate

HDR_TRANSFERS = frozenset({"smpte2084", "arib-std-b67"})
TRANSFERS = {
    1: "bt709",
    4: "gamma22",
    5: "gamma28",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}
"""FFmpeg's names of the transfer characteristics of ITU-T H.273, table 3; 2 is "unspecified"."""

TEXT_SUBTITLES = frozenset({"subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text", "ttml"})


def probe(path: str, *, sound_too: bool = False) -> VideoInfo:
    """Tell what the video at `path` is.

    Args:
        path: A local file, as the user gave it.
        sound_too: Whether a file without pictures will do.

    Returns:
        Facts; what the file does not say is None. `duration` is where the pictures really end: of
        a file that was cut off, less than its header claims, with a warning that says so.

    Raises:
        NoVideoStreamError: It holds no pictures, or only a cover, and sound will not do.
        MediaError: It is no video, or no picture of it can be decoded.
    """
    try:
        return _probe_pictures(path)
    except NoVideoStreamError:
        if not sound_too:
            raise
        return _probe_sound(path)


def _probe_sound(path: str) -> VideoInfo:
    with open_recording(path) as recording, translated(path):
        ends = find_sound_end(recording)
        return _assemble(path, recording.container, recording.begins, None, ends)


def _probe_pictures(path: str) -> VideoInfo:
    with open_pictures(path) as pictures, translated(path):
        if pictures.is_still:
            return _assemble_video(pictures, Ends(None), rate=None, varies=None)
        if pictures.piped:
            times = _all_times(pictures)
            rate = _mean_rate(times, pictures.time_base)
            ends = Ends(len(times) / rate if rate else None)
        else:
            times = _opening_times(pictures)
            rate = _stated_rate(pictures)
            ends = find_end(pictures)
        varies = _varies(times, pictures.time_base, rate)
        return _assemble_video(pictures, ends, rate=rate, varies=varies)


def _assemble_video(
    pictures: Pictures, ends: Ends, *, rate: Fraction | None, varies: bool | None
) -> VideoInfo:
    origin = (pictures.origin or 0) * pictures.time_base
    picture = _describe(pictures, rate=rate, varies=varies)
    return _assemble(pictures.path, pictures.header, origin, picture, ends)


def _assemble(
    path: str,
    header: InputContainer,
    origin: Fraction,
    picture: VideoStream | None,
    ends: Ends,
) -> VideoInfo:
    tags = {key.lower(): value for key, value in header.metadata.items()}
    return VideoInfo(
        path=path,
        container=header.format.name,
        size_bytes=os.stat(path).st_size,
        duration=ends.duration,
        picture=picture,
        audio=tuple(_audio(stream) for stream in header.streams.audio),
        subtitles=tuple(_subtitle(stream) for stream in header.streams.subtitles),
        chapters=_chapters(header, origin),
        title=tags.get("title") or None,
        created=tags.get("creation_time") or tags.get("date") or None,
        warnings=ends.warnings,
    )


def _describe(pictures: Pictures, *, rate: Fraction | None, varies: bool | None) -> VideoStream:
    first, stream = pictures.first, pictures.stream
    coded = (first.width, first.height)
    shape = sample_aspect_ratio_of(stream)
    rotation = round(first.rotation / 90) % 4 * 90
    transfer = TRANSFERS.get(int(first.color_trc))
    return VideoStream(
        index=pictures.listed.index,
        codec=pictures.codec,
        time_base=pictures.time_base,
        coded_size=coded,
        display_size=displayed_size(coded, sample_aspect_ratio=shape, rotation=rotation),
        rotation=rotation,
        sample_aspect_ratio=shape,
        average_rate=rate,
        is_vfr=varies,
        pixel_format=first.format.name,
        color_transfer=transfer,
        is_hdr=transfer in HDR_TRANSFERS,
        is_still=pictures.is_still,
        is_interlaced=first.interlaced_frame or stream.codec_context.field_order > 1,
    )


def _audio(stream: AvAudioStream) -> AudioStream:
    context = stream.codec_context
    return AudioStream(
        index=stream.index,
        codec=context.name if context is not None else "unknown",
        sample_rate=(context.sample_rate or None) if context is not None else None,
        channels=(context.channels or None) if context is not None else None,
        language=stream.language,
    )


def _subtitle(stream: AvSubtitleStream) -> SubtitleStream:
    context = stream.codec_context
    codec = context.codec.canonical_name if context is not None else "unknown"
    return SubtitleStream(
        index=stream.index, codec=codec, language=stream.language, is_text=codec in TEXT_SUBTITLES
    )


def _chapters(header: InputContainer, origin: Fraction) -> tuple[Chapter, ...]:
    """The author's chapters on the video's clock; those outside it are left out."""
    found = []
    for chapter in header.chapters():
        tick = chapter["time_base"] or MICROSECOND
        start = max(Fraction(0), chapter["start"] * tick - origin)
        end = chapter["end"] * tick - origin
        if end > start:
            found.append(Chapter(Span(start, end), chapter["metadata"].get("title", "")))
    return tuple(found)


def _opening_times(pictures: Pictures) -> list[int]:
    """PTS of the first pictures shown, in order; empty where packets carry none.

    The last few are left out: pictures shown between them may not have been read yet.
    """
    if pictures.origin is None:
        return []
    reader = PacketReader(pictures.container, pictures.stream)
    opening = list(itertools.islice(reader.packets(), OPENING_PACKETS))
    times = sorted(p.pts for p in opening if p.pts is not None and not p.is_discard)
    return times[: -min(REORDER_MAX, len(times) // 3) or None]


def _all_times(pictures: Pictures) -> list[int]:
    """When every picture is shown: of a piped file, which can only be read in order."""
    frames = PacketReader(pictures.container, pictures.stream).frames()
    return [tick for frame in frames if (tick := tick_of(frame)) is not None]


def _stated_rate(pictures: Pictures) -> Fraction | None:
    """Frames a second as the file gives it; a stream without times has only the codec's word."""
    if pictures.origin is None:
        return to_fraction(pictures.stream.codec_context.framerate)
    return to_fraction(pictures.stream.average_rate)


def _mean_rate(times: list[int], time_base: Fraction) -> Fraction | None:
    length = (times[-1] - times[0]) * time_base if times else Fraction(0)
    return (len(times) - 1) / length if length > 0 else None


def _varies(times: list[int], time_base: Fraction, rate: Fraction | None) -> bool | None:
    """Whether pictures come at uneven steps, or at another step than the file's average.

    A gap or two in an otherwise steady video is no varying rate.
    """
    steps = sorted(later - sooner for sooner, later in itertools.pairwise(times) if later > sooner)
    if len(steps) < 2:
        return None
    usual, jitter = steps[len(steps) // 2], max(2 * time_base, JITTER_S)
    odd = sum(abs(step - usual) * time_base > jitter for step in steps)
    if odd > len(steps) * ODD_STEPS_MAX:
        return True
    mean = Fraction(sum(steps), len(steps)) * time_base
    return rate is not None and abs(rate * mean - 1) > RATE_TOLERANCE
