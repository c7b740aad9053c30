"""Answer from a few frames, judge the answer, and look where something is missing.

Source: VideoAgent (wxh1996/VideoAgent, arXiv:2403.10517). Five uniform frames are captioned. Each
round is an answer, its judgement in a call of its own (1 to 3), and, below 3, descriptions of the
pictures that are wanted, each searched for in one segment between frames that were seen. What is
other here: the model that sees compares frames with descriptions, where CLIP does there; captions
are made when a frame is looked at, where they exist beforehand there; speech that is written down
is read first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from vidcli.core.agent import Stop
from vidcli.core.media import FramePlan, VideoInfo
from vidcli.core.time import Span
from vidcli.errors import MediaError
from vidcli.media.plan import count_frames, plan_uniform
from vidcli.methods.agent.conclude import CONFIDENT, Concluder, Conclusion
from vidcli.methods.agent.pace import Pace
from vidcli.methods.agent.planner import Planner
from vidcli.methods.agent.prompts import Asker
from vidcli.methods.agent.seeing import round_time, whole
from vidcli.methods.agent.toolbox import Toolbox

FRAMES = 5
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Ended:
    """How a loop ended.

    Attributes:
        conclusion: Its last one.
        confidence: In that, 1 to 3; None where none was given.
        stop: Why no further tool was called.
        rounds: How many there were.
    """

    conclusion: Conclusion
    confidence: int | None
    stop: Stop
    rounds: int


def run_confidence(
    planner: Planner,
    asker: Asker,
    toolbox: Toolbox,
    pace: Pace,
    *,
    info: VideoInfo,
    frames: int,
) -> Ended:
    """Look at some frames, then go on while the planner is not confident.

    Args:
        planner: Answers, judges and wishes.
        asker: Writes what it is asked.
        toolbox: With `look` and `retrieve`; `transcript` is called once where it is there.
        pace: Bounds of the loop.
        info: Of the video.
        frames: To look at first, spread evenly.
    """
    concluder = Concluder(planner, asker, toolbox)
    _begin(toolbox, plan_uniform(info, asker.span, budget=frames))
    for round in range(1, pace.rounds + 1):
        conclusion = concluder.answer(round=round)
        confidence = concluder.evaluate(conclusion, round=round)
        stop = _stop(confidence, pace, round)
        if stop is None and not _look_further(planner, asker, toolbox, pace, info, round=round):
            stop = Stop.NOTHING_NEW
        if stop is not None:
            return Ended(conclusion, confidence, stop, round)
    raise AssertionError("the last round stops")


def _begin(toolbox: Toolbox, plan: FramePlan) -> None:
    if toolbox.find("transcript") is not None:
        toolbox.call("transcript", whole(plan.span), by="loop")
    for frame in plan.frames:
        toolbox.call("look", {"at": round_time(frame.time)}, by="loop")
    require_sight(toolbox)


def require_sight(toolbox: Toolbox) -> None:
    """Refuse to answer about a video of which nothing was found.

    Raises:
        MediaError: With the reason of the last call that failed.
    """
    if not toolbox.observations:
        why = [call.error for call in toolbox.calls if call.error]
        raise MediaError(why[-1] if why else "no tool found anything")


def _stop(confidence: int | None, pace: Pace, round: int) -> Stop | None:
    if confidence is not None and confidence >= CONFIDENT:
        return Stop.CONFIDENT
    if round == pace.rounds:
        return Stop.ROUNDS
    return Stop.TIME if pace.is_over else None


def _look_further(
    planner: Planner,
    asker: Asker,
    toolbox: Toolbox,
    pace: Pace,
    info: VideoInfo,
    *,
    round: int,
) -> bool:
    """Look for what the planner wants to see; whether anything new was found."""
    gaps = find_gaps(toolbox, asker.span, info)
    if not gaps:
        return False
    reply = planner.ask(asker.retrieve(gaps), toolbox.calls, round=round).reply
    wanted = reply.get("wanted")
    before = len(toolbox.observations)
    for entry in wanted if isinstance(wanted, list) else []:
        if pace.is_over and len(toolbox.observations) > before:
            break
        toolbox.call("retrieve", _arguments(entry, gaps))
    return len(toolbox.observations) > before


def _arguments(entry: Any, gaps: Sequence[Span]) -> dict[str, Any]:
    """What to search for, in the segment that was named and nowhere else."""
    fields = entry if isinstance(entry, dict) else {}
    number, description = fields.get("segment"), fields.get("description")
    if type(number) is not int or not 1 <= number <= len(gaps):
        return {"segment": number, "description": description}  # refused, and recorded
    gap = gaps[number - 1]
    return {
        "start": round_time(gap.start),
        "end": round_time(gap.end),
        "description": description,
    }


def find_gaps(toolbox: Toolbox, span: Span, info: VideoInfo) -> list[Span]:
    """Segments between the frames that were seen, and at either end, that hold another frame."""
    seen = sorted(
        {moment.seconds for found in toolbox.observations for moment in found.told.frames}
    )
    inside = [moment for moment in seen if moment in span]
    edges = [span.start, *inside, span.end]
    gaps = [Span(a, b) for a, b in pairwise(edges) if b > a]
    return [gap for gap in gaps if count_frames(info, gap) > (gap.start in seen)]
