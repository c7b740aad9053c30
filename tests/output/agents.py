"""Results of agents with every field filled, for what writes them."""

from dataclasses import replace
from fractions import Fraction

from tests.output.results import make_answer
from vidcli.core.agent import (
    AgentResult,
    Call,
    Observation,
    PlannerCall,
    Step,
    Stop,
    Style,
    Told,
    ToolReport,
    TracedPrompt,
)
from vidcli.core.prompt import TracedPart
from vidcli.core.time import Span
from vidcli.output.agents import AgentRehearsal

SEEN = Span(Fraction(0), Fraction(1))


def make_calls() -> tuple[Call, ...]:
    """One that found something, one that failed, one that was the same, one about no part."""
    frames = tuple(frame.time for frame in make_answer().frames)
    told = Told("seen", "A ball\nrolls.", SEEN, frames)
    row = Told("row", "count(*): 2")
    return (
        Call("c1", "look", {"at": 0.5}, "loop", 0.25, frames, 7, (Observation(1, "c1", told),)),
        Call("c2", "telescope", {}, "planner", 0.0, error="there is no tool 'telescope'"),
        Call("c3", "look", {"at": 0.5}, "planner", 0.0, repeats="c1"),
        Call(
            "c4",
            "object_memory_querying",
            {"sql": "SELECT 1"},
            "planner",
            0.5,
            observations=(Observation(2, "c4", row),),
        ),
    )


def make_tools() -> tuple[ToolReport, ...]:
    return (
        ToolReport("look", "looks", (Style.CONFIDENCE,)),
        ToolReport("transcript", "reads", tuple(Style), "nothing is\x1b written down"),
    )


def make_agent_result(*, steps: bool = False) -> AgentResult:
    answer, calls = make_answer(), make_calls()
    made = AgentResult(
        video=answer.video,
        question="What happens?",
        style=Style.CONFIDENCE,
        text="A ball rolls.",
        steps=(),
        cited=tuple(found for call in calls for found in call.observations),
        citations_dropped=1,
        confidence=2,
        stop=Stop.ROUNDS,
        rounds=3,
        calls=calls,
        planner_calls=(PlannerCall("answer", 1, {"answer": "x"}, True, 2, 0.5, 100, 20),),
        frames=answer.frames,
        frame_tokens=answer.frame_tokens,
        coverage=answer.coverage,
        tools=make_tools(),
        model=answer.model,
        planner=replace(answer.model, name="planner", mmproj_sha256=""),
        usage=answer.usage,
        timings=answer.timings,
        warnings=("one",),
    )
    if not steps:
        return made
    step = Step("Roll it.", SEEN, ("c1",), (1,))
    return replace(made, text="1. [0:00.0–0:01.0] Roll it.", steps=(step,), cited=made.cited[:1])


def make_traced() -> list[TracedPrompt]:
    part = TracedPart("What happens?", (5, 6), (), 0, 0, 0)
    shown = TracedPart("", (7, 8), make_answer().frames, 64, 2, 2)
    return [
        TracedPrompt("eyes", "look", (part, shown), "A ball rolls."),
        TracedPrompt("planner", "answer", (part,), "{}"),
    ]


def make_agent_rehearsal() -> AgentRehearsal:
    result = make_agent_result()
    return AgentRehearsal(
        video=result.video,
        question="What?",
        style=Style.REACT,
        steps=True,
        rounds=1,
        time_limit_s=None,
        frames=4,
        most_frames=12,
        planner_calls=3,
        prompt_cells=140,
        reply_tokens=1024,
        n_ctx=4096,
        seconds=dict.fromkeys(("decode", "encode", "prefill", "generate", "total"), 1.0),
        memory_bytes=1000,
        tools=make_tools(),
        model=result.model,
        planner=result.planner,
        warnings=(),
    )
