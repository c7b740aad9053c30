"""Generations that stand on each other: keys, kept pieces, counting, tracing.

What `captioning` and `summarize` do alike with a session.
"""

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from vidcli.core.prompt import Part, Prompt, TextPart
from vidcli.core.protocols import PieceStore, Progress, TextSession
from vidcli.core.results import FinishReason, Timings
from vidcli.core.sampling import Sampling
from vidcli.core.summary import TracedStep

PROMPTS_VERSION = 1  # raised when the same settings come to mean other words

S_co = TypeVar("S_co", bound=TextSession, covariant=True)


@dataclass(slots=True)
class Writer(Generic[S_co]):
    """A session that writes many small texts for one result.

    Args:
        session: A loaded model.
        sampling: How to generate.
        identity: Names the model and all that its answers depend on besides the prompt.
        pieces: What earlier runs wrote; None keeps nothing.
        timings: Prefill and generate seconds are added to it.
        record: Told of every prompt and its reply; None traces nothing.

    Attributes:
        visual_tokens: In all prompts so far.
        prompt_tokens: Of text, in all prompts so far.
        written_tokens: In all replies so far.
    """

    session: S_co
    sampling: Sampling
    identity: str
    pieces: PieceStore | None
    timings: Timings
    record: Callable[[TracedStep], None] | None = None
    visual_tokens: int = 0
    prompt_tokens: int = 0
    written_tokens: int = 0

    def render(self, *parts: Part) -> tuple[Part, ...]:
        """One user turn, ready for the reply."""
        return self.session.render_chat([("user", parts)])

    def count(self, text: str) -> int:
        """Context cells a prompt of this text takes, the chat template's included."""
        return self.session.count_cells(self.render(TextPart(text)))

    def key(self, *what: Any) -> str:
        """Names a piece by everything it depends on, ready to be written as JSON."""
        sampling = dataclasses.asdict(self.sampling)
        told = json.dumps([PROMPTS_VERSION, self.identity, sampling, what], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()

    def find(self, key: str, *needed: str) -> dict[str, Any] | None:
        """A piece of an earlier run that has all these fields; another version may lack some."""
        piece = self.pieces.get(key) if self.pieces is not None else None
        return piece if piece is not None and set(needed) <= set(piece) else None

    def keep(self, key: str, piece: dict[str, Any]) -> None:
        """Keep a piece for later runs; on disk when this returns."""
        if self.pieces is not None:
            self.pieces.put(key, piece)

    def repeat(self, name: str, reply: str) -> None:
        """Tell the trace of a reply that was not asked for again."""
        if self.record is not None:
            self.record(TracedStep(name, (), reply, is_kept=True))

    def write(
        self,
        name: str,
        prompt: Prompt,
        *,
        tokens: int,
        grammar: str = "",
        progress: Progress | None = None,
    ) -> tuple[str, FinishReason]:
        """Reply to a prompt.

        Args:
            name: What the step is called.
            prompt: Seen once: nothing of it is worth a snapshot.
            tokens: Longest reply.
            grammar: GBNF, empty for none.
            progress: Told while prefilling and generating.

        Returns:
            The reply and why it ended.

        Raises:
            ResourceError: The prompt does not fit the context.
            KeyboardInterrupt: Ctrl-C; nothing of the reply is kept.
        """
        sampling = dataclasses.replace(self.sampling, max_tokens=tokens, grammar=grammar)
        started = time.perf_counter()
        prefix = self.session.prefill(Prompt(prompt.parts, label=prompt.label), progress=progress)
        self.timings.prefill += time.perf_counter() - started
        started = time.perf_counter()
        for number, _ in enumerate(self.session.generate(prefix, sampling), start=1):
            if progress:
                progress("generate", number, tokens)
        self.timings.generate += time.perf_counter() - started
        made = self.session.last_generation
        self.visual_tokens += prompt.n_visual_tokens
        self.prompt_tokens += prefix.n_cells - prompt.n_visual_tokens
        self.written_tokens += made.completion_tokens
        if self.record is not None:
            self.record(TracedStep(name, self.session.trace(prompt), made.text, is_kept=False))
        return made.text.strip(), made.finish
