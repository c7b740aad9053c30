"""Recipes that make one run of tokens of all frames: which models can be shown it, and what fits.

Not here: what they make of them (`slowfast`, `spatiotemporal`, `memory`).
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from vidcli.core.media import FramePlan, PlannedFrame, VideoInfo
from vidcli.core.prompt import VisualTokens
from vidcli.core.protocols import Session
from vidcli.core.time import Span
from vidcli.errors import ModelError, ResourceError
from vidcli.media.plan import count_frames
from vidcli.methods.arrange import Arranger
from vidcli.methods.recipe import Recipe, Room
from vidcli.methods.registry import METHODS
from vidcli.methods.watch import Fit

LINEAR = ("idefics3",)  # projectors that are one matrix: a mean before them is a mean after them
UNKNOWN_TOTAL = 2**31  # what `count_frames` says where the rate is not known
GRAIN = 1_000_000  # parts that a span of unknown rate is taken to have


class Arranged(Recipe):
    """Shows all frames as one run of tokens, without labels between them."""

    one_by_one = False
    needs_grid = False
    pools_before = False  # whether the published one pools before the projector

    @abstractmethod
    def count_tokens(self, frames: int, like: VisualTokens, share: Fraction) -> int:
        """Visual tokens made of frames.

        Args:
            frames: How many.
            like: What each takes.
            share: How much of the wanted frames they are; below 1 the context holds no more.
        """

    @abstractmethod
    def transform(self, frames: int, like: VisualTokens, share: Fraction) -> Any:
        """From float32 [frames, places, width] to [tokens, width]; see `count_tokens`."""

    def fit(self, plan: FramePlan, session: Session, room: Room) -> Fit:
        """As many of the planned frames as the context holds in this arrangement."""
        size = session.frame_size(room.display_size)
        like = session.measure(size)
        refuse_unfit(self.name, like, needs_grid=self.needs_grid)
        around = like.n_cells - like.n_tokens
        free = session.n_ctx - room.question_cells - room.reserve - 1 - around
        wanted = fitting = count_instants(plan)
        while fitting and self.count_tokens(fitting, like, Fraction(fitting, wanted)) > free:
            fitting -= 1
        share = Fraction(fitting, wanted)
        if not fitting:
            least = self.count_tokens(1, like, Fraction(1, wanted))
            raise ResourceError(
                f"a context of {session.n_ctx} cells holds no frame by --method {self.name}: one "
                f"takes {least}, the question {room.question_cells} and the answer {room.reserve}",
                hint="give more cells with --n-ctx",
            )
        warnings = [] if not self.pools_before else warn_of_projector(self.name, session)
        if fitting < wanted:
            plan = shorten(plan, fitting)
            warnings.append(
                f"{wanted} frames were planned, {fitting} fit the context of {session.n_ctx} cells "
                f"by --method {self.name}"
            )
        n_tokens = self.count_tokens(fitting, like, share)
        return Fit(
            plan,
            size,
            n_tokens + around,
            len(plan.frames),
            free - n_tokens,
            tuple(warnings),
            shown_tokens=n_tokens,
            like=like,
            share=share,
        )

    def arranger(self, fit: Fit) -> Arranger | None:
        """Makes the run of tokens."""
        assert fit.like is not None
        schedule = list_instants(fit.plan)
        transform = self.transform(len(schedule), fit.like, fit.share)
        return Arranger(self.name, transform, tuple(schedule))


def refuse_unfit(name: str, like: VisualTokens, *, needs_grid: bool) -> None:
    """Refuse models that cannot be shown other visual tokens than their own.

    Raises:
        ModelError: This is one; with the methods that do work.
    """
    why = explain_unfit(like, needs_grid=needs_grid)
    if why:
        others = ", ".join(method.name for method in METHODS.values() if not method.arranges)
        raise ModelError(f"--method {name} does not work here: {why}", hint=f"these do: {others}")


def explain_unfit(like: VisualTokens, *, needs_grid: bool) -> str:
    """Why tokens made of a model's own cannot be shown to it; empty where they can."""
    if like.positions is not None:
        return "this model gives visual tokens positions in rows and columns (M-RoPE)"
    if not like.causal:
        return "the visual tokens of a frame see each other both ways in this model"
    if like.splits:
        return "--detail high looks at a frame in tiles"
    if needs_grid and like.grid is None:
        return f"the {like.n_tokens} visual tokens of a frame form no rows and columns"
    return ""


def warn_of_projector(name: str, session: Session) -> list[str]:
    """A warning where pooling after the projector is not what pooling before it would be."""
    projector = session.report.projector
    if projector in LINEAR:
        return []
    return [
        f"--method {name} is an approximation here: it averages what comes out of a projector "
        f"({projector}) that is not known to be linear, where the published one averages what "
        "goes in"
    ]


def plan_indices(info: VideoInfo, span: Span, choose: Any, *, frames: int, rule: str) -> FramePlan:
    """Plan frames by their numbers in the span, as published recipes do.

    Args:
        info: Probe result; its average rate says how many frames the span holds.
        span: Half-open, inside the video.
        choose: From (frames the span holds, frames wanted) to numbers that do not fall, some
            perhaps twice.
        frames: Wanted, ≥ 1.
        rule: What to call it.
    """
    total = count_frames(info, span)
    if total == UNKNOWN_TOTAL:
        total = GRAIN
    chosen: Sequence[int] = choose(total, frames)
    repeats = {number: chosen.count(number) for number in chosen}
    step = span.length / total
    planned = tuple(
        PlannedFrame(span.start + (number + Fraction(1, 2)) * step, rule) for number in repeats
    )
    is_once = all(count == 1 for count in repeats.values())
    return FramePlan(span, planned, rule, repeats=() if is_once else tuple(repeats.values()))


def count_instants(plan: FramePlan) -> int:
    """Instants of a plan, each as often as it counts."""
    return sum(plan.repeats) if plan.repeats else len(plan.frames)


def list_instants(plan: FramePlan) -> list[Fraction]:
    """Instants of a plan, each as often as it counts, in order."""
    repeats = plan.repeats or (1,) * len(plan.frames)
    return [f.time for f, n in zip(plan.frames, repeats, strict=True) for _ in range(n)]


def shorten(plan: FramePlan, count: int) -> FramePlan:
    """Keep so many instants of a plan, spread evenly."""
    instants = list_instants(plan)
    kept = [instants[(2 * i + 1) * len(instants) // (2 * count)] for i in range(count)]
    repeats = {time: kept.count(time) for time in kept}
    frames = tuple(frame for frame in plan.frames if frame.time in repeats)
    is_once = len(frames) == count
    return replace(plan, frames=frames, repeats=() if is_once else tuple(repeats.values()))
