"""A closer look adds frames near a moment and keeps order, ids and coverage right."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidcli.core.media import measure_coverage
from vidcli.core.prompt import ImagePart, SeenFrame, VisualTokens
from vidcli.core.results import CacheUse
from vidcli.core.time import Span, Timestamp
from vidcli.methods.near import REACH_S, REASON, drop_images, merge_looks, plan_near
from vidcli.methods.watch import Watched

SPAN = Span(Fraction(0), Fraction(10))
TOKENS = VisualTokens(np.zeros((4, 8), np.float16), n_pos=4)


def watched(*times: float, reason: str = "uniform") -> Watched:
    seconds = [Fraction(time) for time in times]
    images = tuple(
        ImagePart((SeenFrame(i, Timestamp(int(t * 1000), Fraction(1, 1000)), t, reason),), TOKENS)
        for i, t in enumerate(seconds, start=1)
    )
    return Watched(images, measure_coverage(SPAN, seconds), CacheUse.MISS, ())


def times_of(look: Watched) -> list[float]:
    return [float(frame.time.seconds) for frame in look.frames]


def test_a_closer_look_fills_the_unseen_stretch_around_the_moment():
    plan = plan_near(Fraction(5), SPAN, [Fraction(4), Fraction(6)], count=3)
    assert [float(frame.time) for frame in plan.frames] == [4.5, 5.0, 5.5]
    assert {frame.reason for frame in plan.frames} == {REASON}


@given(
    st.fractions(0, Fraction(999, 100)), st.lists(st.fractions(0, 10), max_size=8),
    st.integers(1, 8),
)  # fmt: skip
def test_a_closer_look_holds_the_moment_and_stays_near(
    moment: Fraction, seen: list[Fraction], count: int
):
    plan = plan_near(moment, SPAN, seen, count=count)
    times = [frame.time for frame in plan.frames]
    assert moment in times
    assert len(times) <= count
    assert all(abs(time - moment) <= REACH_S for time in times)


def test_two_looks_become_one_in_time_order_with_new_ids():
    merged = merge_looks(watched(1, 5, 9), watched(4.5, 5, reason=REASON))
    assert times_of(merged) == [1, 4.5, 5, 9]
    assert [frame.id for frame in merged.frames] == [1, 2, 3, 4]
    assert merged.frames[2].reason == REASON
    assert merged.coverage.frames == 4
    assert merged.coverage.largest_gap == Span(Fraction(5), Fraction(9))


def test_what_does_not_fit_is_dropped_evenly_and_the_closer_look_last():
    look = merge_looks(watched(1, 2, 3, 4, 6, 7), watched(5, reason=REASON))
    fewer = drop_images(look, most=4)
    assert times_of(fewer) == [1, 3, 5, 6]
    assert [frame.id for frame in fewer.frames] == [1, 2, 3, 4]
    assert times_of(drop_images(look, most=1)) == [5]
    assert drop_images(look, most=7) is look


def test_the_cache_is_partial_where_the_looks_differ():
    cached = replace(watched(5), cache=CacheUse.HIT)
    assert merge_looks(cached, watched(6)).cache is CacheUse.PARTIAL
    assert merge_looks(watched(5), watched(6)).cache is CacheUse.MISS
