"""`vidcli chapters`: where the subject of a video changes, and what each part is called."""

from typing import Annotated

import typer

from vidcli.cli.groups import Loading, Rehearsing, Telling, takes_groups
from vidcli.cli.inputs import Choosing, gather
from vidcli.cli.keeping import Keeping
from vidcli.cli.marked_copy import make_copier
from vidcli.cli.options import OUTPUT, VideosArgument
from vidcli.cli.running import run_task
from vidcli.cli.speech import AUTO, check_subtitles
from vidcli.cli.summarize import (
    IgnoreChaptersOption,
    SegmentLooking,
    SegmentOption,
    SegmentWriting,
    SubtitlesOption,
    WriteChaptersOption,
    check_forms,
)
from vidcli.cli.summarizing import ChapterTask, caption_sampling
from vidcli.output.chapters import ChapterForm


@takes_groups
def chapters(
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
    ffmetadata: Annotated[
        bool,
        typer.Option(
            "--ffmetadata",
            help="Write them in FFmpeg's own form.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    write_chapters: WriteChaptersOption = None,
) -> None:
    """Divide each video into chapters, with their times and titles.

    One line a chapter, as video sites read them; --format vtt makes a chapter track. A video that
    has chapters of its own keeps them, and nothing is watched. Captions are kept and shared with
    'vidcli summarize'.
    """
    inputs = gather(videos, choosing)
    form = ChapterForm.FFMETADATA if ffmetadata else None
    check_forms(form, inputs, telling, keeping, option="--ffmetadata")
    task = ChapterTask(
        name="chapters",
        looking=looking,
        sampling=caption_sampling(writing),
        telling=telling,
        longest=segment,
        subtitles=check_subtitles(subtitles, many=inputs.many),
        ignores_chapters=ignore_chapters,
        is_anew=keeping.overwrite,
        keeps=not loading.no_cache,
        form=form,
        deliver=make_copier(write_chapters, inputs, telling, keeping),
    )
    run_task(inputs, task, loading, telling, rehearsing, keeping)
