"""Exact media time: timestamps, spans, and the way people write them.

Not here: wall-clock timing of our own work (`core.results.Timings`).
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Self


@dataclass(frozen=True, slots=True, order=False)
class Timestamp:
    """An exact presentation time: `pts` ticks of `time_base` seconds each, from the video's start.

    The video's clock starts at 0: a container's own start offset is taken off before this is made.
    """

    pts: int
    time_base: Fraction

    def __post_init__(self) -> None:
        if self.time_base <= 0:
            raise ValueError(f"time base must be positive, not {self.time_base}")

    @property
    def seconds(self) -> Fraction:
        """Seconds since the start of the video, exact."""
        return self.pts * self.time_base


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open `[start, end)` in seconds on the video's clock."""

    start: Fraction
    end: Fraction

    def __post_init__(self) -> None:
        if self.start < 0:
            raise ValueError(f"span starts before the video: {self.start}")
        if self.end <= self.start:
            raise ValueError(f"span ends at {self.end}, not after its start {self.start}")

    @property
    def length(self) -> Fraction:
        """Seconds the span covers; always positive."""
        return self.end - self.start

    def __contains__(self, seconds: Fraction | float) -> bool:
        return self.start <= seconds < self.end

    def clamp(self, other: Self) -> "Span | None":
        """The part of this span inside `other`, or None where they do not meet."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Span(start, end) if end > start else None


def parse_time(text: str) -> Fraction:
    """Read a time as people write it: `90`, `90.5`, `90s`, `1:30`, `01:02:03.5`, `1m30s`, `2h`.

    Args:
        text: Seconds, `[H:]M:S`, or numbers with units h, m, s. White space around it is ignored.

    Returns:
        Seconds, exact, at least 0.

    Raises:
        ValueError: The text is none of these forms.
    """
    cleaned = text.strip().lower()
    value = _parse_clock(cleaned) if ":" in cleaned else _parse_units(cleaned)
    if value is None:
        raise ValueError(f"{text!r} is not a time; write 90, 1:30, 1:02:03.5 or 1m30s")
    return value


def _parse_clock(text: str) -> Fraction | None:
    parts = text.split(":")
    if not 2 <= len(parts) <= 3 or not all(_is_number(part) for part in parts):
        return None
    if any("." in part for part in parts[:-1]) or any(Fraction(part) >= 60 for part in parts[1:]):
        return None
    seconds = Fraction(0)
    for part in parts:
        seconds = seconds * 60 + Fraction(part)
    return seconds


def _parse_units(text: str) -> Fraction | None:
    if _is_number(text):
        return Fraction(text)
    seconds, digits, allowed = Fraction(0), "", "hms"
    for letter in text:
        if letter in allowed and _is_number(digits):
            seconds += Fraction(digits) * {"h": 3600, "m": 60, "s": 1}[letter]
            allowed, digits = allowed[allowed.index(letter) + 1 :], ""
        else:
            digits += letter
    return seconds if not digits and len(allowed) < 3 else None


def _is_number(text: str) -> bool:
    whole, _, decimals = text.partition(".")
    return (whole + decimals).isascii() and (whole + decimals).isdigit()


def format_time(seconds: Fraction | float, *, decimals: int = 0) -> str:
    """Write seconds as `M:SS` or `H:MM:SS`, rounded half up to `decimals` places.

    The inverse of `parse_time` up to that rounding.
    """
    scale: int = 10**decimals
    ticks = int(Fraction(seconds) * scale + Fraction(1, 2))
    whole, rest = divmod(ticks, scale)
    minutes, secs = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{head}:{secs:02d}" + (f".{rest:0{decimals}d}" if decimals else "")


def format_range(
    start: Fraction | float, end: Fraction | float, *, decimals: int = 1, dash: str = "–"
) -> str:
    """Write two times as `0:01.5–0:03.0`.

    Args:
        start: Seconds.
        end: Seconds.
        decimals: Places of each, as in `format_time`.
        dash: What stands between; "-" where only ASCII can be drawn or is wanted in a prompt.
    """
    return f"{format_time(start, decimals=decimals)}{dash}{format_time(end, decimals=decimals)}"
