"""From boxes in single frames to things followed through the video.

A box continues the track whose predicted place it overlaps most and whose colours it has: first
the sure boxes, then the unsure ones for tracks that are still without. A track nobody continues is
kept in mind for a while, so that a thing passed by another or missed by the detector stays one.

Not re-identification: a thing that comes back later, or far away, is a new track.

Source: ByteTrack (arXiv:2110.06864), section 3: two thresholds. Differences: places are predicted
by the last velocity instead of a Kalman filter, pairs are made greedily instead of optimally, and
the colours of a box (a histogram) count beside its place, since sampled frames lie further apart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.core.detections import Detection
from vidcli.core.tracks import Box, Track

Image = NDArray[np.uint8]  # RGB (height, width, 3)

SURE, UNSURE = 0.5, 0.1  # scores from which a box begins a track, from which it may continue one
REACH = 0.8  # sizes of a box that its middle may lie beside the predicted place,
SPEED, SPEED_NEW = 0.5, 0.8  # and frame sides a second more; more while its velocity is unknown
DOUBT = 0.1  # of what its place says that stands even where the colours speak against it
ALIKE = 0.1  # similarity (0 to 1) from which a box continues a track
PATIENCE_S = Fraction(2)  # a track stays in mind that long without a box
PATIENCE_FRAMES = 3  # and at least that many frames
HUES, GREYS = 12, 6  # bins of a histogram: coloured pixels by hue, others by brightness
COLOURED = 48  # saturation (0 to 255) from which a pixel counts as coloured
INNER = 0.15  # of a box on every side that is more background than thing
MEMORY = 0.8  # of a track's appearance kept when a new box comes


@dataclass(slots=True)
class _Live:
    """A track that may go on."""

    label: str
    boxes: list[Box]
    appearance: NDArray[np.float64] | None
    velocity: tuple[float, float] | None = None
    missed: int = 0
    sizes: list[float] = field(default_factory=list)

    def predict(self, time: Fraction) -> tuple[float, float]:
        """Where its middle should be."""
        x, y = _middle(self.boxes[-1])
        if self.velocity is None:
            return x, y
        passed = float(time - self.boxes[-1].time.seconds)
        return x + self.velocity[0] * passed, y + self.velocity[1] * passed


class Tracker:
    """Follows things through frames that are handed in one after another.

    Args:
        sure: Score from which a box begins a track.
        unsure: Score from which a box may continue one.
        least: Boxes that make a track; what has fewer is counted in `dropped`.
    """

    def __init__(self, *, sure: float = SURE, unsure: float = UNSURE, least: int = 2) -> None:
        self._sure, self._unsure, self._least = sure, min(unsure, sure), least
        self._live: list[_Live] = []
        self._over: list[_Live] = []

    def add(
        self,
        time: Fraction,
        detections: Sequence[Detection],
        appearances: Sequence[tuple[float, ...]] = (),
    ) -> None:
        """Take in what was found in the next frame.

        Args:
            time: Of the frame; later than the one before.
            detections: All boxes in it, from the score `unsure` on.
            appearances: Of each, from `describe_appearance`; empty where none were taken.
        """
        looks = [np.array(look) if look else None for look in appearances]
        found = list(zip(detections, looks or [None] * len(detections), strict=True))
        sure = [item for item in found if item[0].box.score >= self._sure]
        unsure = [item for item in found if self._unsure <= item[0].box.score < self._sure]
        self._retire(time)
        left, unmatched = _match(self._live, sure, time)
        waiting, _ = _match(left, unsure, time)
        for track in waiting:
            track.missed += 1
        for detection, look in unmatched:
            self._live.append(_Live(detection.label, [detection.box], look))

    def finish(self) -> tuple[Track, ...]:
        """Every track of enough boxes, in the order they began."""
        tracks = [*self._over, *self._live]
        kept = [track for track in tracks if len(track.boxes) >= self._least]
        kept.sort(key=lambda track: (track.boxes[0].time.seconds, track.label, track.boxes[0].x))
        return tuple(
            Track(
                track.label,
                sum(box.score for box in track.boxes) / len(track.boxes),
                tuple(track.boxes),
                () if track.appearance is None else tuple(track.appearance.tolist()),
            )
            for track in kept
        )

    @property
    def dropped(self) -> int:
        """Tracks of too few boxes, so far."""
        tracks = [*self._over, *self._live]
        return sum(len(track.boxes) < self._least for track in tracks)

    def _retire(self, time: Fraction) -> None:
        """Put aside the tracks that nobody continued for too long."""
        kept: list[_Live] = []
        for track in self._live:
            unseen = time - track.boxes[-1].time.seconds
            is_over = unseen > PATIENCE_S and track.missed >= PATIENCE_FRAMES
            (self._over if is_over else kept).append(track)
        self._live = kept


def describe_appearance(image: Image, box: Box) -> tuple[float, ...]:
    """The colours inside a box: shares of pixels by hue, and of grey ones by brightness.

    Args:
        image: The frame.
        box: In shares of it.

    Returns:
        `HUES + GREYS` numbers that sum to 1.
    """
    height, width = image.shape[:2]
    left = min(int((box.x + INNER * box.width) * width), width - 1)
    top = min(int((box.y + INNER * box.height) * height), height - 1)
    right = max(left + 1, round((box.x + (1 - INNER) * box.width) * width))
    bottom = max(top + 1, round((box.y + (1 - INNER) * box.height) * height))
    hue, saturation, value = cv2.split(
        cv2.cvtColor(np.ascontiguousarray(image[top:bottom, left:right]), cv2.COLOR_RGB2HSV)
    )
    is_coloured = (saturation >= COLOURED) & (value >= COLOURED)
    hues = np.bincount((hue[is_coloured].astype(int) * HUES) // 180, minlength=HUES)
    greys = np.bincount((value[~is_coloured].astype(int) * GREYS) // 256, minlength=GREYS)
    counts = np.concatenate([hues, greys]).astype(np.float64)
    return tuple((counts / counts.sum()).tolist())


_Found = tuple[Detection, NDArray[np.float64] | None]


def _match(
    tracks: Sequence[_Live], found: Sequence[_Found], time: Fraction
) -> tuple[list[_Live], list[_Found]]:
    """Continue tracks with boxes, the most alike first; returns the tracks and boxes left over."""
    pairs = [
        (_similarity(track, detection, look, time), i, j)
        for i, track in enumerate(tracks)
        for j, (detection, look) in enumerate(found)
    ]
    taken_tracks, taken_boxes = set[int](), set[int]()
    for similarity, i, j in sorted(pairs, reverse=True):
        if similarity < ALIKE:
            break
        if i in taken_tracks or j in taken_boxes:
            continue
        taken_tracks.add(i)
        taken_boxes.add(j)
        _continue(tracks[i], *found[j])
    return (
        [track for i, track in enumerate(tracks) if i not in taken_tracks],
        [item for j, item in enumerate(found) if j not in taken_boxes],
    )


def _similarity(
    track: _Live, detection: Detection, look: NDArray[np.float64] | None, time: Fraction
) -> float:
    """How well a box continues a track: 0 not at all, 1 in every way."""
    box, last = detection.box, track.boxes[-1]
    if detection.label != track.label:
        return 0.0
    x, y = track.predict(time)
    size = math.sqrt(max(box.width * box.height, last.width * last.height))
    passed = float(box.time.seconds - last.time.seconds)
    reach = REACH * size + passed * (SPEED_NEW if track.velocity is None else SPEED)
    away = math.dist((x, y), _middle(box)) / reach
    if away >= 1:
        return 0.0
    place = (1 - away + _overlap(box, (x - last.width / 2, y - last.height / 2), last)) / 2
    if look is None or track.appearance is None:
        return place
    colours = float(np.minimum(look, track.appearance).sum())  # histogram intersection
    return place * (DOUBT + (1 - DOUBT) * colours)


def _continue(track: _Live, detection: Detection, look: NDArray[np.float64] | None) -> None:
    before, box = track.boxes[-1], detection.box
    passed = float(box.time.seconds - before.time.seconds)
    moved = [(b - a) / passed for a, b in zip(_middle(before), _middle(box), strict=True)]
    old = track.velocity or tuple(moved)
    track.velocity = ((old[0] + moved[0]) / 2, (old[1] + moved[1]) / 2)
    track.boxes.append(box)
    track.missed = 0
    if look is not None and track.appearance is not None:
        track.appearance = MEMORY * track.appearance + (1 - MEMORY) * look


def _overlap(box: Box, corner: tuple[float, float], other: Box) -> float:
    """Intersection over union of a box with another one moved to `corner`."""
    width = min(box.x + box.width, corner[0] + other.width) - max(box.x, corner[0])
    height = min(box.y + box.height, corner[1] + other.height) - max(box.y, corner[1])
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / (box.width * box.height + other.width * other.height - shared)


def _middle(box: Box) -> tuple[float, float]:
    return box.x + box.width / 2, box.y + box.height / 2
