"""Tools that look, each with a prompt of its own.

`look` and `retrieve` are what the confidence loop calls; `caption_retrieval`,
`segment_localization` and `visual_question_answering` are for the planner of the other one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from vidcli.core.agent import Told
from vidcli.core.media import FramePlan
from vidcli.core.time import Span
from vidcli.errors import MediaError, UsageError
from vidcli.media.plan import plan_uniform
from vidcli.methods.agent.eyes import Eyes, View, at_instants
from vidcli.methods.agent.segments import Segment, TemporalMemory

Parameters = Mapping[str, Mapping[str, Any]]
CANDIDATES = 8  # frames of a segment that are compared with a description
QUESTION_FRAMES = 8
CAPTIONS_MAX = 15
LOCALIZED = 5
TEXT_MAX = 200
MOMENT = Fraction(1, 1000)  # seconds that a single frame stands for, where nothing else is known


def time_parameter(span: Span) -> dict[str, Any]:
    """Schema of a time in a span, in seconds; bounds are written with two decimals."""
    return {
        "type": "number",
        "minimum": math.floor(span.start * 100) / 100,
        "maximum": math.ceil(span.end * 100) / 100,
    }


def round_time(moment: Fraction) -> float:
    """Seconds as they are written in arguments, to the millisecond."""
    return round(float(moment), 3)


def whole(span: Span) -> dict[str, float]:
    """Arguments that name all of a span."""
    return {"start": round_time(span.start), "end": round_time(span.end)}


def text_parameter() -> dict[str, Any]:
    """Schema of a short text."""
    return {"type": "string", "minLength": 1, "maxLength": TEXT_MAX}


def read_span(arguments: Mapping[str, Any], whole: Span) -> Span:
    """The part from `start` to `end`, as far as it lies in the clip.

    Raises:
        UsageError: It is empty, or outside.
    """
    start, end = (Fraction(arguments[name]).limit_denominator(1000) for name in ("start", "end"))
    if end <= start:
        raise UsageError(
            f"the part ends at {float(end):.2f}, not after its start {float(start):.2f}"
        )
    inside = Span(max(start, Fraction(0)), end).clamp(whole)
    if inside is None:
        raise UsageError(
            f"{float(start):.2f} to {float(end):.2f} lies outside the clip, which is from "
            f"{float(whole.start):.2f} to {float(whole.end):.2f}"
        )
    return inside


@dataclass(frozen=True, slots=True)
class Look:
    """Captions one frame."""

    eyes: Eyes
    span: Span
    name = "look"
    purpose = "what the picture at one moment shows"

    @property
    def parameters(self) -> Parameters:
        """When."""
        return {"at": time_parameter(self.span)}

    def __call__(self, arguments: Mapping[str, Any]) -> list[Told]:
        """Look.

        Raises:
            MediaError: It cannot be decoded.
        """
        at = Fraction(arguments["at"]).limit_denominator(1_000_000)
        at = min(max(at, self.span.start), self.span.end - MOMENT)
        return [_tell(self.eyes.caption(at_instants(self.span, [at], "look"), name="look"))]


@dataclass(frozen=True, slots=True)
class Retrieve:
    """Captions the frame of one segment that fits a description best.

    Source: VideoAgent (wxh1996/VideoAgent, arXiv:2403.10517) section 3.3: CLIP similarity of text
    and frames, restricted to the segment. Here the model that sees says how likely it is that a
    frame shows the description, for at most eight frames of the segment that were not seen yet.
    """

    eyes: Eyes
    span: Span
    name = "retrieve"
    purpose = "the picture between two moments that fits a description best"

    @property
    def parameters(self) -> Parameters:
        """Where, and what for."""
        time = time_parameter(self.span)
        return {"start": time, "end": time, "description": text_parameter()}

    def __call__(self, arguments: Mapping[str, Any]) -> list[Told]:
        """Search and look.

        Raises:
            UsageError: The segment is outside the clip.
            MediaError: It holds no frame that was not seen, or none that can be decoded.
        """
        segment = read_span(arguments, self.span)
        best = self._find_best(segment, arguments["description"])
        return [_tell(self.eyes.caption(best, name="retrieve"))]

    def _find_best(self, segment: Span, description: str) -> FramePlan:
        planned = plan_uniform(self.eyes.source.info, segment, budget=CANDIDATES)
        best, most = None, -1.0
        for candidate in planned.frames:
            plan = at_instants(segment, [candidate.time], "retrieved")
            try:
                score, frames = self.eyes.fit(plan, description)
            except MediaError:  # another one may be whole
                continue
            is_inside = frames[0].time.seconds in segment
            if score > most and is_inside and not self.eyes.has_seen(frames[0].time):
                best, most = plan, score
        if best is None:
            raise MediaError(
                "every frame was seen between second "
                f"{float(segment.start):.2f} and {float(segment.end):.2f}"
            )
        return best


@dataclass(frozen=True, slots=True)
class CaptionRetrieval:
    """Captions of the segments of a part."""

    memory: TemporalMemory
    span: Span
    name = "caption_retrieval"
    purpose = f"what happens from second start to second end, at most {CAPTIONS_MAX} captions"

    @property
    def parameters(self) -> Parameters:
        """Where."""
        return {"start": time_parameter(self.span), "end": time_parameter(self.span)}

    def __call__(self, arguments: Mapping[str, Any]) -> list[Told]:
        """Remember.

        Raises:
            UsageError: The part is outside the clip.
        """
        found = self.memory.overlapping(read_span(arguments, self.span))
        known = [segment for segment in found if segment.caption]
        if len(known) > CAPTIONS_MAX:
            last = len(known) - 1
            known = [known[round(i * last / (CAPTIONS_MAX - 1))] for i in range(CAPTIONS_MAX)]
        return [segment.told for segment in known]


@dataclass(frozen=True, slots=True)
class SegmentLocalization:
    """The segments that fit a description best."""

    memory: TemporalMemory
    name = "segment_localization"
    purpose = f"the {LOCALIZED} moments that fit a description best"

    @property
    def parameters(self) -> Parameters:
        """What for."""
        return {"description": text_parameter()}

    def __call__(self, arguments: Mapping[str, Any]) -> list[Told]:
        """Search."""
        ranked = self.memory.localize(arguments["description"])[:LOCALIZED]
        return [_rank(score, segment) for score, segment in ranked]


@dataclass(frozen=True, slots=True)
class VisualQuestionAnswering:
    """Answers a question about a part, by looking at it."""

    eyes: Eyes
    span: Span
    name = "visual_question_answering"
    purpose = "looks at the part from second start to second end and answers a question"

    @property
    def parameters(self) -> Parameters:
        """What and where."""
        time = time_parameter(self.span)
        return {"question": text_parameter(), "start": time, "end": time}

    def __call__(self, arguments: Mapping[str, Any]) -> list[Told]:
        """Look and answer.

        Raises:
            UsageError: The part is outside the clip.
            MediaError: It cannot be decoded.
        """
        part = read_span(arguments, self.span)
        plan = plan_uniform(self.eyes.source.info, part, budget=QUESTION_FRAMES)
        question = arguments["question"]
        view = self.eyes.answer(plan, question, name=self.name)
        return [Told("answer", f"{question} {view.text}", part, view.times)]


def _tell(view: View) -> Told:
    """A caption of one frame."""
    time = view.times[0].seconds
    return Told("seen", view.text, Span(time, time + MOMENT), view.times)


def _rank(score: float, segment: Segment) -> Told:
    told = segment.told
    return Told(told.kind, f"(fits {score:.2f}) {told.text}", told.span, told.frames)
