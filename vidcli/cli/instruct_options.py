"""Options of `vidcli data instruct`: what is known of videos in words, and what is made of it."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli.cli.options import LEFT_OUT, WRITING, RejectsOption, read_positive_time
from vidcli.errors import UsageError

if TYPE_CHECKING:
    from vidcli.methods.instruct import Instructing
    from vidcli.methods.wishes import Task


SOURCES, SIEVE = "Sources", LEFT_OUT
ALL = "all"
CAPTION_WINDOW = Fraction(10)  # seconds


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model is told of a video."""

    captions: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="What is seen: captions, narrations, dense captions. May be repeated.",
            rich_help_panel=SOURCES,
        ),
    ] = None
    speech: Annotated[
        str,
        typer.Option(
            metavar="auto|none|FILE",
            help="What is said: subtitles beside a video or in it, none, or a file.",
            rich_help_panel=SOURCES,
        ),
    ] = "auto"
    screen_text: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="What is written in the picture, in a file as for --captions. May be repeated.",
            rich_help_panel=SOURCES,
        ),
    ] = None
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="Let the model caption each video first; it must be one that sees.",
            rich_help_panel=SOURCES,
        ),
    ] = False
    window: Annotated[
        Fraction | None,
        typer.Option(
            metavar="TIME",
            parser=read_positive_time,
            help="With --watch, length of the clips that are captioned.",
            show_default="10",
            rich_help_panel=SOURCES,
        ),
    ] = None

    def choose_window(self) -> Fraction:
        """Length of the clips that are captioned.

        Raises:
            UsageError: None are.
        """
        if self.window is not None and not self.watch:
            raise UsageError("--window goes with --watch only", hint="leave one of them out")
        return self.window or CAPTION_WINDOW


@dataclass(frozen=True, slots=True)
class Composing:
    """What is written of it."""

    tasks: Annotated[
        str,
        typer.Option(
            metavar="A,B,C",
            help="Kinds of questions: summary, descriptive, temporal, reasoning, creative, yes-no.",
            rich_help_panel=WRITING,
        ),
    ] = ALL
    per_task: Annotated[
        int,
        typer.Option(
            "--per-task", min=1, max=50, help="Questions of each kind.", rich_help_panel=WRITING
        ),
    ] = 3
    max_tokens: Annotated[
        int,
        typer.Option("--max-tokens", min=1, help="Longest description.", rich_help_panel=WRITING),
    ] = 512
    max_chars: Annotated[
        int,
        typer.Option(
            "--max-chars",
            min=1,
            max=4000,
            help="Longest answer, in characters.",
            rich_help_panel=WRITING,
        ),
    ] = 600
    temperature: Annotated[
        float, typer.Option(min=0, max=100, help="0 is the likeliest.", rich_help_panel=WRITING)
    ] = 0.0
    top_p: Annotated[
        float,
        typer.Option("--top-p", min=0, max=1, help="Nucleus; 1 is all.", rich_help_panel=WRITING),
    ] = 1.0
    seed: Annotated[
        int,
        typer.Option(min=0, max=2**32 - 1, help="Of the random numbers.", rich_help_panel=WRITING),
    ] = 0
    min_agreement: Annotated[
        float,
        typer.Option(
            "--min-agreement",
            min=0,
            max=1,
            help="Least probability, as the model judges, that an answer follows from the sources.",
            rich_help_panel=SIEVE,
        ),
    ] = 0.5
    similarity: Annotated[
        float,
        typer.Option(
            min=0,
            help="Questions about a video that share this part of their words are one; above 1 "
            "none are.",
            rich_help_panel=SIEVE,
        ),
    ] = 0.8
    rejects: RejectsOption = None

    def choose_instructing(self) -> "Instructing":
        """How instructions are made.

        Raises:
            UsageError: A kind is unknown, or a number is none.
        """
        from vidcli.core.sampling import Sampling
        from vidcli.methods.instruct import Instructing

        try:
            sampling = Sampling(
                max_tokens=self.max_tokens,
                temperature=self.temperature,
                top_p=self.top_p,
                seed=self.seed,
            )
        except ValueError as error:
            raise UsageError(str(error)) from error
        return Instructing(
            tasks=read_tasks(self.tasks),
            per_task=self.per_task,
            answer_chars=self.max_chars,
            min_agreement=self.min_agreement,
            similarity=self.similarity,
            sampling=sampling,
        )


def read_tasks(text: str) -> "tuple[Task, ...]":
    """Kinds of questions by their names; a description is always made.

    Raises:
        UsageError: There is no such kind, or none is named.
    """
    from vidcli.methods.wishes import WISHES, Task

    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if names == [ALL]:
        return tuple(WISHES)
    unknown = [name for name in names if name not in {task.value for task in WISHES}]
    if unknown or not names:
        raise UsageError(
            f"{unknown[0]!r} is no kind of question" if unknown else "--tasks names no kind",
            hint=f"choose from {', '.join(WISHES)}, or leave it out for all",
        )
    return tuple(dict.fromkeys(Task(name) for name in names))
