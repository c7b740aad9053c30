"""A loaded language model with its context: prefill prompts, answer, score, no pictures needed.

Not here: the vision encoder (`session`), which makes of this a model that sees.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import llama_cpp

from vidcli.core.model import GgufFacts, LanguageFiles, LoadOptions, ModelReport
from vidcli.core.prompt import Part, Prompt, TracedPart, digest_parts
from vidcli.core.protocols import Prefix, Progress
from vidcli.core.results import CacheUse, Delta, FinishReason, Generation
from vidcli.core.sampling import Sampling
from vidcli.engine import native
from vidcli.engine.adapter import Adapter
from vidcli.engine.context import KvContext
from vidcli.engine.entries import Entry, count_cells, split_entries, to_entries, trace_prompt
from vidcli.engine.held import HeldSequence
from vidcli.engine.owned import Owned
from vidcli.engine.prefix_cache import PrefixCache
from vidcli.engine.sampler import Sampler, log_probability
from vidcli.engine.template import ChatTemplate
from vidcli.engine.text_stream import LoopGuard, Utf8Stream
from vidcli.engine.weights import Weights
from vidcli.errors import ModelError, ResourceError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class HeldPrefix:
    """A prefilled prompt; implements `core.protocols.Prefix`."""

    entries: tuple[Entry, ...] = field(repr=False)
    n_cells: int
    n_reused: int
    cache: CacheUse
    logits: "NDArray[np.float32]" = field(repr=False)


class LanguageSession(Owned):
    """A language model in this process; implements `core.protocols.TextSession`.

    Args:
        files: Its weights.
        facts: Header of the weights.
        options: How to load.
        prefixes: Where snapshots are kept; None for nowhere.

    Raises:
        ModelError: The file is broken.
        ResourceError: No memory for the context.
    """

    def __init__(
        self,
        files: LanguageFiles,
        *,
        facts: GgufFacts,
        options: LoadOptions,
        prefixes: PrefixCache | None = None,
    ) -> None:
        self._language = files
        self._weights_facts = facts
        self._options = options
        self._last = Generation("", FinishReason.STOP, 0)
        with ExitStack() as stack:
            self._weights = stack.enter_context(Weights(files.weights, options))
            self._context = stack.enter_context(
                KvContext(
                    self._weights,
                    n_ctx=min(options.n_ctx or 1 << 30, self._weights.n_ctx_train or 1 << 30),
                    threads=max(1, options.threads),
                    widest=self._open_vision(stack),
                )
            )
            if files.adapter is not None and files.lora_scale:
                adapter = stack.enter_context(Adapter(files.adapter, self._weights))
                adapter.apply(self._context.pointer, files.lora_scale)
            self._held = HeldSequence(self._context, prefixes)
            self._template = ChatTemplate(
                self._weights.chat_template,
                bos=self._weights.bos_text,
                eos=self._weights.eos_text,
                has_token=lambda text: self._weights.find_token(text) is not None,
            )
            self._stack = stack.pop_all()

    def _open_vision(self, _stack: ExitStack) -> int:
        """Load what sees, between weights and context; most tokens it wants decoded at once."""
        return 0

    # What it is

    @property
    def n_ctx(self) -> int:
        """Context cells in all."""
        return self._context.n_ctx

    @property
    def native_s(self) -> float:
        """Wall seconds spent inside llama.cpp so far, loading included."""
        return native.native_seconds()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about how this model is driven."""
        notes = [self._template.note]
        if self._options.gpu_layers > 0 and not self._weights.offloaded:
            notes.append(
                "GPU layers were asked for, but this build of llama.cpp "
                + ("used none" if native.supports_gpu() else "has no GPU backend: running on CPU")
            )
        return tuple(note for note in notes if note)

    @property
    def report(self) -> ModelReport:
        """Which model runs, and where."""
        return ModelReport(
            name=self._language.name,
            weights_sha256=self._language.weights_sha256,
            mmproj_sha256="",
            quant=self._weights_facts.quant,
            architecture=self._weights_facts.architecture,
            projector="",
            backend=self._weights.backend,
            gpu_layers=self._weights.offloaded,
            adapter_sha256=self._language.adapter_sha256,
            lora_scale=self._language.lora_scale if self._language.adapter else 0.0,
        )

    # Prompts

    def render_chat(self, turns: Sequence[tuple[str, Sequence[Part]]]) -> tuple[Part, ...]:
        """Write a conversation with the model's own chat template, ready for the next reply.

        Args:
            turns: (role, parts) with roles `system`, `user`, `assistant`, oldest first.
        """
        return self._template.render(turns, add_generation_prompt=True)

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Token ids of a text in the middle of a prompt."""
        return self._weights.tokenize(text, special=special)

    def count_cells(self, parts: Sequence[Part]) -> int:
        """Context cells these parts take, exactly."""
        return count_cells(to_entries(self._weights, parts))

    def trace(self, prompt: Prompt) -> tuple[TracedPart, ...]:
        """What the model is shown, in order, as it is decoded: ids, cells and positions."""
        return trace_prompt(self._weights, prompt)

    def forget(self) -> None:
        """Empty the context, so that what comes next depends on nothing that came before.

        What is held is the same for a prompt however it got there, up to rounding: llama.cpp adds
        numbers in another order for batches of another size. A seed repeats only from here.
        """
        self._held.forget()

    def prefill(self, prompt: Prompt, *, progress: Progress | None = None) -> HeldPrefix:
        """Bring the context to hold exactly this prompt, reusing what it already holds.

        Raises:
            ResourceError: The prompt does not fit the context.
            EngineError: llama.cpp refused it.
            ModelError: The logits are not finite.
        """
        shared, rest = split_entries(self._weights, prompt)
        entries = shared + rest
        n_cells = count_cells(entries)
        if n_cells >= self.n_ctx:
            raise ResourceError(
                f"the prompt takes {n_cells} cells and leaves none of {self.n_ctx} for an answer",
                hint="give fewer frames with --frames, or more cells with --n-ctx",
            )
        n_reused, cache = self._held.bring_to(
            entries,
            n_shared=len(shared),
            snapshot_key=self._snapshot_key(prompt) if shared else "",
            label=prompt.label,
            progress=progress,
        )
        return HeldPrefix(tuple(entries), n_cells, n_reused, cache, self._context.logits())

    def _snapshot_key(self, prompt: Prompt) -> str:
        """Names the video part of a prompt and all that its KV state depends on."""
        what = (
            self._language.weights_sha256,
            self._language.adapter_key,
            llama_cpp.__version__,
            self._context.settings_key,
            digest_parts(prompt.parts[: prompt.n_shared]),
        )
        return hashlib.sha256("\n".join(what).encode()).hexdigest()

    # Answers

    def generate(self, prefix: Prefix, sampling: Sampling) -> Iterator[Delta]:
        """Answer the prompt, streaming whole characters; see `last_generation` for why it ended."""
        assert isinstance(prefix, HeldPrefix)
        if not self._held.holds(prefix.entries):
            self._held.bring_to(prefix.entries)
        stream, guard = Utf8Stream(stop=sampling.stop), LoopGuard()
        written: list[str] = []
        state = _Writing()
        try:
            with Sampler(self._weights, sampling) as sampler:
                for text in self._tokens_as_text(sampler, sampling, stream, guard, state):
                    written.append(text)
                    yield Delta(text)
        finally:
            notes = (state.note,) if state.note else ()
            text = "".join(written)[: guard.cut]
            likelihood = state.log_probability if sampling.scored else None
            self._last = Generation(text, state.finish, state.n_tokens, notes, likelihood)

    def _tokens_as_text(
        self,
        sampler: Sampler,
        sampling: Sampling,
        stream: Utf8Stream,
        guard: LoopGuard,
        state: "_Writing",
    ) -> Iterator[str]:
        while True:
            token = sampler.sample(self._context)
            if self._weights.is_end(token):
                state.finish = FinishReason.STOP
                break
            state.n_tokens += 1
            if sampling.scored:
                state.log_probability += log_probability(self._context.logits(), token)
            text = stream.feed(self._weights.piece(token))
            if text:
                yield text
            # A grammar decides by itself what may come again, and half of its text is of no use.
            state.note = "" if sampling.grammar else guard.feed(text) or ""
            if state.note:
                state.finish = FinishReason.LOOP
                return
            if stream.stopped:
                state.finish = FinishReason.STOP
                return
            if state.n_tokens >= sampling.max_tokens:
                state.finish = FinishReason.LENGTH
                break
            if self._held.n_cells + 1 >= self.n_ctx:
                state.finish = FinishReason.CONTEXT
                state.note = "the answer was cut: the context is full"
                break
            self._held.feed([Entry(token)])
        rest = stream.flush()
        if rest:
            yield rest

    @property
    def last_generation(self) -> Generation:
        """What the latest `generate` wrote, complete once its iterator is exhausted or closed."""
        return self._last

    def score(self, prefix: Prefix, options: Sequence[str]) -> tuple[float, ...]:
        """Mean log-probability a token of each option as the reply to the prompt."""
        assert isinstance(prefix, HeldPrefix)
        scores = []
        for option in options:
            ids = self._weights.tokenize(option, special=False)
            if not ids:
                raise ModelError(f"option {option!r} has no tokens")
            total = log_probability(prefix.logits, ids[0])
            if len(ids) > 1:
                self._held.bring_to(prefix.entries)
            for token, following in pairwise(ids):
                self._held.feed([Entry(token)])
                total += log_probability(self._context.logits(), following)
            scores.append(total / len(ids))
        return tuple(scores)


@dataclass(slots=True)
class _Writing:
    """How an answer in progress stands."""

    finish: FinishReason = FinishReason.INTERRUPTED
    n_tokens: int = 0
    log_probability: float = 0.0
    note: str = ""
