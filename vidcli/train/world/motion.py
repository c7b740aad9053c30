"""What is true of each visual token of a clip: its object, how that moves, its rank, its count."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidcli.train.world.views import TEXTS
from vidcli.world import COLOURS, KINDS, Scene, dense_labels
from vidcli.world.groups import IN_TURN, Group, list_groups
from vidcli.world.labels import DenseLabels
from vidcli.world.scene import Actor, Floats
from vidcli.world.vocabulary import MOTIONS, OPPOSITE, is_held_out

CAMERAS = {move: n for n, move in enumerate(("left", "right", "up", "down", "in", "out"), 1)}
RANKS, COUNTS = 4, 5  # groups of a clip, and members of one, with room for none
BACKWARDS = OPPOSITE | {"in": "out", "out": "in"}
FAR = 9.0  # farther than anything

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class TokenLabels:
    """Labels of a clip's visual tokens, or of a batch's; the last axis is (frames * tokens).

    Attributes:
        kinds: int64, 0 for background, else 1 + the index in `KINDS`.
        colours: int64, likewise.
        places: float32 (…, 2): centre of the object in the frame.
        motions: int64, 0 for background, else 1 + the index in `MOTIONS`.
        shifts: float32 (…, 2): how far it went since the frame before.
        is_shifted: bool: whether it was there then.
        ranks: int64: which group appears first, second…
        counts: int64: members of its group.
        cameras: int64, 0 for a camera at rest, the same for all tokens.
        words: int64: of the text whose letter is there, 0 for none.
    """

    kinds: Ints
    colours: Ints
    places: NDArray[np.float32]
    motions: Ints
    shifts: NDArray[np.float32]
    is_shifted: NDArray[np.bool_]
    ranks: Ints
    counts: Ints
    cameras: Ints
    words: Ints


def label_tokens(scene: Scene, times: Floats, grid: int) -> TokenLabels:
    """Labels of `grid` x `grid` tokens of each frame.

    Args:
        scene: The clip.
        times: Of its frames as they are shown; falling where the clip is shown backwards.
        grid: Tokens a side.
    """
    backwards = bool(times[-1] < times[0])
    found = dense_labels(scene, times, grid)
    middles = (np.arange(grid) + 0.5) / grid
    places = found.offsets + np.stack(np.meshgrid(middles, middles), axis=2)
    shape = found.kinds.shape
    text = scene.shots[0].writing
    labels = TokenLabels(
        kinds=found.kinds.astype(np.int64),
        colours=found.colours.astype(np.int64),
        places=places.astype(np.float32),
        motions=np.zeros(shape, np.int64),
        shifts=np.zeros((*shape, 2), np.float32),
        is_shifted=np.zeros(shape, np.bool_),
        ranks=np.zeros(shape, np.int64),
        counts=np.zeros(shape, np.int64),
        cameras=np.full(shape, CAMERAS.get(_way(scene.shots[0].camera.move or "", backwards), 0)),
        words=np.where(found.letters > 0, TEXTS[text.text] if text else 0, 0).astype(np.int64),
    )
    groups = sorted(list_groups(scene), key=lambda group: group.first.appears)
    if backwards and scene.genre in IN_TURN:
        groups.reverse()
    for rank, group in enumerate(groups):
        _label_group(labels, found, group, times, rank=rank)
    return TokenLabels(*(_flatten(getattr(labels, name)) for name in TokenLabels.__slots__))


def may_be_shown_backwards(scene: Scene) -> bool:
    """Whether nothing in it then moves in a combination that is kept from training."""
    actors = [actor for shot in scene.shots for actor in shot.actors]
    return not any(is_held_out(a.kind, a.colour, OPPOSITE[a.motion]) for a in actors)


def _way(move: str, backwards: bool) -> str:
    """How a motion, or a camera's, looks in the order shown."""
    return BACKWARDS.get(move, move) if backwards else move


def _flatten(values: Any) -> Any:
    """(frames, rows, columns, …) to (frames * rows * columns, …)."""
    return values.reshape(-1, *values.shape[3:])


def _label_group(
    labels: TokenLabels, found: DenseLabels, group: Group, times: Floats, *, rank: int
) -> None:
    first = group.first
    mine = (found.kinds == 1 + KINDS.index(first.kind)) & (
        found.colours == 1 + list(COLOURS).index(first.colour)
    )
    if not mine.any():
        return
    motions: Sequence[str] = MOTIONS
    labels.motions[mine] = 1 + motions.index(_way(first.motion, bool(times[-1] < times[0])))
    labels.ranks[mine] = rank
    labels.counts[mine] = group.count
    nearest = np.full(mine.shape, FAR, np.float32)
    for actor in group.actors:  # of several alike, the one whose centre it is
        shifts, was_there = _shifts(actor, times)
        away = np.abs(labels.places - actor.path.at(times)[:, None, None]).sum(-1)
        own = mine & (away < nearest)
        nearest[own] = away[own]
        labels.shifts[own] = np.broadcast_to(shifts[:, None, None], labels.shifts.shape)[own]
        labels.is_shifted[own] = np.broadcast_to(was_there[:, None, None], mine.shape)[own]


def _shifts(actor: Actor, times: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """How far an actor went since the instant before (n, 2), and whether it was there then."""
    places = actor.path.at(times)
    shifts = np.zeros_like(places)
    shifts[1:] = places[1:] - places[:-1]
    if actor.path.wrap is not None:  # the shorter way around
        span = 1 + 2 * actor.path.wrap
        shifts = (shifts + span / 2) % span - span / 2
    was_there = np.zeros(len(times), np.bool_)
    was_there[1:] = (times[:-1] >= actor.appears) & (times[:-1] < actor.vanishes)
    return shifts, was_there
