"""A session that says what a test wants it to say, and remembers what it was shown."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from vidcli.core.model import ModelReport
from vidcli.core.profile import FamilyProfile
from vidcli.core.prompt import ImagePart, Part, Prompt, TextPart, TracedPart, VisualTokens
from vidcli.core.protocols import Progress
from vidcli.core.results import CacheUse, Delta, FinishReason, Generation
from vidcli.core.sampling import Sampling

Reply = str | Generation


@dataclass(frozen=True)
class ScriptedPrefix:
    """A prompt as it was given."""

    prompt: Prompt
    n_cells: int
    n_reused: int = 0
    cache: CacheUse = CacheUse.OFF


def say(text: str, *, mean: float = -1.0, finish: FinishReason = FinishReason.STOP) -> Generation:
    """What a model might have written: so likely a token, of as many tokens as words."""
    n_tokens = max(1, len(text.split()))
    return Generation(text, finish, n_tokens, log_probability=mean * n_tokens)


def read(prompt: Prompt) -> str:
    """The text of a prompt; frames are `<frame>`."""
    return "".join(part.text if isinstance(part, TextPart) else "<frame>" for part in prompt.parts)


@dataclass
class ScriptedSession:
    """A `core.protocols.Session`.

    Args:
        reply: From the text of a prompt and the sampling to what is generated.
        judge: From the text of a prompt and an option to its mean log-probability.
    """

    reply: Callable[[str, Sampling], Reply]
    judge: Callable[[str, str], float] = lambda _prompt, _option: -1.0
    n_ctx: int = 4096
    profile: FamilyProfile = field(
        default_factory=lambda: FamilyProfile(name="scripted", version=1)
    )
    prompts: list[str] = field(default_factory=list)
    samplings: list[Sampling] = field(default_factory=list)
    forgotten: int = 0
    notes: tuple[str, ...] = ()
    native_s: float = 0.0
    last_generation: Generation = field(default_factory=lambda: say(""))

    @property
    def report(self) -> ModelReport:
        return ModelReport("scripted", "a" * 64, "", "F32", "llama", "", "CPU", 0)

    def frame_size(self, display_size: tuple[int, int], *, halvings: int = 0) -> tuple[int, int]:
        return (8, 8)

    def frame_cells(self, size: tuple[int, int]) -> int:
        return 4

    def encode(self, images: Sequence[np.ndarray]) -> VisualTokens:
        return VisualTokens(np.zeros((4, 2), np.float16), 4)

    def count_cells(self, parts: Sequence[Part]) -> int:
        return sum(4 if isinstance(part, ImagePart) else len(part.text.split()) for part in parts)

    def render_chat(self, turns: Sequence[tuple[str, Sequence[Part]]]) -> tuple[Part, ...]:
        written: list[Part] = []
        for role, parts in turns:
            written += [TextPart(f"<{role}>", special=True), *parts]
        return (*written, TextPart("<assistant>", special=True))

    def trace(self, prompt: Prompt) -> tuple[TracedPart, ...]:
        return ()

    def forget(self) -> None:
        self.forgotten += 1

    def prefill(self, prompt: Prompt, *, progress: Progress | None = None) -> ScriptedPrefix:
        self.prompts.append(read(prompt))
        return ScriptedPrefix(prompt, self.count_cells(prompt.parts))

    def generate(self, prefix: ScriptedPrefix, sampling: Sampling) -> Iterator[Delta]:
        self.samplings.append(sampling)
        made = self.reply(read(prefix.prompt), sampling)
        self.last_generation = say(made) if isinstance(made, str) else made
        yield Delta(self.last_generation.text)

    def score(self, prefix: ScriptedPrefix, options: Sequence[str]) -> tuple[float, ...]:
        return tuple(self.judge(read(prefix.prompt), option) for option in options)

    def close(self) -> None:
        pass
