"""Numbers between bounds, digit by digit, as GBNF.

Written numbers are canonical: no leading zeros, no exponent, no minus zero. A side without a bound
is cut at a length that a double still tells apart, which also ends a model that loops on digits.
"""

from decimal import Decimal

from vidcli.engine.gbnf import any_of

DIGITS = 15  # every decimal of this many significant digits is a distinct double
WHOLE_DIGITS = 9  # before the point, of a number without a bound
PLACES = 6  # behind the point, unless a bound has more
ANY_DIGIT = "[0-9]"


def integer_range(low: int | None, high: int | None) -> str | None:
    """Integers from `low` to `high`, both included; None where there are none.

    A missing bound stands for 15 digits, or one more than the other bound has.
    """
    alternatives = []
    if low is None or low < 0:
        least = 1 if high is None or high >= 0 else -high
        negative = _natural_range(least, None if low is None else -low)
        alternatives += [f'"-" {negative}'] if negative else []
    if high is None or high >= 0:
        natural = _natural_range(max(low or 0, 0), high)
        alternatives += [natural] if natural else []
    return any_of(alternatives) if alternatives else None


def decimal_range(
    low: Decimal | None, high: Decimal | None, *, low_open: bool = False, high_open: bool = False
) -> str | None:
    """Decimal numbers between two bounds; None where there are none.

    Args:
        low: Least value; None for none.
        high: Greatest value; None for none.
        low_open: Leave `low` itself out.
        high_open: Leave `high` itself out.
    """
    if low is not None and high is not None and low > high:
        return None
    bounds = [bound for bound in (low, high) if bound is not None]
    places = _places(bounds, is_open=low_open or high_open)
    alternatives = []
    if low is None or low < 0:
        below = high is not None and high < 0
        least = -high if high is not None and below else Decimal(0)
        most = None if low is None else -low
        magnitude = _magnitude(least, most, high_open if below else True, low_open, places)
        alternatives += [f'"-" {magnitude}'] if magnitude else []
    if high is None or high >= 0:
        positive = low is not None and low >= 0
        least = low if low is not None and positive else Decimal(0)
        magnitude = _magnitude(least, high, low_open and positive, high_open, places)
        alternatives += [magnitude] if magnitude else []
    return any_of(alternatives) if alternatives else None


def _places(bounds: list[Decimal], *, is_open: bool) -> int:
    """Digits behind the point: enough to write the bounds, few enough to stay exact."""
    written = max((len(_split(abs(bound))[1]) for bound in bounds), default=0)
    whole = max([WHOLE_DIGITS, *(len(str(int(abs(bound)))) + 1 for bound in bounds)])
    if len(bounds) == 2:
        whole = max(len(str(int(abs(bound)))) for bound in bounds)
    return max(written, min(max(PLACES, written + is_open), DIGITS - whole))


def _split(value: Decimal) -> tuple[int, str]:
    """Whole part and the digits behind the point, without trailing zeros."""
    whole, _, places = f"{value:f}".partition(".")
    return int(whole), places.rstrip("0")


def _natural_range(low: int, high: int | None) -> str | None:
    """Integers from `low` ≥ 0 to `high`: whole decades merged, the ends digit by digit."""
    if high is None:
        digits = max(DIGITS, len(str(low)) + 1)
        high = 10**digits - 1
    if low > high:
        return None
    alternatives, full = [], []
    for length in range(len(str(low)), len(str(high)) + 1):
        least, most = 10 ** (length - 1) if length > 1 else 0, 10**length - 1
        if length > 1 and low <= least and most <= high:
            full.append(length)
        else:
            ends = str(max(low, least)), str(min(high, most))
            alternatives.append(_same_length(*ends))
    if full:
        alternatives.append(f"[1-9] {ANY_DIGIT}{{{full[0] - 1},{full[-1] - 1}}}")
    return any_of(alternatives)


