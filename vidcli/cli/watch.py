"""`vidcli watch`: ask about every video that comes to lie in a folder, once it is whole."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Annotated

import typer

from vidcli.cli.choosing import as_taught
from vidcli.cli.folders import RunOptions, open_run
from vidcli.cli.groups import Loading, Telling, Watching, Writing, takes_groups
from vidcli.cli.inputs import Filtering
from vidcli.cli.keeping import Keeping
from vidcli.cli.listing import Filter, Input, walk
from vidcli.cli.options import read_positive_time
from vidcli.cli.questions import Asking, caption_task
from vidcli.cli.summarizing import SummaryTask, caption_sampling
from vidcli.cli.tasks import Task
from vidcli.errors import UsageError

WATCHING = "Watching"
Signature = tuple[int, int]  # size in bytes, modification time in nanoseconds


class Doing(StrEnum):
    """What is done with a video."""

    CAPTION = "caption"
    ASK = "ask"
    SUMMARIZE = "summarize"


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was at one moment."""

    item: Input
    signature: Signature


@takes_groups
def watch(
    folders: Annotated[
        list[str],
        typer.Argument(metavar="DIR...", help="Folders to watch.", show_default=False),
    ],
    filtering: Filtering,
    looking: Watching,
    loading: Loading,
    writing: Writing,
    telling: Telling,
    keeping: Keeping,
    do: Annotated[
        Doing, typer.Option("--do", help="What to do.", rich_help_panel=WATCHING)
    ] = Doing.CAPTION,
    question: Annotated[
        str | None,
        typer.Option("--question", "-q", help="What to ask.", rich_help_panel=WATCHING),
    ] = None,
    settle: Annotated[
        Fraction,
        typer.Option(
            metavar="TIME",
            parser=read_positive_time,
            help="How long a file must not change to count as whole.",
            rich_help_panel=WATCHING,
        ),
    ] = Fraction(5),
    every: Annotated[
        Fraction,
        typer.Option(
            metavar="TIME",
            parser=read_positive_time,
            help="How often to look for files.",
            rich_help_panel=WATCHING,
        ),
    ] = Fraction(2),
) -> None:
    """Caption, ask about or summarize videos in a folder, and those that will come, until Ctrl-C.

    A file is taken once it has stopped changing. What was done before, in whatever run, is not
    done again.
    """
    task = _choose_task(do, question, looking, loading, writing, telling, keeping)
    options = RunOptions(
        loading=loading,
        telling=telling,
        keeping=keeping,
        many=True,
        repeats=False,
    )
    settling = Settling(settle_s=float(settle))
    settling.observe(look_around(folders, filtering.filter), now=time.monotonic())
    with open_run(task, options) as run:
        telling.notes.tell(f"watching {', '.join(folders)}; Ctrl-C ends it")
        while True:
            ready = settling.observe(_look_again(folders, filtering.filter), now=time.monotonic())
            if ready:
                run.work(ready)
            time.sleep(float(every))


def _choose_task(
    do: Doing,
    question: str | None,
    looking: Watching,
    loading: Loading,
    writing: Writing,
    telling: Telling,
    keeping: Keeping,
) -> Task:
    from vidcli.methods.ask import CAPTION_QUESTION, Question

    if (do is Doing.ASK) != bool(question and question.strip()):
        raise UsageError(
            "--do ask and --question belong together", hint='--do ask -q "What happens?"'
        )
    if do is Doing.SUMMARIZE:
        return SummaryTask(
            name="summarize",
            looking=looking,
            sampling=caption_sampling(writing),
            telling=telling,
            is_anew=keeping.overwrite,
            keeps=not loading.no_cache,
        )
    looking = as_taught(looking, loading.model)
    asked = Question(question or CAPTION_QUESTION, sampling=writing.sampling())
    if do is Doing.ASK:
        return Asking(name="ask", question=asked, looking=looking)
    return caption_task(asked, looking)


def look_around(folders: Sequence[str], wanted: Filter) -> list[Seen]:
    """Every video in the folders as it is now.

    Raises:
        UsageError: A folder cannot be read.
    """
    seen = []
    for folder in folders:
        for item in walk(folder, wanted):
            try:
                status = os.stat(item.path)
            except OSError:  # gone since
                continue
            seen.append(Seen(item, (status.st_size, status.st_mtime_ns)))
    return seen


def _look_again(folders: Sequence[str], wanted: Filter) -> list[Seen]:
    try:
        return look_around(folders, wanted)
    except UsageError:  # a disk that was taken away may come back
        return []


@dataclass(slots=True)
class _Known:
    signature: Signature
    since: float
    is_taken: bool = False


class Settling:
    """Tells which files have stopped changing, each once for each state it settles in.

    Args:
        settle_s: Seconds without a change after which a file counts as whole.
    """

    def __init__(self, *, settle_s: float) -> None:
        self._settle_s = settle_s
        self._known: dict[str, _Known] = {}

    def observe(self, seen: Sequence[Seen], *, now: float) -> list[Input]:
        """Take note of all files at one moment; files that are gone are forgotten.

        Args:
            seen: Every file there is.
            now: Seconds from any start.

        Returns:
            Those that are whole and were not given out as they are now.
        """
        known = {}
        ready = []
        for file in seen:
            entry = self._known.get(file.item.path)
            if entry is None or entry.signature != file.signature:
                entry = _Known(file.signature, now)
            size, _ = file.signature
            if size and not entry.is_taken and now - entry.since >= self._settle_s:
                entry.is_taken = True
                ready.append(file.item)
            known[file.item.path] = entry
        self._known = known
        return ready
