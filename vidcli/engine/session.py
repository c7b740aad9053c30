"""A loaded model with its context: encode frames, prefill prompts, answer, score.

The context is treated as a cache of one sequence. Whatever prompt is asked for, the longest run it
shares with what the context already holds is kept, the rest is trimmed and only the difference is
decoded. That one rule serves follow-up questions, chat turns and option scoring alike. Where the
video part is not held, a snapshot on disk may bring it back.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Self

import llama_cpp

from vidcli.core.model import Detail, GgufFacts, LoadOptions, ModelFiles
from vidcli.core.profile import FamilyProfile
from vidcli.core.prompt import (
    ImagePart,
    Part,
    Prompt,
    TextPart,
    TracedPart,
    VisualTokens,
    digest_parts,
)
from vidcli.core.protocols import Prefix, Progress
from vidcli.core.results import CacheUse, Delta, FinishReason, Generation, ModelReport
from vidcli.core.sampling import Sampling
from vidcli.engine import native
from vidcli.engine.context import KvContext
from vidcli.engine.prefix_cache import PrefixCache
from vidcli.engine.profiles import choose_profile
from vidcli.engine.sampler import Sampler, log_softmax
from vidcli.engine.template import ChatTemplate
from vidcli.engine.text_stream import LoopGuard, Utf8Stream
from vidcli.engine.vision import VisionEncoder
from vidcli.engine.weights import Weights
from vidcli.errors import ModelError, ResourceError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SNAPSHOT_MIN_CELLS = 64  # below this, prefilling again is as quick as reading a file
NATIVE_TOKENS = {Detail.LOW: 64, Detail.NORMAL: 256, Detail.HIGH: 1024}  # where size is free
DEFAULT_MERGE = 2  # patches a side that become one token, where the file does not say


@dataclass(frozen=True, slots=True)
class _Entry:
    """One run the context can hold: a text token, or visual tokens `start:stop` of a frame."""

    key: int | str
    n_cells: int = 1
    n_pos: int = 1
    visual: VisualTokens | None = None
    start: int = 0
    stop: int = 0


@dataclass(frozen=True, slots=True)
class HeldPrefix:
    """A prefilled prompt; implements `core.protocols.Prefix`."""

    entries: tuple[_Entry, ...] = field(repr=False)
    n_cells: int
    n_reused: int
    cache: CacheUse
    logits: "NDArray[np.float32]" = field(repr=False)


class LlamaSession:
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
        self._facts = weights_facts, mmproj_facts
        self._options = options
        self._prefixes = prefixes
        self._profile = choose_profile(mmproj_facts.projector)
        self._held: list[_Entry] = []
        self._n_cells = self._position = 0  # of what is held: sums kept, since tokens come singly
        self._last = Generation("", FinishReason.STOP, 0)
        with ExitStack() as stack:
            self._weights = stack.enter_context(Weights(files.weights, options))
            threads = max(1, options.threads)
            self._vision = stack.enter_context(
                VisionEncoder(
                    files.derived_mmproj or files.mmproj,
                    self._weights,
                    self._profile,
                    detail=options.detail,
                    threads=threads,
                    gpu=options.mmproj_gpu and native.supports_gpu(),
                    one_tile_tokens=self._one_tile_tokens,
                )
            )
            widest = self._vision.measure(self.frame_size((640, 360)))
            self._context = stack.enter_context(
                KvContext(
                    self._weights,
                    n_ctx=min(options.n_ctx or 1 << 30, self._weights.n_ctx_train or 1 << 30),
                    threads=threads,
                    widest=0 if widest.causal else widest.n_tokens,
                )
            )
            self._template = ChatTemplate(
                self._weights.chat_template,
                bos=self._weights.bos_text,
                eos=self._weights.eos_text,
                has_token=lambda text: self._weights.find_token(text) is not None,
            )
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the model; idempotent."""
        self._stack.close()

    # What it is

    @property
    def profile(self) -> FamilyProfile:
        """How this family wants a video written."""
        return self._profile

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
        notes = [self._profile.note, self._template.note]
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
            name=self._files.name,
            weights_sha256=self._files.weights_sha256,
            mmproj_sha256=self._files.mmproj_sha256,
            quant=self._facts[0].quant,
            architecture=self._facts[0].architecture,
            projector=self._facts[1].projector,
            backend=self._weights.backend,
            gpu_layers=self._weights.offloaded,
            derivation=self._files.derivation,
        )

    @property
    def token_settings(self) -> str:
        """What visual tokens depend on besides the pixels: one line, part of every cache key."""
        return (
            f"{self._files.mmproj_sha256} {self._files.derivation} {self._options.detail} "
            f"{self._profile.name}/{self._profile.version} width={self._weights.n_embd_inp}"
        )

    # Pictures

    @property
    def _vision_keys(self) -> tuple[int, int, int]:
        keys = self._facts[1].keys
        size = int(keys.get("clip.vision.image_size", 0))
        patch = int(keys.get("clip.vision.patch_size", 0)) or 14
        merge = int(
            keys.get(
                "clip.vision.projector.scale_factor",
                keys.get("clip.vision.spatial_merge_size", DEFAULT_MERGE),
            )
        )
        if self._files.derivation.endswith("px"):
            size = int(self._files.derivation.rpartition("+")[2].removesuffix("px"))
        return size, patch, merge

    @property
    def _one_tile_tokens(self) -> int:
        size, patch, merge = self._vision_keys
        return (size // patch // merge) ** 2 if self._profile.overview_last else 0

    def frame_size(self, display_size: tuple[int, int], *, halvings: int = 0) -> tuple[int, int]:
        """Exact (width, height) frames of a video of this displayed size should be decoded at.

        Families with a fixed input get its square (stretched, as their own video processors do);
        families with a free one get the video's shape at the detail's budget of tokens. High
        detail on a tiling family keeps the displayed size, which mtmd then cuts into tiles.

        Args:
            display_size: (width, height) of the video as shown.
            halvings: How often to halve the budget of tokens, where the family's size is free.
        """
        size, patch, merge = self._vision_keys
        if self._profile.square and size:
            return (size, size) if self._options.detail is not Detail.HIGH else display_size
        unit = patch * merge
        budget = NATIVE_TOKENS[self._options.detail] / 2**halvings
        shrink = min(1.0, (budget * unit * unit / (display_size[0] * display_size[1])) ** 0.5)
        width, height = (max(1, round(side * shrink / unit)) * unit for side in display_size)
        return width, height

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
        return sum(entry.n_cells for entry in self._entries(parts))

    def _entries(self, parts: Sequence[Part], *, at_start: bool = True) -> list[_Entry]:
        return [entry for _, run in self._runs(parts, at_start=at_start) for entry in run]

    def _runs(
        self, parts: Sequence[Part], *, at_start: bool = True
    ) -> Iterator[tuple[Part, list[_Entry]]]:
        """Parts with the entries they become.

        Neighbouring special text is one part, tokenised as one, so that no word is cut where the
        template ends and the profile begins.
        """
        first = at_start
        for special, group in groupby(parts, key=lambda p: isinstance(p, TextPart) and p.special):
            members = list(group)
            if special:
                text = "".join(part.text for part in members if isinstance(part, TextPart))
                members = [TextPart(text, special=True)]
            for part in members:
                if isinstance(part, ImagePart):
                    run = self._image_entries(part.tokens)
                else:
                    ids = self._weights.tokenize(part.text, special=part.special, at_start=first)
                    run = [_Entry(token) for token in ids]
                if first and self._weights.bos not in (None, run[0].key if run else None):
                    assert self._weights.bos is not None
                    bos = TextPart(self._weights.bos_text, special=True)
                    yield bos, [_Entry(self._weights.bos)]
                first = False
                yield part, run

    def trace(self, prompt: Prompt) -> tuple[TracedPart, ...]:
        """What the model is shown, in order, as it is decoded: ids, cells and positions."""
        cut = prompt.n_shared
        runs = [*self._runs(prompt.parts[:cut]), *self._runs(prompt.parts[cut:], at_start=not cut)]
        traced, cell, position = [], 0, 0
        for part, entries in runs:
            text, frames = ("", part.frames) if isinstance(part, ImagePart) else (part.text, ())
            ids = tuple(int(entry.key) for entry in entries if entry.visual is None)
            visual = sum(entry.n_cells for entry in entries if entry.visual is not None)
            traced.append(TracedPart(text, ids, frames, visual, cell, position))
            cell += _count(entries)
            position += sum(entry.n_pos for entry in entries)
        return tuple(traced)

    def _image_entries(self, tokens: VisualTokens) -> list[_Entry]:
        edges = [0, *(offset for offset, _ in tokens.splits), tokens.n_tokens]
        between = [ids for _, ids in tokens.splits] + [tokens.closing]
        entries = [_Entry(token) for token in tokens.opening]
        for start, stop, ids in zip(edges, edges[1:], between, strict=False):
            n = stop - start
            if n:
                n_pos = n if tokens.splits or tokens.positions is None else tokens.n_pos
                key = f"{tokens.digest}:{start}:{stop}"
                entries.append(_Entry(key, n, n_pos, tokens, start, stop))
            entries += [_Entry(token) for token in ids]
        return entries

    def prefill(self, prompt: Prompt, *, progress: Progress | None = None) -> HeldPrefix:
        """Bring the context to hold exactly this prompt, reusing what it already holds.

        Raises:
            ResourceError: The prompt does not fit the context.
            EngineError: llama.cpp refused it.
            ModelError: The logits are not finite.
        """
        shared = self._entries(prompt.parts[: prompt.n_shared]) if prompt.n_shared else []
        rest = self._entries(prompt.parts[prompt.n_shared :], at_start=not shared)
        entries = shared + rest
        n_cells = _count(entries)
        if n_cells >= self.n_ctx:
            raise ResourceError(
                f"the prompt takes {n_cells} cells and leaves none of {self.n_ctx} for an answer",
                hint="give fewer frames with --frames, or more cells with --n-ctx",
            )
        n_reused, cache = self._bring_to(entries, len(shared), prompt, progress)
        return HeldPrefix(tuple(entries), n_cells, n_reused, cache, self._context.logits())

    def _bring_to(
        self,
        entries: Sequence[_Entry],
        n_shared: int = 0,
        prompt: Prompt | None = None,
        progress: Progress | None = None,
    ) -> tuple[int, CacheUse]:
        """Make the context hold `entries`, the last of them freshly decoded for its logits."""
        keep = min(_common(self._held, entries), len(entries) - 1)
        from_memory = n_shared > 0 and keep >= n_shared
        snapshot_key = ""
        if n_shared and not from_memory and prompt and self._prefixes:
            snapshot_key = self._snapshot_key(prompt)
            if self._load_snapshot(snapshot_key, entries[:n_shared]):
                keep, snapshot_key = n_shared, ""
        found = from_memory or (keep >= n_shared > 0)
        keep = self._trim_to(keep)
        n_reused = _count(entries[:keep])
        try:
            if keep < n_shared:
                self._feed(entries[keep:n_shared], _count(entries), progress)
                if snapshot_key:
                    self._save_snapshot(snapshot_key)
                keep = n_shared
            self._feed(entries[keep:], _count(entries), progress)
        except BaseException:
            self._forget()
            raise
        if not n_shared or self._prefixes is None:
            return n_reused, CacheUse.HIT if found else CacheUse.OFF
        return n_reused, CacheUse.HIT if found else CacheUse.MISS

    def _trim_to(self, keep: int) -> int:
        if keep == len(self._held):
            return keep
        kept = self._held[:keep]
        if keep and self._context.trim(sum(entry.n_pos for entry in kept)):
            self._hold(kept)
        else:
            self._forget()
        return len(self._held)

    def _forget(self) -> None:
        self._context.clear()
        self._hold([])

    def _hold(self, entries: Sequence[_Entry]) -> None:
        self._held = list(entries)
        self._n_cells = _count(entries)
        self._position = sum(entry.n_pos for entry in entries)

    def _feed(self, entries: Sequence[_Entry], n_total: int, progress: Progress | None) -> None:
        for is_text, group in groupby(entries, key=lambda entry: entry.visual is None):
            run = list(group)
            if is_text:
                self._context.decode([int(entry.key) for entry in run], self._position)
                self._note_held(run)
            for entry in [] if is_text else run:
                assert entry.visual is not None
                self._context.inject(entry.visual, entry.start, entry.stop, self._position)
                self._note_held([entry])
            if progress:
                progress("prefill", self._n_cells, n_total)

    def _note_held(self, run: Sequence[_Entry]) -> None:
        self._held += run
        self._n_cells += _count(run)
        self._position += sum(entry.n_pos for entry in run)

    # Snapshots

    def _snapshot_key(self, prompt: Prompt) -> str:
        what = (
            self._files.weights_sha256,
            llama_cpp.__version__,
            self._context.settings_key,
            digest_parts(prompt.parts[: prompt.n_shared]),
        )
        return hashlib.sha256("\n".join(what).encode()).hexdigest()

    def _load_snapshot(self, key: str, entries: Sequence[_Entry]) -> bool:
        assert self._prefixes is not None
        snapshot = self._prefixes.lookup(key)
        n_cells = _count(entries)
        if snapshot is None or snapshot.n_cells != n_cells:
            return False
        if not self._context.load(snapshot.path):
            self._prefixes.discard(key)
            self._hold([])
            return False
        self._hold(entries)
        return True

    def _save_snapshot(self, key: str) -> None:
        assert self._prefixes is not None
        if self._n_cells < SNAPSHOT_MIN_CELLS:
            return
        with self._prefixes.path_for_writing(key) as draft, suppress(OSError):
            if draft is not None:
                self._context.save(draft.path)
                draft.commit(n_past=self._position, n_cells=self._n_cells)

    # Answers

    def generate(self, prefix: Prefix, sampling: Sampling) -> Iterator[Delta]:
        """Answer the prompt, streaming whole characters; see `last_generation` for why it ended."""
        assert isinstance(prefix, HeldPrefix)
        if self._held != list(prefix.entries):
            self._bring_to(prefix.entries)
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
            if self._n_cells + 1 >= self.n_ctx:
                state.finish = FinishReason.CONTEXT
                state.note = "the answer was cut: the context is full"
                break
            self._feed([_Entry(token)], 0, None)
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
                self._bring_to(prefix.entries)
            for token, following in pairwise(ids):
                self._feed([_Entry(token)], 0, None)
                total += float(log_softmax(self._context.logits())[following])
            scores.append(total / len(ids))
        return tuple(scores)


@dataclass(slots=True)
class _Writing:
    """How an answer in progress stands."""

    finish: FinishReason = FinishReason.INTERRUPTED
    n_tokens: int = 0
    note: str = ""


def _count(entries: Sequence[_Entry]) -> int:
    return sum(entry.n_cells for entry in entries)


def _common(held: Sequence[_Entry], wanted: Sequence[_Entry]) -> int:
    """Leading entries that are the same in both."""
    for i, (a, b) in enumerate(zip(held, wanted, strict=False)):
        if a.key != b.key:
            return i
    return min(len(held), len(wanted))


def load_session(
    files: ModelFiles,
    *,
    weights_facts: GgufFacts,
    mmproj_facts: GgufFacts,
    options: LoadOptions,
    prefixes: PrefixCache | None = None,
) -> LlamaSession:
    """Load a model for answering; see `LlamaSession` for arguments and errors."""
    return LlamaSession(
        files,
        weights_facts=weights_facts,
        mmproj_facts=mmproj_facts,
        options=options,
        prefixes=prefixes,
    )
