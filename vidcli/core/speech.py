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
    """Where speech was read, or who heard it."""

    SIDECAR = "sidecar"
    STREAM = "stream"
    FILE = "file"
    WHISPER = "whisper"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Word:
    """One word, when it is said, and how sure the listener is, 0 to 1."""

    span: Span
    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that are shown together: one line of text, and when.

    Attributes:
        span: On the video's clock.
        text: Without markup, never empty.
        words: One by one, where they were heard so.
    """

    span: Span
    text: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is said in a video: its subtitles, read, or its sound, heard.

    Attributes:
        kind: Where the words come from.
        name: Of the file, `#2` of a stream, or who listened.
        language: As the file name, the stream or the listener says; None where none does.
        cues: In order of their start.
        notes: What a reader should know of how they were come by.
        language_probability: How sure the listener is of the language; None where it was told, or
            nobody listened.
    """

    kind: SpeechKind
    name: str
    language: str | None
    cues: tuple[Cue, ...]
    notes: tuple[str, ...] = ()
    language_probability: float | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What was found of speech.

    Attributes:
        transcript: None where nothing is written down.
        notes: What could not be used, one sentence each.
    """

    transcript: Transcript | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeardBlock:
    """What was heard in a block of sound; its times begin at the block's start.

    Attributes:
        cues: In order.
        length: Seconds that this accounts for: all of it, or up to what the block's end cut off.
        voice: Seconds of it in which somebody speaks.
        language: None where nobody speaks.
        language_probability: None where the language was given.
        notes: What a reader should know of how it was heard.
    """

    cues: tuple[Cue, ...]
    length: Fraction
    voice: Fraction
    language: str | None = None
    language_probability: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listening:
    """How speech is to be heard.

    Attributes:
        language: A tag such as `en`; None finds it out.
        words: Whether words have times of their own.
    """

    language: str | None = None
    words: bool = False


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
