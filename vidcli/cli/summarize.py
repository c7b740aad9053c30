"""`vidcli summarize`: title, paragraph and chapters of videos of any length."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from vidcli import settings
from vidcli.cli.groups import Loading, Looking, Rehearsing, Telling, Writing, takes_groups
from vidcli.cli.inputs import Choosing, Inputs, gather
from vidcli.cli.keeping import Keeping
from vidcli.cli.marked_copy import make_copier
from vidcli.cli.options import (
    LOOKING,
    OUTPUT,
    WRITING,
    Selection,
    VideosArgument,
    read_positive_time,
)
from vidcli.cli.running import run_task
from vidcli.cli.speech import AUTO, check_subtitles
from vidcli.cli.summarizing import SummaryTask, caption_sampling
from vidcli.errors import UsageError
from vidcli.output.chapters import ChapterForm


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


SegmentOption = Annotated[
    Fraction | None,
    typer.Option(
        "--segment",
        metavar="TIME",
        parser=read_positive_time,
        help="Longest part to caption at once.  [default: 5 s to 2 min, by length]",
        rich_help_panel=LOOKING,
    ),
]
SubtitlesOption = Annotated[
    str,
    typer.Option(
        "--subtitles",
        metavar="auto|none|whisper|FILE",
        help="Where speech is written down; auto looks beside the video, then inside it, "
        "whisper hears the sound.",
        rich_help_panel=LOOKING,
    ),
]
IgnoreChaptersOption = Annotated[
    bool,
    typer.Option(
        "--ignore-chapters",
        help="Make chapters even where the file has its own.",
        rich_help_panel=WRITING,
    ),
]
WriteChaptersOption = Annotated[
    Path | None,
    typer.Option(
        "--write-chapters",
        metavar="FILE",
        help="Write a copy of the video with chapter marks, such as OUT.mkv.",
        rich_help_panel=OUTPUT,
    ),
]


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
    segment: SegmentOption = None,
    subtitles: SubtitlesOption = AUTO,
    ignore_chapters: IgnoreChaptersOption = False,
    chapters: Annotated[
        ChapterForm | None,
        typer.Option(
            "--chapters",
            help="Give out nothing but the chapters, in this form.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    write_chapters: WriteChaptersOption = None,
) -> None:
    """Summarize each video: a title, a paragraph, and chapters with their times.

    The video is captioned segment by segment, and the captions are put together. What was captioned
    is kept: a run that was interrupted goes on where it was.
    """
    inputs = gather(videos, choosing)
    check_forms(chapters, inputs, telling, keeping, option=f"--chapters {chapters}")
    subtitles = check_subtitles(subtitles, many=inputs.many)
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
        deliver=make_copier(write_chapters, inputs, telling, keeping),
    )
    run_task(inputs, task, loading, telling, rehearsing, keeping)


def check_forms(
    chapters: ChapterForm | None,
    inputs: Inputs,
    telling: Telling,
    keeping: Keeping,
    *,
    option: str,
) -> None:
    """Refuse a form of chapters that goes with no other.

    Args:
        chapters: The form; None where it is another kind of result.
        inputs: From `gather`.
        telling: Whether JSON is wanted.
        keeping: Whether another form is, and where results go.
        option: What asked for this form.

    Raises:
        UsageError: It contradicts another option.
    """
    if chapters is None:
        return
    if keeping.form is not None or (telling.json and not keeping.writes_files):
        other = "--json" if keeping.form is None else "--format"
        raise UsageError(
            f"{option.split()[0]} does not go with {other}: each says what is given out",
            hint="leave one of them out",
        )
    if inputs.many and chapters.is_whole_file and not keeping.writes_files:
        raise UsageError(
            f"{option} of several videos cannot be one stream",
            hint="give --out-dir DIR or --sidecar for a file each",
        )
