"""Decode planned instants and tell which numbered frames came back, against the plain truth."""

import bisect
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av

from tests.clips import read_number
from vidcli.core.media import Frame, FramePlan, PlannedFrame
from vidcli.core.time import Span
from vidcli.media.decode import decode_plan
from vidcli.media.probe import probe


class Seen(NamedTuple):
    wanted: Fraction
    time: Fraction
    number: int


def plan_of(times: Iterable[Fraction | float | int], *, snap: bool = False) -> FramePlan:
    """A plan for exactly these instants."""
    instants = [Fraction(time) for time in times]
    return FramePlan(
        span=Span(Fraction(0), instants[-1] + 1),
        frames=tuple(PlannedFrame(time, "test") for time in instants),
        rule="test",
        snap=snap,
    )


def decode(
    path: Path,
    times: Iterable[Fraction | float | int],
    *,
    size: tuple[int, int] | None = None,
    snap: bool = False,
    warnings: list[str] | None = None,
) -> list[Frame]:
    warn = (warnings if warnings is not None else []).append
    return list(decode_plan(probe(str(path)), plan_of(times, snap=snap), size=size, warn=warn))


def seen(path: Path, times: Iterable[Fraction | float | int], *, snap: bool = False) -> list[Seen]:
    return [
        Seen(frame.wanted, frame.time.seconds, read_number(frame.image))
        for frame in decode(path, times, snap=snap)
    ]


def timeline(path: Path) -> list[tuple[Fraction, int]]:
    """(seconds from the first frame, number) of every frame, decoded from start to end."""
    shown = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for frame in container.decode(stream):
            tick = frame.pts if frame.pts is not None else frame.dts
            shown.append((tick * stream.time_base, read_number(frame.to_ndarray(format="rgb24"))))
    return [(time - shown[0][0], number) for time, number in shown]


def on_screen(
    shown: Sequence[tuple[Fraction, int]], times: Iterable[Fraction | float | int]
) -> list[Seen]:
    """What `seen` must return: the last frame at or before each instant, each frame once."""
    found: list[Seen] = []
    for wanted in map(Fraction, times):
        place = bisect.bisect_right(shown, (wanted, 1 << 30)) - 1
        time, number = shown[max(place, 0)]
        if not found or found[-1].time != time:
            found.append(Seen(wanted, time, number))
    return found
