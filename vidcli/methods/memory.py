"""MovieChat's memory: every fragment leaves a few frames, and the oldest of all stay bounded.

Frames come one at a time and go as soon as they are merged, so memory does not grow with the video.
Only neighbours in time are merged, so that what is left is still in order.

Source: MovieChat (arXiv:2307.16449) section 3 and the repository rese1f/MovieChat: fragments of 8
frames, each merged down to 2; long memory of 256; breakpoint mode shows long memory, the frames of
the fragment that is running, and the current frame. There the memory holds Q-Former tokens and goes
through another Q-Former; here it holds the projector's tokens and is bounded by a budget of tokens.
There similarity is a mean dot product, here its cosine, unless `similarity=dot`.
"""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from vidcli.core.media import FramePlan, PlannedFrame, VideoInfo, measure_coverage
from vidcli.core.prompt import ImagePart, SeenFrame
from vidcli.core.protocols import FrameSource, Progress, Session, TokenStore
from vidcli.core.results import CacheUse, Timings
from vidcli.core.time import Span, format_time, parse_time
from vidcli.errors import MediaError, ResourceError, UsageError
from vidcli.media.plan import plan_uniform
from vidcli.methods.arrange import Arranger, arranged_tokens, as_stored
from vidcli.methods.arranged import refuse_unfit, warn_of_projector
from vidcli.methods.recipe import Options, Recipe, Room
from vidcli.methods.watch import Fit, Watched, watch_each

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "memory"
COSINE, DOT = "cosine", "dot"
MIN_FRAMES, MOST_FRAMES = 8, 1024  # published: 128 fragments of 8
AVERAGE_RATE = Fraction(25)  # frames a second, where a file does not say
STORE_BYTES = 256 * 1024**2  # more visual tokens than this are not kept on disk
SMALLEST = 1e-12


@dataclass(frozen=True, slots=True)
class Held:
    """One frame of the memory, or several that were merged.

    Attributes:
        tokens: float32 [places, width].
        gist: float64 [width]; the similarity of two is the product of theirs.
    """

    tokens: "NDArray[np.float32]"
    gist: "NDArray[np.float64]"


def hold(tokens: "NDArray[Any]", similarity: str) -> Held:
    """Take note of what a frame looks like.

    A mean over all pairs of tokens of two frames is the product of two means, of the tokens
    themselves (`dot`) or of the tokens at length 1 (`cosine`).
    """
    tokens = tokens.astype(np.float32)
    rows = tokens.astype(np.float64)
    if similarity == COSINE:
        rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), SMALLEST)
    return Held(tokens, rows.mean(axis=0))


def merge_down(frames: list[Held], keep: int, similarity: str) -> list[Held]:
    """Merge the two neighbours that are most alike into their mean, until so many are left."""
    frames = list(frames)
    alike = [float(a.gist @ b.gist) for a, b in pairwise(frames)]
    while len(frames) > keep:
        at = int(np.argmax(alike))
        merged = hold((frames[at].tokens + frames[at + 1].tokens) / 2, similarity)
        frames[at : at + 2] = [merged]
        del alike[at]
        if at > 0:
            alike[at - 1] = float(frames[at - 1].gist @ merged.gist)
        if at < len(alike):
            alike[at] = float(merged.gist @ frames[at + 1].gist)
    return frames


@dataclass(slots=True)
class Memory:
    """What is remembered of the frames so far.

    Args:
        fragment: Frames of one fragment.
        keep: What a fragment leaves.
        bound: Most frames of the long memory, ≥ 1.
        similarity: `cosine` or `dot`.

    Attributes:
        long: The past, in order.
        short: The fragment that is running, or the latest one.
    """

    fragment: int
    keep: int
    bound: int
    similarity: str = COSINE
    long: list[Held] = field(default_factory=list)
    short: list[Held] = field(default_factory=list)
    _is_full: bool = False

    def add(self, tokens: "NDArray[Any]") -> None:
        """See one more frame."""
        if self._is_full:
            self.short, self._is_full = [], False
        self.short.append(hold(tokens, self.similarity))
        if len(self.short) == self.fragment:
            self.consolidate()

    def consolidate(self) -> None:
        """Let the fragment that is running pass into the long memory, as at the video's end."""
        if self._is_full or not self.short:
            return
        self._is_full = True
        left = merge_down(self.short, self.keep, self.similarity)
        self.long = merge_down([*self.long, *left], self.bound, self.similarity)


