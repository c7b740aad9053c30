"""MovieChat's memory: order, bounds, the moment asked about, and memory that does not grow."""

import tracemalloc
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pairs import PairCache, load
from tests.sources import PictureSource
from vidcli.core.media import FramePlan
from vidcli.core.results import Timings
from vidcli.core.time import Span
from vidcli.errors import UsageError
from vidcli.methods.memory import (
    COSINE,
    DOT,
    Memory,
    MemoryRecipe,
    count_memory,
    hold,
    merge_down,
)
from vidcli.methods.recipe import Room
from vidcli.methods.registry import METHODS

WHOLE = Span(Fraction(0), Fraction(10))


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def recipe(**options: int | str) -> MemoryRecipe:
    return MemoryRecipe({**METHODS["memory"].defaults, **options})


def alike(a: np.ndarray, b: np.ndarray, similarity: str) -> float:
    """Over every pair of tokens, in plain loops."""
    total = 0.0
    for x in a:
        for y in b:
            length = np.linalg.norm(x) * np.linalg.norm(y) if similarity == COSINE else 1.0
            total += float(x @ y) / length
    return total / (len(a) * len(b))


def reference(frames: list[np.ndarray], keep: int, similarity: str) -> list[np.ndarray]:
    frames = list(frames)
    while len(frames) > keep:
        scores = [alike(a, b, similarity) for a, b in pairwise(frames)]
        at = max(range(len(scores)), key=lambda i: scores[i])
        frames[at : at + 2] = [(frames[at] + frames[at + 1]) / 2]
    return frames


@pytest.mark.parametrize("similarity", [COSINE, DOT])
@pytest.mark.parametrize("keep", [1, 2, 5])
def test_a_fragment_is_merged_as_the_reference_merges_it(similarity: str, keep: int):
    """MovieChat: 8 frames become 2, the most alike neighbours first."""
    frames = [draw(4, 6, seed=i) for i in range(8)]
    made = merge_down([hold(frame, similarity) for frame in frames], keep, similarity)
    expected = reference(frames, keep, similarity)
    assert len(made) == keep
    assert np.allclose([held.tokens for held in made], expected, atol=1e-5)


def test_cosine_and_dot_are_different_likenesses():
    frames = [draw(4, 6, seed=i) * (1 + 9 * (i > 5)) for i in range(8)]
    made = [
        np.stack([h.tokens for h in merge_down([hold(f, how) for f in frames], 2, how)])
        for how in (COSINE, DOT)
    ]
    assert not np.allclose(*made)


@given(st.integers(2, 12), st.integers(1, 11), st.integers(0, 99))
def test_only_neighbours_merge_so_time_stays_in_order(n: int, keep: int, seed: int):
    """MovieChat: every remaining frame is a mean of a run of frames, and the runs are in order."""
    frames = []
    for i in range(n):
        marks = np.zeros((1, n + 3), np.float32)
        marks[0, i] = 1  # survives a merge as a share
        marks[0, n:] = draw(3, seed=seed + i)
        frames.append(marks)
    made = merge_down([hold(f, COSINE) for f in frames], keep, COSINE)
    runs = [np.flatnonzero(held.tokens[0, :n]).tolist() for held in made]
    assert [number for run in runs for number in run] == list(range(n))
    assert len(made) == min(n, keep)


def test_a_constant_clip_collapses_to_equal_tokens():
    """MovieChat: frames that are all the same leave that frame."""
    frame = draw(4, 6)
    memory = Memory(8, 2, 256)
    for _ in range(40):
        memory.add(frame)
    assert len(memory.long) == 10
    assert all(np.array_equal(held.tokens, frame) for held in memory.long)


@given(st.integers(1, 200), st.integers(1, 20))
def test_the_long_memory_is_bounded_and_counted(frames: int, bound: int):
    """MovieChat: the long memory never holds more than its bound, and what is counted is there."""
    memory = Memory(8, 2, bound)
    for i in range(frames):
        memory.add(draw(1, 3, seed=i))
        assert len(memory.long) <= bound
    memory.consolidate()
    assert len(memory.long) == count_memory(frames, fragment=8, keep=2, bound=bound)


