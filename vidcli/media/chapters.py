"""Chapter marks into a copy of a video, through the ffmpeg program; no picture is encoded again.

Streams are copied as they are. Text subtitles that the new container cannot hold in their own form
are written in the one it can; what it cannot hold at all (fonts in MP4, data streams) is left out,
and the caller is told. The original is never touched.
"""

import os
import shutil
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import ffmpeg
from av.container import InputContainer
from av.stream import Stream

from vidcli.core.ffmetadata import TICKS, write_ffmetadata
from vidcli.core.media import Chapter
from vidcli.errors import MediaError, ResourceError
from vidcli.media import ffmpeg as program
from vidcli.media.drafts import draft_beside, publish
from vidcli.media.libav import translated
from vidcli.media.source import CONTAINERS, address_of, open_source
from vidcli.media.streams import COVER, MICROSECOND, choose_stream, start_of, to_time_base

CONTAINER_SUFFIXES = (".mkv", ".mp4", ".m4v", ".mov", ".webm")
MARGIN_BYTES = 16 * 1024**2  # of disk, above the size of the original
LEAST_BYTES_PER_S = 5_000_000  # a slow disk; decides how long copying may take
GRACE_S = 300.0

_WITH_COVER = (".mp4", ".m4v")
_MATROSKA = (".mkv", ".webm")
_TEXT_INTO = {".mkv": "srt", ".webm": "webvtt", ".mp4": "mov_text", ".m4v": "mov_text",
              ".mov": "mov_text"}  # fmt: skip
_TEXT_HELD = {
    ".mkv": frozenset({"subrip", "ass", "ssa", "webvtt", "text"}),
    ".webm": frozenset({"webvtt"}),
    **dict.fromkeys((".mp4", ".m4v", ".mov"), frozenset({"mov_text"})),
}
_TEXT = frozenset({"subrip", "ass", "ssa", "webvtt", "text", "mov_text"})


def write_chapters(
    source: str, target: Path, chapters: Sequence[Chapter], *, overwrite: bool
) -> tuple[str, ...]:
    """Write a copy of a video with these chapter marks in place of its own.

    Args:
        source: The video.
        target: The copy; its suffix is one of `CONTAINER_SUFFIXES`.
        chapters: In order, on the video's clock.
        overwrite: Replace a file that is there already.

    Returns:
        What of the video the copy lacks, or has in another form, one sentence each.

    Raises:
        MediaError: ffmpeg cannot write this video so, or the copy does not read back.
        ResourceError: There is no room for it, or its folder cannot be written, or it is there.
        SetupError: There is no ffmpeg program.
    """
    _require_room(source, target)
    with draft_beside(target) as draft, tempfile.TemporaryDirectory(prefix="vidcli-") as folder:
        plan = _plan_copy(source, target)
        marks = Path(folder, "chapters.txt")
        marks.write_text(_write_marks(chapters, plan.offset), encoding="utf-8", newline="")
        try:
            _copy(source, draft, marks, plan)
        except MediaError as error:
            hint = None if target.suffix == ".mkv" else "name the copy .mkv, which holds nearly all"
            raise MediaError(f"{target} cannot be written: {error}", hint=hint) from error
        _verify(draft, target, chapters)
        publish(draft, target, overwrite=overwrite)
    return plan.notes


class _Plan:
    """How the streams of one video go into a container.

    Attributes:
        maps: (number of the stream, codec to write it with), `copy` for most.
        offset: What is added to times on the video's clock, so that they fit the container's.
        notes: What is lost or changed.
    """

    def __init__(self, offset: Fraction) -> None:
        self.maps: list[tuple[int, str]] = []
        self.offset = offset
        self.notes: tuple[str, ...] = ()


def _plan_copy(source: str, target: Path) -> _Plan:
    suffix = target.suffix.lower()
    with open_source(source) as container, translated(source):
        plan = _Plan(offset_of_pictures(source, container))
        notes: dict[str, None] = {}
        for stream in container.streams:
            codec, note = _choose_codec(stream, suffix)
            if codec:
                plan.maps.append((stream.index, codec))
            if note:
                notes[note] = None
        plan.notes = tuple(notes)
    return plan


