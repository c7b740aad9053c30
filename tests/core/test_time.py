"""Times and ranges of times have one form."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcli.core.time import format_range, format_time, parse_time


@given(st.fractions(min_value=0, max_value=10**6), st.integers(0, 3))
def test_a_time_that_was_written_reads_as_itself_to_its_last_place(seconds: Fraction, places: int):
    read = parse_time(format_time(seconds, decimals=places))
    assert abs(read - seconds) <= Fraction(1, 2 * 10**places)


@pytest.mark.parametrize(
    ("end", "decimals", "text"),
    [(3, 1, "0:01.5–0:03.0"), (75.25, 1, "0:01.5–1:15.3"), (3700, 0, "0:02–1:01:40")],
)
def test_a_range_is_two_times_with_an_en_dash_between(end: float, decimals: int, text: str):
    assert format_range(1.5, end, decimals=decimals) == text


def test_a_range_can_be_ascii():
    assert format_range(0, 1, decimals=0, dash="-") == "0:00-0:01"