def test_2048_frames_take_no_more_memory_than_64():
    """MovieChat: 2 048 frames fit the budget, and memory does not grow with them."""
    peaks = []
    for frames in (64, 2048):
        memory = Memory(8, 2, 16)
        tracemalloc.start()
        for i in range(frames):
            memory.add(draw(64, 64, seed=i))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(memory.long) == 16
    assert peaks[1] < 1.2 * peaks[0]


@pytest.mark.parametrize(("frames", "left"), [(10, 4), (60, 6)])
def test_what_is_injected_is_what_was_counted(frames: int, left: int, pairs: PairCache):
    """MovieChat: the budget of tokens holds, to the token."""
    with load(pairs.get("tiny-idefics3")) as session:
        made = recipe(frames=frames, tokens=100)
        source = PictureSource()
        plan = made.plan(source.info, WHOLE)
        fit = made.fit(plan, session, Room((640, 360), 100, 100))
        watched = made.watch(source, session, fit, store=None, timings=Timings())
        (image,) = watched.shown
        assert image.tokens.n_tokens == fit.shown_tokens == left * 16
        assert len(image.frames) == watched.encoded == frames


def test_breakpoint_mode_sees_the_moment_and_nothing_later(pairs: PairCache):
    """MovieChat: breakpoint mode holds the current frame, and nothing later than it."""
    with load(pairs.get("tiny-idefics3")) as session:
        made = recipe(frames=21, at="5")
        source = PictureSource()
        plan = made.plan(source.info, WHOLE)
        assert plan.frames[-1].time == 5
        fit = made.fit(plan, session, Room((640, 360), 100, 100))
        watched = made.watch(source, session, fit, store=None, timings=Timings())
        (image,) = watched.shown
        assert max(source.decoded) == 5
        assert max(frame.time.seconds for frame in image.frames) == 5
        # 20 frames of the past: 2 whole fragments, 4 frames of the running one, the moment
        assert (fit.shares.long, fit.shares.short, fit.shares.current) == (4, 4, 1)
        assert image.tokens.n_tokens == 9 * 16 == fit.shown_tokens
        now = session.encode([next(source.frames(plan_of(plan, -1), size=fit.size)).image])
        assert np.array_equal(image.tokens.data[-16:], now.data)
        running = session.encode([next(source.frames(plan_of(plan, -2), size=fit.size)).image])
        assert np.array_equal(image.tokens.data[-32:-16], running.data)


def plan_of(plan: FramePlan, at: int) -> FramePlan:
    return replace(plan, frames=(plan.frames[at],))


@pytest.mark.parametrize("at", [0, 5, 9])
@pytest.mark.parametrize("tokens", [16, 48, 4096])
def test_every_moment_fits_every_budget(at: int, tokens: int, pairs: PairCache):
    with load(pairs.get("tiny-idefics3")) as session:
        made = recipe(at=str(at), tokens=tokens)
        source = PictureSource()
        fit = made.fit(made.plan(source.info, WHOLE), session, Room((640, 360), 50, 50))
        watched = made.watch(source, session, fit, store=None, timings=Timings())
        assert watched.shown[0].tokens.n_tokens == fit.shown_tokens <= max(16, tokens)


def test_a_moment_outside_the_video_is_refused():
    with pytest.raises(UsageError, match="is not inside the video"):
        recipe(at="11").plan(PictureSource().info, WHOLE)


def test_a_fragment_must_be_larger_than_what_it_leaves():
    with pytest.raises(UsageError, match="merges nothing"):
        recipe(fragment=2, keep=2)


def test_a_damaged_tail_shortens_the_memory_and_is_told(pairs: PairCache):
    with load(pairs.get("tiny-idefics3")) as session:
        made, source = recipe(frames=16), PictureSource(end=Fraction(4))
        fit = made.fit(made.plan(source.info, WHOLE), session, Room((640, 360), 100, 100))
        watched = made.watch(source, session, fit, store=None, timings=Timings())
        assert len(watched.frames) == 6
        assert watched.warnings == ("file ends at 4.0 s",)
