"""Options of `vidcli data narrate`: which clips, what is drawn of each, what is left out."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli.cli.options import (
    LEFT_OUT,
    WRITING,
    FromOption,
    RejectsOption,
    ToOption,
    read_positive_time,
)
from vidcli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidcli.cli.footage import Footage
    from vidcli.core.time import Span
    from vidcli.methods.narrate import Narrating
    from vidcli.methods.windows import Clip
    from vidcli.train.data.sample import Sample


CLIPS, SIEVE = "Clips", LEFT_OUT
MAX_CANDIDATES = 1000
NARRATE_HELP = "What the model is asked about each clip."


@dataclass(frozen=True, slots=True)
class Cutting:
    """Which clips of a video are told."""

    window: Annotated[
        Fraction,
        typer.Option(
            metavar="TIME",
            parser=read_positive_time,
            help="Length of a clip that nobody labelled.",
            rich_help_panel=CLIPS,
        ),
    ] = Fraction(5)
    stride: Annotated[
        Fraction | None,
        typer.Option(
            metavar="TIME",
            parser=read_positive_time,
            help="From the start of one clip to the next.",
            show_default="the window",
            rich_help_panel=CLIPS,
        ),
    ] = None
    frames: Annotated[
        int,
        typer.Option("--frames", min=1, max=1000, help="Frames a clip.", rich_help_panel=CLIPS),
    ] = 4
    start: FromOption = None
    end: ToOption = None
    labels: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="What people said: narrations, dense captions, SRT or VTT; it is kept, reworded, "
            "and the gaps are filled. May be repeated.",
            rich_help_panel=CLIPS,
        ),
    ] = None

    def choose_stride(self) -> Fraction:
        """From the start of one clip to the next.

        Raises:
            UsageError: Some of the video would go untold.
        """
        step = self.stride or self.window
        if step > self.window:
            raise UsageError(
                f"a stride of {float(step):g} s leaves parts untold between windows of "
                f"{float(self.window):g} s",
                hint="give --stride no more than --window",
            )
        return step

    def find_clips(
        self, source: "Footage", rows: "Sequence[Sample]"
    ) -> "tuple[Span, tuple[Clip, ...]]":
        """The part of a video that is told, and its clips.

        Args:
            source: The opened video.
            rows: What data files say about it.

        Raises:
            UsageError: The span makes no sense for this video.
        """
        from vidcli.media.plan import choose_span
        from vidcli.methods.windows import plan_clips
        from vidcli.train.data.labels import to_labels

        span = choose_span(source.info, start=self.start, end=self.end)
        labels = to_labels(rows, whole=span, instant=self.window)
        stride = self.choose_stride()
        return span, plan_clips(span, labels, window=self.window, stride=stride)


@dataclass(frozen=True, slots=True)
class Drawing:
    """How texts are drawn."""

    candidates: Annotated[
        int,
        typer.Option(
            min=0,
            max=MAX_CANDIDATES,
            help="Narrations drawn for a clip that people labelled.",
            rich_help_panel=WRITING,
        ),
    ] = 10
    gap_candidates: Annotated[
        int,
        typer.Option(
            min=1,
            max=MAX_CANDIDATES,
            help="Narrations drawn for every other clip.",
            rich_help_panel=WRITING,
        ),
    ] = 5
    rephrase: Annotated[
        int,
        typer.Option(
            min=0,
            max=MAX_CANDIDATES,
            help="New wordings drawn for each text of people, or for the best narration.",
            rich_help_panel=WRITING,
        ),
    ] = 3
    prompt: Annotated[
        str | None,
        typer.Option(
            help=NARRATE_HELP, show_default="one sentence is asked for", rich_help_panel=WRITING
        ),
    ] = None
    max_tokens: Annotated[
        int, typer.Option("--max-tokens", min=1, help="Longest text.", rich_help_panel=WRITING)
    ] = 77
    temperature: Annotated[
        float, typer.Option(min=0, max=100, help="0 draws the likeliest.", rich_help_panel=WRITING)
    ] = 0.7
    top_p: Annotated[
        float,
        typer.Option("--top-p", min=0, max=1, help="Nucleus; 1 is all.", rich_help_panel=WRITING),
    ] = 0.95
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            max=2**32 - 1,
            help="Of the random numbers; each text of each clip has its own from it.",
            rich_help_panel=WRITING,
        ),
    ] = 0


@dataclass(frozen=True, slots=True)
class Sifting:
    """Which texts are left out."""

    min_words: Annotated[
        int,
        typer.Option("--min-words", min=1, help="Fewest words.", rich_help_panel=SIEVE),
    ] = 3
    min_score: Annotated[
        float,
        typer.Option(
            "--min-score",
            max=0,
            help="Least mean log-probability of a token.",
            rich_help_panel=SIEVE,
        ),
    ] = -3.0
    similarity: Annotated[
        float,
        typer.Option(
            min=0,
            help="Texts of a clip, or of neighbours, that share this part of their words say the "
            "same; above 1 none do.",
            rich_help_panel=SIEVE,
        ),
    ] = 0.8
    rejects: RejectsOption = None


def choose_narrating(drawing: Drawing, sifting: Sifting) -> "Narrating":
    """How clips are told, from the command line.

    Raises:
        UsageError: The prompt is empty, or a number is none.
    """
    from vidcli.core.sampling import Sampling
    from vidcli.methods.narrate import NARRATE, Narrating
    from vidcli.methods.sift import Sieve

    if drawing.prompt is not None and not drawing.prompt.strip():
        raise UsageError("the prompt is empty", hint=f'--prompt "{NARRATE}"')
    try:
        sampling = Sampling(
            max_tokens=drawing.max_tokens,
            temperature=drawing.temperature,
            top_p=drawing.top_p,
            seed=drawing.seed,
            scored=True,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    return Narrating(
        question=drawing.prompt or NARRATE,
        candidates=drawing.candidates,
        gap_candidates=drawing.gap_candidates,
        rephrase=drawing.rephrase,
        sampling=sampling,
        sieve=Sieve(sifting.min_words, sifting.min_score, sifting.similarity),
    )
