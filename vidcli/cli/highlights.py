"""`vidcli highlights`: the parts of a video that stand out, by a query or by how they look."""

from pathlib import Path
from typing import Annotated

import typer

from vidcli import settings
from vidcli.cli.cutting import Cutter
from vidcli.cli.groups import Loading, Rehearsing, Telling, WindowLooking, takes_groups
from vidcli.cli.highlighting import HighlightTask
from vidcli.cli.inputs import Choosing, gather
from vidcli.cli.keeping import Keeping
from vidcli.cli.options import OUTPUT, VideosArgument, WindowOption
from vidcli.cli.running import run_task
from vidcli.errors import ExitCode, UsageError
from vidcli.output.documents import Document

COUNT = 5


@takes_groups
def highlights(
    videos: VideosArgument,
    choosing: Choosing,
    looking: WindowLooking,
    loading: Loading,
    telling: Telling,
    rehearsing: Rehearsing,
    keeping: Keeping,
    query: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="What to look for: a statement, or a question to be answered by yes.  "
            "[default: whatever looks unlike the rest]",
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, metavar="N", help="How many, at most.")] = COUNT,
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            metavar="SCORE",
            help="With --query, the probability of yes from which a part counts.",
            show_default=f"{settings.CHECK_THRESHOLD:g}",
        ),
    ] = None,
    window: WindowOption = None,
    clip: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Cut each out as a file there.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    """Find the parts of a video that stand out, the best first.

    With --query each part is asked about alone, and its score is the probability of yes; without,
    it is how far the part looks from the rest of the video. Nothing found is exit code 1.
    """
    if query is not None and not query.strip():
        raise UsageError("the query is empty", hint='--query "someone opens the door"')
    if threshold is not None and query is None:
        raise UsageError("--threshold goes with --query only", hint="--count bounds how many")
    inputs = gather(videos, choosing)
    least = settings.CHECK_THRESHOLD if threshold is None else threshold
    cutter = None if clip is None else Cutter(clip, many=inputs.many, overwrite=keeping.overwrite)
    found: list[Document] = []

    def deliver(document: Document) -> None:
        found.extend(document["highlights"])
        if cutter is not None:
            cutter.cut(document)

    task = HighlightTask(
        name="highlights",
        looking=looking.looking,
        query=(query or "").strip(),
        length=window,
        finish=lambda document: _choose(document, count, least, cutter),
        rendering=f"{count} {least} {clip}",
        deliver=deliver,
        streams=False,
    )
    run_task(inputs, task, loading, telling, rehearsing, keeping)
    if not found and not rehearsing.dry_run:
        raise typer.Exit(ExitCode.NEGATIVE)


def _choose(document: Document, count: int, threshold: float, cutter: "Cutter | None") -> Document:
    """The highlights among the windows of a document."""
    from vidcli.methods.saliency import novelty_threshold, pick_highlights
    from vidcli.output.highlights import choose_runs

    scores = [window["score"] for window in document["windows"]]
    least = novelty_threshold(scores) if document["query"] is None else threshold
    runs = pick_highlights(scores, count=count, threshold=least)
    document = choose_runs(document, runs, threshold=least)
    return document if cutter is None else cutter.name_clips(document)
