"""Documents about agents: the result, what it would take, what the models were shown, the tools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vidcli.core.agent import (
    AgentResult,
    Call,
    Observation,
    PlannerCall,
    Step,
    Style,
    ToolReport,
    TracedPrompt,
)
from vidcli.core.model import ModelReport
from vidcli.core.results import VideoReport
from vidcli.core.time import Span, format_time
from vidcli.output.accounts import say_seconds, traced_entry
from vidcli.output.documents import (
    Document,
    coverage_entry,
    head,
    model_entry,
    seconds,
    seen_entry,
    span_entry,
    timings_entry,
    usage_entry,
    video_entry,
)
from vidcli.output.plain import count, format_size, printable
from vidcli.output.tables import say_coverage

TOOL_COLUMNS = ("tool", "style", "", "what it does")


def agent_document(result: AgentResult) -> Document:
    """The document `agent`."""
    return {
        "schema": head("agent"),
        "video": video_entry(result.video),
        "question": result.question,
        "answer": result.text,
        "steps": [_step(number, step) for number, step in enumerate(result.steps, start=1)],
        "confidence": result.confidence,
        "stopped": result.stop.value,
        "rounds": result.rounds,
        "style": result.style.value,
        "evidence": list(_evidence(result)),
        "citations_dropped": result.citations_dropped,
        "calls": [call_entry(call) for call in result.calls],
        "planner_calls": [_planner_call(call) for call in result.planner_calls],
        "tools": [_tool(tool) for tool in result.tools],
        "frames": [
            seen_entry(frame, n_tokens)
            for frame, n_tokens in zip(result.frames, result.frame_tokens, strict=True)
        ],
        "coverage": coverage_entry(result.coverage),
        "model": model_entry(result.model),
        "planner": model_entry(result.planner),
        "usage": usage_entry(result.usage),
        "timings_s": timings_entry(result.timings),
        "warnings": list(result.warnings),
    }


def _step(number: int, step: Step) -> Document:
    return {
        "number": number,
        **span_entry(step.span),
        "text": step.text,
        "calls": list(step.calls),
        "observations": list(step.observations),
    }


def _evidence(result: AgentResult) -> "Sequence[Document]":
    """What the answer names, with the times of that; of a plan its steps.

    A quote is what was found, or what a step says. What is about no part, such as a row of the
    object memory, is about the whole.
    """
    by_time = {frame.time: frame.id for frame in result.frames}
    found = {entry.number: entry for entry in result.cited}

    def entry(span: Span | None, quote: str, cited: Sequence[Observation]) -> Document:
        times = dict.fromkeys(time for seen in cited for time in seen.told.frames)
        return {
            **span_entry(span or result.coverage.span),
            "frames": sorted(by_time[time] for time in times if time in by_time),
            "quote": quote,
            "calls": list(dict.fromkeys(seen.call for seen in cited)),
            "observations": [seen.number for seen in cited],
        }

    if result.steps:
        return [
            entry(step.span, step.text, [found[n] for n in step.observations])
            for step in result.steps
        ]
    return [entry(seen.told.span, seen.told.text, [seen]) for seen in result.cited]


def call_entry(call: Call) -> Document:
    """One call of a tool."""
    return {
        "id": call.id,
        "tool": call.tool,
        "arguments": _plain(call.arguments),
        "by": call.by,
        "wall_s": round(call.wall_s, 6),
        "frames_new": [seconds(time.seconds) for time in call.frames],
        "frames_scanned": call.scanned,
        "observations": [
            {
                "number": found.number,
                "kind": found.told.kind,
                "text": found.told.text,
                **(
                    span_entry(found.told.span)
                    if found.told.span is not None
                    else {"start_s": None, "end_s": None}
                ),
            }
            for found in call.observations
        ],
        "error": call.error or None,
        "repeats": call.repeats or None,
    }


def _planner_call(call: PlannerCall) -> Document:
    return {
        "name": call.name,
        "round": call.round,
        "reply": _plain(call.reply),
        "is_cut": call.is_cut,
        "observations_left_out": call.left_out,
        "wall_s": round(call.wall_s, 6),
        "prompt_tokens": call.prompt_tokens,
        "completion_tokens": call.completion_tokens,
    }


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    return dict(value)


def _tool(tool: ToolReport) -> Document:
    return {
        "name": tool.name,
        "purpose": tool.purpose,
        "styles": [style.value for style in tool.styles],
        "available": not tool.missing,
        "missing": tool.missing or None,
    }


def say_agent(result: AgentResult) -> str:
    """What an answer rests on, on one line."""
    sure = f", confidence {result.confidence} of 3" if result.confidence is not None else ""
    cited = ", ".join(dict.fromkeys(found.call for found in result.cited))
    return (
        f"{say_coverage(result.coverage)}; {count(len(result.calls), 'call')} in "
        f"{count(result.rounds, 'round')}, stopped: {result.stop}{sure}"
        + (f"; rests on {cited}" if cited else "")
    )


def agent_trace_document(
    video: VideoReport,
    question: str,
    models: tuple[ModelReport, ModelReport],
    prompts: Sequence[TracedPrompt],
    calls: Sequence[Call],
) -> Document:
    """The document `agent-trace`; `models` are the one that sees and the planner."""
    return {
        "schema": head("agent-trace"),
        "video": video_entry(video),
        "question": question,
        "model": model_entry(models[0]),
        "planner": model_entry(models[1]),
        "prompts": [prompt_entry(prompt) for prompt in prompts],
        "calls": [call_entry(call) for call in calls],
    }


def prompt_entry(prompt: TracedPrompt) -> Document:
    """One prompt of either model, and its reply."""
    return {
        "to": prompt.to,
        "name": prompt.name,
        "parts": [traced_entry(part) for part in prompt.parts],
        "reply": prompt.reply,
    }


def tools_document(tools: Sequence[ToolReport]) -> Document:
    """The document `agent-tools`."""
    return {"schema": head("agent-tools"), "tools": [_tool(tool) for tool in tools]}


def tool_rows(tools: Sequence[ToolReport]) -> list[tuple[str, str, str, str]]:
    """One row for each tool, in the columns of `TOOL_COLUMNS`."""
    return [
        (
            tool.name,
            "both" if len(tool.styles) == len(Style) else tool.styles[0].value,
            "no" if tool.missing else "yes",
            printable(tool.missing or tool.purpose),
        )
        for tool in tools
    ]


@dataclass(frozen=True, slots=True)
class AgentRehearsal:
    """What an agent would take, for the document and for people.

    Attributes:
        style: The loop.
        steps: Whether a plan would be written.
        rounds: Most rounds.
        time_limit_s: Seconds after which nothing new is begun; None for no bound.
        frames: Frames that are looked at in any case.
        most_frames: Frames that are looked at or compared if every round is needed.
        planner_calls: Most prompts of the planner.
        prompt_cells: Context cells of its first prompt.
        reply_tokens: Its longest reply.
        n_ctx: Context cells in all.
        seconds: Wall seconds, at most, by phase: `decode`, `encode`, `prefill`, `generate`,
            `total`.
        memory_bytes: Most the process would hold.
    """

    video: VideoReport
    question: str
    style: Style
    steps: bool
    rounds: int
    time_limit_s: float | None
    frames: int
    most_frames: int
    planner_calls: int
    prompt_cells: int
    reply_tokens: int
    n_ctx: int
    seconds: Mapping[str, float]
    memory_bytes: int
    tools: tuple[ToolReport, ...]
    model: ModelReport
    planner: ModelReport
    warnings: tuple[str, ...]


def agent_plan_document(rehearsal: AgentRehearsal) -> Document:
    """The document `agent-plan`."""
    return {
        "schema": head("agent-plan"),
        "video": video_entry(rehearsal.video),
        "question": rehearsal.question,
        "style": rehearsal.style.value,
        "writes_steps": rehearsal.steps,
        "rounds": rehearsal.rounds,
        "time_limit_s": rehearsal.time_limit_s,
        "frames": {"first": rehearsal.frames, "most": rehearsal.most_frames},
        "planner_calls": rehearsal.planner_calls,
        "tokens": {
            "prompt": rehearsal.prompt_cells,
            "reply": rehearsal.reply_tokens,
            "context": rehearsal.n_ctx,
        },
        "seconds": {phase: round(value, 6) for phase, value in rehearsal.seconds.items()},
        "memory_bytes": rehearsal.memory_bytes,
        "tools": [_tool(tool) for tool in rehearsal.tools],
        "model": model_entry(rehearsal.model),
        "planner": model_entry(rehearsal.planner),
        "warnings": list(rehearsal.warnings),
    }


def agent_plan_rows(rehearsal: AgentRehearsal) -> list[tuple[str, str]]:
    """The same for people, as (name, value)."""
    spent, limit = rehearsal.seconds, rehearsal.time_limit_s
    usable = [tool.name for tool in rehearsal.tools if not tool.missing]
    missing = [tool.name for tool in rehearsal.tools if tool.missing]
    phases = ("decode", "encode", "prefill", "generate")
    return [
        ("video", printable(rehearsal.video.path)),
        ("answers with", "numbered steps" if rehearsal.steps else "an answer in words"),
        ("style", f"{rehearsal.style}, at most {count(rehearsal.rounds, 'round')}"),
        ("tools", ", ".join(usable) + (f"; not {', '.join(missing)}" if missing else "")),
        (
            "frames",
            f"{rehearsal.frames} at first, {rehearsal.most_frames} if every round is needed",
        ),
        (
            "planner",
            f"at most {count(rehearsal.planner_calls, 'prompt')}, the first of "
            f"{rehearsal.prompt_cells} of {rehearsal.n_ctx} cells, replies of at most "
            f"{rehearsal.reply_tokens}",
        ),
        (
            "time",
            f"at most {say_seconds(spent['total'])}: "
            + ", ".join(f"{phase} {say_seconds(spent[phase])}" for phase in phases)
            + (f"; nothing new after {format_time(limit)}" if limit is not None else ""),
        ),
        ("memory", f"at most {format_size(rehearsal.memory_bytes)}"),
        ("model", _say_model(rehearsal.model)),
        ("planner model", _say_model(rehearsal.planner)),
    ]


def _say_model(model: ModelReport) -> str:
    return f"{model.name} {model.quant} on {model.backend}"
