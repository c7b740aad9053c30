"""Fades and dissolves, from cells alone: pure numpy.

A fade sinks into a uniform black or white and rises from it: found at that run of uniform frames,
grown outward for as long as the picture gets further from it.

While a dissolve lasts, every frame is a mix of the pictures at its two ends, and the share of the
later one grows steadily. A move of camera or bodies is no mix; a slow change that goes on outside
the window, before or after, is no transition; a change of light leaves the picture alike.

Not here: wipes and other effects; they are seen as a cut or not at all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidcli.core.media import Transition
from vidcli.media.cuts import C_GREY, CHUNK, FLASH_S, measure_spread, measure_unlikeness
from vidcli.media.thumbnails import Cells

BLACK, WHITE = 28.0, 222.0  # mean luma, of 16 to 235
UNIFORM = 6.0  # standard deviation of luma over the whole picture
MIN_RAMP = 3  # frames
MIN_RISE = 12.0  # levels, three values of a cell, that a picture is at least from black or white
RAMP_S = 2.0
PAUSE_S = 2.0  # a longer uniform run is a shot of its own
LARGEST_STEP = 0.6  # of a ramp in one frame: more is a cut to black

LENGTHS = (10, 16, 24, 48, 80)  # frames a window spans at up to 30 frames a second
MIN_RATE = 12.0  # frames a second; fewer do not show whether a change is steady
SAMPLES = 5  # looked at inside a window
MIN_CHANGE = 8.0  # levels, three values of a cell, from end to end
MAX_RESIDUE = 0.4  # of that change: what the mix does not explain
STEPS = (-0.12, 0.45)  # by which the share may grow from sample to sample; evenly would be 1/6
MIN_UNLIKENESS = 22.0
MIN_CONTRAST = 0.45
CONTRAST_PER_RESIDUE = 2.7  # the worse the mix explains it, the more unlike the ends must be
MIN_MIX = 5  # frames
MAX_JUMP = 0.4  # of the share, in one frame
SHARE_EDGE = 0.1  # of the later picture: less is none, and as little less than all is all
BLACK_LEVEL = 16
LIGHTS = (0.4, 2.5)  # changes of light that are no change of picture
MAX_OUTSIDE = 0.65  # unlikeness across a stretch as long, just outside, by the one inside


@dataclass(frozen=True, slots=True)
class Change:
    """A transition: on screen for frames `[start, end)`, the new shot counted from `at`."""

    kind: Transition
    start: int
    end: int
    at: int


def find_fades(cells: Cells, *, rate: float, opens: bool, ends: bool) -> list[Change]:
    """Fades through black or white.

    Args:
        cells: `[frames, 4, 9, 16]`.
        rate: Frames a second, about.
        opens: Whether the first frame is the video's first.
        ends: Whether the last frame is the video's last. A fade at either end of the video is
            given with `at` on that end: it parts no two shots.
    """
    changes = []
    for start, end in _uniform_runs(cells):
        fall = _ramp(cells, start, -1, rate)
        rise = _ramp(cells, end - 1, 1, rate)
        if not fall and not rise:
            continue
        whole = (start - fall, end + rise)
        if end - start > PAUSE_S * rate:
            if fall:
                changes.append(Change(Transition.FADE, whole[0], start, start))
            if rise:
                changes.append(Change(Transition.FADE, end, whole[1], end))
        elif opens and start == 0:
            changes.append(Change(Transition.FADE, *whole, at=0))
        elif ends and end == len(cells):
            changes.append(Change(Transition.FADE, *whole, at=end))
        elif (fall and rise) or end - start > FLASH_S * rate:  # else a flash in restless light
            middle = (start + end) // 2 if fall and rise else end if fall else start
            changes.append(Change(Transition.FADE, *whole, at=middle))
    return changes


def _uniform_runs(cells: Cells) -> list[tuple[int, int]]:
    """`[start, end)` of each run of black or white frames."""
    luma = cells[:, 0].reshape(len(cells), -1)
    inside = (cells[:, 3] ** 2).reshape(len(cells), -1).mean(axis=1)
    spread = np.sqrt(luma.var(axis=1) + inside)
    mean = luma.mean(axis=1)
    uniform = (spread < UNIFORM) & ((mean < BLACK) | (mean > WHITE))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], uniform, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _ramp(cells: Cells, veil: int, direction: int, rate: float) -> int:
    """Frames from the uniform frame `veil` outward over which the picture gets away from it."""
    reach = int(RAMP_S * rate)
    stop = veil + direction * (reach + 1)
    frames = cells[veil : max(stop, 0) if stop >= 0 else None : direction, :3]
    away = np.abs(frames - frames[0]).mean(axis=(2, 3)).sum(axis=1)
    length = 0
    while length + 1 < len(away) and away[length + 1] > away[length] * 1.01 + 0.05:
        length += 1
    steps = np.diff(away[: length + 1])
    if length < MIN_RAMP or away[length] < MIN_RISE or steps.max() > LARGEST_STEP * away[length]:
        return 0
    return length


def find_dissolves(cells: Cells, *, rate: float) -> list[Change]:
    """Dissolves from 0.3 to about 3 seconds; none below `MIN_RATE` frames a second.

    Args:
        cells: `[frames, 4, 9, 16]`.
        rate: Frames a second, about.
    """
    if rate < MIN_RATE:
        return []
    step = max(1, round(rate / 30))
    found: list[tuple[float, Change]] = []
    for length in LENGTHS:
        for start, residue in _steady_mixes(cells, length * step):
            end = start + length * step
            strength = _strength(cells, start, end, residue)
            change = _locate(cells, start, end) if strength > 0 else None
            if change is not None:
                found.append((strength, change))
    return _strongest(found)


def _steady_mixes(cells: Cells, length: int) -> list[tuple[int, float]]:
    """(start, residue) of windows of `length` frames in which the last frame steadily mixes in.

    Of windows that start close together, only the one where the mix explains most.
    """
    count = len(cells) - length
    if count < 1:
        return []
    values = np.ascontiguousarray(cells[:, :3]).reshape(len(cells), -1)
    size = np.abs(values[length:] - values[:-length]).mean(axis=1) * 3
    explained = np.full(count, -np.inf)
    residue = np.zeros(count, np.float32)
    large = np.flatnonzero(size >= MIN_CHANGE)
    for chunk in range(0, len(large), CHUNK):
        starts, left = _steady_windows(values, large[chunk : chunk + CHUNK], length)
        residue[starts] = left / (size[starts] + 1e-6)
        explained[starts] = size[starts] * (1 - residue[starts])
    explained[residue > MAX_RESIDUE] = -np.inf
    best = _best_apart(explained, max(2, length // 4))
    return [(start, float(residue[start])) for start in best]


def _steady_windows(
    values: NDArray[np.float32], starts: NDArray[np.intp], length: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Of windows of `length` frames, those in which the share of the last frame grows steadily.

    Args:
        values: `[frames, values]`.
        starts: First frame of each window.
        length: Of every window.

    Returns:
        First frame of each that is left; what the mix does not explain, as `size` is measured.
    """
    first = values[starts]
    change = values[starts + length] - first
    energy = np.einsum("fc,fc->f", change, change) + 1e-6
    share, residue = np.zeros((2, len(starts)), np.float32)
    for sample in range(1, SAMPLES + 2):
        moved = values[starts + round(length * sample / (SAMPLES + 1))] - first
        grown = np.einsum("fc,fc->f", moved, change) / energy
        moved -= np.clip(grown, 0, 1)[:, None] * change
        residue += np.abs(moved).mean(axis=1) * (3 / SAMPLES)
        steady = (grown - share > STEPS[0]) & (grown - share < STEPS[1])
        starts, first, change, energy, share, residue = (
            kept[steady] for kept in (starts, first, change, energy, grown, residue)
        )
    return starts, residue


