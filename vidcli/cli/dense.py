"""`vidcli dense`: what happens in a video, and when."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli import settings
from vidcli.cli.choosing import is_taught
from vidcli.cli.describing import DenseTask
from vidcli.cli.groups import Loading, Rehearsing, Telling, takes_groups
from vidcli.cli.inputs import Choosing, gather
from vidcli.cli.keeping import Keeping
from vidcli.cli.options import LOOKING, OUTPUT, WRITING, VideosArgument
from vidcli.cli.running import run_task
from vidcli.cli.speech import AUTO, NONE, check_subtitles
from vidcli.cli.summarize import (
    IgnoreChaptersOption,
    SegmentLooking,
    SegmentOption,
    SegmentWriting,
    SubtitlesOption,
)
from vidcli.cli.summarizing import caption_sampling
from vidcli.cli.written import require_writable, write_file
from vidcli.core.dense import By
from vidcli.errors import UsageError
from vidcli.output.documents import Document

if TYPE_CHECKING:
    from vidcli.core.sampling import Sampling
    from vidcli.evaluate.dense import Timed

OBJECTIVES = ("events", "denoise")  # of training, which teach time tokens


class Way(StrEnum):
    """How events come about; auto takes tokens where the model was taught them."""

    AUTO = "auto"
    SEGMENTS = "segments"
    TOKENS = "tokens"


@takes_groups
def dense(
    videos: VideosArgument,
    choosing: Choosing,
    looking: SegmentLooking,
    loading: Loading,
    writing: SegmentWriting,
    telling: Telling,
    rehearsing: Rehearsing,
    keeping: Keeping,
    by: Annotated[
        Way,
        typer.Option(
            "--by",
            help="segments captions shots one by one; tokens has the model write times and "
            "sentences of the whole video at once, from --frames frames in all.",
            rich_help_panel=WRITING,
        ),
    ] = Way.AUTO,
    speech: Annotated[
        bool,
        typer.Option(
            "--speech",
            help="Tell the model what is said, and put it beside the events.",
            rich_help_panel=LOOKING,
        ),
    ] = False,
    segment: SegmentOption = None,
    subtitles: SubtitlesOption = AUTO,
    ignore_chapters: IgnoreChaptersOption = False,
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            help="Write all events as programs that score them read them.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            help="Score the events against those that people wrote.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    """List what happens in each video, with start and end.

    Captions of segments are kept and shared with 'vidcli summarize'.
    """
    inputs = gather(videos, choosing)
    if subtitles != AUTO and not speech:
        raise UsageError("--subtitles goes with --speech only", hint="give --speech too")
    if results is not None:
        require_writable(results)
    wanted = _read_truth(truth)
    subtitles = check_subtitles(subtitles, many=inputs.many) if speech else NONE
    knows = is_taught(loading.model, OBJECTIVES)
    way = (Way.TOKENS if knows else Way.SEGMENTS) if by is Way.AUTO else by
    made: dict[str, Document] = {}
    task = DenseTask(
        name="dense",
        looking=looking,
        sampling=_choose_sampling(way, writing),
        telling=telling,
        longest=segment,
        subtitles=subtitles,
        ignores_chapters=ignore_chapters,
        is_anew=keeping.overwrite,
        keeps=not loading.no_cache,
        by=By(way.value),
        is_taught=knows,
        deliver=lambda document: _collect(made, document),
    )
    try:
        run_task(inputs, task, loading, telling, rehearsing, keeping)
    finally:  # what is done is kept
        if results is not None and made:
            _write_results(made, results, telling)
    if wanted is not None and made:
        _score(made, wanted, telling)


def _choose_sampling(way: Way, writing: SegmentWriting) -> "Sampling":
    """A caption is a sentence or two; all events together are as long as an answer may be."""
    if way is Way.SEGMENTS:
        return caption_sampling(writing)
    if writing.max_tokens == settings.SEGMENT_TOKENS:
        writing = replace(writing, max_tokens=settings.MAX_TOKENS)
    return writing.sampling()


def _collect(made: dict[str, Document], document: Document) -> None:
    """Keep a document under the name of its file, without folder and extension where that does."""
    path = document["video"]["path"]
    name = Path(path).stem
    made[path if name in made else name] = document


def _write_results(made: dict[str, Document], path: Path, telling: Telling) -> None:
    from vidcli.output.dense import result_entries
    from vidcli.output.plain import count

    entries = {name: result_entries(document) for name, document in made.items()}
    write_file(path, {"version": "VERSION 1.0", "results": entries, "external_data": {}})
    telling.notes.tell(f"{path}: events of {count(len(entries), 'video')}")


def _read_truth(path: Path | None) -> "dict[str, list[Timed]] | None":
    from vidcli.evaluate.dense import read_truth

    return None if path is None else read_truth(path)


def _score(made: dict[str, Document], wanted: "dict[str, list[Timed]]", telling: Telling) -> None:
    """Say how well the events fit what people wrote.

    Raises:
        UsageError: That is about other videos.
    """
    from vidcli.evaluate.dense import Timed, score_dense
    from vidcli.output.dense import say_score

    given = {
        name: [Timed(e["start_s"], e["end_s"], e["text"]) for e in document["events"]]
        for name, document in made.items()
    }
    telling.notes.tell(say_score(score_dense(given, wanted)))
