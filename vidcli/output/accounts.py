"""Documents about work: what it would take (`plan`), and what the model was shown (`trace`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from vidcli.core.media import FramePlan, measure_coverage
from vidcli.core.model import ModelReport
from vidcli.core.prompt import TracedPart
from vidcli.core.results import Answer, Approach, VideoReport
from vidcli.core.time import format_time
from vidcli.output.documents import (
    Document,
    approach_entry,
    coverage_entry,
    head,
    model_entry,
    seconds,
    video_entry,
)
from vidcli.output.plain import count, format_size, printable
from vidcli.output.tables import say_coverage


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What answering one question about one video would take.

    Attributes:
        video: Facts about it.
        question: What would be asked.
        approach: The method that would watch it, and why.
        plan: The instants that would be looked at.
        frame_size: (width, height) frames would be decoded at.
        tokens_per_frame: Visual tokens of one frame, or of one group of them.
        frames_per_group: Frames that the family merges.
        visual_tokens: Of all frames.
        prompt_cells: Context cells of the whole prompt.
        reserved_cells: Context cells kept for the answer.
        n_ctx: Context cells in all.
        seconds: Expected, by phase.
        memory_bytes: Most the process would hold.
        model: Which model would answer.
        warnings: What has to give way to fit.
        order: Of the parts of the prompt, where there are words of tools among them.
    """

    video: VideoReport
    question: str
    approach: Approach
    plan: FramePlan
    frame_size: tuple[int, int]
    tokens_per_frame: int
    frames_per_group: int
    visual_tokens: int
    prompt_cells: int
    reserved_cells: int
    n_ctx: int
    seconds: Mapping[str, float]
    memory_bytes: int
    model: ModelReport
    warnings: tuple[str, ...]
    order: tuple[str, ...] = ()

    @property
    def times(self) -> list[Fraction]:
        """Planned instants."""
        return [frame.time for frame in self.plan.frames]


def plan_document(rehearsal: Rehearsal) -> Document:
    """The document `plan`."""
    width, height = rehearsal.frame_size
    return {
        "schema": head("plan"),
        "video": video_entry(rehearsal.video),
        "question": rehearsal.question,
        "approach": approach_entry(rehearsal.approach),
        "order": list(rehearsal.order) or None,
        "rule": rehearsal.plan.rule,
        "frames": [
            {"time_s": seconds(frame.time), "reason": frame.reason}
            for frame in rehearsal.plan.frames
        ],
        "frame_size": {"width": width, "height": height},
        "coverage": coverage_entry(measure_coverage(rehearsal.plan.span, rehearsal.times)),
        "tokens": {
            "per_frame": rehearsal.tokens_per_frame,
            "frames_per_group": rehearsal.frames_per_group,
            "visual": rehearsal.visual_tokens,
            "prompt": rehearsal.prompt_cells,
            "reserved": rehearsal.reserved_cells,
            "context": rehearsal.n_ctx,
        },
        "seconds": {phase: round(value, 6) for phase, value in rehearsal.seconds.items()},
        "memory_bytes": rehearsal.memory_bytes,
        "model": model_entry(rehearsal.model),
        "warnings": list(rehearsal.warnings),
    }


def plan_rows(rehearsal: Rehearsal) -> list[tuple[str, str]]:
    """The same for people, as (name, value)."""
    width, height = rehearsal.frame_size
    group = rehearsal.frames_per_group
    per = "a frame" if group == 1 else f"for {group} frames"
    spent = rehearsal.seconds
    coverage = measure_coverage(rehearsal.plan.span, rehearsal.times)
    shown = [format_time(time, decimals=1) for time in rehearsal.times]
    if len(shown) > 8:
        shown = [*shown[:4], "…", *shown[-3:]]
    return [
        ("video", printable(rehearsal.video.path)),
        ("frames", f"{say_coverage(coverage)}, by {rehearsal.plan.rule}"),
        ("at", ", ".join(shown)),
        ("size", f"{width}×{height}, {rehearsal.tokens_per_frame} visual tokens {per}"),
        ("method", say_approach(rehearsal.approach)),
        *([("prompt", ", then ".join(rehearsal.order))] if rehearsal.order else []),
        ("context", _say_context(rehearsal)),
        (
            "time",
            f"at most {say_seconds(spent['total'])}: decode {say_seconds(spent['decode'])}, "
            f"encode {say_seconds(spent['encode'])}, prefill {say_seconds(spent['prefill'])}, "
            f"generate {say_seconds(spent['generate'])}",
        ),
        ("memory", f"at most {format_size(rehearsal.memory_bytes)}"),
        ("model", f"{rehearsal.model.name} {rehearsal.model.quant} on {rehearsal.model.backend}"),
    ]


def _say_context(rehearsal: Rehearsal) -> str:
    if not rehearsal.prompt_cells:
        tokens = count(rehearsal.visual_tokens, "visual token")
        return f"none: {tokens}, and nothing is put to the model"
    return (
        f"{rehearsal.prompt_cells} of {rehearsal.n_ctx} cells, "
        f"{rehearsal.visual_tokens} of them visual tokens, "
        f"{rehearsal.reserved_cells} kept for the answer"
    )


def trace_document(
    video: VideoReport, question: str, model: ModelReport, parts: Sequence[TracedPart]
) -> Document:
    """The document `trace`."""
    return {
        "schema": head("trace"),
        "video": video_entry(video),
        "question": question,
        "model": model_entry(model),
        "parts": [traced_entry(part) for part in parts],
    }


def chat_document(answers: Sequence[Answer]) -> Document:
    """The document `chat`: what was said about one video, oldest first."""
    return {
        "schema": head("chat"),
        "video": video_entry(answers[0].video) if answers else None,
        "model": model_entry(answers[0].model) if answers else None,
        "turns": [
            {
                "question": answer.question,
                "answer": answer.text,
                "finish": answer.finish.value,
                "warnings": list(answer.warnings),
            }
            for answer in answers
        ],
    }


def chat_markdown(answers: Sequence[Answer]) -> str:
    """The same to be read."""
    parts = [f"# {printable(answers[0].video.path)}\n"] if answers else []
    parts += [f"\n**{answer.question}**\n\n{answer.text}\n" for answer in answers]
    return "".join(parts)


def traced_entry(part: TracedPart) -> Document:
    """One part of a prompt as the model was given it."""
    place: Document = {"cell": part.cell, "position": part.position}
    if not part.frames:
        return {"kind": "text", "text": part.text, "token_ids": list(part.token_ids), **place}
    return {
        "kind": "frames",
        "frames": [
            {"id": frame.id, "time_s": seconds(frame.time.seconds), "reason": frame.reason}
            for frame in part.frames
        ],
        "visual_tokens": part.visual_tokens,
        "token_ids": list(part.token_ids),
        **place,
    }


def say_approach(approach: Approach) -> str:
    """A method with its parameters, and why it was taken."""
    options = ", ".join(f"{key}={value}" for key, value in approach.options)
    told = approach.method + (f" ({options})" if options else "")
    return f"{told}: {approach.why}" if approach.why else told


def say_seconds(value: float) -> str:
    """Write a cost in time."""
    return f"{value:.1f} s" if value < 60 else format_time(value)
