"""Windows over units: they tile, they slide, and what they share is encoded once."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcli.core.prompt import ImagePart, SeenFrame, VisualTokens
from vidcli.core.time import Span, Timestamp
from vidcli.errors import UsageError
from vidcli.methods.sliding import (
    as_clip,
    choose_lengths,
    count_frames,
    images_between,
    lay_windows,
)

SECONDS = st.fractions(Fraction(1, 10), 5000, max_denominator=100)


@given(SECONDS, SECONDS, st.integers(1, 8), st.integers(1, 3))
def test_windows_cover_the_span_and_leave_nothing_between(
    length: Fraction, window: Fraction, frames: int, group: int
):
    span = Span(Fraction(3), 3 + length)
    window = max(window, length * frames / 4000)
    grid = lay_windows(span, window=window, step=window / 2, frames=frames, group=group)
    assert grid.window(0).start == span.start
    assert grid.window(len(grid.windows) - 1).end == span.end
    for (a, b), (c, d) in pairwise(grid.windows):
        assert a < c <= b < d
    times = [frame.time for frame in grid.plan.frames]
    assert times == sorted(set(times))
    assert all(time in span for time in times)
    assert len(times) == grid.count * group


def test_a_span_shorter_than_a_window_is_one_window_with_all_its_frames():
    grid = lay_windows(Span(Fraction(1), Fraction(3)), window=Fraction(60), step=Fraction(30))
    assert grid.windows == ((0, 4),)
    assert grid.window(0) == Span(Fraction(1), Fraction(3))


def test_lengths_go_by_the_video_and_by_each_other():
    span = Span(Fraction(0), Fraction(640))
    assert choose_lengths(span, window=None, step=None) == (20, 10)
    assert choose_lengths(span, window=Fraction(8), step=None) == (8, 4)
    assert choose_lengths(span, window=None, step=Fraction(8)) == (16, 8)
    assert choose_lengths(Span(Fraction(0), Fraction(4)), window=None, step=None)[1] == Fraction(
        1, 2
    )
    with pytest.raises(UsageError, match="unseen"):
        choose_lengths(span, window=Fraction(2), step=Fraction(3))


@pytest.mark.parametrize(
    ("frames", "fps", "expected"),
    [(0, None, 4), (6, None, 6), (0, 0.5, 2), (0, 2.0, 6), (4, 2.0, 4), (9, 2.0, 6), (0, 0.01, 1)],
)
def test_a_window_has_the_frames_that_are_asked_for(frames, fps, expected):
    assert count_frames(Fraction(3), frames=frames, fps=fps) == expected


def test_more_frames_than_memory_should_hold_are_refused():
    with pytest.raises(UsageError, match="28800 frames"):
        lay_windows(Span(Fraction(0), Fraction(7200)), window=Fraction(1), step=Fraction(1))


def image(wanted: int, number: int) -> ImagePart:
    frame = SeenFrame(number, Timestamp(wanted, Fraction(1)), Fraction(wanted), "windows")
    return ImagePart((frame,), VisualTokens(np.zeros((1, 4), np.float16), 1))


def test_a_stretch_without_a_picture_of_its_own_shows_the_one_before():
    images = [image(1, 1), image(2, 2), image(7, 3)]
    shown = [images_between(images, Fraction(a), Fraction(b)) for a, b in ((1, 3), (4, 6), (0, 1))]
    assert shown == [images[:2], [images[1]], [images[0]]]


def test_a_window_is_a_video_of_its_own():
    clip = as_clip([image(5, 9), image(6, 10)], Fraction(11, 2))
    frames = [frame for part in clip for frame in part.frames]
    assert [frame.id for frame in frames] == [1, 2]
    assert [frame.time.seconds for frame in frames] == [0, Fraction(1, 2)]
