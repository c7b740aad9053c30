"""Taking typed fields out of decoded rows, or saying what is wrong with them."""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from vidcli.core.time import Span, parse_time


class RowError(ValueError):
    """Why a row cannot be used, as the end of "FILE row N: …"."""


def take_map(value: Any) -> Mapping[str, Any]:
    """A JSON object.

    Raises:
        RowError: It is something else.
    """
    if not isinstance(value, Mapping):
        raise RowError(f"an object was expected, not {_name(value)}")
    return value


def take_text(row: Mapping[str, Any], key: str) -> str:
    """A text field; numbers are taken as their digits.

    Raises:
        RowError: It is missing, empty, or no text.
    """
    if key not in row:
        raise RowError(f"{key!r} is missing")
    value = row[key]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise RowError(f"{key!r} is {_name(value)}, not text")
    if not value.strip():
        raise RowError(f"{key!r} is empty")
    return value


def take_list(row: Mapping[str, Any], key: str) -> Sequence[Any]:
    """A non-empty list field.

    Raises:
        RowError: It is missing, empty, or no list.
    """
    if key not in row:
        raise RowError(f"{key!r} is missing")
    value = row[key]
    if not isinstance(value, list):
        raise RowError(f"{key!r} is {_name(value)}, not a list")
    if not value:
        raise RowError(f"{key!r} is empty")
    return value


def take_seconds(value: Any, key: str) -> Fraction:
    """Seconds as a number, or a time as `1:30` or `90`.

    Raises:
        RowError: It is no time, or negative.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise RowError(f"{key!r} is {_name(value)}, not a time")
    if isinstance(value, float) and not math.isfinite(value):
        raise RowError(f"{key!r} is {value}, not a time")
    try:
        seconds = parse_time(value) if isinstance(value, str) else Fraction(str(value))
    except ValueError as error:
        raise RowError(f"{key!r}: {error}") from error
    if seconds < 0:
        raise RowError(f"{key!r} is negative: {value}")
    return seconds


def read_span(row: Mapping[str, Any]) -> Span | None:
    """`start` and `end` of a row in seconds; None where neither is there.

    Raises:
        RowError: One of them is missing or no time, or the span is empty.
    """
    ends = [row.get(key) for key in ("start", "end")]
    if all(end is None or end == "" for end in ends):
        return None
    if any(end is None or end == "" for end in ends):
        raise RowError("of 'start' and 'end' one is missing")
    start, end = (
        take_seconds(value, key) for value, key in zip(ends, ("start", "end"), strict=True)
    )
    if end <= start:
        raise RowError(f"it ends at {float(end):g} s, not after its start at {float(start):g} s")
    return Span(start, end)


def _name(value: Any) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "text",
        type(None): "null",
        bool: "a truth value",
    }
    return names.get(type(value), "a number")
