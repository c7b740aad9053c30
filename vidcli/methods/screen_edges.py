"""When exactly a line comes and goes: between two looks, the picture is looked at more closely.

Inside the line's place every picture is either more like the one before, or more like the one
after. The first of the run that is like the one after is where it changed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.core.media import Frame, FramePlan, PlannedFrame
from vidcli.core.protocols import FrameSource, Progress
from vidcli.core.screen import ScreenLine, TextPlace
from vidcli.core.time import Span
from vidcli.methods.screen_lines import Track

PARTS = 8  # of a step to which an edge is found
LONG_SIDE = 640  # pixels: enough to tell one state from the other
LEAST_CHANGE = 2.0  # levels of 255 over the line's place; less is no change to find

Grey = NDArray[np.int16]  # (height, width)


@dataclass(frozen=True, slots=True)
class Edged:
    """A line, and from when to when it is there."""

    line: ScreenLine
    span: Span


def find_edges(
    source: FrameSource,
    span: Span,
    tracks: Sequence[Track],
    times: Sequence[Fraction],
    *,
    progress: Progress | None = None,
) -> list[Edged]:
    """Find when each line comes and goes, to an eighth of a step.

    Args:
        source: The video.
        span: That was looked at; what is there at its first look comes with it.
        tracks: Lines, by the numbers of looks.
        times: Of the looks.
        progress: Of looking more closely.
    """
    shown = source.info.video.display_size
    scale = min(1.0, LONG_SIDE / max(shown))
    size = (max(1, round(shown[0] * scale)), max(1, round(shown[1] * scale)))
    wanted = _list_gaps(tracks, len(times))
    edges: dict[tuple[int, bool], Fraction] = {}
    for number, (gap, pictures) in enumerate(_look_closely(source, times, wanted, size), start=1):
        for owner, is_end in wanted[gap]:
            line = tracks[owner].latest if is_end else tracks[owner].earliest
            edges[owner, is_end] = find_change(pictures, line.place.scaled(scale))
        if progress is not None:
            progress("find edges", number, len(wanted))
    edged = []
    for number, track in enumerate(tracks):
        start = edges.get((number, False), times[track.first] if track.first else span.start)
        is_last = track.last + 1 == len(times)
        end = edges.get((number, True), span.end if is_last else times[track.last + 1])
        edged.append(Edged(track.choose(), Span(max(start, span.start), min(end, span.end))))
    return edged


def _list_gaps(tracks: Sequence[Track], n_looks: int) -> dict[int, list[tuple[int, bool]]]:
    """By number of the look before it: which lines come (False) or go (True) in a gap."""
    gaps: dict[int, list[tuple[int, bool]]] = {}
    for number, track in enumerate(tracks):
        if track.first:
            gaps.setdefault(track.first - 1, []).append((number, False))
        if track.last + 1 < n_looks:
            gaps.setdefault(track.last, []).append((number, True))
    return dict(sorted(gaps.items()))


def _look_closely(
    source: FrameSource, times: Sequence[Fraction], gaps: Iterable[int], size: tuple[int, int]
) -> Iterator[tuple[int, list[tuple[Fraction, Grey]]]]:
    """Of every gap the pictures from the look before it to the one after it, with their times."""
    gaps = list(gaps)
    instants = sorted(
        {
            times[gap] + (times[gap + 1] - times[gap]) * part / PARTS
            for gap in gaps
            for part in range(PARTS + 1)
        }
    )
    if not instants:
        return
    whole = Span(instants[0], instants[-1] + 1)
    plan = FramePlan(whole, tuple(PlannedFrame(time, "edge") for time in instants), "edges")
    held: list[tuple[Fraction, Grey]] = []
    waiting = iter(gaps)
    gap = next(waiting)
    for frame in source.frames(plan, size=size):
        held.append((frame.time.seconds, _grey(frame)))
        if frame.wanted >= times[gap + 1]:
            yield gap, [entry for entry in held if entry[0] >= times[gap]]
            held = held[-1:]
            following = next(waiting, None)
            if following is None:
                return
            gap = following


def find_change(pictures: Sequence[tuple[Fraction, Grey]], place: TextPlace) -> Fraction:
    """When a place begins to look as it does in the last picture, rather than as in the first.

    Args:
        pictures: (time, grey levels) in order.
        place: In their pixels.
    """
    parts = [(time, _cut(picture, place)) for time, picture in pictures]
    (_, before), (found, after) = parts[0], parts[-1]
    if not after.size or _apart(before, after) < LEAST_CHANGE:
        return found
    for time, part in reversed(parts[1:-1]):
        if _apart(part, after) >= _apart(part, before):
            break
        found = time
    return found


def _cut(picture: Grey, place: TextPlace) -> Grey:
    left, top, right, bottom = place.box
    return picture[max(0, int(top)) : round(bottom) + 1, max(0, int(left)) : round(right) + 1]


def _apart(one: Grey, other: Grey) -> float:
    return float(np.abs(one - other).mean())


def _grey(frame: Frame) -> Grey:
    return np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY), np.int16)
