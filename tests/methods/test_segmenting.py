"""Segments tile the span, keep to their length, and never join what an author parted."""

import itertools
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from vidcli.core.media import Chapter, FramePlan, PlannedFrame, Shot, Transition
from vidcli.core.time import Span
from vidcli.methods.segmenting import (
    CRUMB,
    LONGEST,
    SHORTEST,
    choose_length,
    keep_marks,
    plan_summary,
)


def middle(span: Span, shots: object) -> FramePlan:
    return FramePlan(span, (PlannedFrame((span.start + span.end) / 2, "middle"),), "middle")


def make_shots(*edges: Fraction | int) -> list[Shot]:
    spans = itertools.pairwise(map(Fraction, edges))
    return [Shot(Span(a, b), Transition.CUT) for a, b in spans]


def spans_of(
    *edges: int, longest: int, marks: tuple[Chapter, ...] = ()
) -> list[tuple[float, float]]:
    shots = make_shots(*edges)
    plan = plan_summary(
        Span(Fraction(edges[0]), Fraction(edges[-1])),
        shots,
        longest=Fraction(longest),
        choose_frames=middle,
        rule="shots",
        marks=marks,
    )
    return [(float(s.span.start), float(s.span.end)) for s in plan.segments]


def test_shots_are_grouped_and_cut_only_where_one_is_too_long():
    assert spans_of(0, 5, 10, 15, longest=5) == [(0, 5), (5, 10), (10, 15)]
    assert spans_of(0, 2, 4, 6, 8, longest=5) == [(0, 4), (4, 8)]
    assert spans_of(0, 12, longest=5) == [(0, 4), (4, 8), (8, 12)]
    assert spans_of(0, 1, longest=5) == [(0, 1)]


def test_a_crumb_does_not_stand_alone():
    assert spans_of(0, 5, 6, longest=5) == [(0, 6)]
    assert spans_of(0, 1, 6, longest=5) == [(0, 6)]
    assert spans_of(0, 5, 7, longest=5) == [(0, 5), (5, 7)]


def test_no_segment_lies_in_two_chapters_of_the_author():
    marks = (
        Chapter(Span(Fraction(0), Fraction(3)), "one"),
        Chapter(Span(Fraction(3), Fraction(20)), "two"),
    )
    assert spans_of(0, 10, longest=10, marks=marks) == [(0, 3), (3, 10)]


def test_chapters_that_overlap_or_repeat_are_put_in_order():
    marks = [
        Chapter(Span(Fraction(5), Fraction(20)), ""),
        Chapter(Span(Fraction(0), Fraction(20)), "all"),
        Chapter(Span(Fraction(5), Fraction(9)), "named"),
        Chapter(Span(Fraction(30), Fraction(40)), "outside"),
    ]
    kept = keep_marks(marks, Span(Fraction(1), Fraction(10)))
    assert [(float(m.span.start), float(m.span.end), m.title) for m in kept] == [
        (1, 5, "all"),
        (5, 9, "named"),
    ]


def test_a_length_goes_by_the_video():
    lengths = [choose_length(Span(Fraction(0), Fraction(s))) for s in (1, 240, 36_000)]
    assert lengths == [SHORTEST, 10, LONGEST]


@given(
    st.lists(st.fractions(0, 1000, max_denominator=30), min_size=2, max_size=40, unique=True),
    st.fractions(Fraction(1, 10), 300, max_denominator=10),
    st.lists(st.fractions(0, 1000, max_denominator=30), max_size=6, unique=True),
)
def test_segments_tile_the_span_and_keep_to_their_length(
    edges: list[Fraction], longest: Fraction, marked: list[Fraction]
):
    edges, marked = sorted(edges), sorted(marked)
    span = Span(edges[0], edges[-1])
    marks = [Chapter(Span(a, b), "x") for a, b in itertools.pairwise(marked)]
    plan = plan_summary(
        span,
        make_shots(*edges),
        longest=longest,
        choose_frames=middle,
        rule="shots",
        marks=marks,
    )
    segments = [segment.span for segment in plan.segments]
    assert (segments[0].start, segments[-1].end) == (span.start, span.end)
    assert all(a.end == b.start for a, b in itertools.pairwise(segments))
    assert all(segment.length <= longest * (1 + CRUMB) for segment in segments)
    inside = {edge for mark in plan.marks for edge in (mark.span.start, mark.span.end)}
    assert inside <= {segment.start for segment in segments} | {span.end}
