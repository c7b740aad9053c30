from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.byte_model import GrammarDriver
from vidcli.engine.gbnf_numbers import decimal_range, integer_range


def root(rule: str | None) -> str:
    assert rule is not None
    return f"root ::= {rule}\n"


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 0), (0, 99), (-34, 99), (7, 7), (-12, -3), (98, 1002), (-1000, 0), (199, 201), (-1, 1)],
)
def test_exactly_the_integers_between_the_bounds_can_be_written(
    driver: GrammarDriver, low: int, high: int
) -> None:
    grammar = root(integer_range(low, high))
    allowed = [value for value in range(-1101, 1102) if driver.accepts(grammar, str(value))]
    assert allowed == list(range(low, high + 1))


@given(bounds=st.tuples(st.integers(), st.integers()).map(sorted), data=st.data())
def test_integers_of_any_size_keep_to_their_bounds(
    driver: GrammarDriver, bounds: list[int], data: st.DataObject
) -> None:
    low, high = bounds
    grammar = root(integer_range(low, high))
    near = st.sampled_from([low, high, low - 1, high + 1, low // 2, high // 2, -low, -high])
    value = data.draw(near | st.integers(low, high) | st.integers())
    assert driver.accepts(grammar, str(value)) == (low <= value <= high)


@given(bound=st.integers(-(10**16), 10**16), value=st.integers(-(10**14), 10**14))
def test_one_bound_is_enough(driver: GrammarDriver, bound: int, value: int) -> None:
    assert driver.accepts(root(integer_range(bound, None)), str(value)) == (value >= bound)
    assert driver.accepts(root(integer_range(None, bound)), str(value)) == (value <= bound)


@pytest.mark.parametrize("text", ["-0", "00", "007", "+1", "", "-", "1e3", "1.0", " 1"])
def test_integers_are_canonical(driver: GrammarDriver, text: str) -> None:
    assert not driver.accepts(root(integer_range(None, None)), text)


@pytest.mark.parametrize("text", ["-0", "-0.0", ".5", "1.", "01.5", "1e3", "NaN", "--1", ""])
def test_decimals_are_json_numbers(driver: GrammarDriver, text: str) -> None:
    assert not driver.accepts(root(decimal_range(None, None)), text)


def test_empty_ranges_are_told() -> None:
    assert integer_range(3, 2) is None
    assert decimal_range(Decimal(3), Decimal(2)) is None
    assert decimal_range(Decimal(1), Decimal(1), low_open=True) is None
    assert decimal_range(Decimal(0), Decimal(0), high_open=True) is None


BOUND = st.decimals(-1200, 1200, places=3) | st.integers(-30, 30).map(Decimal)


@given(
    bounds=st.tuples(BOUND, BOUND).map(sorted),
    low_open=st.booleans(),
    high_open=st.booleans(),
    data=st.data(),
)
def test_decimals_keep_to_their_bounds(
    driver: GrammarDriver,
    bounds: list[Decimal],
    low_open: bool,
    high_open: bool,
    data: st.DataObject,
) -> None:
    low, high = bounds
    rule = decimal_range(low, high, low_open=low_open, high_open=high_open)
    step = Decimal("0.0001")
    near = st.sampled_from([low, high, low - step, low + step, high - step, high + step])
    value = data.draw(near | st.decimals(low, high, places=4) | BOUND)
    above = value > low if low_open else value >= low
    below = value < high if high_open else value <= high
    text = f"{value:f}" if value else "0"
    if rule is None:
        assert not (above and below)
    else:
        assert driver.accepts(root(rule), text) == (above and below)


@given(bound=BOUND, value=BOUND, is_open=st.booleans())
def test_decimals_with_one_bound(
    driver: GrammarDriver, bound: Decimal, value: Decimal, is_open: bool
) -> None:
    text = f"{value:f}" if value else "0"
    at_least = root(decimal_range(bound, None, low_open=is_open))
    at_most = root(decimal_range(None, bound, high_open=is_open))
    assert driver.accepts(at_least, text) == (value > bound if is_open else value >= bound)
    assert driver.accepts(at_most, text) == (value < bound if is_open else value <= bound)


@given(seed=st.integers(0, 2**32))
def test_numbers_without_bounds_come_to_an_end(driver: GrammarDriver, seed: int) -> None:
    text = driver.write(root(decimal_range(None, None)), seed)
    assert text is not None
    assert len(text) <= len("-") + 9 + len(".") + 6
    assert f"{Decimal(text):f}" == text
