"""Think, call a tool, read what it found, and think again.

Source: VideoAgent (YueFan1014/VideoAgent, arXiv:2403.11481): a ReAct loop (arXiv:2210.03629) over a
temporal memory and an object memory, with the tools `caption_retrieval`, `segment_localization`,
`visual_question_answering` and `object_memory_querying`. Here further tools stand beside them where
they are available, and the answer is judged in a call of its own.
"""

from vidcli.core.agent import Stop
from vidcli.methods.agent.conclude import Concluder
from vidcli.methods.agent.confidence import Ended, require_sight
from vidcli.methods.agent.pace import Pace
from vidcli.methods.agent.planner import Planner
from vidcli.methods.agent.prompts import FINISH, Asker
from vidcli.methods.agent.seeing import whole
from vidcli.methods.agent.toolbox import Toolbox

ROUNDS = 10
REPEATS_MAX = 2  # in a row: told once that it repeats itself, a planner that goes on is stuck
REMEMBER = "remember"
FALLBACK = "caption_retrieval"


def run_react(planner: Planner, asker: Asker, toolbox: Toolbox, pace: Pace) -> Ended:
    """Let the planner call tools until it answers.

    Args:
        planner: Thinks and answers.
        asker: Writes what it is asked.
        toolbox: With `remember`, which the loop calls first, and the tools of the planner.
        pace: Bounds of the loop.
    """
    concluder = Concluder(planner, asker, toolbox)
    if toolbox.find(REMEMBER) is not None:
        toolbox.call(REMEMBER, {}, by="loop")
    stop, rounds = _act(planner, asker, toolbox, pace)
    if not has_found(toolbox):
        toolbox.call(FALLBACK, whole(asker.span), by="loop")
    require_sight(toolbox)
    conclusion = concluder.answer(round=rounds)
    confidence = concluder.evaluate(conclusion, round=rounds)
    return Ended(conclusion, confidence, stop, rounds)


def _act(planner: Planner, asker: Asker, toolbox: Toolbox, pace: Pace) -> tuple[Stop, int]:
    offered = [tool for tool in toolbox.tools if tool.name != REMEMBER]
    repeats = 0
    for round in range(1, pace.rounds + 1):
        if pace.is_over:
            return Stop.TIME, round - 1 or 1
        wish = asker.act(offered, may_end=has_found(toolbox))
        action = planner.ask(wish, toolbox.calls, round=round).reply.get("action")
        fields = action if isinstance(action, dict) else {}
        if fields.get("tool") == FINISH and has_found(toolbox):
            return Stop.ANSWERED, round
        call = toolbox.call(str(fields.get("tool")), fields.get("arguments") or {})
        repeats = repeats + 1 if call.repeats else 0
        if repeats == REPEATS_MAX:
            return Stop.REPEATS, round
    return Stop.ROUNDS, pace.rounds


def has_found(toolbox: Toolbox) -> bool:
    """Whether a tool that looks for something has found it; remembering alone tells nothing."""
    return any(call.tool != REMEMBER and call.observations for call in toolbox.calls)
