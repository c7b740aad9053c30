"""Closer looks at edges: a scripted eye that sees an event from one instant to another."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcli.core.media import FramePlan, measure_coverage
from vidcli.core.moments import Prior, PriorRule
from vidcli.core.prompt import ImagePart, SeenFrame, VisualTokens
from vidcli.core.results import CacheUse
from vidcli.core.time import Span, Timestamp
from vidcli.methods.edges import EdgeFinder, coarse_span
from vidcli.methods.sliding import WindowGrid, lay_windows
from vidcli.methods.spotting import calibrate, find_runs, smooth, to_log_odds
from vidcli.methods.watch import Watched

NONE = Prior(PriorRule.NONE, None, 0.0, 0.0)
LENGTH = Fraction(20)


def watch(plan: FramePlan) -> Watched:
    """Every instant as a picture that carries its time."""
    images = tuple(
        ImagePart(
            (SeenFrame(number, Timestamp(at.numerator, Fraction(1, at.denominator)), at, "x"),),
            VisualTokens(np.zeros((1, 4), np.float16), 1),
        )
        for number, at in enumerate((frame.time for frame in plan.frames), 1)
    )
    times = [frame.time for frame in plan.frames]
    return Watched(images, measure_coverage(plan.span, times), CacheUse.OFF, ())


def see(event: Span):
    """Yes where any picture lies in the event."""

    def look(images: Sequence[ImagePart], _span: Span) -> float:
        return 5.0 if any(image.frames[0].wanted in event for image in images) else -5.0

    return look


def find(event: Span, *, rate: Fraction | None = Fraction(25)):
    grid: WindowGrid = lay_windows(Span(Fraction(0), LENGTH), window=Fraction(2), step=Fraction(1))
    images, look = watch(grid.plan).images, see(event)
    odds = []
    for number in range(len(grid.windows)):
        first, past = grid.windows[number]
        odds.append(look(images[first:past], grid.window(number)))
    runs = find_runs(smooth(calibrate(odds, NONE)), threshold=to_log_odds(0.6))
    finder = EdgeFinder(grid, images, NONE, look, watch, rate)
    return grid, runs, finder.refine(runs), finder


@given(
    st.fractions(Fraction(0), Fraction(17), max_denominator=50),
    st.fractions(Fraction(3, 2), Fraction(20), max_denominator=50),
)
def test_edges_come_within_an_eighth_of_a_unit(start: Fraction, length: Fraction):
    event = Span(start, min(LENGTH, start + length))
    grid, runs, found, _ = find(event)
    assert len(runs) == len(found) == 1
    near = grid.unit / 8
    assert abs(found[0].span.start - event.start) <= near or event.start < grid.unit / 2
    assert abs(found[0].span.end - event.end) <= near or LENGTH - event.end < grid.unit / 2


def test_windows_alone_begin_too_early_and_end_too_late():
    event = Span(Fraction(6), Fraction(9))
    grid, runs, found, finder = find(event)
    coarse = coarse_span(grid, runs[0])
    assert coarse.start < event.start
    assert coarse.end > event.end
    assert (found[0].is_start_refined, found[0].is_end_refined) == (True, True)
    assert len(finder.judged) < grid.count
    times = [(look.span.start + look.span.end) / 2 for look in finder.judged]
    assert times == sorted(times)
    assert finder.closer is not None


def test_an_event_that_fills_the_video_has_no_edges():
    _, _, found, finder = find(Span(Fraction(0), LENGTH))
    assert [edges.span for edges in found] == [Span(Fraction(0), LENGTH)]
    assert finder.closer is None


def test_no_more_pictures_are_wanted_than_the_video_has():
    _, _, found, finder = find(Span(Fraction(6), Fraction(9)), rate=Fraction(2))
    assert finder.closer is None
    assert found[0].is_start_refined


def test_what_no_single_picture_shows_keeps_the_edges_of_its_windows():
    grid, runs, _, finder = find(Span(Fraction(6), Fraction(9)))
    blind = EdgeFinder(grid, finder.images, NONE, lambda _images, _span: -5.0, watch, None)
    edges = blind.refine(runs)
    assert [found.span for found in edges] == [coarse_span(grid, runs[0])]
    assert not edges[0].is_start_refined


@pytest.mark.parametrize("gap", [Fraction(3), Fraction(5)])
def test_two_events_do_not_meet(gap: Fraction):
    first, second = Span(Fraction(3), Fraction(6)), Span(6 + gap, Fraction(15))

    def look(images: Sequence[ImagePart], span: Span) -> float:
        return max(see(first)(images, span), see(second)(images, span))

    grid = lay_windows(Span(Fraction(0), LENGTH), window=Fraction(2), step=Fraction(1))
    images = watch(grid.plan).images
    odds = [look(images[a:b], grid.window(n)) for n, (a, b) in enumerate(grid.windows)]
    runs = find_runs(smooth(calibrate(odds, NONE)), threshold=to_log_odds(0.6))
    found = EdgeFinder(grid, images, NONE, look, watch, None).refine(runs)
    assert [float(edges.span.start) for edges in found] == pytest.approx([3, 6 + gap], abs=0.1)
    assert found[0].span.end <= found[1].span.start
