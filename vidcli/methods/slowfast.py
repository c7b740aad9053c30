"""SlowFast-LLaVA's tokens: few frames in detail, then all frames in outline.

Both pathways pool what comes out of the projector, as published, so this is exact for every
encoder; only the side of the fast pathway's grid is scaled where an encoder's grid is not 24×24.

Source: SlowFast-LLaVA (arXiv:2407.15841) section 3, and the configuration its authors released
(`slowfast-slow_10frms_spatial_1d_max_pool-fast_4x4`, 50 frames). Models here were not tested by its
authors: call it the SlowFast token scheme, unless the model is LLaVA-1.6.
"""

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from vidcli.core.media import FramePlan, VideoInfo
from vidcli.core.prompt import VisualTokens
from vidcli.core.time import Span
from vidcli.errors import UsageError
from vidcli.methods.arranged import Arranged, plan_indices
from vidcli.methods.recipe import Options
from vidcli.methods.registry import SLOW_POOLS

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "slowfast"
AUTO = "auto"
SHRINK = 6  # sides of the published grids: 24 and 4
PUBLISHED = re.compile(r"slowfast-slow_([0-9]+)frms_([a-z0-9_]+)-fast_([0-9]+x[0-9]+)")
SIDES = re.compile(r"([1-9][0-9]*)x([1-9][0-9]*)")

Grid = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Scheme:
    """The two pathways.

    Attributes:
        slow: Frames of the slow pathway.
        pool: What is done with each of them, one of `SLOW_POOLS`.
        fast: Rows and columns of each frame on the fast pathway; None keeps the published ratio.
    """

    slow: int = 10
    pool: str = SLOW_POOLS[0]
    fast: Grid | None = None

    def fast_grid(self, grid: Grid) -> Grid:
        """Rows and columns of the fast pathway for an encoder's grid."""
        return self.fast or (scale_side(grid[0]), scale_side(grid[1]))


def scale_side(side: int) -> int:
    """A sixth of a side, as the nearest of its even divisors; of its divisors if none is even.

    24 gives 4, 16 and 8 give 2.
    """
    divisors = [n for n in range(1, side + 1) if side % n == 0]
    even = [n for n in divisors if n % 2 == 0] or divisors
    return min(even, key=lambda n: (abs(n * SHRINK - side), n))


