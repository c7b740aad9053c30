"""What the camera does in a shot, from pairs of small pictures taken a moment apart.

Corners all over the picture are followed by sparse optical flow (Lucas and Kanade, there and back);
the movement that most of them share (a similarity: shift, scale, turn; RANSAC) may be the camera's.
As many corners are taken from each part of the picture, so that an object counts by the room it
takes, not by how sharp it is. Whether the movement is the camera's or only an object's is then put
to the picture, part by part: does the later one look more like the earlier one moved along, or like
the earlier one left alone? What still differs is what moves by itself.

An object that moves over a ground without any texture looks just as a camera that follows it would.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.core.camera import CameraMove

Grey = NDArray[np.uint8]  # (height, width)
Floats = NDArray[np.float32]
Points = NDArray[np.float32]  # (n, 2), x and y in pixels

LONG_SIDE = 160  # pixels of the pictures that are compared
CELLS = (6, 8)  # rows, columns of the parts that are looked at one by one
CORNERS_A_CELL = 3
GRAIN = 1.0  # pixels, standard deviation of the blur that noise is taken out with
SHARPNESS = 2e-5  # least eigenvalue of a corner, in OpenCV's unit; less is noise
ROUND_TRIP = 0.5  # pixels by which a corner followed there and back may miss itself
NEAR = 1.0  # pixels from the shared movement within which a corner takes part in it
LEAST_CORNERS = 6
SOFT = 2.0  # pixels, standard deviation of the blur that parts are compared under
BETTER = (0.3, 0.2)  # grey levels and share by which a part must look more alike to have a say
LEAST_PARTS = 1.0  # of 48, that must speak for a moving camera in the mean of a shot
DISSENT = (0.3, 0.3)  # parts, and share of those for it, that may speak against it
CHANGED = 20  # grey levels, of 255, by which a pixel differs for good
SLOW = 0.012  # frame sides a second, below which a camera counts as still
STEADY = 0.6  # share of the way that a camera must keep its direction, to be panning or zooming
ZOOM_REACH = 0.38  # mean distance of a pixel from the middle, in frame sides: what a zoom moves


@dataclass(frozen=True, slots=True)
class Step:
    """What happened between two pictures.

    Attributes:
        pan: Of a moving camera, to the right and down, in frame widths and heights a second; None
            where nothing in the picture could be followed.
        zoom: Natural logarithm of its magnification a second; above 0 things grow.
        for_it: Parts of the picture, of 48, that a moving camera explains better than a still one.
        against_it: Parts that a still one explains better.
        changed: Share of the picture that differs by itself under a still camera, a moving one.
    """

    pan: tuple[float, float] | None
    zoom: float
    for_it: int
    against_it: int
    changed: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Movement:
    """What happens over a shot; see `vidcli.core.camera.ShotDetails`."""

    camera: CameraMove
    pan: tuple[float, float] | None
    zoom: float | None
    motion: float | None


def measure_step(before: Grey, after: Grey, seconds: float) -> Step:
    """Compare two pictures of one size, taken `seconds` apart."""
    before, after = _smooth(before, GRAIN), _smooth(after, GRAIN)
    height, width = before.shape
    moved = _fit(before, after)
    if moved is None:
        changed = _changed(_smooth(before, SOFT), _smooth(after, SOFT), None)
        return Step(None, 0.0, 0, 0, (changed, changed))
    middle = np.array([width / 2, height / 2, 1])
    shift = moved @ middle - middle[:2]
    pan = (float(-shift[0] / width / seconds), float(-shift[1] / height / seconds))
    zoom = math.log(math.hypot(moved[0, 0], moved[1, 0])) / seconds
    return Step(pan, zoom, *_compare(_smooth(before, SOFT), _smooth(after, SOFT), moved))


def name_movement(steps: Sequence[Step]) -> Movement:
    """What the camera does over a shot, and how much moves by itself.

    Args:
        steps: From `measure_step`, in order, all of one shot; may be none.
    """
    if not steps:
        return Movement(CameraMove.UNCLEAR, None, None, None)
    changed = np.mean([step.changed for step in steps], axis=0)
    known = [(step.pan, step.zoom) for step in steps if step.pan is not None]
    if len(known) * 2 < len(steps):
        has_change = changed[0] >= 0.5  # everything changes, nothing can be followed
        camera = CameraMove.UNCLEAR if has_change else CameraMove.STILL
        at_rest = None if has_change else (0.0, 0.0)
        return Movement(camera, at_rest, None if has_change else 1.0, float(changed[0]))
    pans, zooms = np.array([pan for pan, _ in known]), np.array([zoom for _, zoom in known])
    camera = _name(pans, zooms) if _is_camera(steps) else CameraMove.STILL
    if camera is CameraMove.STILL:
        return Movement(camera, (0.0, 0.0), 1.0, float(changed[0]))
    across, down = np.median(pans, axis=0).tolist()
    zoom = math.exp(float(np.median(zooms)))
    return Movement(camera, (across, down), zoom, float(changed[1]))


def _is_camera(steps: Sequence[Step]) -> bool:
    """Whether the parts of the pictures say that it is the camera that moves."""
    for_it = sum(step.for_it for step in steps) / len(steps)
    against_it = sum(step.against_it for step in steps) / len(steps)
    return for_it >= LEAST_PARTS and against_it <= DISSENT[0] + DISSENT[1] * for_it


def _name(pans: NDArray[np.float64], zooms: NDArray[np.float64]) -> CameraMove:
    """What a moving camera does, by its pans [steps, 2] and zooms [steps]."""
    (across, down), zoom = np.median(pans, axis=0), float(np.median(zooms))
    panned, zoomed = math.hypot(across, down), abs(zoom) * ZOOM_REACH
    speeds = np.hypot(*pans.T) + np.abs(zooms) * ZOOM_REACH
    if float(np.median(speeds)) < SLOW:
        return CameraMove.STILL
    if zoomed >= max(panned, SLOW / 2) and _keeps_on(zooms[:, None]):
        return CameraMove.ZOOM_IN if zoom > 0 else CameraMove.ZOOM_OUT
    if panned < SLOW / 2 or not _keeps_on(pans):
        return CameraMove.UNSTEADY
    if abs(across) >= abs(down):
        return CameraMove.RIGHT if across > 0 else CameraMove.LEFT
    return CameraMove.DOWN if down > 0 else CameraMove.UP


def _keeps_on(moves: NDArray[np.float64]) -> bool:
    """Whether movements [steps, axes] go one way: the straight line is most of the way."""
    way = float(np.linalg.norm(moves, axis=1).sum())
    return float(np.linalg.norm(moves.sum(axis=0))) >= STEADY * way


def _fit(before: Grey, after: Grey) -> NDArray[np.float64] | None:
    """The similarity (2, 3) that most corners share; None where too few can be followed."""
    corners = _corners(before)
    if len(corners) < LEAST_CORNERS:
        return None
    there, back = _follow(before, after, corners)
    good = np.linalg.norm(back - corners, axis=1) < ROUND_TRIP
    if good.sum() < LEAST_CORNERS:
        return None
    cv2.setRNGSeed(0)  # RANSAC draws; the same pictures give the same answer
    moved, _ = cv2.estimateAffinePartial2D(
        corners[good], there[good], method=cv2.RANSAC, ransacReprojThreshold=NEAR
    )
    if moved is None or not 0.5 < math.hypot(moved[0, 0], moved[1, 0]) < 2:
        return None
    return np.asarray(moved, np.float64)


def _follow(before: Grey, after: Grey, corners: Points) -> tuple[Points, Points]:
    """Where corners are in the later picture, and where they come back to; lost ones far away."""
    rows = corners[:, None]
    there, seen, _ = cv2.calcOpticalFlowPyrLK(before, after, rows, np.empty_like(rows))
    back, seen_back, _ = cv2.calcOpticalFlowPyrLK(after, before, there, np.empty_like(rows))
    lost = (np.asarray(seen)[:, 0] == 0) | (np.asarray(seen_back)[:, 0] == 0)
    came = np.asarray(back, np.float32)[:, 0]
    came[lost] = np.inf
    return np.asarray(there, np.float32)[:, 0], came


def _corners(picture: Grey) -> Points:
    """The sharpest corners of every part of the picture."""
    sharpness = cv2.cornerMinEigenVal(picture, 3)
    is_peak = (sharpness >= cv2.dilate(sharpness, np.ones((5, 5)))) & (sharpness > SHARPNESS)
    rows, columns = np.nonzero(is_peak)
    cells = rows * CELLS[0] // picture.shape[0] * CELLS[1] + columns * CELLS[1] // picture.shape[1]
    order = np.lexsort((-sharpness[rows, columns], cells))
    cells, rows, columns = cells[order], rows[order], columns[order]
    kept = np.arange(len(cells)) - np.searchsorted(cells, cells) < CORNERS_A_CELL
    return np.stack([columns[kept], rows[kept]], axis=1).astype(np.float32)


def _compare(
    before: Grey, after: Grey, moved: NDArray[np.float64]
) -> tuple[int, int, tuple[float, float]]:
    """How many parts look more like `before` moved along, and like `before` left alone."""
    size = (before.shape[1], before.shape[0])
    along = np.asarray(cv2.warpAffine(before, moved, size), np.uint8)
    inside = np.asarray(cv2.warpAffine(np.full_like(before, 255), moved, size)) == 255
    left, took = (
        np.where(inside, cv2.absdiff(picture, after), 0).astype(np.float32)
        for picture in (before, along)
    )
    # cv2 averages; parts at the rim that are half outside count less, as they should.
    parts = [
        cv2.resize(differs, CELLS[::-1], interpolation=cv2.INTER_AREA) for differs in (left, took)
    ]
    still, moving = (np.asarray(part) for part in parts)
    least, share = BETTER
    changed = (_changed(before, after, None), _changed(along, after, inside))
    return (
        int((still - moving > least + share * still).sum()),
        int((moving - still > least + share * moving).sum()),
        changed,
    )


def _changed(before: Grey, after: Grey, inside: NDArray[np.bool_] | None) -> float:
    """Share of the picture that differs for good, where both show the same place."""
    differs = np.asarray(cv2.absdiff(before, after)) >= CHANGED
    if inside is not None:
        differs = differs[inside]
    return float(differs.mean()) if differs.size else 0.0


def _smooth(picture: Grey, sigma: float) -> Grey:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)
