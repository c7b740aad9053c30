"""Windows tile the span; what stands out is found, and nothing where nothing does."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcli.core.media import FramePlan, PlannedFrame
from vidcli.core.time import Span
from vidcli.methods.saliency import (
    choose_window,
    measure_novelty,
    novelty_threshold,
    pick_highlights,
    plan_windows,
)


def middle(span: Span) -> FramePlan:
    return FramePlan(span, (PlannedFrame((span.start + span.end) / 2, "uniform"),), "uniform")


@given(start=st.fractions(0, 100), length=st.fractions("1/10", 500), window=st.fractions("1/2", 60))
def test_windows_tile_the_span_and_frames_lie_in_order(
    start: Fraction, length: Fraction, window: Fraction
):
    span = Span(start, start + length)
    windows, plan = plan_windows(span, length=window, plan_one=middle)
    assert (windows[0].start, windows[-1].end) == (span.start, span.end)
    assert all(a.end == b.start for a, b in pairwise(windows))
    assert all(part.length <= window * Fraction(5, 4) for part in windows)
    assert len(plan.frames) == len(windows)


def test_windows_last_a_second_at_least_and_are_not_too_many():
    assert choose_window(Span(Fraction(0), Fraction(12))) == 1
    assert choose_window(Span(Fraction(0), Fraction(4800))) == 100


def test_novelty_is_the_mean_distance_to_the_other_windows():
    """Against the definition, written out: every pair of frames of every two windows."""
    rng = np.random.default_rng(4)
    groups = [rng.normal(size=(n, 6)).astype(np.float32) for n in (2, 1, 3)]
    groups = [group / np.linalg.norm(group, axis=1, keepdims=True) for group in groups]
    for number, score in enumerate(measure_novelty(groups)):
        means = [
            np.mean([1 - a @ b for a in groups[number] for b in other])
            for i, other in enumerate(groups)
            if i != number
        ]
        assert score == pytest.approx(np.mean(means), abs=1e-5)


def test_what_is_seen_for_a_while_only_is_the_newest():
    usual, event = np.eye(2, 4, dtype=np.float32)[:1], np.eye(2, 4, dtype=np.float32)[1:]
    scores = measure_novelty([usual] * 5 + [event] * 3 + [usual] * 4)
    assert pick_highlights(scores, count=5, threshold=novelty_threshold(scores)) == [(5, 7)]


def test_nothing_stands_out_of_a_still_clip_or_a_single_window():
    still = np.ones((1, 4), np.float32) / 2
    for groups in ([still] * 6, [still]):
        scores = measure_novelty(groups)
        assert pick_highlights(scores, count=5, threshold=novelty_threshold(scores)) == []


@given(
    scores=st.lists(st.floats(0, 1), min_size=1, max_size=30),
    count=st.integers(1, 6),
    threshold=st.floats(0, 1),
)
def test_highlights_are_above_the_threshold_apart_and_best_first(
    scores: list[float], count: int, threshold: float
):
    runs = pick_highlights(scores, count=count, threshold=threshold)
    assert len(runs) <= count
    peaks = [max(scores[first : last + 1]) for first, last in runs]
    assert peaks == sorted(peaks, reverse=True)
    assert all(min(scores[first : last + 1]) >= threshold for first, last in runs)
    inside = [n for first, last in sorted(runs) for n in range(first, last + 1)]
    assert len(inside) == len(set(inside))
    assert all(b[0] > a[1] + 1 for a, b in pairwise(sorted(runs)))
    assert bool(runs) == (max(scores) >= threshold)


def test_a_peak_takes_its_shoulders_and_leaves_its_slopes():
    scores = [0.1, 0.5, 0.9, 1.0, 0.85, 0.3, 0.1, 0.6]
    assert pick_highlights(scores, count=2, threshold=0.2) == [(2, 4), (7, 7)]