def _best_apart(scores: NDArray[np.floating], reach: int) -> list[int]:
    """Indices of the finite scores that are the largest within `reach`."""
    edge = np.full(reach, -np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([edge, scores, edge]), 2 * reach + 1
    )
    return np.flatnonzero((windows.argmax(axis=1) == reach) & np.isfinite(scores)).tolist()


def _strength(cells: Cells, start: int, end: int, residue: float) -> float:
    """Unlikeness across `[start, end)`; 0 where the pictures are alike or change outside as much.

    `residue` is the part of the change that the mix does not explain.
    """
    span = end - start
    old, new = _around(cells, start, end)
    inside = _unlikeness_relit(old, new)
    least = max(MIN_CONTRAST, CONTRAST_PER_RESIDUE * residue)
    if inside < MIN_UNLIKENESS or inside / measure_spread(old, new) < least:
        return 0.0
    before = measure_unlikeness(*_around(cells, max(0, start - span), start))
    after = measure_unlikeness(*_around(cells, end, min(len(cells) - 1, end + span)))
    return inside if max(before, after) <= MAX_OUTSIDE * inside else 0.0


def _unlikeness_relit(old: Cells, new: Cells) -> float:
    """Unlikeness as the pictures are, or with the old ones lit like the new: the smaller."""
    light = (float(new[:, 0].mean()) - BLACK_LEVEL) / max(1, float(old[:, 0].mean()) - BLACK_LEVEL)
    gain = min(max(light, LIGHTS[0]), LIGHTS[1])
    lit = old * gain
    lit[:, 0] += BLACK_LEVEL * (1 - gain)
    lit[:, 1:3] += C_GREY * (1 - gain)
    return min(measure_unlikeness(old, new), measure_unlikeness(lit, new))


def _around(cells: Cells, start: int, end: int) -> tuple[Cells, Cells]:
    """Three frames up to `start`, nearest first, and three from `end` on."""
    last = len(cells) - 1
    old = cells[[max(0, start - back) for back in (0, 2, 4)]]
    return old, cells[[min(last, end + ahead) for ahead in (0, 2, 4)]]


def _locate(cells: Cells, start: int, end: int) -> Change | None:
    """The dissolve inside a window: while the share of the later picture is not none or all.

    None where the share jumps: that is a cut, or a flash.
    """
    values = cells[start : end + 1, :3].reshape(end + 1 - start, -1)
    change = values[-1] - values[0]
    share = (values - values[0]) @ change / (change @ change)
    first = int(np.flatnonzero(share <= SHARE_EDGE)[-1]) + 1 if share[0] <= SHARE_EDGE else 0
    after = np.flatnonzero(share[first:] >= 1 - SHARE_EDGE)
    last = first + int(after[0]) if len(after) else len(share) - 1
    if last - first < MIN_MIX or np.abs(np.diff(share)).max() > MAX_JUMP:
        return None
    middle = int(np.argmin(np.abs(share[first : last + 1] - 0.5))) + first
    return Change(Transition.DISSOLVE, start + first, start + last, start + middle)


def _strongest(found: list[tuple[float, Change]]) -> list[Change]:
    """Of changes that overlap, the strongest, in order of time."""
    kept: list[Change] = []
    for _, change in sorted(found, key=lambda item: -item[0]):
        if all(change.end <= other.start or other.end <= change.start for other in kept):
            kept.append(change)
    return sorted(kept, key=lambda change: change.at)
