"""Flashes of light, told from transitions and taken out of the cells: pure numpy.

A flash leaves the picture as it was, but for what moved meanwhile. So frames are one where they
are far from the frames on both their sides, while these are close to one another: close by the
distance to the flash itself, and no further apart than as many frames beside it are. Neither test
asks how bright anything is: a camera's flash, lightning, a dropped frame and a picture that breaks
up for a moment are all the same. A cut that hides behind a flash leaves other pictures: it stays.

Not here: light that goes on changing (`vidcli.media.cuts` and `graduals` allow for it).
"""

from collections.abc import Iterable, Iterator

import numpy as np

from vidcli.media.cuts import Scores, measure_unlikeness, set_offsets, sets_around
from vidcli.media.thumbnails import Cells

MIN_EXCURSION = 8.0  # sum of the differences of a cell's four values, mean of all cells
LOOSE_RETURN = 1.5  # the same where cells are compared with themselves only: things move
MAX_RETURN = 0.5  # of the excursion, between the pictures on both sides
MAX_MOTION = 2.0  # times the motion beside it, at the same distance of frames…
MOTION_FLOOR = 3.0  # …and this, of coding noise


def find_flashes(
    cells: Cells, suspects: Iterable[tuple[int, int]], *, rate: float
) -> list[tuple[int, int]]:
    """Frames `[start, end)` of each flash that touches a suspect, in order; they may overlap.

    The longest is what `set_offsets` spans: 4 frames of 25 a second; at one a second, none is.

    Args:
        cells: `[frames, 4, 9, 16]`.
        suspects: (first, last) frame of what looks like a transition. Restless pictures hold
            plenty of what looks like a flash, and nobody takes it for a transition.
        rate: Frames a second, about.
    """
    offsets = set_offsets(rate)
    suspected = np.zeros(len(cells) + 1, np.bool_)
    for first, last in suspects:
        suspected[max(0, first) : last + 1] = True
    return sorted(
        (start, end)
        for start, end in _excursions(cells, longest=offsets[-1])
        if suspected[start : end + 1].any() and _returns(cells, start, end, offsets)
    )


def blend_over(cells: Cells, flashes: Iterable[tuple[int, int]]) -> Cells:
    """A copy in which the frames of each flash are blended from those on both its sides."""
    calm = cells.copy()
    for start, end in _joined(flashes):
        shares = np.arange(1, end - start + 1, dtype=np.float32) / (end - start + 1)
        old, new = cells[start - 1], cells[end]
        calm[start:end] = old + shares[:, None, None, None] * (new - old)
    return calm


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, those that touch as one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _excursions(cells: Cells, *, longest: int) -> Iterator[tuple[int, int]]:
    """`[start, end)` of frames far from both neighbours, which are closer or hardly further."""
    values = cells.reshape(len(cells), -1)
    apart: list[Scores] = [np.zeros(len(cells), np.float32)]  # by frames between
    for k in range(1, longest + 2):
        apart.append(np.abs(values[k:] - values[:-k]).mean(axis=1) * cells.shape[1])
    for length in range(1, longest + 1):
        across = apart[length + 1]  # from the frame before to the frame after
        away = np.zeros_like(across)
        for k in range(1, length + 1):
            back = apart[length + 1 - k][k : k + len(across)]
            np.maximum(away, np.minimum(apart[k][: len(across)], back), out=away)
        far = (away >= MIN_EXCURSION) & (across < LOOSE_RETURN * away)
        yield from ((start + 1, start + 1 + length) for start in np.flatnonzero(far).tolist())


def _returns(cells: Cells, start: int, end: int, offsets: tuple[int, ...]) -> bool:
    """Whether the pictures on both sides of `[start, end)` are alike, as much as motion lets."""
    old, new = sets_around(cells, start, end, offsets)
    across = measure_unlikeness(old, new)
    away = max(
        min(measure_unlikeness(cells[k : k + 1], old), measure_unlikeness(cells[k : k + 1], new))
        for k in range(start, end)
    )
    if across >= MAX_RETURN * away:
        return False
    motion = _motion_beside(cells, start, end, reach=offsets[-1] + 1, offsets=offsets)
    return across <= MAX_MOTION * motion + MOTION_FLOOR


def _motion_beside(
    cells: Cells, start: int, end: int, *, reach: int, offsets: tuple[int, ...]
) -> float:
    """Unlikeness across as many frames before or after `[start, end)`: the larger of the two.

    `reach` frames between keep the sets that are compared clear of the flash.
    """
    motion = 0.0
    if start - reach - (end - start) >= 1:
        since = start - reach
        motion = measure_unlikeness(*sets_around(cells, since - (end - start), since, offsets))
    if end + reach + (end - start) < len(cells):
        until = end + reach
        beside = sets_around(cells, until, until + (end - start), offsets)
        motion = max(motion, measure_unlikeness(*beside))
    return motion
