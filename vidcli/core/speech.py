"""What is said in a video, with the times it is said at."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from vidcli.core.time import Span

# A word is what stands between spaces; where a script has none, every letter counts as one.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
)
_WORD = re.compile(f"[{_UNSPACED}]|[^\\s{_UNSPACED}]+")


class SpeechKind(StrEnum):
    """Where speech was read."""

    SIDECAR = "sidecar"
    STREAM = "stream"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that are shown together: one line of text, and when.

    Attributes:
        span: On the video's clock.
        text: Without markup, never empty.
    """

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """Subtitles of a video, read.

    Attributes:
        kind: Where they were.
        name: Of the file, or `#2` of a stream.
        language: As the file name or the stream says; None where neither does.
        cues: In order of their start.
        notes: What a reader should know of how they were read.
    """

    kind: SpeechKind
    name: str
    language: str | None
    cues: tuple[Cue, ...]
    notes: tuple[str, ...] = ()


def said_during(cues: Sequence[Cue], parts: Sequence[Span]) -> tuple[str, ...]:
    """What is said in each part of a video, every cue in the one that holds its middle.

    Lines that repeat the line before them, as rolling captions do, count once. A middle between
    two parts, or outside all of them, is in none.

    Args:
        cues: In order.
        parts: In order, none overlapping another.
    """
    said: list[list[str]] = [[] for _ in parts]
    at, last = 0, ""
    for cue in sorted(cues, key=_middle):
        while at < len(parts) and parts[at].end <= _middle(cue):
            at += 1
        if at == len(parts):
            break
        fresh = [line for line in cue.text.split("\n") if line != last]
        if _middle(cue) in parts[at] and fresh:
            said[at] += fresh
        last = fresh[-1] if fresh else last
    return tuple(" ".join(lines) for lines in said)


def _middle(cue: Cue) -> Fraction:
    return (cue.span.start + cue.span.end) / 2


def count_words(text: str) -> int:
    """Words of a text, in any script."""
    return sum(1 for _ in _WORD.finditer(text))


def first_words(text: str, count: int) -> str:
    """The first `count` words of a text, as they stand in it."""
    words = itertools.islice(_WORD.finditer(text), max(0, count))
    end = max((word.end() for word in words), default=0)
    return text[:end]
