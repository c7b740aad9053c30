"""Where a line comes or goes between two looks is found in the pictures between them."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from vidcli.core.screen import TextPlace
from vidcli.core.time import Span
from vidcli.methods.screen_edges import find_change
from vidcli.methods.screen_text import measure_change, plan_looks

PLACE = TextPlace(((10, 10), (50, 10), (50, 20), (10, 20)))


def pictures(levels: list[int], *, around: int = 0) -> list[tuple[Fraction, np.ndarray]]:
    """A picture a second: this level in the line's place, another one around it."""
    made = []
    for number, level in enumerate(levels):
        image = np.full((40, 80), around * number, np.int16)
        image[10:21, 10:51] = level
        made.append((Fraction(number), image))
    return made


@pytest.mark.parametrize("first", [1, 2, 3, 4])
def test_a_change_is_where_the_picture_becomes_like_the_last(first: int):
    levels = [0] * first + [200] * (5 - first)
    assert find_change(pictures(levels), PLACE) == first


def test_what_moves_around_the_line_does_not_matter():
    assert find_change(pictures([0, 0, 200, 200], around=60), PLACE) == 2


def test_a_flash_is_no_change():
    assert find_change(pictures([0, 200, 0, 0, 200, 200]), PLACE) == 4


def test_where_nothing_changes_the_look_itself_is_the_time():
    assert find_change(pictures([7, 7, 7]), PLACE) == 2


def test_a_place_outside_the_picture_is_no_error():
    outside = TextPlace(((100, 100), (120, 100), (120, 110), (100, 110)))
    assert find_change(pictures([0, 200]), outside) == 1


@pytest.mark.parametrize(("start", "end", "step"), [(0, 7, 1), (3, 6, 2), (0, "0.2", 1), (0, 9, 9)])
def test_looks_reach_from_the_first_picture_to_the_last(start: int, end: object, step: int):
    span = Span(Fraction(start), Fraction(str(end)))
    times = [frame.time for frame in plan_looks(span, Fraction(step)).frames]
    assert times[0] == span.start
    assert span.end - times[-1] <= Fraction(1, 100)
    gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
    assert all(0 < gap <= step for gap in gaps)


def test_one_letter_is_a_change_wherever_it_stands():
    before = np.full((64, 64), 20, np.uint8)
    for left in range(20, 36):
        now = before.copy()
        now[20:34, left : left + 7 : 2] = 220  # the ink of a letter of a small font
        assert measure_change(before, now).max() > 6
