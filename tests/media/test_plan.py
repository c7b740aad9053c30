"""Promises of the frame plans."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcli import settings
from vidcli.core.media import (
    FramePlan,
    Shot,
    Transition,
    VideoInfo,
    VideoStream,
    measure_coverage,
)
from vidcli.core.time import Span
from vidcli.errors import MediaError, UsageError
from vidcli.media import plan as planning


def video(
    seconds: float | None = 60, rate: Fraction | float | None = 25, *, still: bool = False
) -> VideoInfo:
    stream = VideoStream(
        index=0,
        codec="h264",
        time_base=Fraction(1, 12800),
        coded_size=(320, 180),
        display_size=(320, 180),
        rotation=0,
        sample_aspect_ratio=Fraction(1),
        average_rate=None if rate is None else Fraction(rate),
        is_vfr=False,
        pixel_format="yuv420p",
        color_transfer=None,
        is_hdr=False,
        is_still=still,
        is_interlaced=False,
    )
    length = None if seconds is None else Fraction(seconds)
    return VideoInfo("clip.mp4", "mov", 1000, length, stream)


def span(start: float, end: float) -> Span:
    return Span(Fraction(start), Fraction(end))


def times(plan: FramePlan) -> list[float]:
    return [float(frame.time) for frame in plan.frames]


def shots_at(*cuts: float, end: float) -> tuple[Shot, ...]:
    edges = [0.0, *cuts, end]
    return tuple(Shot(span(a, b), Transition.CUT) for a, b in itertools.pairwise(edges))


spans = st.builds(
    lambda start, length: Span(start, start + length),
    st.fractions(0, 40_000, max_denominator=1000),
    st.fractions(Fraction(1, 50), 40_000, max_denominator=1000),
)
rates = st.none() | st.fractions(Fraction(1, 10), 120, max_denominator=1001)
budgets = st.integers(1, 90)


@st.composite
def spans_with_shots(draw: st.DrawFn) -> tuple[Span, tuple[Shot, ...]]:
    whole = draw(spans)
    parts = draw(st.lists(st.integers(1, 50), min_size=1, max_size=60))
    edges = [whole.start]
    for part in parts:
        edges.append(edges[-1] + whole.length * Fraction(part, sum(parts)))
    cut = Transition.CUT
    return whole, tuple(Shot(Span(a, b), cut) for a, b in itertools.pairwise(edges))


@given(spans, rates, budgets)
def test_uniform_plans_fit_the_budget_and_leave_equal_gaps(whole, rate, budget):
    plan = planning.plan_uniform(video(40_000, rate), whole, budget=budget)
    assert 1 <= len(plan.frames) <= budget
    gaps = {b.time - a.time for a, b in itertools.pairwise(plan.frames)}
    assert len(gaps) <= 1
    assert plan.frames[0].time - whole.start == whole.end - plan.frames[-1].time


@given(spans, rates, st.floats(0.01, 100), budgets)
def test_fps_plans_fit_the_budget_or_say_what_gave_way(whole, rate, fps, budget):
    plan = planning.plan_fps(video(40_000, rate), whole, fps=fps, budget=budget)
    assert len(plan.frames) <= budget
    if not plan.notes and len(plan.frames) > 1:
        wanted = Fraction(fps).limit_denominator(100_000)
        assert {b.time - a.time for a, b in itertools.pairwise(plan.frames)} == {1 / wanted}


@given(spans, st.lists(st.fractions(0, 80_000, max_denominator=500), max_size=200), budgets)
def test_keyframe_plans_hold_only_keyframes(whole, keyframes, budget):
    plan = planning.plan_keyframes(whole, keyframes, budget=budget)
    inside = sorted({time for time in keyframes if time in whole})
    assert len(plan.frames) == min(budget, max(1, len(inside)))
    assert plan.snap == bool(inside)
    if inside:
        assert {frame.time for frame in plan.frames} <= set(inside)
        assert bool(plan.notes) == (len(inside) > budget)


@given(spans_with_shots(), rates, budgets, st.fractions(Fraction(1, 10), 1000, max_denominator=10))
def test_shot_plans_keep_their_promise_or_say_what_gave_way(case, rate, budget, max_gap):
    whole, shots = case
    plan = planning.plan_shots(video(40_000, rate), whole, shots, budget=budget, max_gap=max_gap)
    assert len(plan.frames) <= budget
    if plan.notes:
        assert len(plan.frames) == budget
        return
    seen = [frame.time for frame in plan.frames]
    slack = Fraction(0) if rate is None else 2 / rate  # one instant a frame
    assert measure_coverage(whole, seen).largest_gap.length <= max_gap + slack
    if rate is None:
        assert all(any(time in shot.span for time in seen) for shot in shots)


@given(spans_with_shots(), budgets, budgets)
def test_thinned_plans_keep_first_and_last_and_never_grow(case, budget, fewer):
    whole, shots = case
    plan = planning.plan_shots(video(), whole, shots, budget=budget)
    thin = planning.thin_plan(plan, fewer)
    assert len(thin.frames) == min(fewer, len(plan.frames))
    assert set(thin.frames) <= set(plan.frames)
    if len(thin.frames) > 1:
        assert (thin.frames[0], thin.frames[-1]) == (plan.frames[0], plan.frames[-1])
    assert (thin.notes != plan.notes) == (len(thin.frames) < len(plan.frames))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(2, settings.MIN_FRAMES), (20, 20), (64, 64), (36_000, settings.MAX_FRAMES)],
)
def test_auto_is_a_frame_a_second_between_its_bounds(seconds, expected):
    plan = planning.plan_auto(video(seconds), span(0, seconds))
    assert len(plan.frames) == expected
    assert plan.rule == "uniform"


def test_auto_never_plans_more_frames_than_the_clip_has():
    assert times(planning.plan_auto(video(0.04), span(0, 0.04))) == [0.02]
    assert len(planning.plan_auto(video(0.2), span(0, 0.2)).frames) == 5


def test_a_still_image_is_one_frame_in_every_plan():
    info = video(None, None, still=True)
    whole = planning.choose_span(info)
    plans = [
        planning.plan_auto(info, whole),
        planning.plan_fps(info, whole, fps=10, budget=8),
        planning.plan_shots(info, whole, (), budget=8),
        planning.plan_keyframes(whole, [Fraction(0)], budget=8),
    ]
    assert [len(plan.frames) for plan in plans] == [1, 1, 1, 1]


def test_a_one_frame_clip_is_looked_at_once_by_shots():
    plan = planning.plan_shots(video(0.04), span(0, 0.04), (), budget=8)
    assert [(frame.time, frame.reason) for frame in plan.frames] == [(0, "opening")]


def test_shots_take_opening_closing_and_the_middle_of_each():
    plan = planning.plan_shots(video(20), span(0, 20), shots_at(6, 10, end=20), budget=16)
    assert [(float(f.time), f.reason) for f in plan.frames] == [
        (0, "opening"),
        (3, "shot"),
        (8, "shot"),
        (15, "shot"),
        (19.99, "closing"),
    ]
    assert plan.notes == ()


def test_a_long_still_shot_is_filled_to_the_longest_gap():
    plan = planning.plan_shots(video(100), span(0, 100), (), budget=16, max_gap=Fraction(20))
    seen = [frame.time for frame in plan.frames]
    assert measure_coverage(span(0, 100), seen).largest_gap.length <= 20
    assert "gap fill" in {frame.reason for frame in plan.frames}
    assert len(seen) == 7  # 0, 50, 99.99 and two in each half


def test_a_budget_too_small_for_the_shots_names_how_many_go_unseen():
    shots = shots_at(*range(1, 40), end=40)
    plan = planning.plan_shots(video(40), span(0, 40), shots, budget=10, max_gap=Fraction(3))
    assert len(plan.frames) == 10
    assert "30 of 40 shots have no frame" in plan.notes[0]
    assert "longest unseen stretch" in plan.notes[1]


def test_a_single_frame_of_many_shots_is_the_middle_of_the_longest():
    plan = planning.plan_shots(video(40), span(0, 40), shots_at(2, 4, 34, end=40), budget=1)
    assert times(plan) == [19]


def test_a_tiny_gap_over_ten_hours_is_planned_without_counting_it_out():
    plan = planning.plan_shots(
        video(36_000), span(0, 36_000), (), budget=64, max_gap=Fraction(1, 1000)
    )
    assert len(plan.frames) == 64
    assert any("longest unseen stretch" in note for note in plan.notes)


def test_shots_outside_the_span_are_not_looked_at():
    plan = planning.plan_shots(video(40), span(11, 19), shots_at(10, 20, end=40), budget=16)
    assert times(plan) == [11, 15, 18.99]


def test_a_rate_above_the_budget_is_spread_and_said():
    plan = planning.plan_fps(video(600), span(0, 600), fps=1, budget=60)
    assert times(plan)[:2] == [5, 15]
    assert plan.notes == (
        "1 frames a second would take 600 frames; 60 are spread evenly, one every 10 s",
    )


def test_a_rate_above_the_video_is_said():
    plan = planning.plan_fps(video(2), span(0, 2), fps=60, budget=64)
    assert len(plan.frames) == 50
    assert plan.notes == ("the video has 25 frames a second, fewer than 60",)


def test_thinning_a_uniform_plan_stays_even():
    plan = planning.thin_plan(planning.plan_uniform(video(64), span(0, 64), budget=64), 10)
    gaps = [b - a for a, b in itertools.pairwise(times(plan))]
    assert set(gaps) == {7.0}


def test_a_span_is_cut_to_the_video():
    info = video(60)
    assert planning.choose_span(info, start=Fraction(50), end=Fraction(90)) == span(50, 60)
    assert planning.choose_span(info) == span(0, 60)
    unknown = video(None)
    assert planning.choose_span(unknown, end=Fraction(9)) == span(0, 9)
    with pytest.raises(MediaError, match=r"clip\.mp4 does not say how long"):
        planning.choose_span(unknown)


@pytest.mark.parametrize(("start", "end"), [(5, 5), (9, 3), (60, None), (70, 90)])
def test_a_span_that_shows_nothing_is_a_usage_error(start, end):
    with pytest.raises(UsageError):
        planning.choose_span(
            video(60), start=Fraction(start), end=None if end is None else Fraction(end)
        )


@pytest.mark.parametrize("budget", [0, -1])
def test_a_budget_that_shows_nothing_is_a_usage_error(budget):
    with pytest.raises(UsageError, match="shows nothing"):
        planning.plan_uniform(video(), span(0, 60), budget=budget)
