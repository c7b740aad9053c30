"""Who is spoken of in a scene: its actors by group, in the order in which they are told of."""

from dataclasses import dataclass

import numpy as np

from vidcli.world.scene import Actor, Scene
from vidcli.world.vocabulary import HEADINGS, SIDES, name_group

IN_TURN = frozenset({"order", "turns", "cut", "pass"})  # genres told in the order of events


@dataclass(frozen=True, slots=True)
class Group:
    """Objects that are spoken of together; all have the same kind, colour and motion."""

    actors: tuple[Actor, ...]

    @property
    def first(self) -> Actor:
        """Any one of them."""
        return self.actors[0]

    @property
    def count(self) -> int:
        """How many."""
        return len(self.actors)

    @property
    def phrase(self) -> str:
        """`a red ball`, `two red balls`."""
        return name_group(self.count, self.first.colour, self.first.kind)


def list_groups(scene: Scene) -> list[Group]:
    """Groups of all shots: by time where the scene is a sequence, else moving ones first.

    Those that move alike, or not, come from left to right, by where they are at the clip's start.
    """
    found: dict[int, list[Actor]] = {}
    for shot in scene.shots:
        for actor in shot.actors:
            found.setdefault(actor.group, []).append(actor)
    groups = [Group(tuple(actors)) for actors in found.values()]
    if scene.genre in IN_TURN:
        return groups  # cast in the order of their turns
    return sorted(groups, key=lambda group: (group.first.motion == "still", _left(group.first)))


def _left(actor: Actor) -> float:
    return float(actor.path.at(np.zeros(1))[0, 0])


def gate(actor: Actor, *, at_start: bool) -> str:
    """The side over which an actor that passes comes in, or goes out."""
    end, inner = (0, 1) if at_start else (-1, -2)
    dx = actor.path.xs[end] - actor.path.xs[inner]
    dy = actor.path.ys[end] - actor.path.ys[inner]
    ways = [(HEADINGS.get(side) or HEADINGS[_VERTICAL[side]]) for side in SIDES]
    reach = [dx * x + dy * y for x, y in ways]
    return SIDES[reach.index(max(reach))]


_VERTICAL = {"top": "up", "bottom": "down"}
