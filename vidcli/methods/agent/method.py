"""The method `agent`, as `vidcli.methods.registry` names it: an answer in the form of any other.

`--choices` are scored, and `--schema` filled, by the planner from what the tools found.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from vidcli import settings
from vidcli.core.agent import AgentResult, Observation, Style
from vidcli.core.prompt import SeenFrame
from vidcli.core.results import Answer, Choice, Delta, Evidence, FinishReason
from vidcli.core.time import Timestamp
from vidcli.media.plan import plan_uniform
from vidcli.methods.agent.eyes import Eyes
from vidcli.methods.agent.forecast import forecast
from vidcli.methods.agent.planner import list_lines
from vidcli.methods.agent.run import Agency, Agent
from vidcli.methods.ask import generate_whole, score_choices
from vidcli.methods.estimate import Estimate
from vidcli.methods.work import Work

if TYPE_CHECKING:
    from vidcli.core.protocols import Prefix

CHOOSE = "Answer the question from these lines, with one of: {choices}. Reply with that alone."
FILL = "Answer the question from these lines, with a JSON object in the form that is wanted."


def answer_agent(work: Work) -> Iterator[Delta | Answer]:
    """Answer by an agent; see `methods.agent.run`."""
    eyes, agency = make_eyes(work), read_agency(work)
    agent = Agent(
        work.tools["planner"],
        eyes,
        work.span,
        work.question.instruction,
        agency,
        work.tools["senses"],
        timings=work.timings,
        progress=work.progress,
        record=eyes.record,
    )
    try:
        result = agent.run()
    finally:
        for call in agent.calls:
            work.record(work.tools["write_call"](call))
    text, choices = result.text, tuple[Choice, ...]()
    if work.question.choices:
        choices = _choose(agent, work)
        text = max(choices, key=lambda choice: choice.probability).text
    elif work.question.structured:
        text = _fill(agent, work)
    yield Delta(text)
    yield _report(work, result, eyes, text, choices)


def read_agency(work: Work) -> Agency:
    """How the agent works, by the method's parameters."""
    options = work.options
    plain = replace(work.question.sampling, grammar="")
    return Agency(
        style=Style(str(options["style"])),
        steps=False,
        rounds=int(options["rounds"]),
        seconds=float(options["seconds"]),
        frames=int(options["frames"]),
        sampling=plain,
        looking=replace(plain, max_tokens=settings.SEGMENT_TOKENS),
    )


def make_eyes(work: Work) -> Eyes:
    """The model that sees, on the video of the work."""
    write = work.tools["write_prompt"]
    return Eyes(
        work.session,
        work.source,
        work.video,
        read_agency(work).looking,
        work.open_store,
        work.timings,
        arranger=work.tools["arranger"],
        familiar=work.tools["familiar"],
        progress=work.progress,
        record=lambda prompt: work.record(write(prompt)),
    )


def _choose(agent: Agent, work: Work) -> tuple[Choice, ...]:
    """How likely each choice is as the planner's answer."""
    choices = work.question.choices
    prefix = _prefill(agent, CHOOSE.format(choices=", ".join(choices)), work)
    started = time.perf_counter()
    scored = score_choices(agent.planner.session, prefix, choices)
    work.timings.generate += time.perf_counter() - started
    return scored


def _fill(agent: Agent, work: Work) -> str:
    """The answer in the form that the question's grammar asks for.

    Raises:
        ResourceError: It is longer than it may be.
    """
    prefix = _prefill(agent, FILL, work)
    started = time.perf_counter()
    made = generate_whole(agent.planner.session, prefix, work.question.sampling)
    work.timings.generate += time.perf_counter() - started
    return made.text


def _prefill(agent: Agent, instruction: str, work: Work) -> "Prefix":
    planner, wish = agent.planner, agent.asker.free(instruction)
    prompt = planner.write(wish, planner.fit(wish, list_lines(agent.calls)))
    started = time.perf_counter()
    prefix = planner.session.prefill(prompt, progress=work.progress)
    work.timings.prefill += time.perf_counter() - started
    return prefix


def _report(
    work: Work, result: AgentResult, eyes: Eyes, text: str, choices: tuple[Choice, ...]
) -> Answer:
    frames = {frame.time: frame for frame in result.frames}
    return Answer(
        question=work.question.text,
        text=text,
        finish=FinishReason.STOP,
        video=work.video,
        frames=result.frames,
        frame_tokens=result.frame_tokens,
        coverage=result.coverage,
        evidence=tuple(_evidence(found, result, frames) for found in result.cited),
        citations_dropped=result.citations_dropped,
        choices=choices,
        method=work.approach.method,
        model=work.session.report,
        usage=result.usage,
        timings=replace(work.timings),
        warnings=tuple(dict.fromkeys((*work.warnings, *result.warnings))),
        approach=replace(work.approach, encoded=eyes.encoded),
    )


def _evidence(
    found: Observation, result: AgentResult, frames: Mapping[Timestamp, SeenFrame]
) -> Evidence:
    """What an answer rests on; what is about no part of the video is about all of it."""
    shown = tuple(frames[time] for time in found.told.frames if time in frames)
    return Evidence(found.told.span or result.coverage.span, shown, found.told.text)


def estimate_agent(work: Work) -> Estimate:
    """What `agent` would take at most."""
    eyes, agency = make_eyes(work), read_agency(work)
    planner = work.tools["planner"]
    cost = forecast(
        eyes, planner, work.span, work.question.instruction, agency, work.tools["senses"]
    )
    size = work.session.frame_size(work.source.info.video.display_size)
    tokens = eyes.seen[0][1]
    return Estimate(
        plan=plan_uniform(work.source.info, work.span, budget=cost.frames),
        size=size,
        visual_tokens_per_frame=tokens,
        group=work.session.profile.group,
        visual_tokens=tokens * cost.most_frames,
        prompt_cells=cost.prompt_cells,
        n_ctx=planner.n_ctx,
        decode_s=cost.seconds["decode"],
        encode_s=cost.seconds["encode"],
        prefill_s=cost.seconds["prefill"],
        generate_s=cost.seconds["generate"],
        warnings=tuple(eyes.warnings),
    )
