"""Judging a caption by facts: everything that is so must be said, and nothing else of its kind.

Reads noun phrases of the small world (`a red ball`, `three blue buses`), the motion told of each,
the word on the screen. Not here: captions of the world at large.
"""

import re
from dataclasses import dataclass

from vidcli.evaluate.sets import CaptionTruth
from vidcli.world.vocabulary import COLOURS, NUMBERS, SINGULARS

COUNTS = {"a": 1, "an": 1, **{word: number for number, word in enumerate(NUMBERS, 1)},
          **{str(number): number for number in range(1, 5)}}  # fmt: skip
MOTION_WORDS = {"left": "left", "right": "right", "up": "up", "down": "down", "circle": "circle",
                "still": "still"}  # fmt: skip
MOVING = frozenset({"moves", "move", "moving", "circle"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a caption is right; and whether it speaks of this world at all."""

    is_right: bool
    is_parsed: bool


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A noun phrase, and the words from it to the next one; `count` is None after `the`."""

    count: int | None
    colour: str
    object: str
    after: tuple[str, ...]


def judge_caption(reply: str, truth: CaptionTruth) -> Verdict:
    """Compare what a caption says with what is so."""
    text = reply.casefold()
    written, text = _take_writing(text)
    words = re.findall(r"[^\W_]+", text)
    phrases, stray = _read_phrases(words)
    is_parsed = bool(phrases or written or stray)
    said = " ".join(words)
    is_right = (
        is_parsed
        and not stray
        and written == ([truth.word.casefold()] if truth.word else [])
        and _matches(phrases, truth)
        and all(phrase.casefold() in said for phrase in truth.phrases)
    )
    return Verdict(is_right, is_parsed)


def _take_writing(text: str) -> tuple[list[str], str]:
    """The words that the caption says are on the screen, and the caption without them."""
    pattern = re.compile(r"\b(?:word|number)\s+[\"']?([^\W_]+)[\"']?")
    return pattern.findall(text), pattern.sub(" ", text)


def _read_phrases(words: list[str]) -> tuple[list[_Phrase], bool]:
    """Noun phrases in order; and whether colours or objects stand outside of them."""
    starts = [
        at for at in range(len(words) - 1) if words[at] in COLOURS and words[at + 1] in SINGULARS
    ]
    used = {at + step for at in starts for step in (0, 1)}
    stray = any(
        word in COLOURS or word in SINGULARS for at, word in enumerate(words) if at not in used
    )
    ends = [*starts[1:], len(words)][: len(starts)]
    phrases = []
    for at, end in zip(starts, ends, strict=True):
        before = words[at - 1] if at else ""
        count = None if before == "the" else COUNTS.get(before, 0)
        after = tuple(words[at + 2 : end])
        phrases.append(_Phrase(count, words[at], SINGULARS[words[at + 1]], after))
    return phrases, stray


def _matches(phrases: list[_Phrase], truth: CaptionTruth) -> bool:
    """Whether the phrases tell of exactly these facts; `the red ball` may tell of one again."""
    left = list(truth.facts)
    order = []
    for phrase in phrases:
        fits = [
            fact
            for fact in truth.facts
            if (fact.colour, fact.object) == (phrase.colour, phrase.object)
        ]
        if not fits:
            return False
        fact = fits[0]
        if phrase.count is not None and phrase.count != fact.count:
            return False
        if fact in left:
            if not _tells(phrase, fact.motion):
                return False
            left.remove(fact)
            order.append(fact)
    return not left and (not truth.is_ordered or tuple(order) == truth.facts)


def _tells(phrase: _Phrase, motion: str | None) -> bool:
    if motion is None:
        return not MOVING.intersection(phrase.after)
    told = {MOTION_WORDS[word] for word in phrase.after if word in MOTION_WORDS}
    return told == {motion}
