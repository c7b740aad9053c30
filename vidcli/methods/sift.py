"""What a model wrote, looked through: why a text is of no use, and which say the same.

Texts of people are never judged here. Not here: whether a text is true of a video.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from vidcli.core.results import FinishReason, Generation

REPEATS = 3  # times that three words in a row may not come in one narration
# Scripts without spaces between words: every letter counts as one.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
)
_LOOK = "see|view|watch|tell|determine|describe|provide|answer"
_REFUSAL = re.compile(
    rf"""\b(?:
        i(?:'m|\ am)\ (?:sorry|unable|not\ able|an?\ ai\b) | i\ apologi[sz]e
        | as\ an?\ (?:ai\b|language\ model)
        | i\ (?:can\ ?not|can't|could\ not|couldn't|do\ not|don't)
          \ (?:{_LOOK}|help|assist|have\ (?:access|enough|the\ ability))
        | (?:unable|not\ able|not\ possible)\ to\ (?:{_LOOK})
        | no\ (?:image|video|frames?)\ (?:was|were|is|are|ha(?:s|ve)\ been)\ (?:given|provided)
    )""",
    re.IGNORECASE | re.VERBOSE,
)


class Reason(StrEnum):
    """Why a text is left out."""

    EMPTY = "empty"
    TRUNCATED = "truncated"
    LOOP = "loop"
    REFUSAL = "refusal"
    SHORT = "short"
    UNLIKELY = "unlikely"
    DUPLICATE = "duplicate"
    NEIGHBOUR = "neighbour"


@dataclass(frozen=True, slots=True)
class Sieve:
    """Thresholds.

    Attributes:
        min_words: Fewest words of a text.
        min_score: Least mean log-probability of a token.
        similarity: From 0 to 1: texts at least this alike say the same; above 1 none do.
    """

    min_words: int = 3
    min_score: float = -3.0
    similarity: float = 0.8


def judge(made: Generation, text: str, sieve: Sieve) -> Reason | None:
    """Why what was generated is of no use by itself; None where it is.

    Args:
        made: How it was generated, scored.
        text: What of it would be kept.
        sieve: Thresholds.
    """
    if not find_words(text):
        return Reason.EMPTY
    if made.finish in (FinishReason.LENGTH, FinishReason.CONTEXT):
        return Reason.TRUNCATED
    if made.finish is FinishReason.LOOP or repeats_itself(text):
        return Reason.LOOP
    if refuses(text):
        return Reason.REFUSAL
    if len(find_words(text)) < sieve.min_words:
        return Reason.SHORT
    return Reason.UNLIKELY if score_of(made) < sieve.min_score else None


def score_of(made: Generation) -> float:
    """Mean log-probability of a token of what was generated with `Sampling.scored`."""
    assert made.log_probability is not None, "it was generated with scores"
    return made.log_probability / max(1, made.completion_tokens)


def find_words(text: str) -> list[str]:
    """Words in lower case, without punctuation; letters of scripts that write no spaces."""
    return _WORD.findall(text.casefold())


def repeats_itself(text: str) -> bool:
    """Whether some three words in a row come `REPEATS` times."""
    words = find_words(text)
    triples = Counter(zip(words, words[1:], words[2:], strict=False))
    return any(count >= REPEATS for count in triples.values())


def refuses(text: str) -> bool:
    """Whether the model speaks of itself instead of the video."""
    return _REFUSAL.search(text.replace("’", "'")) is not None


def is_alike(a: str, b: str, *, similarity: float) -> bool:
    """Whether two texts say the same in all but the same words.

    Measured as the share of words and of neighbouring pairs of words that both have.
    """
    return _likeness(_features(a), _features(b)) >= similarity


def is_among(text: str, others: Iterable[str], *, similarity: float) -> bool:
    """Whether one of the others says the same."""
    own = _features(text)
    return any(_likeness(own, _features(other)) >= similarity for other in others)


def _features(text: str) -> frozenset[tuple[str, ...]]:
    words: Sequence[str] = find_words(text)
    return frozenset([*((word,) for word in words), *pairwise(words)])


def _likeness(a: frozenset[tuple[str, ...]], b: frozenset[tuple[str, ...]]) -> float:
    return len(a & b) / len(a | b) if a or b else 1.0
