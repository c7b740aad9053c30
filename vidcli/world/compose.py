"""Making scenes up: one function per genre, everything drawn from one seeded stream.

Nothing that a question of order asks about can be read off a single frame: where an object starts,
which way it faces and what it is do not depend on where it goes.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from vidcli.world.lettering import HELD_OUT_FONTS, TRAINED_FONTS
from vidcli.world.scene import Actor, Camera, Look, Path, Scene, Shot, Writing
from vidcli.world.stage import TRIES, Stage, add_actor, is_clear, still_path
from vidcli.world.vocabulary import (
    DIGITS,
    HEADINGS,
    MOTIONS,
    SIDES,
    STRAIGHT,
    WORDS,
    Motion,
    Split,
)  # fmt: skip

GENRES: dict[str, float] = {  # name: share of the clips of `train`
    "one": 0.40, "group": 0.17, "order": 0.14, "turns": 0.05, "pass": 0.06, "cut": 0.05,
    "word": 0.09, "camera": 0.04,
}  # fmt: skip
EVALUATED = {**GENRES, "one": 0.3, "group": 0.18, "word": 0.18}  # for like numbers of questions
DURATION_S = (2.0, 6.0)
TRAVEL = (0.5, 0.9)  # of a whole crossing, in a clip


def make_scene(
    seed: int,
    index: int,
    split: Split = "train",
    *,
    genres: Sequence[str] | Mapping[str, float] | None = None,
    travel: tuple[float, float] = TRAVEL,
    seconds: tuple[float, float] = DURATION_S,
) -> Scene:
    """Describe clip `index` of the set `seed`; other clips do not matter.

    Args:
        seed: Of the set.
        index: Of the clip, from 0.
        split: `train` draws trained drawings in trained combinations of kind, colour and motion;
            `eval` trained drawings in held-out combinations; `eval-drawings` held-out drawings.
        genres: Only these, in their usual proportions or in those given; all by default.
        travel: How far straight motions of the genre `one` go, as shares of a whole crossing.
        seconds: Shortest and longest clip.
    """
    rng = random.Random(f"vidcli world/{seed}/{index}/{split}")
    usual = GENRES if split == "train" else EVALUATED
    shares = genres if isinstance(genres, Mapping) else usual
    names = list(genres or usual)
    genre = rng.choices(names, [shares[name] for name in names])[0]
    duration = round(rng.uniform(*seconds), 2)
    stage = Stage(rng, split, duration, travel)
    shots = _COMPOSERS[genre](stage)
    look = Look(rng.choice((0.0, 2.0, 4.0, 7.0)), rng.random() < 0.7, rng.choice((20, 24, 28, 32)))
    return Scene(seed, index, split, genre, duration, shots, look)


def _one(stage: Stage) -> tuple[Shot, ...]:
    """A subject in some motion, beside none to two others."""
    rng = stage.rng
    motion = rng.choice(MOTIONS)
    others = rng.choices((0, 1, 2), (0.4, 0.4, 0.2))[0]
    actors: list[Actor] = []
    sizes = ("medium", "big") if not others else ("small", "medium")
    add_actor(stage, actors, motion, sizes=sizes, named=stage.cast(motion))
    for _ in range(others):
        move = rng.choice(MOTIONS) if rng.random() < 0.3 else "still"
        like = actors[0]
        share = rng.random()
        named = stage.cast(
            move, taken=actors, kind=like.kind if share < 0.2 else "",
            colour=like.colour if 0.2 <= share < 0.5 else "",
        )  # fmt: skip
        add_actor(stage, actors, move, sizes=("small", "medium"), named=named)
    return stage.shot(*actors)


def _group(stage: Stage) -> tuple[Shot, ...]:
    """One to four alike, still or moving together a little, beside none or one other."""
    rng = stage.rng
    count = rng.randint(1, 4)
    motion: Motion = "still" if rng.random() < 0.6 else rng.choice(STRAIGHT)
    named = stage.cast(motion)
    size, variant = rng.uniform(0.22, 0.29), stage.variant()
    way = rng.uniform(0.14, 0.24) if motion != "still" else 0.0
    anywhere = Path((0.0,), (0.5,), (0.5,))
    first = stage.actor(motion, size, anywhere, named=named, group=0)
    actors = _scatter(stage, replace(first, variant=variant), count=count, way=way)
    if rng.random() < 0.5:
        share = rng.random()
        other = stage.cast(
            "still", taken=actors, kind=named[0] if share < 0.35 else "",
            colour=named[1] if share > 0.7 else "",
        )  # fmt: skip
        extra: list[Actor] = list(actors)
        if add_actor(stage, extra, "still", sizes=("small",), named=other):
            actors.append(replace(extra[-1], group=1))
    return stage.shot(*actors)


def _scatter(stage: Stage, first: Actor, *, count: int, way: float) -> list[Actor]:
    """So many like the first, where they do not meet; smaller where they find no room."""
    while True:
        actors: list[Actor] = []
        for _ in range(TRIES * 4):
            span = (0.0, stage.duration)
            path = _short_path(stage.rng, first.motion, first.size, way=way, span=span, gap=0.01)
            member = replace(first, path=path, mirrored=stage.rng.random() < 0.5)
            if len(actors) < count and is_clear(member, actors):
                actors.append(member)
        if len(actors) == count:
            return actors
        first = replace(first, size=first.size * 0.97)


def _short_path(
    rng: random.Random,
    motion: Motion,
    size: float,
    *,
    way: float,
    span: tuple[float, float],
    gap: float,
) -> Path:
    """A straight way that stays in the frame, at least `gap` from its edges; none where it is 0."""
    dx, dy = HEADINGS.get(motion, (0, 0))
    reach_x, reach_y = abs(dx) * way / 2, abs(dy) * way / 2
    low = size / 2 + gap
    x = rng.uniform(low + reach_x, 1 - low - reach_x)
    y = rng.uniform(low + reach_y, 1 - low - reach_y)
    if not way:
        return Path((0.0,), (x,), (y,))
    step_x, step_y = dx * way / 2, dy * way / 2
    return Path(span, (x - step_x, x + step_x), (y - step_y, y + step_y))


def _order(stage: Stage) -> tuple[Shot, ...]:
    """Two appear one after the other, and go in the same order; at both ends there is neither."""
    rng, length = stage.rng, stage.duration
    pair: list[Actor] = []
    while len(pair) < 2:
        named = stage.cast("still", taken=pair)
        add_actor(stage, pair, "still", sizes=("small", "medium"), named=named)
    starts = (rng.uniform(0.1, 0.2), rng.uniform(0.44, 0.6))
    ends = (rng.uniform(0.48, 0.7), rng.uniform(0.84, 0.9))
    slides = rng.random() < 0.4
    actors = []
    for actor, start, end in zip(pair, starts, ends, strict=True):
        path = _slide(rng, actor, start * length, end * length) if slides else actor.path
        actors.append(replace(actor, path=path, appears=start * length, vanishes=end * length))
    return stage.shot(*actors)


def _slide(rng: random.Random, actor: Actor, start: float, end: float) -> Path:
    """In and out again over the nearest side, quickly."""
    x, y, out = actor.path.xs[0], actor.path.ys[0], actor.size / 2 + 0.02
    side = min((x, "left"), (1 - x, "right"), (y, "top"), (1 - y, "bottom"))[1]
    far_x = {"left": -out, "right": 1 + out}.get(side, x)
    far_y = {"top": -out, "bottom": 1 + out}.get(side, y)
    step = min(0.3, (end - start) / 4)
    return Path((start, start + step, end - step, end), (far_x, x, x, far_x), (far_y, y, y, far_y))


def _turns(stage: Stage) -> tuple[Shot, ...]:
    """Two are there all the time; one moves, then the other."""
    length = stage.duration
    actors: list[Actor] = []
    while len(actors) < 2:
        actors = []
        for start, end in ((0.08, 0.45), (0.55, 0.92)):
            _add_mover(stage, actors, (start * length, end * length))
    return stage.shot(*actors)


def _add_mover(stage: Stage, actors: list[Actor], span: tuple[float, float]) -> None:
    """One that moves in `span` and rests before and after, where there is room for it."""
    rng = stage.rng
    motion = rng.choice(STRAIGHT)
    for _ in range(TRIES):
        size, way = stage.size("small", "medium"), rng.uniform(0.25, 0.4)
        if size + way > 0.94:
            continue
        path = _short_path(rng, motion, size, way=way, span=span, gap=0.02)
        named = stage.cast(motion, taken=actors)
        actor = stage.actor(motion, size, path, named=named, group=len(actors))
        if is_clear(actor, actors):
            actors.append(actor)
            return


def _pass(stage: Stage) -> tuple[Shot, ...]:
    """One comes in over a side, waits and leaves over another one; at both ends it is out."""
    rng, length = stage.rng, stage.duration
    size = stage.size("medium", "big")
    out = size / 2 + 0.02
    near, far = rng.sample(SIDES, 2)
    middle = (rng.uniform(0.35, 0.65), rng.uniform(0.35, 0.65))
    gates = {"left": (-out, middle[1]), "right": (1 + out, middle[1]), "top": (middle[0], -out),
             "bottom": (middle[0], 1 + out)}  # fmt: skip
    points = (gates[near], middle, middle, gates[far])
    times = tuple(
        length * share for share in (0.1, rng.uniform(0.38, 0.46), rng.uniform(0.54, 0.62), 0.9)
    )
    path = Path(times, tuple(x for x, _ in points), tuple(y for _, y in points))
    actor = stage.actor("still", size, path, named=stage.cast("still"), group=0)
    return stage.shot(replace(actor, appears=times[0], vanishes=times[3]))


def _cut(stage: Stage) -> tuple[Shot, ...]:
    """Three shots of one still object each, on other backgrounds."""
    rng, length = stage.rng, stage.duration
    cuts = (0.0, length * rng.uniform(0.3, 0.36), length * rng.uniform(0.63, 0.7), length)
    actors: list[Actor] = []
    shots = []
    for group, (start, end) in enumerate(pairwise(cuts)):
        size = stage.size("medium", "big")
        named = stage.cast("still", taken=actors)
        path = still_path(rng, size)
        actor = replace(
            stage.actor("still", size, path, named=named, group=group), appears=start, vanishes=end
        )
        actors.append(actor)
        shots.append(Shot(start, end, stage.background(), (actor,)))
    return tuple(shots)


def _word(stage: Stage) -> tuple[Shot, ...]:
    """A word or a digit, alone or with a still object above or below."""
    rng = stage.rng
    text = rng.choice(DIGITS) if rng.random() < 0.2 else rng.choice(WORDS)
    height = rng.uniform(0.16, 0.21) if len(text) > 4 else rng.uniform(0.18, 0.24)
    if len(text) == 1:
        height = rng.uniform(0.26, 0.36)
    half = min(0.46, 0.5 * len(text) * height * 0.98)
    x, y = rng.uniform(half + 0.03, 0.97 - half) if half < 0.46 else 0.5, rng.uniform(0.2, 0.8)
    actors = []
    if rng.random() < 0.6:
        size = stage.size("small", "medium")
        y = rng.choice((0.2, 0.8)) + rng.uniform(-0.04, 0.04)
        spot = (
            rng.uniform(size / 2 + 0.02, 0.98 - size / 2),
            y + (0.5 if y < 0.5 else -0.5) * rng.uniform(0.86, 1.0),
        )
        path = Path((0.0,), (spot[0],), (spot[1],))
        actors.append(stage.actor("still", size, path, named=stage.cast("still"), group=0))
    font = rng.choice(HELD_OUT_FONTS if stage.split == "eval-drawings" else TRAINED_FONTS)
    return stage.shot(*actors, writing=Writing(text, x, y, height, font, rng.random() < 0.5))


def _camera(stage: Stage) -> tuple[Shot, ...]:
    """One or two still objects under a camera that pans or zooms."""
    rng = stage.rng
    actors: list[Actor] = []
    for _ in range(rng.choice((1, 2))):
        named = stage.cast("still", taken=actors)
        add_actor(stage, actors, "still", sizes=("small", "medium"), named=named)
    move = rng.choice((*STRAIGHT, "in", "out"))
    if move in HEADINGS:
        (dx, dy), way = HEADINGS[move], rng.uniform(0.16, 0.22)
        camera = Camera(
            move, (0.5 - dx * way, 0.5 - dy * way, 1.0), (0.5 + dx * way, 0.5 + dy * way, 1.0)
        )
    else:
        wide, near = (0.5, 0.5, rng.uniform(0.78, 0.88)), (0.5, 0.5, rng.uniform(1.15, 1.4))
        camera = Camera(move, *((wide, near) if move == "in" else (near, wide)))
    background = stage.background("texture", "landscape", "room")
    return (Shot(0.0, stage.duration, background, tuple(actors), camera),)


_COMPOSERS: dict[str, Callable[[Stage], tuple[Shot, ...]]] = {
    "one": _one, "group": _group, "order": _order, "turns": _turns, "pass": _pass, "cut": _cut,
    "word": _word, "camera": _camera,
}  # fmt: skip
