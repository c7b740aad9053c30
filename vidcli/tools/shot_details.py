"""How shots look: a few pairs of frames of each, and what they say of camera, motion, light, faces.

`plan_pairs` says which instants, `ShotWatcher` takes their frames one after another and holds no
more than two of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.core.camera import CameraMove, ShotDetails
from vidcli.core.media import Frame, FramePlan, PlannedFrame, Shot
from vidcli.core.protocols import Detector
from vidcli.core.time import Span
from vidcli.tools.camera import LONG_SIDE, Step, measure_step, name_movement

PAIRS = 6  # of frames, for each shot
APART_S = Fraction(1, 5)  # seconds between the frames of a pair: a fast pan keeps most of its view
RIM = Fraction(1, 12)  # of a shot at either end, where a gradual transition may still be going on
FACES_EVERY = 2  # pairs of which one frame is searched for faces
BEFORE, AFTER = "first of a pair", "second of a pair"
FACE_SIDE = 640  # pixels of the long side that faces are looked for at

Grey = NDArray[np.uint8]


def plan_pairs(shots: Sequence[Shot], rate: Fraction | None) -> FramePlan:
    """Instants of pairs of frames spread over every shot, two by two.

    Args:
        shots: In order; they tile a span.
        rate: Frames a second; None where unknown.
    """
    planned = [
        PlannedFrame(time, (BEFORE, AFTER)[number % 2])
        for shot in shots
        for number, time in enumerate(_pairs_of(shot.span, rate))
    ]
    span = Span(shots[0].span.start, shots[-1].span.end)
    return FramePlan(span, tuple(planned), "details")


def _pairs_of(span: Span, rate: Fraction | None) -> list[Fraction]:
    """An even number of instants inside a shot; a single one where it holds one frame."""
    frame = 1 / (rate or Fraction(25))
    inner = span.length * (1 - 2 * RIM)
    apart = max(frame, min(APART_S, inner / (2 * PAIRS)))
    count = min(PAIRS, int(inner / (2 * apart)))
    if count < 1:
        return _ends(span, frame)
    start, part = span.start + span.length * RIM, inner / count
    middles = [start + (2 * number + 1) * part / 2 for number in range(count)]
    return [time for middle in middles for time in (middle - apart / 2, middle + apart / 2)]


def _ends(span: Span, frame: Fraction) -> list[Fraction]:
    """Two frames beside each other in a shot of a few; its middle where it has one only."""
    middle = span.start + span.length / 2
    if span.length < 2 * frame:
        return [middle]
    return [middle - frame / 2, middle + frame / 2]


@dataclass(slots=True)
class _Seen:
    """What was seen of one shot."""

    pairs: int = 0
    steps: list[Step] = field(default_factory=list)
    lights: list[float] = field(default_factory=list)
    faces: list[int] = field(default_factory=list)


class ShotWatcher:
    """Takes the frames of `plan_pairs`, and says how each shot looks.

    Args:
        shots: In order.
        plan: From `plan_pairs` of these shots.
        faces: Finds faces; None where there is none.
    """

    def __init__(
        self, shots: Sequence[Shot], plan: FramePlan, *, faces: Detector | None = None
    ) -> None:
        self._spans = [shot.span for shot in shots]
        self._seconds = {planned.time for planned in plan.frames if planned.reason == AFTER}
        self._seen = [_Seen() for _ in shots]
        self._at = 0
        self._faces = faces
        self._before: tuple[Fraction, Grey] | None = None

    def add(self, frame: Frame) -> None:
        """Take in the next frame.

        Raises:
            EngineError: The face detector cannot be run.
        """
        while frame.wanted >= self._spans[self._at].end:
            self._at += 1
            self._before = None
        seen, time = self._seen[self._at], frame.time.seconds
        grey = _shrink(cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False))
        seen.lights.append(float(grey.mean()) / 255)
        if frame.wanted not in self._seconds:
            if self._faces is not None and seen.pairs % FACES_EVERY == 0:
                seen.faces.append(len(self._faces.detect(frame)))
            seen.pairs += 1
        elif self._before is not None and time > self._before[0]:
            sooner, before = self._before
            seen.steps.append(measure_step(before, grey, float(time - sooner)))
        self._before = (time, grey)

    def finish(self) -> tuple[ShotDetails, ...]:
        """How each shot looks, in order; with nothing but UNCLEAR where no frame came."""
        return tuple(map(self._describe, self._seen))

    def _describe(self, seen: _Seen) -> ShotDetails:
        if not seen.lights:
            return ShotDetails(CameraMove.UNCLEAR, None, None, None, None, None, 0)
        movement = name_movement(seen.steps)
        return ShotDetails(
            movement.camera,
            movement.pan,
            movement.zoom,
            movement.motion,
            sum(seen.lights) / len(seen.lights),
            max(seen.faces) if seen.faces else None,
            len(seen.lights),
        )


def _shrink(picture: Grey) -> Grey:
    """A picture no larger than `LONG_SIDE`."""
    height, width = picture.shape
    scale = LONG_SIDE / max(height, width)
    if scale >= 1:
        return picture
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