def count_memory(frames: int, *, fragment: int, keep: int, bound: int) -> int:
    """Frames of the long memory after so many."""
    whole, rest = divmod(frames, fragment)
    return min(bound, whole * min(keep, fragment) + min(keep, rest))


@dataclass(frozen=True, slots=True)
class Shares:
    """How many frames of each part are shown.

    Attributes:
        long: Of the past.
        short: Of the running fragment; breakpoint mode only.
        current: 1 in breakpoint mode, else 0.
    """

    long: int
    short: int = 0
    current: int = 0

    @property
    def total(self) -> int:
        """In all."""
        return self.long + self.short + self.current


@dataclass(frozen=True, slots=True)
class MemoryFit(Fit):
    """A fit with how many frames of each part of the memory are shown."""

    shares: Shares = Shares(0)


class MemoryRecipe(Recipe):
    """The recipe of `memory`."""

    name = NAME
    one_by_one = False

    def __init__(self, options: Options) -> None:
        self.frames, self.tokens = int(options["frames"]), int(options["tokens"])
        self.fragment, self.keep = int(options["fragment"]), int(options["keep"])
        self.capacity = int(options["long"])
        self.similarity = str(options["similarity"])
        self.at = _read_moment(str(options["at"]))
        if self.keep >= self.fragment:
            raise UsageError(
                f"--method memory: keep={self.keep} merges nothing of fragments of {self.fragment}",
                hint="make keep smaller than fragment",
            )

    def plan(self, info: VideoInfo, span: Span) -> FramePlan:
        """A frame a second, up to the moment asked about, and that moment itself."""
        most = self.frames or min(MOST_FRAMES, max(MIN_FRAMES, round(float(span.length))))
        if self.at is None:
            return plan_uniform(info, span, budget=most)
        if self.at not in span:
            raise UsageError(
                f"--at {format_time(self.at, decimals=2)} is not inside the video, which is looked "
                f"at from {format_time(span.start, decimals=2)} to "
                f"{format_time(span.end, decimals=2)}",
                hint="give a moment between them",
            )
        now = PlannedFrame(self.at, "current")
        shown = 1 / (info.video.average_rate or AVERAGE_RATE)  # how long the current frame is
        span = Span(span.start, min(span.end, self.at + shown))
        if self.at == span.start or most == 1:
            return FramePlan(span, (now,), NAME)
        before = plan_uniform(info, Span(span.start, self.at), budget=most - 1)
        return replace(before, span=span, frames=(*before.frames, now), rule=NAME)

    def fit(self, plan: FramePlan, session: Session, room: Room) -> MemoryFit:
        """How much memory of the planned frames the context holds."""
        size = session.frame_size(room.display_size)
        like = session.measure(size)
        refuse_unfit(NAME, like, needs_grid=False)
        around = like.n_cells - like.n_tokens
        free = session.n_ctx - room.question_cells - room.reserve - 1 - around
        holds = min(self.tokens, free) // like.n_tokens
        if free < like.n_tokens:
            raise ResourceError(
                f"a context of {session.n_ctx} cells holds no frame: one takes {like.n_cells}, the "
                f"question {room.question_cells} and the answer {room.reserve}",
                hint="give more cells with --n-ctx",
            )
        warnings = warn_of_projector(NAME, session)
        wanted = self._share(len(plan.frames), max(1, self.tokens // like.n_tokens))
        shares = self._share(len(plan.frames), max(1, holds))
        if shares.total < wanted.total:
            warnings.append(
                f"the memory holds {shares.total} frames instead of {wanted.total}, to fit the "
                f"context of {session.n_ctx} cells"
            )
        n_tokens = shares.total * like.n_tokens
        return MemoryFit(
            plan,
            size,
            n_tokens + around,
            len(plan.frames),
            free - n_tokens,
            tuple(warnings),
            shown_tokens=n_tokens,
            like=like,
            shares=shares,
        )

    def _share(self, frames: int, holds: int) -> Shares:
        """Part what fits among the memory's parts: the current frame first, then the past."""
        if self.at is None:
            bound = min(self.capacity, holds)
            return Shares(count_memory(frames, fragment=self.fragment, keep=self.keep, bound=bound))
        past = frames - 1
        running = past % self.fragment or min(past, self.fragment)
        short = min(running, (holds - 1) // 2)
        bound = min(self.capacity, holds - 1 - short)
        whole = past - past % self.fragment
        long = count_memory(whole, fragment=self.fragment, keep=self.keep, bound=bound)
        return Shares(long, short, 1)

    def watch(
        self,
        source: FrameSource,
        session: Session,
        fit: Fit,
        *,
        store: TokenStore | None,
        timings: Timings,
        progress: Progress | None = None,
    ) -> Watched:
        """Watch frame by frame, keeping the memory only."""
        assert isinstance(fit, MemoryFit)
        assert fit.like is not None
        shares = fit.shares
        warnings: dict[str, None] = {}
        if store is not None and fit.like.data.size * 2 * len(fit.plan.frames) > STORE_BYTES:
            store = None
            warnings[f"visual tokens of {len(fit.plan.frames)} frames are too many to be kept"] = (
                None
            )
        memory = Memory(self.fragment, self.keep, max(1, shares.long), self.similarity)
        seen: list[SeenFrame] = []
        n_encoded, pictures = 0, 0
        last: ImagePart | None = None
        moments = watch_each(
            source,
            session,
            fit.plan,
            size=fit.size,
            store=store,
            timings=timings,
            progress=progress,
        )
        for image, is_new in moments:
            n_encoded += is_new
            is_repeat = bool(seen) and image.frames[0].time == seen[-1].time
            if not is_repeat:
                pictures += 1
                seen.append(replace(image.frames[0], id=pictures))
            last = image
            if self.at is None or image.frames[0].wanted < self.at:
                memory.add(image.tokens.data)
        if last is None:
            raise MediaError(f"no frame of {source.info.path} could be decoded")
        if self.at is None:
            memory.consolidate()
        data = self._gather(memory, shares, last)
        found = dict.fromkeys(source.warnings)
        if store is not None:
            store.remember(tuple(found))
            found |= dict.fromkeys(store.warnings if n_encoded < pictures else ())
        part = ImagePart(tuple(seen), arranged_tokens(last.tokens, as_stored(data)))
        return Watched(
            (part,),
            measure_coverage(fit.plan.span, [frame.time.seconds for frame in seen]),
            _cache_use(store, n_encoded, pictures),
            (*warnings, *found),
            Arranger(NAME, None),
            n_encoded,
        )

    def _gather(self, memory: Memory, shares: Shares, last: ImagePart) -> "NDArray[np.float32]":
        """The memory as one run of tokens: the past, the running fragment, the current frame."""
        shown = memory.long[-shares.long :] if shares.long else []
        if shares.short:
            shown = [*shown, *merge_down(memory.short, shares.short, self.similarity)]
        parts = [held.tokens for held in shown]
        if shares.current:
            parts.append(last.tokens.data.astype(np.float32))
        return np.concatenate(parts)


def _cache_use(store: TokenStore | None, encoded: int, pictures: int) -> CacheUse:
    if store is None:
        return CacheUse.OFF
    if not encoded:
        return CacheUse.HIT
    return CacheUse.PARTIAL if encoded < pictures else CacheUse.MISS


def _read_moment(text: str) -> Fraction | None:
    if not text:
        return None
    try:
        return parse_time(text)
    except ValueError as error:
        raise UsageError(f"--method memory: at={text} is no time: {error}") from error


def make_memory(options: Options) -> MemoryRecipe:
    """The recipe with these parameters.

    Raises:
        UsageError: They contradict each other.
    """
    return MemoryRecipe(options)
