"""Still pictures with as many objects as there is room for, and often a word: many labels each."""

import random

from vidcli.world import DIGITS, WORDS, Scene
from vidcli.world.lettering import TRAINED_FONTS
from vidcli.world.scene import Actor, Look, Path, Writing
from vidcli.world.stage import Stage
from vidcli.world.vocabulary import MOTIONS

OBJECTS, TRIES = 7, 40
FIRST_SIZES, SIZES = (0.22, 0.5), (0.2, 0.34)  # of the frame's side
REACH = 0.42  # of an object's size that others keep away from its centre
WRITTEN = 0.6  # of the pictures
DIGIT = 0.25  # of the writings

Box = tuple[float, float, float, float]  # centre x, centre y, half width, half height


def make_crowd(seed: int, index: int) -> Scene:
    """Crowded picture `index` of the set `seed`, as a scene of one second that stands still."""
    rng = random.Random(f"vidcli crowd/{seed}/{index}")
    stage = Stage(rng, "train", 1.0, (0.5, 0.9))
    writing = _write(rng) if rng.random() < WRITTEN else None
    taken = [] if writing is None else [_box_of(writing)]
    actors: list[Actor] = []
    for _ in range(TRIES):
        if len(actors) == OBJECTS:
            break
        size = rng.uniform(*(SIZES if actors else FIRST_SIZES))
        x, y, reach = rng.uniform(0.02, 0.98), rng.uniform(0.02, 0.98), size * REACH
        if any(abs(x - a) < w + reach and abs(y - b) < h + reach for a, b, w, h in taken):
            continue
        taken.append((x, y, reach, reach))
        named = stage.cast(rng.choice(MOTIONS), taken=actors)
        path = Path((0.0,), (x,), (y,))
        actors.append(stage.actor("still", size, path, named=named, group=len(actors)))
    look = Look(rng.choice((0.0, 2.0, 4.0, 7.0)), rng.random() < 0.7, rng.choice((20, 24, 28, 32)))
    shots = stage.shot(*actors, writing=writing)
    return Scene(seed, index, "train", "one", 1.0, shots, look)


def _write(rng: random.Random) -> Writing:
    text = rng.choice(DIGITS) if rng.random() < DIGIT else rng.choice(WORDS)
    height = rng.uniform(0.16, 0.21) if len(text) > 4 else rng.uniform(0.18, 0.24)
    if len(text) == 1:
        height = rng.uniform(0.26, 0.36)
    half = _half(text, height)
    x = rng.uniform(half + 0.03, 0.97 - half) if half < 0.46 else 0.5
    font = rng.choice(TRAINED_FONTS)
    return Writing(text, x, rng.uniform(0.15, 0.85), height, font, rng.random() < 0.5)


def _half(text: str, height: float) -> float:
    """Half the width of a text."""
    return min(0.46, 0.5 * len(text) * height * 0.98)


def _box_of(writing: Writing) -> Box:
    half = _half(writing.text, writing.height)
    return writing.x, writing.y, half + 0.03, writing.height * 0.8
