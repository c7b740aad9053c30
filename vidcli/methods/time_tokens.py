"""Events as one flat text with relative times: `<12><34> a dog runs <40><99> it sleeps`.

Source: Vid2Seq (arXiv:2302.14115) section 3.1: 100 relative time tokens, start and end before each
sentence, the same layout for speech that goes in and for events that come out. There the tokens are
new vocabulary; here they are text, since an adapter in llama.cpp cannot carry new embeddings, and a
grammar keeps what is generated parseable.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from vidcli.engine.gbnf_numbers import integer_range

EVENTS_QUESTION = "List what happens in this video with its start and end times."
BINS = 100
LAST = BINS - 1
_TOKEN = re.compile(r"<(\d{1,2})>")
SENTENCE_LETTERS = 200  # so that no sentence goes on for ever


@dataclass(frozen=True, slots=True)
class TimedText:
    """A sentence about a part of a video, in seconds from its start."""

    start: Fraction
    end: Fraction
    text: str


def to_bin(time: Fraction, duration: Fraction) -> int:
    """The bin of a time: `int(99 t / d)`, 0 to 99; times outside the video go to its ends."""
    return min(LAST, max(0, int(LAST * time / duration)))


def from_bin(number: int, duration: Fraction) -> Fraction:
    """The time a bin stands for; at most `duration / 99` before the time that went in."""
    return number * duration / LAST


def events_gbnf() -> str:
    """A grammar of events, none of which a parser drops: each ends after it starts, and has text.

    Bins have no leading zeros; a sentence has no angle brackets, which would open a time.
    """
    starts = " | ".join(f'"<{start}><" after{start}' for start in range(LAST))
    ends = "".join(f"after{start} ::= {integer_range(start + 1, LAST)}\n" for start in range(LAST))
    return (
        'root ::= event (" " event)*\n'
        f'event ::= ({starts}) "> " sentence\n'
        rf"sentence ::= [^<>\n ] [^<>\n]{{0,{SENTENCE_LETTERS - 1}}}"
        f"\n{ends}"
    )


def write_events(events: Sequence[TimedText], duration: Fraction) -> str:
    """Events in time order as one text; line breaks and angle brackets in sentences are taken out.

    Args:
        events: In any order.
        duration: Of the video in seconds, above 0.

    Raises:
        ValueError: The duration is not above 0.
    """
    return " ".join(write_units(events, duration))


def write_units(events: Sequence[TimedText], duration: Fraction) -> list[str]:
    """The words and time tokens of that text: what a mask covers or leaves."""
    if duration <= 0:
        raise ValueError(f"a video lasts longer than {float(duration):g} s")
    units: list[str] = []
    for event in sorted(events, key=lambda e: (e.start, e.end)):
        times = (to_bin(event.start, duration), to_bin(event.end, duration))
        units.append("".join(f"<{number}>" for number in times))
        units += re.sub(r"[<>]", " ", event.text).split()
    return units


def parse_events(text: str, duration: Fraction) -> list[TimedText]:
    """Read events out of what a model wrote.

    Two times in a row open an event, of three the first is skipped; an event without text, or that
    ends no later than it starts, is dropped.

    Args:
        text: Of a model, with or without the grammar.
        duration: Of the video in seconds.
    """
    events = []
    for numbers, sentence in _runs(text):
        start, end = numbers[-2:] if len(numbers) > 1 else (0, 0)
        if end > start and sentence:
            events.append(TimedText(from_bin(start, duration), from_bin(end, duration), sentence))
    return events


def _runs(text: str) -> Iterator[tuple[list[int], str]]:
    """(times in a row, text after them)."""
    pieces = _TOKEN.split(text)  # text, number, text, number…
    numbers: list[int] = []
    for number, after in zip(pieces[1::2], pieces[2::2], strict=True):
        numbers.append(int(number))
        sentence = " ".join(after.split())
        if sentence:
            yield numbers, sentence
            numbers = []
