"""Hard cuts, from cells alone: pure numpy.

A cut parts two *sets* of pictures: whatever picture just before it is compared with whatever
picture just after it, every cell differs. A flash does not (the picture comes back), nor does a
body rushing by (the ground shows again), nor flickering light (the same picture, brighter). So the
score of a frame, its novelty, takes for each cell the most alike of nine such pairs; what stands
out of its surroundings is then checked by `measure_unlikeness`, which also lets every cell look
for its like among its neighbours, since things move.

Shot changes as distances between sets of frames are ours; PySceneDetect and FFmpeg compare one
pair. Thresholds come from generated reels (tests/media/reel.py), not from a data set.
"""

import numpy as np
from numpy.typing import NDArray

from vidcli.media.thumbnails import COLUMNS, ROWS, Cells

Scores = NDArray[np.float32]

MIN_NOVELTY = 14.0  # sum of the differences of a cell's four values, mean of all cells
MIN_PROMINENCE = 2.0  # times the usual novelty around it
MIN_CONTRAST = 0.37  # unlikeness over spread
CLEAR_CONTRAST = 0.6  # is so much that less novelty…
CLEAR_NOVELTY = 9.0  # …and less prominence will do: starved pictures have little detail to differ
CLEAR_PROMINENCE = 1.4
STATIC_NOVELTY = 5.0  # is enough between pictures that stand still…
STATIC_USUAL = 0.75  # …as still as this on either side…
STATIC_CHANGED = 1 / 3  # …where this part of all cells changes…
STATIC_STRONG = 1 / 7  # …and this part by `STRONG`: a starved encoder's keyframe changes all a bit
STRONG = 16.0
QUIET = 1.5  # novelty that every source has: coding noise
SPREAD_FLOOR = 8.0  # levels that a uniform picture is taken to vary by
NEIGHBOURS = 10  # frames on either side that tell what is usual
GAINS = (0.75, 1.33)  # changes of light that are no change of picture
C_GREY = 128  # where chroma is counted from
FLASH_S = 0.2
CHUNK = 128  # frames compared at once: what they need stays in a processor's cache

