"""From scores to spans: what counts as found, and where it begins."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcli.core.moments import PriorRule
from vidcli.methods.spotting import (
    CERTAIN,
    FLOOR,
    REACH,
    calibrate,
    find_edge,
    find_prior,
    find_runs,
    smooth,
    to_log_odds,
    to_probability,
)

FROM = to_log_odds(0.6)
floats = st.floats(-20, 20)


def find(odds: list[float], rule: PriorRule = PriorRule.AUTO, *, blind: float = -2.0):
    prior = find_prior(rule, odds, blind=blind)
    return find_runs(smooth(calibrate(odds, prior)), threshold=FROM)


def test_a_model_that_says_no_of_grey_pictures_is_believed():
    assert find([-5, -5, 4, 4, -5]) == [(2, 3)]
    assert find([4] * 6) == [(0, 5)]  # an event may fill the whole video


@given(st.floats(0.01, 20), st.lists(st.floats(-0.2, 0.2), min_size=1, max_size=40))
def test_a_constant_yes_finds_nothing(bias: float, noise: list[float]):
    assert find([bias + value for value in noise], blind=bias) == []


def test_a_model_that_says_yes_of_anything_still_finds_what_stands_out():
    odds = [2.0, 2.1, 2.0, 4.5, 4.6, 1.9, 2.0]
    assert find(odds, blind=1.5) == [(2, 5)]
    assert find(odds, PriorRule.NONE) == [(0, 6)]
    assert find(odds, PriorRule.MEDIAN) == [(2, 5)]


def test_each_rule_takes_off_what_it_names():
    odds = [1.0, 2.0, 6.0]
    taken = {
        rule.value: find_prior(rule, odds, blind=blind).log_odds
        for rule, blind in (
            (PriorRule.NONE, None),
            (PriorRule.MEDIAN, None),
            (PriorRule.BLIND, -4.0),
        )
    }
    assert taken == {"none": 0, "median": 2, "blind": -4}
    assert find_prior(PriorRule.AUTO, odds, blind=-4.0).log_odds == 0
    assert find_prior(PriorRule.AUTO, odds, blind=0.5).log_odds == 2  # the median is more
    assert find_prior(PriorRule.AUTO, odds, blind=5.0).log_odds == 5


def test_one_sure_yes_is_found_and_one_weak_yes_is_not():
    assert find([-9, -9, 9, -9, -9]) == [(2, 2)]
    assert find([-9, -9, 0.8, -9, -9]) == []


def test_a_run_goes_on_where_it_nearly_reaches_the_threshold():
    near, far = 2 - REACH + 0.01, 2 - REACH - 0.01
    assert find_runs([near, 2, near, far, near, 2], threshold=2) == [(0, 2), (4, 5)]
    assert find_runs([near, near], threshold=2) == []
    assert find_runs([FLOOR, FROM, FLOOR - 0.01, FROM], threshold=FROM) == [(0, 1), (3, 3)]
    assert find_runs([], threshold=FROM) == []


@given(st.lists(floats, min_size=1, max_size=30), st.floats(-3, 3))
def test_runs_are_in_order_and_apart_and_hold_what_reaches_the_threshold(
    values: list[float], threshold: float
):
    runs = find_runs(values, threshold=threshold)
    assert all(a[1] + 1 < b[0] for a, b in pairwise(runs))
    inside = {number for first, last in runs for number in range(first, last + 1)}
    assert {number for number, value in enumerate(values) if value >= threshold} <= inside
    assert all(values[number] >= threshold - REACH for number in inside)


@given(st.lists(floats, min_size=1, max_size=30))
def test_smoothing_keeps_a_flat_row_and_the_range(values: list[float]):
    smoothed = smooth(values)
    assert len(smoothed) == len(values)
    assert min(values) - 1e-9 <= min(smoothed)
    assert max(smoothed) <= max(values) + 1e-9
    assert smooth([1.5] * 4) == pytest.approx([1.5] * 4)


@pytest.mark.parametrize("rises", [True, False])
def test_an_edge_is_where_yes_and_no_part(rises: bool):
    values = [-3, -2, -3, 3, 2, 3, 3]
    assert find_edge(values if rises else [-value for value in values], rises=rises) == 3
    assert find_edge([3.0] * 5, rises=rises) is None
    assert find_edge([3], rises=rises) is None
    assert find_edge([], rises=rises) is None


def test_looks_that_all_say_no_tell_no_edge():
    assert find_edge([-3.0, -1.5], rises=True) is None
    assert find_edge([-1.5, -3.0], rises=False) is None


def test_one_strange_look_moves_no_edge():
    assert find_edge([-3, 0.5, -3, -3, 3, -0.5, 3, 3], rises=True) == 4


@given(st.floats(-30, 30))
def test_probabilities_and_log_odds_are_inverse(value: float):
    assert to_log_odds(to_probability(value)) == pytest.approx(value, abs=1e-2)
    assert (to_log_odds(0), to_log_odds(1)) == (-math.inf, math.inf)
    assert to_probability(-1000) == 0


def test_certainty_is_bounded():
    prior = find_prior(PriorRule.NONE, [0.0], blind=None)
    assert calibrate([-50, 50], prior) == [-CERTAIN, CERTAIN]
