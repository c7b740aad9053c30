"""Where everything is: boxes of the objects in each frame, and what covers each patch of a grid."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.world.drawings import KINDS
from vidcli.world.lettering import LETTERS, SHIFT, place_letters
from vidcli.world.render import Pose, pose_of, views
from vidcli.world.scene import Actor, Floats, Scene, Shot
from vidcli.world.vocabulary import COLOURS

WHOLE = 1024  # pixels a side in which boxes are measured
FINE = 4  # samples a side that a patch is judged by
COVERED = 0.2  # share of a patch from which on something covers it

_KIND_NUMBERS = {kind: number for number, kind in enumerate(KINDS, 1)}
_COLOUR_NUMBERS = {colour: number for number, colour in enumerate(COLOURS, 1)}


@dataclass(frozen=True, slots=True, eq=False)
class DenseLabels:
    """What covers each patch of each frame; the first axes are (time, row, column).

    Attributes:
        kinds: int16, (t, g, g): 0 for background, else 1 + the index in `KINDS`.
        colours: int16, (t, g, g): 0 for background, else 1 + the index in `COLOURS`.
        offsets: float32, (t, g, g, 2): from the patch's centre to the object's centre, x and y, in
            shares of the frame's side; 0 for background. An object partly outside keeps its centre.
        sizes: float32, (t, g, g): width of the object, share of the frame's side; 0 for background.
        letters: int16, (t, g, g): 0 for none, else 1 + the index in `LETTERS`.
    """

    kinds: NDArray[np.int16]
    colours: NDArray[np.int16]
    offsets: NDArray[np.float32]
    sizes: NDArray[np.float32]
    letters: NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """The boxes of one object.

    Attributes:
        boxes: float32, (t, 4): left, top, right, bottom, cut at the frame's edges; NaN where it is
            not in the frame.
    """

    actor: Actor
    boxes: NDArray[np.float32]


def dense_labels(scene: Scene, times: Floats, grid: int) -> DenseLabels:
    """What covers each of `grid` x `grid` patches at each of `times`; what is in front counts."""
    count = len(times)
    labels = DenseLabels(
        np.zeros((count, grid, grid), np.int16),
        np.zeros((count, grid, grid), np.int16),
        np.zeros((count, grid, grid, 2), np.float32),
        np.zeros((count, grid, grid), np.float32),
        np.zeros((count, grid, grid), np.int16),
    )
    middles = (np.arange(grid) + 0.5) / grid
    centres = np.stack(np.meshgrid(middles, middles), axis=2)  # (g, g, 2): x, y
    for row, time in enumerate(times):
        shot = scene.shot_at(float(time))
        _label_objects(labels, row, shot, float(time), centres)
        if shot.writing:
            _label_letters(labels.letters[row], shot, grid)
    return labels


def track_objects(scene: Scene, times: Floats) -> list[Track]:
    """Boxes of every object at each of `times`."""
    tracks = []
    for shot in scene.shots:
        shown = (times >= shot.start) & (times < shot.end)
        for actor in shot.actors:
            boxes = np.full((len(times), 4), np.nan, np.float32)
            for row in np.flatnonzero(shown):
                if _is_shown(actor, times[row]):
                    boxes[row] = _box(shot, actor, float(times[row]))
            outside = (
                (boxes[:, 2] <= 0) | (boxes[:, 3] <= 0) | (boxes[:, 0] >= 1) | (boxes[:, 1] >= 1)
            )
            boxes[outside] = np.nan
            tracks.append(Track(actor, np.clip(boxes, 0, 1)))
    return tracks


def _is_shown(actor: Actor, time: float) -> bool:
    return actor.appears <= time < actor.vanishes


def _view(shot: Shot, actor: Actor, time: float) -> tuple[NDArray[np.float64], float]:
    """Centre of an actor on the screen, and the magnification."""
    x, y, zoom = views(shot, np.array([time]))[0]
    place = actor.path.at(np.array([time]))[0]
    return (place - (x, y)) * zoom + 0.5, float(zoom)


def _box(shot: Shot, actor: Actor, time: float) -> NDArray[np.float32]:
    centre, zoom = _view(shot, actor, time)
    placed = pose_of(actor, WHOLE).corners((float(centre[0]), float(centre[1])), zoom)
    corners = placed / (WHOLE << SHIFT)
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)]).astype(np.float32)


def _label_objects(labels: DenseLabels, row: int, shot: Shot, time: float, centres: Floats) -> None:
    grid = len(centres)
    side = grid * FINE
    mask = np.zeros((side, side), np.uint8)
    seen = []
    for number, actor in enumerate(shot.actors, 1):
        if not _is_shown(actor, time):
            continue
        centre, zoom = _view(shot, actor, time)
        _fill(mask, pose_of(actor, side), (float(centre[0]), float(centre[1])), zoom, number)
        seen.append((number, actor, centre, zoom))
    for number, actor, centre, zoom in seen:
        share = (mask == number).reshape(grid, FINE, grid, FINE).mean(axis=(1, 3))
        covered = share >= COVERED
        labels.kinds[row][covered] = _KIND_NUMBERS[actor.kind]
        labels.colours[row][covered] = _COLOUR_NUMBERS[actor.colour]
        labels.offsets[row][covered] = (centre - centres)[covered]
        labels.sizes[row][covered] = actor.size * zoom


def _fill(
    mask: NDArray[np.uint8], pose: Pose, centre: tuple[float, float], zoom: float, number: int
) -> None:
    corners = pose.corners(centre, zoom)
    for _, start, end in pose.parts:
        cv2.fillPoly(mask, [corners[start:end]], number, cv2.LINE_8, SHIFT)


def _label_letters(letters: NDArray[np.int16], shot: Shot, grid: int) -> None:
    """Give each patch the letter that covers most of it."""
    assert shot.writing is not None
    best = np.zeros((grid, grid))
    edges = np.arange(grid + 1) / grid
    for letter, box in place_letters(shot.writing, WHOLE).boxes:
        left, top, right, bottom = (side / WHOLE for side in box)
        wide = np.clip(np.minimum(edges[1:], right) - np.maximum(edges[:-1], left), 0, None) * grid
        high = np.clip(np.minimum(edges[1:], bottom) - np.maximum(edges[:-1], top), 0, None) * grid
        share = high[:, None] * wide[None]
        wins = (share >= COVERED) & (share > best)
        letters[wins] = 1 + LETTERS.index(letter)
        best = np.maximum(best, share)
