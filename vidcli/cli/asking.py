"""What `ask`, `caption`, `check` and `chat` do alike: look at a video and answer about it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vidcli.cli.build import Bench
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Looking
from vidcli.cli.tasks import ShownProgress, Write
from vidcli.cli.terminal import write_out
from vidcli.cli.watching import choose_way, plan_video
from vidcli.core.model import ModelReport
from vidcli.core.protocols import Progress
from vidcli.core.results import Answer, Delta, Timings, Usage, VideoReport
from vidcli.methods.registry import UNIFORM
from vidcli.output.plain import printable

if TYPE_CHECKING:
    from vidcli.core.media import FramePlan
    from vidcli.methods.ask import Question
    from vidcli.methods.watch import Fit, Watched


@dataclass(frozen=True, slots=True)
class Look:
    """One video, looked at for one question or more.

    Attributes:
        video: Facts for the result.
        fit: What of the plan the context holds.
        watched: The frames as visual tokens.
        warnings: What the result should mention.
    """

    video: VideoReport
    fit: "Fit"
    watched: "Watched"
    warnings: tuple[str, ...]


def describe(source: Footage) -> VideoReport:
    """Facts about a video for its results."""
    return VideoReport(source.info.path, source.fingerprint, source.info.duration)


def fit_question(
    bench: Bench,
    source: Footage,
    looking: Looking,
    question: "Question",
    *,
    reserve: int = 0,
    progress: Progress | None = None,
    plan: "FramePlan | None" = None,
) -> "Fit":
    """Plan which frames to look at, as many as the context holds beside the question.

    At least `reserve` cells are kept free; the answer's own length always is. A `plan` that was
    chosen before is not chosen again.

    Raises:
        UsageError: The span makes no sense for this video.
        ModelError: The model cannot be shown a video by this method.
        ResourceError: Not even one frame fits.
    """
    plan = plan or plan_video(source, looking, progress=progress)
    reserve = max(reserve, reserved_cells(question))
    return choose_way(bench, source, looking, question, plan=plan, reserve=reserve)


def reserved_cells(question: "Question") -> int:
    """Context cells an answer may take: no option has more tokens than bytes."""
    if question.choices:
        return max(len(option.encode()) for option in question.choices) + 1
    return question.sampling.max_tokens


def look(
    bench: Bench,
    source: Footage,
    looking: Looking,
    question: "Question",
    *,
    timings: Timings,
    progress: Progress | None,
    reserve: int = 0,
    fit: "Fit | None" = None,
) -> Look:
    """Turn the frames that a question needs into visual tokens; see `fit_question`."""
    from vidcli.methods.familiar import warn_unfamiliar
    from vidcli.methods.recipe import Recipe

    fit = fit or fit_question(bench, source, looking, question, reserve=reserve, progress=progress)
    video = describe(source)
    recipe = fit.recipe or Recipe()
    with bench.open_store(video, fit.size, recipe.store_name) as store:
        watched = recipe.watch(
            source, bench.session, fit, store=store, timings=timings, progress=progress
        )
    if fit.approach.method == UNIFORM:
        watched = replace(watched, arranger=bench.arranger)
    strange = warn_unfamiliar(bench.familiar, watched.images)
    warnings = (*source.info.warnings, *fit.warnings, *strange)
    return Look(video, fit, watched, warnings)


def answer_question(
    bench: Bench,
    source: Footage,
    looking: Looking,
    question: "Question",
    *,
    started: float,
    progress: ShownProgress,
    write: Write,
    fit: "Fit | None" = None,
    once_seen: Callable[[Look], None] | None = None,
) -> Answer:
    """Answer one question about one video, writing the text as it comes.

    Args:
        bench: With the loaded model.
        source: The opened video.
        looking: Which frames to look at.
        question: What is asked.
        started: `time.perf_counter()` when work on this video began, loading the model included.
        progress: Taken off the terminal before the first word.
        write: Called with each piece of text.
        fit: From `fit_question`, where that is done already.
        once_seen: Called between looking and answering, with what was seen.

    Raises:
        VidcliError: It cannot be answered.
        KeyboardInterrupt: The user stopped it; what was written stands.
    """
    from vidcli.methods.ask import ask

    timings = Timings(load=bench.take_load_seconds())
    seen = look(bench, source, looking, question, timings=timings, progress=progress, fit=fit)
    if once_seen is not None:
        once_seen(seen)
    question = allow_citations(question, seen.watched)
    answer: Answer | None = None
    for piece in ask(
        bench.session,
        seen.watched,
        question,
        video=seen.video,
        timings=timings,
        approach=replace(seen.fit.approach, encoded=seen.watched.encoded),
        method=name_method(seen.fit),
        warnings=seen.warnings,
        progress=progress,
    ):
        progress.clear()
        if isinstance(piece, Delta):
            write(piece.text)
        else:
            answer = piece
    assert answer is not None, "ask ends with an answer"
    notes = (*answer.warnings, *bench.all_warnings())
    total = time.perf_counter() - started
    return replace(
        answer,
        timings=replace(answer.timings, total=total),
        warnings=tuple(dict.fromkeys(notes)),
    )


def name_method(fit: "Fit") -> str:
    """The method by which a video is watched; of single frames the rule that chose them."""
    return fit.plan.rule if fit.approach.method == UNIFORM else fit.approach.method


def allow_citations(question: "Question", watched: "Watched") -> "Question":
    """Bind the answer's citation marks to the frames that were really shown."""
    if not question.cite or question.choices or question.sampling.grammar:
        return question
    from vidcli.engine.grammar import citations_gbnf

    grammar = citations_gbnf([frame.id for frame in watched.frames])
    return replace(question, sampling=replace(question.sampling, grammar=grammar))


