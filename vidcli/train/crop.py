"""A random part of a video with timed events: fewer frames, and events in its own time.

Source: Vid2Seq (arXiv:2302.14115) section 4.1, random temporal crops. Here the frames are those of
the whole video, of which neighbours are taken, since features are kept; an event belongs to the
part that holds its middle.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from vidcli.core.prompt import SeenFrame
from vidcli.core.time import Span, Timestamp
from vidcli.methods.time_tokens import TimedText
from vidcli.train.frames import Clip

LEAST = 0.5  # of the frames of a video, that a part has
TICK = Fraction(1, 90_000)  # seconds


@dataclass(frozen=True, slots=True)
class Timeline:
    """The timed events of a video.

    Attributes:
        events: In seconds from its start.
        duration: Of it, in seconds.
        is_speech: Whether they are what was said.
        is_masked: Whether some of the steps mask them.
    """

    events: tuple[TimedText, ...]
    duration: Fraction
    is_speech: bool
    is_masked: bool


def choose_part(n: int, rng: random.Random) -> tuple[int, int]:
    """Which neighbours of `n` frames a part has: half-open, at least half of them, never none."""
    length = rng.randint(max(1, round(LEAST * n)), n)
    start = rng.randint(0, n - length)
    return start, start + length


def crop_clip(clip: Clip, part: tuple[int, int], duration: Fraction) -> tuple[Clip, Span]:
    """The frames of a part as a clip of its own, whose time begins at 0.

    Args:
        clip: Of the whole video.
        part: Groups of frames, half-open.
        duration: Of the whole video.

    Returns:
        The part, and where in the video it is: it ends half-way to its neighbours.
    """
    start, stop = part
    times = [group[0].time.seconds for group in clip.shown]
    begins = (times[start - 1] + times[start]) / 2 if start else Fraction(0)
    ends = (times[stop - 1] + times[stop]) / 2 if stop < len(times) else max(duration, times[-1])
    shown = tuple(
        tuple(_shift(frame, begins) for frame in group) for group in clip.shown[start:stop]
    )
    pixels = None if clip.pixels is None else clip.pixels[start:stop]
    return replace(clip, shown=shown, pixels=pixels, duration=ends - begins), Span(begins, ends)


def crop_events(events: Sequence[TimedText], span: Span) -> tuple[TimedText, ...]:
    """The events whose middle is in a part, cut to it, in its own time."""
    return tuple(
        TimedText(
            max(event.start, span.start) - span.start,
            min(event.end, span.end) - span.start,
            event.text,
        )
        for event in events
        if span.start <= (event.start + event.end) / 2 < span.end
    )


def _shift(frame: SeenFrame, by: Fraction) -> SeenFrame:
    seconds = max(Fraction(0), frame.time.seconds - by)
    time = Timestamp(round(seconds / TICK), TICK)
    return replace(frame, time=time, wanted=time.seconds)
