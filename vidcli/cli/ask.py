"""`vidcli ask`: a question about a video, answered with the times it rests on."""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli.cli import asking
from vidcli.cli.build import import_engine, open_bench
from vidcli.cli.footage import open_videos
from vidcli.cli.groups import Loading, Looking, Rehearsing, Telling, Writing, takes_groups
from vidcli.cli.inputs import Choosing, Inputs, each_input, gather
from vidcli.cli.options import WRITING
from vidcli.cli.rehearse import rehearse, write_trace
from vidcli.cli.terminal import write_document
from vidcli.core.results import Answer
from vidcli.errors import UsageError
from vidcli.output.plain import printable

if TYPE_CHECKING:
    from vidcli.methods.ask import Question
    from vidcli.output.documents import Document


@takes_groups
def ask(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="VIDEO... QUESTION",
            help="Video files, directories, patterns or '-', then the question.",
            show_default=False,
        ),
    ],
    choosing: Choosing,
    looking: Looking,
    loading: Loading,
    writing: Writing,
    telling: Telling,
    rehearsing: Rehearsing,
    question: Annotated[
        str | None,
        typer.Option("--question", "-q", help="The question; all arguments are videos then."),
    ] = None,
    choices: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,C",
            help="Answer with the likeliest of these, and say how likely.",
            rich_help_panel=WRITING,
        ),
    ] = None,
    schema: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Answer with JSON that this JSON Schema accepts.",
            rich_help_panel=WRITING,
        ),
    ] = None,
    cite: Annotated[
        bool,
        typer.Option("--cite", help="Name the frames of each claim.", rich_help_panel=WRITING),
    ] = False,
) -> None:
    """Ask a question about a video.

    The answer is streamed to stdout; what it rests on is told on stderr.
    """
    from vidcli.methods.ask import Question

    videos, text = split_words(words, question)
    asked = Question(
        text,
        choices=split_choices(choices),
        cite=cite,
        sampling=writing.sampling(grammar=read_grammar(schema)),
        structured=schema is not None,
    )
    if sum((bool(asked.choices), cite, schema is not None)) > 1:
        raise UsageError(
            "--choices, --schema and --cite each decide the form of the answer",
            hint="give one of them",
        )
    answer_each(gather(videos, choosing), asked, looking, loading, telling, rehearsing)


def split_words(words: list[str], question: str | None) -> tuple[list[str], str]:
    """Tell the videos from the question.

    Raises:
        UsageError: There is no video, or no question.
    """
    if question is None and len(words) == 1:
        raise UsageError(
            "a video and a question are needed",
            hint=f'vidcli ask {words[0]} "What happens?"'
            if os.path.exists(words[0])
            else "vidcli ask VIDEO QUESTION",
        )
    videos, text = (words, question) if question is not None else (words[:-1], words[-1])
    if question is None and os.path.exists(text):
        raise UsageError(
            f"the last argument, {text}, is a file and not a question",
            hint="put the question last, or give it with -q",
        )
    if not text.strip():
        raise UsageError("the question is empty", hint='vidcli ask VIDEO "What happens?"')
    return videos, text


def split_choices(choices: str | None) -> tuple[str, ...]:
    """The options of a closed question.

    Raises:
        UsageError: There are not at least two different ones.
    """
    if choices is None:
        return ()
    options = tuple(dict.fromkeys(text.strip() for text in choices.split(",") if text.strip()))
    if len(options) < 2:
        raise UsageError("--choices needs at least two options", hint="--choices yes,no,unsure")
    return options


def read_grammar(schema: Path | None) -> str:
    """A grammar for JSON that the schema in a file accepts; empty where there is no file.

    Raises:
        UsageError: The file cannot be read, is no JSON, or is a schema that cannot be kept.
    """
    if schema is None:
        return ""
    import json

    from vidcli.engine.grammar import schema_to_gbnf

    try:
        wanted = json.loads(schema.read_bytes())
    except OSError as error:
        raise UsageError(f"{schema} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{schema} is no JSON: {error}") from error
    if not isinstance(wanted, dict | bool):
        raise UsageError(f"{schema} is no JSON Schema", hint="it must be an object")
    return schema_to_gbnf(wanted)


def answer_each(
    videos: Inputs | list[str],
    question: "Question",
    looking: Looking,
    loading: Loading,
    telling: Telling,
    rehearsing: Rehearsing,
    *,
    to_document: "Callable[[Answer], Document] | None" = None,
) -> None:
    """Answer the same question about every video.

    The model is loaded when the first video proves to be one.

    Args:
        videos: From `gather`, or paths.
        question: The same for all.
        looking: Which frames to look at.
        loading: Which model.
        telling: What is said, and how.
        rehearsing: Whether the work is only looked at.
        to_document: Makes the JSON document of an answer; None makes the document `answer`.
    """
    from vidcli.output.documents import answer_document
    from vidcli.output.progress import open_progress

    inputs = videos if isinstance(videos, Inputs) else gather(videos, Choosing())
    if rehearsing.trace is not None and inputs.many:
        raise UsageError("--trace is about one video", hint="trace one video at a time")
    if not inputs.files:
        return

    def answer_one(path: str) -> None:
        started = time.perf_counter()
        source = open_video(path)
        bench = bench_of()
        with open_progress(quiet=telling.quiet) as progress:
            if rehearsing.dry_run:
                rehearse(bench, source, looking, question, telling)
                return
            prefix = f"{printable(path)}: " if inputs.many else ""
            with asking.streamed_answer(silent=telling.json, prefix=prefix) as write:
                answer, seen = asking.answer_question(
                    bench,
                    source,
                    looking,
                    question,
                    started=started,
                    progress=progress,
                    write=write,
                )
        if rehearsing.trace is not None:
            write_trace(rehearsing.trace, bench, seen, question)
        if telling.json:
            write_document((to_document or answer_document)(answer))
        asking.tell_evidence(answer, telling.notes)

    with ExitStack() as stack:
        open_video = stack.enter_context(open_videos(inputs.files[0].path))
        import_engine()
        bench_of = cache(lambda: stack.enter_context(open_bench(loading, quiet=telling.quiet)))
        each_input(inputs, answer_one, json=telling.json)
