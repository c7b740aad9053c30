"""Instants spread evenly over a video, and windows that slide over them.

A unit is what the encoder takes at once: a frame, or a group where the family merges neighbours.
Windows are runs of units, so that what two of them share is encoded once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from vidcli.core.media import FramePlan, PlannedFrame
from vidcli.core.prompt import ImagePart, SeenFrame
from vidcli.core.time import Span, Timestamp
from vidcli.errors import UsageError

RULE = "windows"
CLOSER = "closer look"
USUAL_STEPS = 64  # of a video whose length leaves the choice
SHORTEST_STEP = Fraction(1, 2)  # seconds
FRAMES = 4  # of a window
MOST_UNITS = 4096  # their tokens are held in memory: 300 MB for SmolVLM2


@dataclass(frozen=True, slots=True)
class WindowGrid:
    """Units that tile a span, and windows of them.

    Attributes:
        span: What is looked at.
        count: Units in all.
        windows: (first unit, unit after the last) of each, in order.
        size: Units of a window.
        stride: Units from one window to the next.
        group: Frames of a unit.
    """

    span: Span
    count: int
    windows: tuple[tuple[int, int], ...]
    size: int
    stride: int
    group: int = 1

    @property
    def unit(self) -> Fraction:
        """Seconds a unit stands for."""
        return self.span.length / self.count

    def edge(self, number: int) -> Fraction:
        """Where a unit begins; that of `count` is the end of the span."""
        return self.span.start + number * self.unit

    def middle(self, number: int) -> Fraction:
        """The middle of a unit."""
        return self.edge(number) + self.unit / 2

    def window(self, number: int) -> Span:
        """The part of the video that a window shows."""
        first, past = self.windows[number]
        return Span(self.edge(first), self.edge(past))

    @property
    def plan(self) -> FramePlan:
        """The instants of all units."""
        frames = (
            frame
            for number in range(self.count)
            for frame in plan_unit(self.middle(number), self.unit, self.group, reason=RULE)
        )
        return FramePlan(self.span, tuple(frames), RULE)

    def part(self, first: int, past: int) -> FramePlan:
        """The instants of some units in a row."""
        frames = self.plan.frames[first * self.group : past * self.group]
        return FramePlan(Span(self.edge(first), self.edge(past)), frames, RULE)


def plan_unit(
    middle: Fraction, length: Fraction, group: int, *, reason: str
) -> tuple[PlannedFrame, ...]:
    """The instants of one unit: its middle, or the middles of equal parts of it."""
    start, part = middle - length / 2, length / group
    return tuple(
        PlannedFrame(start + (number + Fraction(1, 2)) * part, reason) for number in range(group)
    )


def choose_lengths(
    span: Span, *, window: Fraction | None, step: Fraction | None
) -> tuple[Fraction, Fraction]:
    """How long a window is, and how far it is to the next, where not both are given.

    Raises:
        UsageError: Windows would leave something between them.
    """
    if window is None and step is None:
        step = max(span.length / USUAL_STEPS, SHORTEST_STEP)
    if window is None:
        assert step is not None
        window = 2 * step
    step = window / 2 if step is None else step
    if step > window:
        raise UsageError(
            f"a step of {float(step):g} s leaves parts between windows of {float(window):g} s"
            " unseen",
            hint="give a --step that is no longer than --window",
        )
    return window, step


def count_frames(window: Fraction, *, frames: int, fps: float | None, usual: int = FRAMES) -> int:
    """How many frames a window shows: those of every second, and `frames` of them at most.

    Args:
        window: Seconds it shows.
        frames: 0 where nobody says.
        fps: A second; None where nobody says.
        usual: Where neither is said.
    """
    if fps is None:
        return frames or usual
    wanted = max(1, round(Fraction(fps) * window))
    return min(wanted, frames) if frames else wanted


def lay_windows(
    span: Span, *, window: Fraction, step: Fraction, frames: int = FRAMES, group: int = 1
) -> WindowGrid:
    """Spread units over a span so that windows and steps are whole numbers of them.

    Args:
        span: What is looked at.
        window: Seconds a window shows, about; a span that is shorter is one window, of all frames.
        step: From one window to the next, at most `window`.
        frames: Of a window.
        group: Frames that the encoder takes at once.

    Raises:
        UsageError: There would be more of them than memory should hold.
    """
    window, step = min(window, span.length), min(step, span.length)
    size = max(1, math.ceil(Fraction(frames, group)))
    count = max(1, round(span.length * size / window))
    if count > MOST_UNITS:
        raise UsageError(
            f"windows of {float(window):g} s with {frames} frames each take {count * group} frames",
            hint="give a longer --window, fewer --frames, or a part with --from and --to",
        )
    size = min(size, count)
    stride = min(size, max(1, round(step * count / span.length)))
    firsts = list(range(0, count - size + 1, stride))
    if firsts[-1] + size < count:
        firsts.append(count - size)
    windows = tuple((first, first + size) for first in firsts)
    return WindowGrid(span, count, windows, size, stride, group)


def images_between(images: Sequence[ImagePart], start: Fraction, end: Fraction) -> list[ImagePart]:
    """What is on the screen in `[start, end)`, each picture once.

    Pictures that last are held once, under the first instant that shows them; so a stretch that
    begins without one of its own begins with the one before.

    Args:
        images: In order of time, at least one.
        start: Seconds.
        end: Seconds.
    """
    inside = [image for image in images if start <= image.frames[0].wanted < end]
    before = [image for image in images if image.frames[0].wanted < start]
    return inside or before[-1:] or list(images[:1])


def as_clip(images: Sequence[ImagePart], start: Fraction) -> list[ImagePart]:
    """Pictures as those of a video that begins at `start`: its own times, its own numbers.

    Then what a window shows is all that its score depends on, and not where in the video it lies.
    """
    shown, number = [], 1
    for image in images:
        frames: list[SeenFrame] = []
        for frame in image.frames:
            time = max(Fraction(0), frame.time.seconds - start)
            moment = Timestamp(time.numerator, Fraction(1, time.denominator))
            frames.append(replace(frame, id=number, time=moment))
            number += 1
        shown.append(ImagePart(tuple(frames), image.tokens))
    return shown
