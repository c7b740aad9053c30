"""`--dry-run` and `--trace`: what the work would take, and what the model was shown."""

from pathlib import Path
from typing import TYPE_CHECKING

from vidcli.cli.asking import Look, describe, fit_question, reserved_cells
from vidcli.cli.build import Bench
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Looking, Telling
from vidcli.cli.terminal import write_document, write_table
from vidcli.cli.watching import choose_method, describe_choice, estimate_work
from vidcli.cli.written import write_file
from vidcli.core.results import Approach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidcli.core.summary import TracedStep
    from vidcli.methods.ask import Question
    from vidcli.methods.estimate import Estimate
    from vidcli.methods.watch import Fit
    from vidcli.output.accounts import Rehearsal

PHASES = ("decode", "encode", "prefill", "generate", "total")


def rehearse(
    bench: Bench, source: Footage, looking: Looking, question: "Question", telling: Telling
) -> None:
    """Print what answering would take, measured on one frame; answer nothing."""
    chosen = choose_method(looking)
    if chosen.runs:
        cost = estimate_work(bench, source, looking, question)
        rehearsal = tell_cost(bench, source, question, cost, describe_choice(chosen))
    else:
        rehearsal = measure(bench, source, question, fit_question(bench, source, looking, question))
    show_rehearsal(rehearsal, telling)


def measure(bench: Bench, source: Footage, question: "Question", fit: "Fit") -> "Rehearsal":
    """What answering would take, measured on one frame."""
    from vidcli.methods.estimate import estimate

    cost = estimate(source, bench.session, fit, question, arranger=bench.arranger)
    return tell_cost(bench, source, question, cost, fit.approach)


def tell_cost(
    bench: Bench, source: Footage, question: "Question", cost: "Estimate", approach: Approach
) -> "Rehearsal":
    """A cost with all that is told beside it."""
    from vidcli.output.accounts import Rehearsal

    return Rehearsal(
        video=describe(source),
        question=question.text,
        approach=approach,
        plan=cost.plan,
        frame_size=cost.size,
        tokens_per_frame=cost.visual_tokens_per_frame,
        frames_per_group=cost.group,
        visual_tokens=cost.visual_tokens,
        prompt_cells=cost.prompt_cells,
        reserved_cells=reserved_cells(question),
        n_ctx=cost.n_ctx,
        seconds={phase: getattr(cost, f"{phase}_s") for phase in PHASES},
        memory_bytes=bench.memory_bytes,
        model=bench.session.report,
        order=cost.order,
        warnings=tuple(dict.fromkeys((*source.info.warnings, *source.warnings, *cost.warnings))),
    )


def show_rehearsal(rehearsal: "Rehearsal", telling: Telling) -> None:
    """Print what the work would take."""
    from vidcli.output.accounts import plan_document, plan_rows

    if telling.json:
        write_document(plan_document(rehearsal))
    else:
        write_table(plan_rows(rehearsal))
    for warning in rehearsal.warnings:
        telling.notes.warn(warning)


def write_trace(path: Path, bench: Bench, seen: Look, question: "Question") -> None:
    """Write everything the model was shown for a question to a file.

    Raises:
        UsageError: The file cannot be written.
    """
    from vidcli.methods.ask import compose
    from vidcli.output.accounts import trace_document

    session = bench.session
    prompt = compose(session, seen.watched, question, seen.video)
    parts = session.trace(prompt)
    write_file(path, trace_document(seen.video, question.text, session.report, parts))


def write_steps(path: Path, source: Footage, bench: Bench, steps: "Sequence[TracedStep]") -> None:
    """Write every prompt of a result that took several, and every reply, to a file.

    Raises:
        UsageError: The file cannot be written.
    """
    from vidcli.output.summaries import summary_trace_document

    write_file(path, summary_trace_document(describe(source), bench.session.report, steps))
