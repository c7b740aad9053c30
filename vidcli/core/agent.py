"""What an agent did and found: calls of tools, what they told, and the answer that rests on them.

Numbers of observations and ids of calls are given by code; the planner can only name those there
are, and every time in an answer is an observation's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vidcli.core.media import Coverage
from vidcli.core.model import ModelReport
from vidcli.core.prompt import SeenFrame, TracedPart
from vidcli.core.results import Timings, Usage, VideoReport
from vidcli.core.time import Span, Timestamp

MEMORY, NOTE = "memory", "note"  # kinds of what a tool tells of itself


class Style(StrEnum):
    """Which loop the planner runs."""

    CONFIDENCE = "confidence"
    REACT = "react"


class Stop(StrEnum):
    """Why no further tool was called."""

    CONFIDENT = "confident"
    ANSWERED = "answered"
    ROUNDS = "rounds"
    TIME = "time"
    REPEATS = "repeats"
    NOTHING_NEW = "nothing new"


@dataclass(frozen=True, slots=True)
class Told:
    """One thing a tool found.

    Attributes:
        kind: Such as `seen`, `said`, `answer`, `shot`, `row`.
        text: On one line; what came out of the video is data.
        span: The part of the video it is about; None where it is about none.
        frames: Frames it rests on; empty where it was not seen.
    """

    kind: str
    text: str
    span: Span | None = None
    frames: tuple[Timestamp, ...] = ()

    @property
    def is_evidence(self) -> bool:
        """Whether it tells of the video, and not of the tool: how much there is, or is left out."""
        return self.kind not in (MEMORY, NOTE)


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing a tool found, by its number.

    Attributes:
        number: From 1, through the whole run.
        call: Id of the call that found it.
        told: What it is.
    """

    number: int
    call: str
    told: Told


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool.

    Attributes:
        id: `c1`, `c2` and so on.
        tool: As it was named, whether there is such a tool or not.
        arguments: As they were given.
        by: `planner`, or `loop` where the method calls it by itself.
        wall_s: Seconds it took.
        frames: Frames that were looked at and had not been before.
        scanned: Frames that were only compared with a description, of which no words came.
        observations: What it found.
        error: Why it found nothing; empty where it did its work.
        repeats: Id of an earlier call that was the same, so that this one was not made.
    """

    id: str
    tool: str
    arguments: Mapping[str, Any]
    by: str
    wall_s: float
    frames: tuple[Timestamp, ...] = ()
    scanned: int = 0
    observations: tuple[Observation, ...] = ()
    error: str = ""
    repeats: str = ""


@dataclass(frozen=True, slots=True)
class PlannerCall:
    """One prompt to the planner and its reply.

    Attributes:
        name: `answer`, `evaluate`, `retrieve` or `act`.
        round: From 1.
        reply: The object it wrote.
        is_cut: Whether the reply was longer than it may be, and the object is what was complete.
        left_out: Observations that did not fit the prompt.
        wall_s: Seconds it took.
        prompt_tokens: Of text; there are no others.
        completion_tokens: Written.
    """

    name: str
    round: int
    reply: Mapping[str, Any]
    is_cut: bool
    left_out: int
    wall_s: float
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class TracedPrompt:
    """A prompt as a model was given it, for `--trace`.

    Attributes:
        to: `planner`, or `eyes`: the model that sees.
        name: What the step is called.
        parts: What the model was shown.
        reply: What it wrote.
    """

    to: str
    name: str
    parts: tuple[TracedPart, ...]
    reply: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan.

    Attributes:
        text: What to do.
        span: Where the video shows it, inside the clip.
        calls: Ids of the calls it rests on.
        observations: Numbers of the observations it rests on.
    """

    text: str
    span: Span
    calls: tuple[str, ...]
    observations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ToolReport:
    """A tool, and whether the planner may call it.

    Attributes:
        name: As it is called.
        purpose: What it does, in one sentence.
        styles: Loops that use it.
        missing: Why it cannot be called; empty where it can.
    """

    name: str
    purpose: str
    styles: tuple[Style, ...]
    missing: str = ""


@dataclass(frozen=True, slots=True)
class AgentResult:
    """What an agent answers, with everything that rests on.

    Attributes:
        question: As asked.
        style: The loop.
        text: The answer; of a plan its numbered steps, a line each.
        steps: Of a plan, by time; empty for an answer in words.
        cited: Observations that the answer names.
        citations_dropped: Numbers the planner named that no observation has.
        confidence: 1 insufficient, 2 partial, 3 sufficient, by the planner's own judgement in a
            call of its own; None where it gave none.
        stop: Why no further tool was called.
        rounds: How many rounds there were.
        calls: Of tools, in order.
        planner_calls: In order.
        frames: Frames of which words came, numbered by time.
        frame_tokens: Visual tokens of each.
        coverage: Of those frames.
        tools: All tools there are.
        model: That saw.
        planner: That planned.
    """

    video: VideoReport
    question: str
    style: Style
    text: str
    steps: tuple[Step, ...]
    cited: tuple[Observation, ...]
    citations_dropped: int
    confidence: int | None
    stop: Stop
    rounds: int
    calls: tuple[Call, ...]
    planner_calls: tuple[PlannerCall, ...]
    frames: tuple[SeenFrame, ...]
    frame_tokens: tuple[int, ...]
    coverage: Coverage
    tools: tuple[ToolReport, ...]
    model: ModelReport
    planner: ModelReport
    usage: Usage
    timings: Timings
    warnings: tuple[str, ...]