@contextmanager
def streamed_answer(*, silent: bool, prefix: str = "") -> Iterator[Write]:
    """A way to write an answer to standard output as it comes, for the block.

    What comes out is the answer without white space at its ends, and a line end. Control
    characters come out escaped.

    Args:
        silent: Write nothing: the answer is printed as a document later.
        prefix: Stands before the answer.
    """
    if silent:
        yield lambda _text: None
        return
    begun, held = False, ""

    def write(text: str) -> None:
        nonlocal begun, held
        text = held + text if begun else (held + text).lstrip()
        body = text.rstrip()
        held = text[len(body) :]
        if body:
            lead, begun = "" if begun else prefix, True  # first: Ctrl-C may come out of the write
            write_out(lead + printable(body, keep="\n\t"))

    try:
        yield write
    except BaseException:
        write_out("\n" if begun else "")
        raise
    write_out("\n" if begun else f"{prefix}\n")


def list_details(answer: Answer) -> tuple[str, ...]:
    """What made the answer and what it took, in lines for those who ask for more."""
    from vidcli.output.accounts import say_approach
    from vidcli.output.tables import say_mixture

    way = f"method: {say_approach(answer.approach)}"
    mixed = () if answer.mixture is None else say_mixture(answer.mixture)
    return (way, *mixed, *describe_cost(answer.model, answer.usage, answer.timings))


def describe_cost(model: ModelReport, usage: Usage, spent: Timings) -> tuple[str, ...]:
    """Which model ran and what it took, a line each."""
    return (
        f"{model.name} {model.quant} on {model.backend}, {model.gpu_layers} layers on the GPU"
        + (f", projector as {model.derivation}" if model.derivation else ""),
        f"{usage.visual_tokens} visual tokens, {usage.prompt_tokens} of text, "
        f"{usage.completion_tokens} written",
        f"load {spent.load:.2f} s, decode {spent.decode:.2f}, encode {spent.encode:.2f}, "
        f"prefill {spent.prefill:.2f}, generate {spent.generate:.2f}, total {spent.total:.2f}",
    )
