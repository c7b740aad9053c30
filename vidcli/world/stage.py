"""The stage of a scene: its random stream, who may be cast, where things go without meeting."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from vidcli.world.drawings import KINDS, TRAINED_VARIANTS, VARIANTS
from vidcli.world.scene import Actor, Background, Path, Shot
from vidcli.world.vocabulary import COLOURS, HEADINGS, SIZES, Motion, Split, is_held_out

TRIES = 30
STYLES = ("plain", "gradient", "texture", "landscape", "room")


@dataclass(slots=True)
class Stage:
    """The random stream of a scene, and what has been put on it."""

    rng: random.Random
    split: Split
    duration: float
    travel: tuple[float, float]

    def cast(
        self, motion: str, *, taken: Sequence[Actor] = (), kind: str = "", colour: str = ""
    ) -> tuple[str, str]:
        """A kind and a colour that this split may show in this motion, unlike those taken.

        Args:
            motion: How it will move.
            taken: Their names are not given again.
            kind: This one, if given and possible.
            colour: This one, if given and possible.
        """
        names = {actor.name for actor in taken}
        kinds = {actor.kind for actor in taken}
        for attempt in range(1000):
            loose = attempt > TRIES
            one = kind if kind and not loose else self.rng.choice(KINDS)
            tint = colour if colour and not loose else self.rng.choice(list(COLOURS))
            fits = self.split == "eval-drawings" or is_held_out(one, tint, motion) == (
                self.split == "eval"
            )
            is_new = f"{tint} {one}" not in names and (one not in kinds or one == kind)
            if fits and is_new:
                return one, tint
        raise AssertionError("every combination is taken")

    def variant(self) -> int:
        """A drawing that this split may show."""
        if self.split == "eval-drawings":
            return self.rng.randrange(TRAINED_VARIANTS, VARIANTS)
        return self.rng.randrange(TRAINED_VARIANTS)

    def size(self, *names: str) -> float:
        """A size out of the named classes."""
        return self.rng.uniform(*SIZES[self.rng.choice(names)])

    def actor(
        self, motion: Motion, size: float, path: Path, *, named: tuple[str, str], group: int
    ) -> Actor:
        """An object in this motion, with a random drawing, tilt and facing."""
        rng = self.rng
        return Actor(
            group, *named, self.variant(), size, motion, path, 0.0, self.duration,
            mirrored=rng.random() < 0.5, stretch=rng.uniform(0.88, 1.14),
            tilt=rng.uniform(-10, 10), shade=rng.randint(-16, 16),
        )  # fmt: skip

    def background(self, *styles: str) -> Background:
        """A backdrop in muted colours, which no object has."""
        rng = self.rng
        style = rng.choice(styles or STYLES)
        level = rng.choice((85, 115, 150, 190))
        tints = tuple(_mute(rng, level + shift) for shift in (0, rng.choice((-28, 28)), 14))
        return Background(style, tints, rng.randrange(1 << 30))

    def shot(self, *actors: Actor, **more: object) -> tuple[Shot, ...]:
        """One shot as long as the clip."""
        return (Shot(0.0, self.duration, self.background(), actors, **more),)  # type: ignore[arg-type]


def _mute(rng: random.Random, level: int) -> tuple[int, int, int]:
    return tuple(max(25, min(225, level + rng.randint(-14, 14))) for _ in range(3))  # type: ignore[return-value]


def _spot(rng: random.Random, size: float) -> tuple[float, float]:
    low = size / 2 + 0.02
    return rng.uniform(low, 1 - low), rng.uniform(low, 1 - low)


def still_path(rng: random.Random, size: float) -> Path:
    """No way at all: a place wholly inside the frame."""
    x, y = _spot(rng, size)
    return Path((0.0,), (x,), (y,))


def path_across(stage: Stage, motion: Motion, size: float) -> Path:
    """Through the frame and in again on the other side, from anywhere: no frame tells the way."""
    rng, margin = stage.rng, size / 2 + 0.02
    period = 1 + 2 * margin
    way = rng.uniform(*stage.travel) * period
    dx, dy = HEADINGS[motion]
    lane, along = rng.uniform(margin, 1 - margin), rng.uniform(-margin, 1 + margin)
    x, y = (along, lane) if dx else (lane, along)
    return Path((0.0, stage.duration), (x, x + dx * way), (y, y + dy * way), wrap=margin)


def path_around(stage: Stage, size: float) -> Path:
    """About once around a circle, either way."""
    rng = stage.rng
    radius = rng.uniform(0.14, max(0.15, min(0.26, 0.47 - size / 2)))
    low = radius + size / 2 + 0.01
    x, y = (rng.uniform(low, 1 - low) if low < 0.5 else 0.5 for _ in range(2))
    phase, spin = rng.uniform(0, 2 * math.pi), rng.choice((-1, 1)) * rng.uniform(0.8, 1.3)
    angles = [phase + spin * 2 * math.pi * i / 24 for i in range(25)]
    return Path(
        tuple(stage.duration * i / 24 for i in range(25)),
        tuple(x + radius * math.cos(a) for a in angles),
        tuple(y + radius * math.sin(a) for a in angles),
    )


def path_in(stage: Stage, motion: Motion, size: float) -> Path:
    """A way of this motion, anywhere in the frame."""
    if motion == "still":
        return still_path(stage.rng, size)
    return path_around(stage, size) if motion == "circle" else path_across(stage, motion, size)


def _sweep(actor: Actor) -> tuple[float, float, float, float]:
    """The box that an actor may touch: left, top, right, bottom."""
    half = actor.size / 2 * 1.04
    path = actor.path
    left, right, top, bottom = min(path.xs), max(path.xs), min(path.ys), max(path.ys)
    if path.wrap is not None:
        left, right = (-9, 9) if left != right else (left, right)
        top, bottom = (-9, 9) if top != bottom else (top, bottom)
    return left - half, top - half, right + half, bottom + half


def is_clear(actor: Actor, others: Sequence[Actor]) -> bool:
    """Whether an actor never touches any of the others, wherever they are on their ways."""
    left, top, right, bottom = _sweep(actor)
    for other in others:
        x0, y0, x1, y1 = _sweep(other)
        if left < x1 and x0 < right and top < y1 and y0 < bottom:
            return False
    return True


def add_actor(
    stage: Stage,
    actors: list[Actor],
    motion: Motion,
    *,
    sizes: Sequence[str],
    named: tuple[str, str],
) -> bool:
    """Put an actor where it meets no other; False when there is no room."""
    for _ in range(TRIES):
        size = stage.size(*sizes)
        actor = stage.actor(
            motion, size, path_in(stage, motion, size), named=named, group=len(actors)
        )
        if is_clear(actor, actors):
            actors.append(actor)
            return True
    return False
