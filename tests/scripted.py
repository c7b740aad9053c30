"""A session whose replies a test decides, and which remembers every prompt.

Its tokens are words and the marks between them; a frame is 16 of them.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vidcli.core.model import ModelReport
from vidcli.core.profile import FamilyProfile
from vidcli.core.prompt import Part, Prompt, TextPart, TracedPart, VisualTokens
from vidcli.core.results import CacheUse, Delta, FinishReason, Generation
from vidcli.core.sampling import Sampling

FRAME_TOKENS = 16
Script = Callable[[str, Sampling], str]
"""Makes the reply to a prompt's text."""


@dataclass(frozen=True)
class HeldText:
    """A prefilled prompt."""

    text: str
    n_cells: int
    n_reused: int = 0
    cache: CacheUse = CacheUse.OFF


class ScriptedSession:
    """A `core.protocols.Session`.

    Args:
        script: Makes replies; they are cut at `max_tokens` as a real session cuts them.
        n_ctx: Context cells; a prompt that does not leave room for its reply is a failure.
    """

    profile = FamilyProfile("scripted", 1, intro="{frames} frames:", label="\n[{time}] ")
    report = ModelReport("scripted", "a" * 64, "b" * 64, "F32", "llama", "idefics3", "CPU", 0)
    native_s = 0.0
    notes: tuple[str, ...] = ()

    def __init__(self, script: Script, *, n_ctx: int = 8192) -> None:
        self.n_ctx = n_ctx
        self.prompts: list[str] = []
        self.samplings: list[Sampling] = []
        self.most_cells = 0
        self.n_encoded = 0
        self._script = script
        self.last_generation = Generation("", FinishReason.STOP, 0)

    def frame_size(self, display_size: tuple[int, int], *, halvings: int = 0) -> tuple[int, int]:
        return 16, 16

    def frame_cells(self, size: tuple[int, int]) -> int:
        return FRAME_TOKENS

    def encode(self, images: Sequence[np.ndarray]) -> VisualTokens:
        self.n_encoded += 1
        return VisualTokens(np.zeros((FRAME_TOKENS, 4), np.float16), n_pos=FRAME_TOKENS)

    def count_cells(self, parts: Sequence[Part]) -> int:
        return sum(
            len(tokens_of(part.text)) if isinstance(part, TextPart) else part.tokens.n_cells
            for part in parts
        )

    def render_chat(self, turns: Sequence[tuple[str, Sequence[Part]]]) -> tuple[Part, ...]:
        (role, parts), *_ = turns
        return (TextPart(f"<{role}>", special=True), *parts, TextPart("<end>", special=True))

    def trace(self, prompt: Prompt) -> tuple[TracedPart, ...]:
        texts = (part.text for part in prompt.parts if isinstance(part, TextPart))
        return tuple(TracedPart(text, (), (), 0, 0, 0) for text in texts)

    def prefill(self, prompt: Prompt, *, progress: object = None) -> HeldText:
        text = "".join(part.text for part in prompt.parts if isinstance(part, TextPart))
        self.prompts.append(text)
        return HeldText(text, self.count_cells(prompt.parts))

    def generate(self, prefix: HeldText, sampling: Sampling) -> Iterator[Delta]:
        assert prefix.n_cells + sampling.max_tokens < self.n_ctx, "the reply has no room"
        self.most_cells = max(self.most_cells, prefix.n_cells + sampling.max_tokens)
        self.samplings.append(sampling)
        tokens = tokens_of(self._script(prefix.text, sampling))
        kept = tokens[: sampling.max_tokens]
        finish = FinishReason.STOP if kept == tokens else FinishReason.LENGTH
        self.last_generation = Generation("".join(kept), finish, len(kept))
        yield from map(Delta, kept)

    def score(self, prefix: HeldText, options: Sequence[str]) -> tuple[float, ...]:
        raise NotImplementedError

    def close(self) -> None:
        pass


def tokens_of(text: str) -> list[str]:
    return re.findall(r"\w+|\W", text)
