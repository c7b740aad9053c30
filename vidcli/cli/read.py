"""`vidcli read`: the text that videos show, with the times it is there."""

import re
from fractions import Fraction
from functools import cache
from typing import Annotated

import typer

from vidcli.cli.groups import Loading, Looking, Rehearsing, Telling, takes_groups
from vidcli.cli.inputs import Choosing, gather
from vidcli.cli.keeping import Keeping
from vidcli.cli.options import (
    LOOKING,
    MODEL,
    OUTPUT,
    DryRunOption,
    FromOption,
    ToOption,
    VideosArgument,
    kept,
    read_positive_time,
)
from vidcli.cli.running import run_task
from vidcli.cli.screen_text import ReadTask, keep_matching
from vidcli.cli.tasks import as_it_is
from vidcli.core.protocols import TextReader
from vidcli.errors import ExitCode, UsageError

READING = "Reading"


@takes_groups
def read(
    videos: VideosArgument,
    choosing: Choosing,
    telling: Telling,
    keeping: Keeping,
    every: Annotated[
        Fraction,
        typer.Option(
            "--every",
            metavar="TIME",
            parser=read_positive_time,
            help="How often to look; times are found to an eighth of it.",
            show_default="1 s",
            rich_help_panel=LOOKING,
        ),
    ] = Fraction(1),
    start: FromOption = None,
    end: ToOption = None,
    min_confidence: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Leave out what is read less surely.", rich_help_panel=READING
        ),
    ] = 0.7,
    min_letters: Annotated[
        int,
        typer.Option(
            min=1,
            help="Leave out lines of fewer letters and digits: drawn shapes look like letters.",
            rich_help_panel=READING,
        ),
    ] = 2,
    grep: Annotated[
        str | None,
        typer.Option(
            metavar="PATTERN",
            help="Give out only texts in which this regular expression is found, whatever the "
            "case; exit code 1 where there is none.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    dry_run: DryRunOption = False,
    threads: Annotated[int, kept("threads", "--threads", panel=MODEL)] = 0,
) -> None:
    """Read the text on the screen of each video, and when it comes and goes.

    Slides, terminals and signs are found by what changes, with or without cuts. Letters are Latin,
    Chinese and Japanese. Needs the extra 'ocr'.
    """
    from vidcli.models.hardware import count_free_cores
    from vidcli.tools.ocr import RapidTextReader, name_reader

    pattern = _compile(grep)
    inputs = gather(videos, choosing)

    @cache
    def open_reader() -> TextReader:
        return RapidTextReader(threads=threads or count_free_cores())

    task = ReadTask(
        name="read",
        looking=Looking(start=start, end=end),
        reader=name_reader(),
        open_reader=open_reader,
        step=every,
        least_confidence=min_confidence,
        least_letters=min_letters,
        finish=(lambda document: keep_matching(document, pattern)) if pattern else as_it_is,
        rendering=grep or "",
        has_verdict=pattern is not None,
        is_negative=lambda document: pattern is not None and not document["texts"],
    )
    tally = run_task(inputs, task, Loading(), telling, Rehearsing(dry_run=dry_run), keeping)
    found = not tally.has_negative or tally.has_positive
    raise typer.Exit(ExitCode.OK if found else ExitCode.NEGATIVE)


def _compile(grep: str | None) -> "re.Pattern[str] | None":
    """The pattern, ready to search.

    Raises:
        UsageError: It is no regular expression.
    """
    if grep is None:
        return None
    try:
        return re.compile(grep, re.IGNORECASE)
    except re.error as error:
        raise UsageError(
            f"--grep {grep}: {error}", hint="write \\ before signs like ( [ *"
        ) from error
