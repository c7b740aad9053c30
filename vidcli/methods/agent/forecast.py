"""What an agent would take at most, measured on one frame of the video."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from vidcli.core.agent import Style, ToolReport
from vidcli.core.prompt import Prompt
from vidcli.core.protocols import TextSession
from vidcli.core.results import Timings
from vidcli.core.sampling import Sampling
from vidcli.core.time import Span
from vidcli.media.plan import plan_uniform
from vidcli.methods.agent.eyes import Eyes
from vidcli.methods.agent.offer import Senses, list_tools
from vidcli.methods.agent.planner import Planner
from vidcli.methods.agent.prompts import Asker, wants_steps
from vidcli.methods.agent.run import Agency
from vidcli.methods.agent.seeing import CANDIDATES, QUESTION_FRAMES
from vidcli.methods.agent.segments import choose_length, tile

PROBE_TOKENS = 4


@dataclass(frozen=True, slots=True)
class Cost:
    """What an agent would take; see `output.agents.AgentRehearsal`."""

    steps: bool
    frames: int
    most_frames: int
    planner_calls: int
    prompt_cells: int
    reply_tokens: int
    seconds: Mapping[str, float]
    tools: tuple[ToolReport, ...]


@dataclass(frozen=True, slots=True)
class Most:
    """How often things are done, at most.

    Attributes:
        frames: Looked at in any case.
        most_frames: Looked at or compared.
        captions: Prompts of the model that sees which are answered in words.
        planner_calls: Prompts of the planner.
    """

    frames: int
    most_frames: int
    captions: int
    planner_calls: int


def count_most(span: Span, agency: Agency) -> Most:
    """How often an agent does what, if every round is needed."""
    rounds, first = agency.most_rounds, agency.start_frames
    if agency.style is Style.CONFIDENCE:
        gaps = [first + 1]  # between frames; each round may add a frame in every one
        for _ in range(rounds - 2):
            gaps.append(gaps[-1] * 2)
        found = sum(gaps[: rounds - 1])
        return Most(first, first + found * (CANDIDATES + 1), first + found, 3 * rounds - 1)
    segments = len(tile(span, agency.segment or choose_length(span)))
    looks = max(QUESTION_FRAMES, segments)
    return Most(segments * first, segments * first + rounds * looks, segments + rounds, rounds + 2)


def forecast(
    eyes: Eyes, planner: TextSession, span: Span, question: str, agency: Agency, senses: Senses
) -> Cost:
    """Caption one frame, prefill the planner's first prompt, and multiply.

    Raises:
        MediaError: The frame cannot be decoded.
        ResourceError: The context is too small.
    """
    most = count_most(span, agency)
    eyes.caption(plan_uniform(eyes.source.info, span, budget=1))
    seen = eyes.timings
    steps = wants_steps(question) if agency.steps is None else agency.steps
    asking = Planner(planner, agency.sampling, Timings())
    asker = Asker(question, span, steps, asking.reply_tokens)
    cells, prefill_s, token_s = _probe(planner, asking.write(asker.answer()))
    reply = asking.reply_tokens
    room = planner.n_ctx - reply
    seconds = {
        "decode": seen.decode * most.most_frames,
        "encode": seen.encode * most.most_frames,
        "prefill": seen.prefill * most.most_frames + prefill_s / cells * room * most.planner_calls,
        "generate": token_s * reply * most.planner_calls
        + token_s * agency.looking.max_tokens * most.captions,
    }
    seconds["total"] = sum(seconds.values())
    tools = list_tools(senses)
    return Cost(
        steps,
        most.frames,
        most.most_frames,
        most.planner_calls,
        cells,
        reply,
        seconds,
        tuple(tool for tool in tools if agency.style in tool.styles),
    )


def _probe(session: TextSession, prompt: Prompt) -> tuple[int, float, float]:
    """Cells of a prompt, seconds to prefill it, and seconds a token takes after it."""
    started = time.perf_counter()
    prefix = session.prefill(prompt)
    filled = time.perf_counter()
    for _ in session.generate(prefix, Sampling(max_tokens=PROBE_TOKENS)):
        pass
    made = max(1, session.last_generation.completion_tokens)
    return prefix.n_cells, filled - started, (time.perf_counter() - filled) / made