def _same_length(low: str, high: str) -> str:
    """Digit strings from `low` to `high`, equally long."""
    if not low:
        return '""'
    if set(low) == {"0"} and set(high) == {"9"}:
        return _digits(len(low))
    first, last, rest = int(low[0]), int(high[0]), len(low) - 1
    if first == last:
        return f"{_digit(first, last)} {_same_length(low[1:], high[1:])}" if rest else f'"{first}"'
    alternatives = []
    if rest and set(low[1:]) != {"0"}:
        alternatives.append(f"{_digit(first, first)} {_same_length(low[1:], '9' * rest)}")
        first += 1
    if rest and set(high[1:]) != {"9"}:
        alternatives.append(f"{_digit(last, last)} {_same_length('0' * rest, high[1:])}")
        last -= 1
    if first <= last:
        alternatives.append(
            f"{_digit(first, last)} {_digits(rest)}" if rest else _digit(first, last)
        )
    return any_of(alternatives)


def _digit(first: int, last: int) -> str:
    return f'"{first}"' if first == last else f"[{first}-{last}]"


def _digits(count: int) -> str:
    return ANY_DIGIT if count == 1 else f"{ANY_DIGIT}{{{count}}}"


def _magnitude(
    low: Decimal, high: Decimal | None, low_open: bool, high_open: bool, places: int
) -> str | None:
    """Decimals between two bounds ≥ 0; `low` has a value, a missing `high` is cut by length."""
    low_whole, low_digits = _split(low)
    if high is None:
        digits = max(WHOLE_DIGITS, len(str(low_whole)) + 1)
        high_whole, high_digits = 10**digits - 1, None
    else:
        high_whole, high_digits = _split(high)
    if low_whole == high_whole:
        return _with_places(f'"{low_whole}"', low_digits, high_digits, low_open, high_open, places)
    alternatives = [
        _with_places(f'"{low_whole}"', low_digits, None, low_open, False, places),
        _with_places(f'"{high_whole}"', None, high_digits, False, high_open, places),
    ]
    between = _natural_range(low_whole + 1, high_whole - 1)
    if between:
        alternatives.append(_with_places(between, None, None, False, False, places))
    found = [alternative for alternative in alternatives if alternative]
    return any_of(found) if found else None


def _with_places(
    whole: str, low: str | None, high: str | None, low_open: bool, high_open: bool, places: int
) -> str | None:
    """A whole part and the digits behind the point that keep it between the bounds."""
    may_end, digits = _tail(low, high, low_open, high_open, places)
    if digits is None:
        return whole if may_end else None
    return f'{whole} ("." {digits})?' if may_end else f'{whole} "." {digits}'


def _tail(
    low: str | None, high: str | None, low_open: bool, high_open: bool, room: int
) -> tuple[bool, str | None]:
    """Digits behind the point, at most `room`, that keep a number between bounds.

    Args:
        low: Digits still to reach; None once the number is above the bound whatever follows.
        high: Digits still allowed; None once it is below.
        low_open: Equal to `low` is not enough.
        high_open: Equal to `high` is too much.
        room: Digits that may still be written.

    Returns:
        Whether the number may end here, and an expression for going on (None: it may not).
    """
    if low is not None:
        low = low.rstrip("0")
        low = None if not low and not low_open else low
    high = None if high is None else high.rstrip("0")
    may_end = low is None and (high is None or high != "" or not high_open)
    if room == 0:
        return may_end, None
    if low is None and high is None:
        return True, f"{ANY_DIGIT}{{1,{room}}}"
    if low is None and high == "":
        return (True, f"[0]{{1,{room}}}") if may_end else (False, None)
    by_rest: dict[str, list[int]] = {}
    for digit in range(10):
        if low is not None and digit < int(low[:1] or 0):
            continue
        if high is not None and digit > int(high[:1] or 0):
            continue
        next_low = low[1:] if low is not None and digit == int(low[:1] or 0) else None
        next_high = high[1:] if high is not None and digit == int(high[:1] or 0) else None
        ends, rest = _tail(next_low, next_high, low_open, high_open, room - 1)
        if rest is not None:
            by_rest.setdefault(f" ({rest})?" if ends else f" {rest}", []).append(digit)
        elif ends:
            by_rest.setdefault("", []).append(digit)
    choices = [f"[{''.join(map(str, digits))}]{rest}" for rest, digits in by_rest.items()]
    return may_end, any_of(choices) if choices else None
