"""`vidcli ask`: a question about a video, answered with the times it rests on."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli.cli.choosing import as_taught
from vidcli.cli.groups import (
    Loading,
    Looking,
    Planning,
    Rehearsing,
    Telling,
    Watching,
    Writing,
    takes_groups,
)
from vidcli.cli.inputs import Choosing, Inputs, gather
from vidcli.cli.keeping import Keeping
from vidcli.cli.options import WRITING
from vidcli.cli.questions import Asking
from vidcli.cli.reading import settle_reading
from vidcli.cli.running import run_task
from vidcli.cli.tally import Tally
from vidcli.cli.tasks import Task
from vidcli.cli.watching import check_method
from vidcli.core.route import Reading
from vidcli.errors import UsageError

if TYPE_CHECKING:
    from vidcli.methods.ask import Question

EPHEMERAL = Keeping()


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
    looking: Watching,
    loading: Planning,
    writing: Writing,
    telling: Telling,
    rehearsing: Rehearsing,
    keeping: Keeping,
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
    prompt: Annotated[
        Reading | None,
        typer.Option(
            "--prompt",
            help="With --method captions or tree: ask at once, of a summary for the question, or "
            "after a reasoning.  [default: qa]",
            rich_help_panel=WRITING,
        ),
    ] = None,
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
    looking = settle_reading(looking, prompt, loading, asked)
    inputs = gather(videos, choosing)
    answer_each(inputs, asked, looking, loading, telling, rehearsing, keeping)


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
    keeping: Keeping = EPHEMERAL,
    *,
    task: "Task | None" = None,
) -> "Tally":
    """Answer the same question about every video.

    The model is loaded when the first video proves to be one.

    Args:
        videos: From `gather`, or paths.
        question: The same for all.
        looking: Which frames to look at.
        loading: Which model.
        telling: What is said, and how.
        rehearsing: Whether the work is only looked at.
        keeping: Where results go, and what is done again.
        task: What becomes of the answers; None makes them answers to `ask`.

    Returns:
        How it went.

    Raises:
        VidcliError: The only video failed, or what failed would fail for every other too.
        PartialFailure: Some of several videos failed.
    """
    check_method(looking)
    looking = as_taught(looking, loading.model)
    inputs = videos if isinstance(videos, Inputs) else gather(videos, Choosing())
    asked = task or Asking(name="ask", question=question, looking=looking)
    if isinstance(asked, Asking):
        _ = asked.worded.wording  # refused before anything is opened
    task = replace(asked, looking=looking)
    return run_task(inputs, task, loading, telling, rehearsing, keeping)