_SHIFTS = np.arange(9)[:, None, None]  # by at most a cell each way; the edge goes on beyond itself
_SHIFTED_ROWS = np.clip(_SHIFTS // 3 - 1 + np.arange(ROWS)[:, None], 0, ROWS - 1)
_SHIFTED_COLUMNS = np.clip(_SHIFTS % 3 - 1 + np.arange(COLUMNS), 0, COLUMNS - 1)


def set_offsets(rate: float) -> tuple[int, ...]:
    """Frames to compare across a possible cut, counted from it; three, fewer below 10 a second."""
    step = max(1, round(rate / 30))
    return tuple(k for k in (0, 2 * step, 4 * step) if k == 0 or k / rate <= FLASH_S)


def find_cuts(cells: Cells, *, rate: float) -> list[int]:
    """Indices of the first frame after each hard cut.

    Args:
        cells: `[frames, 4, 9, 16]`.
        rate: Frames a second, about.
    """
    if len(cells) < 2:
        return []
    offsets = set_offsets(rate)
    apart = measure_novelties(cells, offsets)
    novelty = apart.mean(axis=1)
    before, after = _usual(novelty)
    lower, upper = np.minimum(before, after), np.maximum(before, after)
    prominence = novelty / np.sqrt((lower + QUIET) * (upper + QUIET))
    peaks = _local_maxima(novelty, offsets[-1] + 1)  # a shot shorter than the sets is a flash
    changed = (apart > 2 * QUIET).mean(axis=1) >= STATIC_CHANGED
    changed &= (apart > STRONG).mean(axis=1) >= STATIC_STRONG
    static = (novelty >= STATIC_NOVELTY) & (upper <= STATIC_USUAL) & changed
    bold = (novelty >= MIN_NOVELTY) & (prominence >= MIN_PROMINENCE)
    faint = (novelty >= CLEAR_NOVELTY) & (prominence >= CLEAR_PROMINENCE)
    least = np.where(static, 0, np.where(bold, MIN_CONTRAST, CLEAR_CONTRAST))
    found = []
    for at in np.flatnonzero(peaks & (static | bold | faint)).tolist():
        old, new = sets_around(cells, at, at, offsets)
        if measure_unlikeness(old, new) / measure_spread(old, new) >= least[at]:
            found.append(at)
    return found


def measure_novelties(cells: Cells, offsets: tuple[int, ...]) -> Scores:
    """How new each cell of a frame and those after it is to those before it.

    Args:
        cells: `[frames, 4, 9, 16]`.
        offsets: See `set_offsets`.

    Returns:
        `[frames, cells]`: the difference in the most alike pair; its mean is a frame's novelty.
    """
    flat = cells.reshape(len(cells), cells.shape[1], -1)
    size, reach = len(flat), offsets[-1]
    ends = (flat[:1].repeat(reach + 1, axis=0), flat[-1:].repeat(reach, axis=0))
    padded = np.concatenate([ends[0], flat, ends[1]])
    best = np.full((size, flat.shape[2]), np.inf, np.float32)
    for distance in sorted({1 + back + ahead for back in offsets for ahead in offsets}):
        apart = _differences(padded[:-distance], padded[distance:])
        for back in offsets:
            if distance - 1 - back in offsets:
                np.minimum(best, apart[reach - back : reach - back + size], out=best)
    best[0] = 0
    return best


def measure_spread(old: Cells, new: Cells) -> float:
    """How much the first pictures of two sets vary in themselves: what unlikeness is held against.

    Never below `SPREAD_FLOOR`.
    """
    near = np.stack([old[0], new[0]]).reshape(2, old.shape[1], -1)
    away = np.abs(near - near.mean(axis=2, keepdims=True))
    return SPREAD_FLOOR + float(away.sum(axis=1).mean())


def measure_unlikeness(old: Cells, new: Cells) -> float:
    """Mean difference of a cell to the most alike one, at most a cell away, of the other set.

    Both ways, the larger: a detail that only one side has must count.

    Args:
        old: `[n, 4, 9, 16]`.
        new: `[m, 4, 9, 16]`.
    """
    return max(_one_way(old, new), _one_way(new, old))


def _one_way(from_set: Cells, to_set: Cells) -> float:
    shifted = to_set[..., _SHIFTED_ROWS, _SHIFTED_COLUMNS]  # [m, 4, 9 shifts, 9, 16]
    apart = from_set[:, None, :, None] - shifted  # [n, m, 4, 9 shifts, 9, 16]
    pairs = np.abs(apart, out=apart).sum(axis=2)
    return float(pairs.min(axis=(0, 1, 2)).mean())


def _differences(old: Cells, new: Cells) -> Scores:
    """Difference of each cell, sum of its values; of two readings of the light, the kinder one.

    Args:
        old: `[frames, 4, cells]`.
        new: The same shape.
    """
    apart = np.empty((len(old), old.shape[2]), np.float32)
    for start in range(0, len(old), CHUNK):
        chunk = slice(start, start + CHUNK)
        apart[chunk] = _kinder_differences(old[chunk], new[chunk])
    return apart


def _kinder_differences(old: Cells, new: Cells) -> Scores:
    plain = np.abs(new - old).sum(axis=1)
    energy = np.einsum("fc,fc->f", old[:, 0], old[:, 0])
    gain = np.einsum("fc,fc->f", old[:, 0], new[:, 0]) / np.maximum(energy, 1)
    gain = np.clip(gain, *GAINS)[:, None, None]
    lit = old * gain
    lit[:, 1:3] += C_GREY * (1 - gain)
    other = np.abs(new - lit).sum(axis=1)
    kinder = other.mean(axis=1) < plain.mean(axis=1)
    kindest: Scores = np.where(kinder[:, None], other, plain)
    return kindest


def sets_around(
    cells: Cells, until: int, since: int, offsets: tuple[int, ...]
) -> tuple[Cells, Cells]:
    """Frames up to, not including, `until`, nearest first, and frames from `since` on."""
    last = len(cells) - 1
    old = cells[[max(0, until - 1 - back) for back in offsets]]
    return old, cells[[min(last, since + ahead) for ahead in offsets]]


def _usual(novelty: Scores) -> tuple[Scores, Scores]:
    """Median novelty of the frames before and after each; at an end of the video, of the other."""
    size = len(novelty)
    gap = np.full(NEIGHBOURS, np.nan, np.float32)
    filled = np.concatenate([gap, [np.nan], novelty[1:], gap])  # the first frame has no before
    windows = np.lib.stride_tricks.sliding_window_view(filled, NEIGHBOURS)
    before = _median(windows[:size])
    after = _median(windows[NEIGHBOURS + 1 : NEIGHBOURS + 1 + size])
    before = np.where(np.isnan(before), after, before)
    after = np.where(np.isnan(after), before, after)
    return np.nan_to_num(before), np.nan_to_num(after)


def _median(windows: Scores) -> Scores:
    """Median of each row without its NaNs; NaN where a row holds nothing else."""
    ordered = np.sort(windows, axis=1)  # NaNs last
    count = np.sum(~np.isnan(windows), axis=1)
    rows = np.arange(len(windows))
    low, high = ordered[rows, np.maximum(count - 1, 0) // 2], ordered[rows, count // 2 % NEIGHBOURS]
    return np.where(count == 0, np.nan, np.where(count % 2 == 0, (low + high) / 2, low)).astype(
        np.float32
    )


def _local_maxima(scores: Scores, reach: int) -> NDArray[np.bool_]:
    """Whether each score is the first largest within `reach` frames."""
    edge = np.full(reach, -np.inf, np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([edge, scores, edge]), 2 * reach + 1
    )
    is_peak: NDArray[np.bool_] = windows.argmax(axis=1) == reach
    return is_peak