def choose_midpoints(total: int, wanted: int) -> list[int]:
    """Frame numbers in the middle of equal segments, by the published formula.

    A video of fewer frames is wanted whole; a number may come twice where segments are short.
    """
    wanted = min(total, wanted)
    size = (total - 1) / wanted
    edges = [int(np.round(size * i)) for i in range(wanted + 1)]
    return [(edges[i] + edges[i + 1]) // 2 for i in range(wanted)]


def choose_slow(frames: int, slow: int) -> list[int]:
    """Which of all frames the slow pathway takes: 0, 5, … 45 of 50; some twice where there are few.

    The quotient is of 32-bit floats, as published.
    """
    return [int(at) for at in np.linspace(0, frames, slow + 1, dtype=np.float32)[:-1]]


def slowfast(features: "NDArray[Any]", scheme: Scheme) -> "NDArray[np.float32]":
    """The slow pathway's tokens, then the fast pathway's.

    Args:
        features: [frames, rows, columns, width], out of the projector.
        scheme: The pathways.

    Returns:
        [tokens, width].
    """
    frames, rows, columns, width = features.shape
    slow = [pool_slow(features[at], scheme.pool) for at in choose_slow(frames, scheme.slow)]
    sides = scheme.fast_grid((rows, columns))
    fast = [pool_to(frame, sides).reshape(-1, width) for frame in features]
    return np.concatenate([*slow, *fast])


def pool_slow(frame: "NDArray[Any]", pool: str) -> "NDArray[np.float32]":
    """One frame [rows, columns, width] as [tokens, width]; an odd last row or column is left."""
    rows, columns, width = frame.shape
    frame = frame.astype(np.float32)
    reduce: Any = np.max if "max" in pool else np.mean
    if pool == "concat":
        return frame.reshape(-1, width)
    if "_1d_" in pool:
        n = rows * columns // 2
        pairs = frame.reshape(-1, width)[: 2 * n].reshape(n, 2, width)
        pooled: NDArray[np.float32] = reduce(pairs, axis=1)
        return pooled
    high, wide = rows // 2, columns // 2
    blocks = frame[: 2 * high, : 2 * wide].reshape(high, 2, wide, 2, width)
    squares: NDArray[np.float32] = reduce(blocks, axis=(1, 3))
    return squares.reshape(-1, width)


def pool_to(frame: "NDArray[Any]", sides: Grid) -> "NDArray[np.float32]":
    """Means over near-equal parts, [rows, columns, width] to [*sides, width]."""
    frame = frame.astype(np.float32)
    bands = [frame[a:b].mean(axis=0) for a, b in split(frame.shape[0], sides[0])]
    return np.stack(
        [[band[a:b].mean(axis=0) for a, b in split(band.shape[0], sides[1])] for band in bands]
    )


def split(length: int, parts: int) -> list[tuple[int, int]]:
    """Starts and ends of adaptive pooling: from floor(i·n/m) to ceil((i+1)·n/m)."""
    return [(i * length // parts, -(-(i + 1) * length // parts)) for i in range(parts)]


def count_slowfast(frames: int, grid: Grid, scheme: Scheme) -> int:
    """Tokens of the two pathways."""
    rows, columns = grid
    each = {"concat": rows * columns}.get(
        scheme.pool,
        rows * columns // 2 if "_1d_" in scheme.pool else (rows // 2) * (columns // 2),
    )
    high, wide = scheme.fast_grid(grid)
    return scheme.slow * each + frames * high * wide


class SlowFast(Arranged):
    """The recipe of `slowfast`."""

    name = NAME
    needs_grid = True

    def __init__(self, frames: int, scheme: Scheme) -> None:
        self.frames = frames
        self.scheme = scheme

    def plan(self, info: VideoInfo, span: Span) -> FramePlan:
        """The middles of equal segments."""
        return plan_indices(info, span, choose_midpoints, frames=self.frames, rule=NAME)

    def scheme_of(self, share: Fraction) -> Scheme:
        """The scheme; where only a share of all frames fits, with that share of the slow ones."""
        return replace(self.scheme, slow=max(1, round(self.scheme.slow * share)))

    def count_tokens(self, frames: int, like: VisualTokens, share: Fraction) -> int:
        """Tokens of both pathways."""
        assert like.grid is not None
        return count_slowfast(frames, like.grid, self.scheme_of(share))

    def transform(self, frames: int, like: VisualTokens, share: Fraction) -> Any:
        """Both pathways of float32 [frames, places, width]."""
        grid, scheme = like.grid, self.scheme_of(share)
        assert grid is not None
        return lambda data: slowfast(data.reshape(len(data), *grid, -1), scheme)


def make_slowfast(options: Options) -> SlowFast:
    """The recipe with these parameters.

    Raises:
        UsageError: The fast pathway's grid is none.
    """
    scheme = Scheme(int(options["slow"]), str(options["pool"]), _read_sides(str(options["fast"])))
    return SlowFast(int(options["frames"]), scheme)


def _read_sides(text: str) -> Grid | None:
    if text == AUTO:
        return None
    sides = SIDES.fullmatch(text)
    if sides is None:
        raise UsageError(f"--method slowfast: fast={text} is no grid", hint="write it as fast=4x4")
    return int(sides[1]), int(sides[2])


def read_published(text: str) -> dict[str, str] | None:
    """Parameters out of the released configurations' own spelling; None where it is no such one."""
    found = PUBLISHED.fullmatch(text)
    if found is None:
        return None
    return {"slow": found[1], "pool": found[2], "fast": found[3]}
