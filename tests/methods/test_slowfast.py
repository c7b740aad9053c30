"""SlowFast-LLaVA's tokens against a reference in plain loops, and which models get them."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tests.pairs import PairCache, load
from tests.sources import PictureSource, make_info
from vidcli.core.prompt import Prompt, TextPart, VisualTokens
from vidcli.core.results import Timings
from vidcli.core.time import Span
from vidcli.errors import ModelError, UsageError
from vidcli.methods.arranged import list_instants, refuse_unfit
from vidcli.methods.recipe import Room
from vidcli.methods.registry import SLOW_POOLS, read_method
from vidcli.methods.slowfast import (
    Scheme,
    SlowFast,
    choose_midpoints,
    choose_slow,
    count_slowfast,
    scale_side,
    slowfast,
)


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def reference(features: np.ndarray, *, slow: int, fast: tuple[int, int]) -> np.ndarray:
    """The published scheme, number by number."""
    frames, rows, columns, width = features.shape
    made = []
    for at in [int(frames * i / slow) for i in range(slow)]:
        flat = [features[at, r, c] for r in range(rows) for c in range(columns)]
        for i in range(0, len(flat) - 1, 2):
            made.append([max(flat[i][d], flat[i + 1][d]) for d in range(width)])
    for frame in features:
        for i in range(fast[0]):
            top, bottom = math.floor(i * rows / fast[0]), math.ceil((i + 1) * rows / fast[0])
            for j in range(fast[1]):
                left = math.floor(j * columns / fast[1])
                right = math.ceil((j + 1) * columns / fast[1])
                cell = [frame[r, c] for r in range(top, bottom) for c in range(left, right)]
                made.append(sum(cell) / len(cell))
    return np.array(made, np.float32)


@pytest.mark.parametrize(
    ("side", "fast", "total"), [(24, (4, 4), 3680), (8, (2, 2), 520)], ids=["24x24", "8x8"]
)
def test_slow_and_fast_tokens_equal_the_reference(side: int, fast: tuple[int, int], total: int):
    """A5.1: 3 680 tokens of 24×24, 520 of 8×8, slow block first, slow frames 0, 5, … 45."""
    features = draw(50, side, side, 6)
    made = slowfast(features, Scheme())
    assert made.shape == (total, 6)
    assert count_slowfast(50, (side, side), Scheme()) == total
    assert np.allclose(made, reference(features, slow=10, fast=fast), atol=1e-6)
    assert choose_slow(50, 10) == list(range(0, 50, 5))
    block = side * side // 2
    first = features[0].reshape(-1, 2, 6).max(axis=1)
    assert np.array_equal(made[:block], first)
    assert Scheme().fast_grid((side, side)) == fast


def test_a_grid_that_is_not_square_shrinks_side_by_side():
    """A5.6: rows and columns of a grid each keep the published ratio."""
    features = draw(12, 12, 24, 4)
    made = slowfast(features, Scheme())
    assert Scheme().fast_grid((12, 24)) == (2, 4)
    assert np.allclose(made, reference(features, slow=10, fast=(2, 4)), atol=1e-6)
    assert len(made) == count_slowfast(12, (12, 24), Scheme())


@pytest.mark.parametrize(("side", "scaled"), [(24, 4), (8, 2), (16, 2), (12, 2), (27, 3), (1, 1)])
def test_a_side_shrinks_to_the_nearest_even_divisor_of_a_sixth(side: int, scaled: int):
    assert scale_side(side) == scaled


@pytest.mark.parametrize("pool", SLOW_POOLS)
@pytest.mark.parametrize("grid", [(4, 4), (5, 3)])
def test_every_pool_makes_the_tokens_that_are_counted(pool: str, grid: tuple[int, int]):
    scheme = Scheme(slow=3, pool=pool, fast=(2, 2))
    assert len(slowfast(draw(7, *grid, 2), scheme)) == count_slowfast(7, grid, scheme)


def test_pools_in_two_dimensions_take_squares():
    frame = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    for pool, expected in (
        ("spatial_2d_max_pool", [5, 7, 13, 15]),
        ("spatial_2d_avg_pool", [2.5, 4.5, 10.5, 12.5]),
        ("spatial_1d_avg_pool", [0.5, 2.5, 4.5, 6.5, 8.5, 10.5, 12.5, 14.5]),
    ):
        made = slowfast(frame, Scheme(slow=1, pool=pool, fast=(1, 1)))
        assert made[:-1, 0].tolist() == expected
        assert made[-1, 0] == 7.5


@pytest.mark.parametrize("total", [1, 7, 50, 51, 1000])
def test_midpoints_are_the_published_ones(total: int):
    """A5.2: the middle of each segment over total - 1 frames; short clips are taken whole."""
    wanted = min(total, 50)
    size = float(total - 1) / wanted
    expected = []
    for i in range(wanted):
        start, end = int(np.round(size * i)), int(np.round(size * (i + 1)))
        expected.append((start + end) // 2)
    assert choose_midpoints(total, 50) == expected
    assert len(expected) == min(total, 50)
    assert all(0 <= at < total for at in expected)


@pytest.mark.parametrize("seconds", [Fraction(1, 10), Fraction(7, 10), 5, Fraction(51, 10), 10])
def test_a_clip_shorter_than_the_recipe_repeats_frames(seconds: Fraction):
    """A5.2: clips shorter than T repeat frames without error, and every instant is a frame."""
    recipe = SlowFast(50, Scheme())
    plan = recipe.plan(make_info(), Span(Fraction(0), Fraction(seconds)))
    total = int(seconds * 10)
    numbers = [int(time * 10) for time in list_instants(plan)]
    assert numbers == choose_midpoints(total, 50)
    assert len(slowfast(draw(len(numbers), 8, 8, 2), Scheme())) == 320 + 4 * min(total, 50)


def tokens(**changes: object) -> VisualTokens:
    return VisualTokens(np.zeros((4, 4), np.float16), 4, **{"grid": (2, 2), **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"positions": np.zeros((4, 4), np.int32)}, "M-RoPE"),
        ({"causal": False}, "both ways"),
        ({"splits": ((1, (2,)),)}, "in tiles"),
        ({"grid": None}, "no rows and columns"),
    ],
)
def test_models_without_a_rule_are_refused_with_the_methods_that_work(
    changes: dict[str, object], why: str
):
    """A5.6: refused with the reason and the methods that do work."""
    with pytest.raises(ModelError, match=why) as refused:
        refuse_unfit("slowfast", tokens(**changes), needs_grid=True)
    assert refused.value.hint is not None
    assert refused.value.hint.startswith("these do: uniform, grid")
    refuse_unfit("slowfast", tokens(), needs_grid=True)


def test_the_authors_own_spelling_is_read():
    chosen = read_method("slowfast-slow_8frms_spatial_2d_avg_pool-fast_3x5")
    assert chosen.method is not None
    assert chosen.method.name == "slowfast"
    assert chosen.recipe.scheme == Scheme(8, "spatial_2d_avg_pool", (3, 5))
    assert read_method("slowfast").recipe.scheme == Scheme(10, "spatial_1d_max_pool", None)
    assert read_method("slowfast:slow=4,fast=1x2").recipe.scheme.fast == (1, 2)


@pytest.mark.parametrize(
    "text",
    [
        "slowfast-slow_8frms_wavelet-fast_3x5",
        "slowfast-slow_0frms_concat-fast_3x5",
        "slowfast-slow_8frms",
        "slowfast:fast=0x4",
        "slowfast:fast=4",
    ],
)
def test_a_wrong_spelling_is_refused(text: str):
    with pytest.raises(UsageError):
        _ = read_method(text).recipe


@pytest.mark.parametrize("change", ["swapped pathways", "reversed frames"])
def test_the_order_of_tokens_is_seen(change: str, pairs: PairCache):
    """A5.5: swapping slow and fast, or reversing the frames, changes the logits."""
    with load(pairs.get("tiny-idefics3")) as session:
        recipe, source = SlowFast(10, Scheme(slow=2)), PictureSource()
        plan = recipe.plan(source.info, Span(Fraction(0), Fraction(10)))
        fit = recipe.fit(plan, session, Room((640, 360), 100, 100))
        watched = recipe.watch(source, session, fit, store=None, timings=Timings())
        (image,) = watched.shown
        if change == "reversed frames":
            turned = [replace(i, tokens=o.tokens) for i, o in
                      zip(watched.images, reversed(watched.images), strict=True)]  # fmt: skip
            (other,) = recipe.arranger(fit)(turned)  # type: ignore[misc]
        else:
            data = image.tokens.data
            other = replace(image, tokens=replace(image.tokens, data=np.roll(data, -16, axis=0)))
        assert other.tokens.data.shape == image.tokens.data.shape
        scores = [
            session.score(session.prefill(Prompt((TextPart("See:"), part))), ["yes", "no"])
            for part in (image, other, image)
        ]
        assert scores[0] != scores[1]
        assert scores[0] == scores[2]