def offset_of_pictures(source: str, container: InputContainer) -> Fraction:
    """How much later the pictures begin than the file: ffmpeg counts from where the file begins."""
    stream = choose_stream(source, container)
    first = start_of(stream)
    if first is None or container.start_time is None:
        return Fraction(0)
    return max(Fraction(0), first * to_time_base(stream) - container.start_time * MICROSECOND)


def _choose_codec(stream: Stream, suffix: str) -> tuple[str, str]:
    """How to write a stream, empty where it is left out, and what to say of that."""
    context = stream.codec_context
    codec = context.codec.canonical_name if context is not None else ""
    number = f"stream #{stream.index}"
    if stream.type == "video" and stream.disposition & COVER and suffix not in _WITH_COVER:
        return "", f"{number} (a cover picture) is left out"
    if stream.type in ("video", "audio"):
        return "copy", ""
    if stream.type == "subtitle":
        if codec in _TEXT_HELD[suffix] or (codec not in _TEXT and suffix == ".mkv"):
            return "copy", ""
        if codec in _TEXT:
            into = _TEXT_INTO[suffix]
            return into, f"subtitles of {number} are written as {into}, not {codec}"
        return "", f"subtitles of {number} ({codec or 'unknown'}) cannot be in a {suffix} file"
    if stream.type == "attachment" and suffix == ".mkv":
        return "copy", ""
    is_chapters = stream.name == "bin_data" and bool(stream.container.chapters())
    if is_chapters or "timecode" in stream.metadata:  # both come again from the copy's own tags
        return "", ""
    return "", f"{number} ({stream.type}) is left out"


def _write_marks(chapters: Sequence[Chapter], offset: Fraction) -> str:
    return write_ffmetadata(
        (
            round((chapter.span.start + offset) * TICKS),
            round((chapter.span.end + offset) * TICKS),
            chapter.title,
        )
        for chapter in chapters
    )


def _copy(source: str, draft: Path, marks: Path, plan: _Plan) -> None:
    with address_of(source) as address:
        video = ffmpeg.input(
            address, protocol_whitelist="file", format_whitelist=",".join(sorted(CONTAINERS))
        )
        streams = [video[str(index)] for index, _ in plan.maps]
        codecs = {f"c:{place}": codec for place, (_, codec) in enumerate(plan.maps)}
        options: dict[str, str] = {"map_metadata": "0", "map_chapters": "1", **codecs}
        if draft.suffix in _MATROSKA:
            options["avoid_negative_ts"] = "disabled"
        else:
            options |= {"movflags": "+faststart", "strict": "unofficial"}
        copied = ffmpeg.output(*streams, f"file:{draft}", **options).overwrite_output()
        timeout_s = GRACE_S + os.stat(source).st_size / LEAST_BYTES_PER_S
        program.run(_Marked(copied, marks), timeout_s=timeout_s)


class _Marked:
    """An output node with one more input that no stream is taken from, its chapters only."""

    def __init__(self, node: Any, marks: Path) -> None:
        self._node = node
        self._marks = marks

    def compile(self, cmd: str) -> list[str]:
        """The command line; ffmpeg-python would map a stream of every input it knows."""
        words: list[str] = self._node.compile(cmd=cmd)
        at = words.index("-map")
        return [*words[:at], "-f", "ffmetadata", "-i", f"file:{self._marks}", *words[at:]]


def _verify(draft: Path, target: Path, chapters: Sequence[Chapter]) -> None:
    with av.open(f"file:{draft}", metadata_errors="replace") as container:
        found = len(container.chapters())
    if found != len(chapters):
        raise MediaError(
            f"{target} would hold {found} of {len(chapters)} chapter marks",
            hint="name the copy .mkv, which holds them all",
        )


def _require_room(source: str, target: Path) -> None:
    needed = os.stat(source).st_size + MARGIN_BYTES
    try:
        free = shutil.disk_usage(target.absolute().parent).free
    except OSError as error:
        raise ResourceError(f"cannot write {target}: {error.strerror}") from error
    if free < needed:
        raise ResourceError(
            f"{target} needs {needed // 1024**2} MiB of disk, and {free // 1024**2} MiB are free"
        )
