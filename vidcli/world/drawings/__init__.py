"""Drawings of everyday objects, made for vidcli in code: no glyphs, no pictures of others.

plants · sky · animals · vehicles · things · gear   one function per kind: a number from 0 to
                                                    4 in, a drawing out

The first three drawings of a kind are for training, the others are held out.
"""

from collections.abc import Callable
from functools import cache

from vidcli.world.drawings import animals, gear, plants, sky, things, vehicles
from vidcli.world.shapes import Drawing

VARIANTS = 5
TRAINED_VARIANTS = 3

_DRAWN: tuple[Callable[[int], Drawing], ...] = (
    plants.apple, plants.carrot, plants.mushroom, plants.tree, plants.flower,
    plants.cactus,
    sky.ball, sky.star, sky.heart, sky.moon, sky.sun, sky.cloud, sky.umbrella, sky.balloon,
    sky.kite, sky.flag,
    animals.fish, animals.bird, animals.cat, animals.dog, animals.rabbit, animals.snake,
    animals.turtle, animals.butterfly,
    vehicles.car, vehicles.bus, vehicles.boat, vehicles.plane, vehicles.rocket, vehicles.bicycle,
    vehicles.house,
    things.cup, things.bottle, things.key, things.hammer, things.book, things.clock, things.lamp,
    things.chair, gear.hat, gear.shoe, gear.guitar, gear.bell, gear.ladder, gear.crown,
)  # fmt: skip

_BY_KIND = {function.__name__: function for function in _DRAWN}
KINDS: tuple[str, ...] = tuple(_BY_KIND)


@cache
def draw(kind: str, variant: int) -> Drawing:
    """The parts of a drawing, from back to front.

    Args:
        kind: One of `KINDS`.
        variant: From 0 to `VARIANTS` - 1.
    """
    return _BY_KIND[kind](variant)
