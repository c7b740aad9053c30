"""`vidcli summarize`: title, paragraph and chapters of videos of any length."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from vidcli import settings
from vidcli.cli.groups import Loading, Looking, Rehearsing, Telling, Writing, takes_groups
from vidcli.cli.inputs import Choosing, Inputs, gather
from vidcli.cli.keeping import Keeping
from vidcli.cli.options import (
    LOOKING,
    OUTPUT,
    WRITING,
    Selection,
    VideosArgument,
    read_positive_time,
)
from vidcli.cli.running import run_task
from vidcli.cli.speech import AUTO, NONE, WHISPER
from vidcli.cli.summarizing import SummaryTask, caption_sampling
from vidcli.cli.tasks import leave_at_that
from vidcli.errors import UsageError
from vidcli.output.chapters import ChapterForm
from vidcli.output.documents import Document
from vidcli.output.plain import count


def _read_frames(text: str | int) -> int:
    if isinstance(text, int):
        return text
    try:
        return int(str(settings.TABLE["frames"].read(text)))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} {error}") from error


@dataclass(frozen=True, slots=True)
class SegmentLooking(Looking):
    """Which part of a video to look at, and how closely at each segment of it."""

    frames: Annotated[
        int,
        typer.Option(
            "--frames",
            metavar="auto|N",
            parser=_read_frames,
            help="How many frames of each segment to look at, at most.",
            show_default="auto",
            rich_help_panel=LOOKING,
        ),
    ] = 0
    select: Annotated[
        Selection | None,
        typer.Option(
            "--select",
            help="The rule that parts segments and chooses frames; all but shots part evenly.  "
            "[default: shots]",
            rich_help_panel=LOOKING,
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class SegmentWriting(Writing):
    """How captions and summary are written."""

    max_tokens: Annotated[
        int,
        typer.Option(
            "--max-tokens", min=1, help="Longest caption of a segment.", rich_help_panel=WRITING
        ),
    ] = settings.SEGMENT_TOKENS


@takes_groups
def summarize(
    videos: VideosArgument,
    choosing: Choosing,
    looking: SegmentLooking,
    loading: Loading,
    writing: SegmentWriting,
    telling: Telling,
    rehearsing: Rehearsing,
    keeping: Keeping,
    segment: Annotated[
        Fraction | None,
        typer.Option(
            "--segment",
            metavar="TIME",
            parser=read_positive_time,
            help="Longest part to caption at once.  [default: 5 s to 2 min, by length]",
            rich_help_panel=LOOKING,
        ),
    ] = None,
    subtitles: Annotated[
        str,
        typer.Option(
            metavar="auto|none|whisper|FILE",
            help="Where speech is written down; auto looks beside the video, then inside it, "
            "whisper hears the sound.",
            rich_help_panel=LOOKING,
        ),
    ] = AUTO,
    ignore_chapters: Annotated[
        bool,
        typer.Option(
            "--ignore-chapters",
            help="Make chapters even where the file has its own.",
            rich_help_panel=WRITING,
        ),
    ] = False,
    chapters: Annotated[
        ChapterForm | None,
        typer.Option(
            "--chapters",
            help="Give out nothing but the chapters, in this form.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    write_chapters: Annotated[
        Path | None,
        typer.Option(
            "--write-chapters",
            metavar="FILE",
            help="Write a copy of the video with chapter marks, such as OUT.mkv.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    """Summarize each video: a title, a paragraph, and chapters with their times.

    The video is captioned segment by segment, and the captions are put together. What was captioned
    is kept: a run that was interrupted goes on where it was.
    """
    inputs = gather(videos, choosing)
    _check_forms(chapters, inputs, telling, keeping)
    subtitles = _check_subtitles(subtitles, inputs)
    task = SummaryTask(
        name="summarize",
        looking=looking,
        sampling=caption_sampling(writing),
        telling=telling,
        longest=segment,
        subtitles=subtitles,
        ignores_chapters=ignore_chapters,
        is_anew=keeping.overwrite,
        keeps=not loading.no_cache,
        form=chapters,
        deliver=_copier(write_chapters, inputs, telling, keeping),
    )
    run_task(inputs, task, loading, telling, rehearsing, keeping)


def _check_forms(
    chapters: ChapterForm | None, inputs: Inputs, telling: Telling, keeping: Keeping
) -> None:
    """Refuse a form of chapters that goes with no other.

    Raises:
        UsageError: It contradicts another option.
    """
    if chapters is None:
        return
    if keeping.form is not None or (telling.json and not keeping.writes_files):
        other = "--json" if keeping.form is None else "--format"
        raise UsageError(
            f"--chapters does not go with {other}: each says what is given out",
            hint="leave one of them out",
        )
    if inputs.many and chapters.is_whole_file and not keeping.writes_files:
        raise UsageError(
            f"--chapters {chapters} of several videos cannot be one stream",
            hint="give --out-dir DIR or --sidecar for a file each",
        )


def _check_subtitles(subtitles: str, inputs: Inputs) -> str:
    """The words `auto` and `none`, or a file that is there.

    Raises:
        UsageError: It is none of them, or one file for several videos.
    """
    if subtitles in (AUTO, NONE, WHISPER):
        return subtitles
    if not os.path.isfile(subtitles):
        raise UsageError(
            f"--subtitles {subtitles}: there is no such file",
            hint="write auto, none, whisper or a file",
        )
    if inputs.many:
        raise UsageError(
            "--subtitles FILE is about one video",
            hint="files beside the videos are found by their names",
        )
    return subtitles


def _copier(
    target: Path | None, inputs: Inputs, telling: Telling, keeping: Keeping
) -> Callable[[Document], None]:
    """What writes the copy with chapter marks, checked before any work.

    Raises:
        UsageError: The copy cannot be written there.
    """
    if target is None:
        return leave_at_that
    from vidcli.media.chapters import CONTAINER_SUFFIXES

    if inputs.many:
        raise UsageError(
            "--write-chapters is about one video",
            hint="--chapters ffmetadata --out-dir DIR writes the marks of many",
        )
    if target.suffix.lower() not in CONTAINER_SUFFIXES:
        names = ", ".join(CONTAINER_SUFFIXES)
        raise UsageError(f"{target} is no container with chapters", hint=f"end its name in {names}")
    if any(target.exists() and _is_same(target, item.path) for item in inputs.files):
        raise UsageError(f"{target} is the video itself", hint="name another file")
    if target.exists() and not keeping.overwrite:
        raise UsageError(f"{target} is there already", hint="--overwrite replaces it")
    if target.is_dir() or not os.access(target.absolute().parent, os.W_OK):
        raise UsageError(f"cannot write {target}", hint="name a file in a folder you may write")

    def copy(document: Document) -> None:
        _write_copy(document, target, telling, overwrite=keeping.overwrite)

    return copy


def _write_copy(document: Document, target: Path, telling: Telling, *, overwrite: bool) -> None:
    from vidcli.core.media import Chapter
    from vidcli.core.time import Span
    from vidcli.media.chapters import write_chapters

    marks = [
        Chapter(
            Span(_exact(chapter["start_s"]), _exact(chapter["end_s"])),
            chapter["title"],
        )
        for chapter in document["chapters"]
    ]
    notes = write_chapters(document["video"]["path"], target, marks, overwrite=overwrite)
    for note in notes:
        telling.notes.warn(f"{target}: {note}")
    telling.notes.tell(f"{target} is written, with {count(len(marks), 'chapter mark')}")


def _exact(seconds: float) -> Fraction:
    return Fraction(seconds).limit_denominator(1_000_000)


def _is_same(path: Path, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False
