"""Many inputs: named, found in directories, or listed; one that fails does not stop the others."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import typer

from vidcli.cli.listing import (
    SOUND_SUFFIXES,
    STDIN,
    VIDEO_SUFFIXES,
    Filter,
    Input,
    expand_word,
    read_list,
    walk,
)
from vidcli.cli.terminal import OutputError, report_error, write_document
from vidcli.errors import ModelError, PartialFailure, SetupError, UsageError, VidcliError

EVERY_INPUT = (OutputError, ModelError, SetupError)  # would fail the others just the same
INPUTS = "Inputs"


@dataclass(frozen=True, slots=True)
class Filtering:
    """Which files of a directory are meant."""

    recursive: Annotated[
        bool,
        typer.Option(
            "--recursive",
            "-r",
            help="Take what lies below directories too.",
            rich_help_panel=INPUTS,
        ),
    ] = False
    include: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB",
            help="Take only files of such a name; may be repeated. Without it, directories give "
            "what is named like a video.",
            rich_help_panel=INPUTS,
        ),
    ] = None
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB",
            help="Leave out files of such a name; may be repeated.",
            rich_help_panel=INPUTS,
        ),
    ] = None

    @property
    def filter(self) -> Filter:
        """Which files are wanted."""
        return Filter(tuple(self.include or ()), tuple(self.exclude or ()), self.recursive)


@dataclass(frozen=True, slots=True)
class Choosing(Filtering):
    """Which files the arguments stand for."""

    from0: Annotated[
        bool,
        typer.Option(
            "--from0",
            help="Paths on standard input end in NUL, as of 'find -print0'.",
            rich_help_panel=INPUTS,
        ),
    ] = False


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files to work on, in order.

    Attributes:
        files: What was found in directories holds none twice; what was named may be.
        many: More than one file, or a way of naming them that could have given more than one.
    """

    files: tuple[Input, ...]
    many: bool


def gather(words: Sequence[str], choosing: Choosing, *, sound_too: bool = False) -> Inputs:
    """Find the files that the arguments stand for.

    Args:
        words: Files, directories, patterns, or `-` for a list on standard input.
        choosing: Which of what they hold.
        sound_too: Whether directories give what is named like sound too.

    Raises:
        UsageError: A directory holds no video, or the options contradict each other.
    """
    if choosing.from0 and STDIN not in words:
        raise UsageError("--from0 needs the argument '-'", hint="vidcli … - --from0")
    if words.count(STDIN) > 1:
        raise UsageError("'-' can be read once only", hint="leave the other out; a file is ./-")
    wanted, files, many = choosing.filter, [], len(words) > 1
    if sound_too:
        wanted = replace(wanted, suffixes=VIDEO_SUFFIXES | SOUND_SUFFIXES)
    for word in words:
        if word == STDIN:
            many = True
            for path in read_list(nul=choosing.from0):
                files += expand_listed(path, wanted)
            continue
        found = list(expand_word(word, wanted))
        many = many or [item.path for item in found] != [word]
        if not found and os.path.isdir(word):
            raise _nothing_in(word, choosing, "video or a recording" if sound_too else "video")
        files += found
    return Inputs(tuple(files), many)


def expand_listed(path: str, wanted: Filter) -> list[Input]:
    """Files that a listed path stands for: a list says what it means, patterns included."""
    if os.path.isdir(path):
        return walk(path, wanted)
    item = Input(path, os.path.basename(path) or path)
    return [item] if wanted.wants(item, named=True) else []


def _nothing_in(folder: str, choosing: Choosing, wanted: str) -> UsageError:
    if choosing.include or choosing.exclude:
        return UsageError(f"{folder} holds no file that --include and --exclude let through")
    hint = "--include '*' takes every file" if choosing.recursive else "--recursive looks deeper"
    return UsageError(f"{folder} holds no file named like a {wanted}", hint=hint)


def each_input(
    inputs: Inputs, work: Callable[[str], None], *, json: bool, fail_fast: bool = False
) -> None:
    """Do the same work for every file, in order.

    Args:
        inputs: From `gather`.
        work: Raises a `VidcliError` where it cannot be done.
        json: Write a document `error` to standard output for each that failed.
        fail_fast: Stop at the first of several that fails.

    Raises:
        VidcliError: The only input failed, or what failed would fail for every other too.
        PartialFailure: Some of several inputs failed; each was reported.
    """
    failed = 0
    for item in inputs.files:
        try:
            work(item.path)
        except VidcliError as error:
            if not inputs.many or isinstance(error, EVERY_INPUT):
                raise
            failed += 1
            report_failure(item.path, error, json=json)
            if fail_fast:
                raise PartialFailure(f"stopped at the first failure, {item.path}") from error
    if failed:
        raise PartialFailure(f"{failed} of {len(inputs.files)} inputs failed; the others are done")


def report_failure(path: str, error: VidcliError, *, json: bool) -> None:
    """Say on stderr that an input failed, and in JSON where that is what stdout carries."""
    report_error(str(error), error.hint)
    if json:
        from vidcli.output.documents import error_document

        write_document(error_document(path, error))
