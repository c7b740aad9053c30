"""A loaded model that sees: a language session with the vision encoder that feeds it."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from vidcli.core.model import GgufFacts, LoadOptions, ModelFiles
from vidcli.core.profile import FamilyProfile
from vidcli.core.prompt import VisualTokens
from vidcli.core.results import ModelReport
from vidcli.engine import native
from vidcli.engine.language import LanguageSession
from vidcli.engine.adapter import Adapter
from vidcli.engine.context import KvContext
from vidcli.engine.entries import Entry, count_cells, split_entries, to_entries, trace_prompt
from vidcli.engine.held import HeldSequence
from vidcli.engine.owned import Owned
from vidcli.engine.prefix_cache import PrefixCache
from vidcli.engine.profiles import choose_profile
from vidcli.engine.sizes import choose_frame_size, read_vision_input
from vidcli.engine.vision import VisionEncoder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class LlamaSession(LanguageSession):
    """A model in this process; implements `core.protocols.Session`.

    Args:
        files: Weights and projector.
        mmproj_facts: Header of the projector as given (not of a derived one).
        weights_facts: Header of the weights.
        options: How to load.
        prefixes: Where snapshots are kept; None for nowhere.

    Raises:
        ModelError: The files are broken or do not belong together.
        ResourceError: No memory for the context.
    """

    def __init__(
        self,
        files: ModelFiles,
        *,
        weights_facts: GgufFacts,
        mmproj_facts: GgufFacts,
        options: LoadOptions,
        prefixes: PrefixCache | None = None,
    ) -> None:
        self._files = files
        self._mmproj_facts = mmproj_facts
        self._profile = choose_profile(mmproj_facts.projector)
        self._input = read_vision_input(mmproj_facts, files.derivation)
        super().__init__(files.language, facts=weights_facts, options=options, prefixes=prefixes)

    def _open_vision(self, stack: ExitStack) -> int:
        self._vision = stack.enter_context(
            VisionEncoder(
                self._files.derived_mmproj or self._files.mmproj,
                self._weights,
                self._profile,
                detail=self._options.detail,
                threads=max(1, self._options.threads),
                gpu=self._options.mmproj_gpu and native.supports_gpu(),
                one_tile_tokens=self._input.tile_tokens if self._profile.overview_last else 0,
                tile_side=self._input.side if self._profile.square else 0,
            )
        )
        widest = self._vision.measure(self.frame_size((640, 360)))
        return 0 if widest.causal else widest.n_tokens
            widest = self._vision.measure(self.frame_size((640, 360)))
            self._context = stack.enter_context(
                KvContext(
                    self._weights,
                    n_ctx=min(options.n_ctx or 1 << 30, self._weights.n_ctx_train or 1 << 30),
                    threads=threads,
                    widest=0 if widest.causal else widest.n_tokens,
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

    # What it is

    @property
    def profile(self) -> FamilyProfile:
        """How this family wants a video written."""
        return self._profile

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about how this model is driven."""
        return (*((self._profile.note,) if self._profile.note else ()), *super().notes)

    @property
    def report(self) -> ModelReport:
        """Which model runs, and where."""
        return replace(
            super().report,
            mmproj_sha256=self._files.mmproj_sha256,
            projector=self._mmproj_facts.projector,
            derivation=self._files.derivation,
            adapter_sha256=self._files.adapter_sha256,
            lora_scale=self._files.lora_scale if self._files.adapter else 0.0,
        )

    @property
    def token_settings(self) -> str:
        """What visual tokens depend on besides the pixels: one line, part of every cache key."""
        return (
            f"{self._files.mmproj_sha256} {self._files.derivation} {self._options.detail} "
            f"{self._profile.name}/{self._profile.version} width={self._weights.n_embd_inp}"
        )

    # Pictures

    def frame_size(self, display_size: tuple[int, int], *, halvings: int = 0) -> tuple[int, int]:
        """Exact (width, height) frames of a video of this displayed size should be decoded at.

        Args:
            display_size: (width, height) of the video as shown.
            halvings: How often to halve the budget of tokens, where the family's size is free;
                any makes one tile of several.
        """
        return choose_frame_size(
            self._input, self._profile, self._options.detail, display_size, halvings=halvings
        )

    def frame_cells(self, size: tuple[int, int]) -> int:
        """Context cells one frame (or merged group) of this size takes, wrappers included."""
        return self._vision.measure(size).n_cells

    def encode(self, images: "Sequence[NDArray[np.uint8]]") -> VisualTokens:
        """Encode one frame, or one group of `profile.group` frames.

        Args:
            images: uint8 RGB (height, width, 3), all of one size. A group short of frames is
                filled by repeating its last one, as the families themselves do.
        """
        group = list(images) + [images[-1]] * (self._profile.group - len(images))
        return self._vision.encode(group)

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
            self._files.weights_sha256,
            self._files.adapter_key,
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
            self._last = Generation(text, state.finish, state.n_tokens, notes)

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
            log_probabilities = log_softmax(prefix.logits)
            total = float(log_probabilities[ids[0]])
            if len(ids) > 1:
                self._held.bring_to(prefix.entries)
            for token, following in pairwise(ids):
                self._held.feed([Entry(token)])
                total += float(log_softmax(self._context.logits())[following])
            scores.append(total / len(ids))
        return tuple(scores)


@dataclass(slots=True)
class _Writing:
    """How an answer in progress stands."""

    finish: FinishReason = FinishReason.INTERRUPTED
    n_tokens: int = 0
    note: str = ""
