"""An agent on a stage: a planner and a pair of eyes that say what a test wants them to say."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.methods.scripted import ScriptedSession
from tests.sources import PictureSource
from vidcli.core.agent import AgentResult, TracedPrompt
from vidcli.core.profile import FamilyProfile
from vidcli.core.prompt import Prompt
from vidcli.core.results import Timings, VideoReport
from vidcli.core.sampling import Sampling
from vidcli.core.time import Span
from vidcli.methods.agent.eyes import CAPTION, CAPTION_FRAME, Eyes
from vidcli.methods.agent.offer import Senses
from vidcli.methods.agent.run import Agency, Agent

VIDEO = VideoReport("clip.mp4", "f" * 32, Fraction(10))
WHOLE = Span(Fraction(0), Fraction(10))
Script = Callable[[str], dict[str, Any]]
"""Makes the planner's reply to a prompt."""


@dataclass
class PromptKeeper(ScriptedSession):
    """Remembers prompts whole, so that a test can see what kinds of parts they have."""

    whole: list[Prompt] = field(default_factory=list)
    asked: list[tuple[Prompt, Sampling]] = field(default_factory=list)

    def prefill(self, prompt: Prompt, *, progress: Any = None) -> Any:
        self.whole.append(prompt)
        return super().prefill(prompt, progress=progress)

    def generate(self, prefix: Any, sampling: Sampling) -> Iterator[Any]:
        self.asked.append((prefix.prompt, sampling))
        return super().generate(prefix, sampling)


def queue(*replies: dict[str, Any]) -> Script:
    """Replies in this order, whatever is asked."""
    rest: Iterator[dict[str, Any]] = iter(replies)
    return lambda _prompt: next(rest)


def act(tool: str, **arguments: Any) -> dict[str, Any]:
    return {"thought": "…", "action": {"tool": tool, "arguments": arguments}}


FINISH = act("final_answer")


def answer(text: str, *because: int) -> dict[str, Any]:
    return {"thought": "…", "answer": text, "because": list(because)}


def judge(confidence: int) -> dict[str, Any]:
    return {"reason": "…", "confidence": confidence}


def want(*wishes: tuple[int, str]) -> dict[str, Any]:
    return {"wanted": [{"segment": n, "description": text} for n, text in wishes]}


def frames_in(prompt: str) -> list[float]:
    """Seconds of the frames that a prompt of the eyes shows."""
    return [float(part.split(">")[0]) for part in prompt.split("<at ")[1:]]


def tell_seen(prompt: str) -> str:
    """A caption that says which frames it is of, or an answer that repeats its question."""
    times = ", ".join(f"{time:.1f}" for time in frames_in(prompt))
    question = prompt.split("<frame>")[-1].split("<assistant>")[0].strip()
    return f"seen at {times}" if question in (CAPTION, CAPTION_FRAME) else f"looked at {times}"


def make_eyes(
    source: Any = None,
    *,
    caption: Callable[[str], str] = tell_seen,
    fits: Callable[[str], float] = lambda _prompt: 0.5,
    record: Callable[[TracedPrompt], None] | None = None,
) -> Eyes:
    """Eyes over made-up pictures.

    Args:
        source: Of the pictures.
        caption: From the text of a prompt to what the eyes say.
        fits: From the text of a prompt to the mean log-probability of yes.
    """
    profile = FamilyProfile(name="scripted", version=1, label="<at {seconds}>")
    session = PromptKeeper(
        lambda prompt, _sampling: caption(prompt),
        lambda prompt, option: fits(prompt) if option.strip().lower() == "yes" else -1.0,
        profile=profile,
    )
    return Eyes(
        session,
        source or PictureSource(),
        VIDEO,
        Sampling(max_tokens=24),
        lambda _size: nullcontext(),
        Timings(),
        record=record,
    )


@dataclass
class Played:
    """How a play went."""

    result: AgentResult
    planner: PromptKeeper
    eyes: Eyes

    @property
    def tools(self) -> list[str]:
        return [call.tool for call in self.result.calls]


def make_planner(script: Script, *, n_ctx: int = 4096) -> PromptKeeper:
    return PromptKeeper(lambda prompt, _sampling: json.dumps(script(prompt)), n_ctx=n_ctx)


def play(
    script: Script,
    agency: Agency,
    *,
    question: str = "What happens?",
    senses: Senses | None = None,
    eyes: Eyes | None = None,
    span: Span = WHOLE,
    n_ctx: int = 4096,
) -> Played:
    planner = make_planner(script, n_ctx=n_ctx)
    eyes = eyes or make_eyes()
    agent = Agent(planner, eyes, span, question, agency, senses or Senses(), timings=eyes.timings)
    return Played(agent.run(), planner, eyes)


def numbers(texts: Sequence[str]) -> list[int]:
    """Numbers of the observations that prompts show."""
    return [json.loads(line)["n"] for line in texts if line.startswith('{"n"')]
