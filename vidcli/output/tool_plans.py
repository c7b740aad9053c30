"""The document `tool-plan`: what a tool would do with a video, and how long it would take."""

from dataclasses import dataclass

from vidcli.core.results import VideoReport
from vidcli.core.time import Span, format_time
from vidcli.output.accounts import say_seconds
from vidcli.output.documents import Document, head, span_entry, video_entry
from vidcli.output.plain import count, printable


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPlan:
    """What a tool would do with one video.

    Attributes:
        video: Facts about it.
        command: Whose work it is.
        span: The part that is asked for.
        tool: What would do it; empty where there is nothing to do.
        unit: What is counted: `pictures`, `seconds` of sound, `lines` that are written down.
        amount: How many there are.
        kept: How many of them an earlier run did.
        unit_s: Wall seconds of one, measured on a probe.
        is_most: Whether the time is the most it can take; else it is about that.
        reason: Why there is nothing to do; empty where there is something.
        warnings: What a reader should know.
    """

    video: VideoReport
    command: str
    span: Span
    tool: str = ""
    unit: str = "seconds"
    amount: int = 0
    kept: int = 0
    unit_s: float = 0.0
    is_most: bool = False
    reason: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def total_s(self) -> float:
        """Wall seconds of all that is not kept."""
        return self.unit_s * (self.amount - self.kept)


def tool_plan_document(plan: ToolPlan) -> Document:
    """The document `tool-plan`."""
    return {
        "schema": head("tool-plan"),
        "video": video_entry(plan.video),
        "command": plan.command,
        **span_entry(plan.span),
        "tool": plan.tool or None,
        "unit": plan.unit,
        "amount": plan.amount,
        "kept": plan.kept,
        "seconds": {
            "each": round(plan.unit_s, 6),
            "total": round(plan.total_s, 6),
            "at_most": plan.is_most,
        },
        "reason": plan.reason or None,
        "warnings": list(plan.warnings),
    }


def tool_plan_rows(plan: ToolPlan) -> list[tuple[str, str]]:
    """The same for people, as (name, value)."""
    start, end = (format_time(time, decimals=1) for time in (plan.span.start, plan.span.end))
    rows = [("video", printable(plan.video.path)), ("part", f"{start}–{end}")]
    if plan.reason:
        return [*rows, ("work", f"none: {printable(plan.reason)}")]
    kept = f", {plan.kept} of them kept of an earlier run" if plan.kept else ""
    work = count(plan.amount, plan.unit.removesuffix("s"))
    of_what = " of sound" if plan.unit == "seconds" else ""
    about = "at most" if plan.is_most else "about"
    return [
        *rows,
        ("work", f"{work}{of_what}{kept}"),
        ("tool", printable(plan.tool)),
        ("time", f"{about} {say_seconds(plan.total_s)}"),
    ]
