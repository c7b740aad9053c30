"""How alike texts are: cosine of their words' weights, rare words counting more.

No model is needed. Words that mean the same and look different are strangers to it; how well a
picture fits is the model's to say (`eyes`).

Source: term frequency and inverse document frequency (Spärck Jones, 1972), smoothed.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

_WORD = re.compile(r"\w+")
_EMPTY = frozenset({
    "a", "an", "and", "are", "at", "be", "by", "in", "is", "it", "of", "on", "or", "that", "the",
    "there", "this", "to", "was", "with",
})  # fmt: skip


def compare_texts(query: str, texts: Sequence[str]) -> list[float]:
    """How alike a query is to each of some texts, 0 to 1.

    Args:
        query: Such as a description.
        texts: Among which words are rare or common.
    """
    bags = [_bag(text) for text in texts]
    wanted = _bag(query)
    spread = Counter(word for bag in bags for word in bag)
    rarity = {
        word: math.log((1 + len(texts)) / (1 + spread[word])) + 1 for word in {*spread, *wanted}
    }
    return [_cosine(wanted, bag, rarity) for bag in bags]


def _bag(text: str) -> Counter[str]:
    """Words of a text with their counts; a plural counts as its singular."""
    words = (word for word in _WORD.findall(text.casefold()) if word not in _EMPTY)
    return Counter(word[:-1] if len(word) > 3 and word.endswith("s") else word for word in words)


def _cosine(one: Counter[str], other: Counter[str], rarity: dict[str, float]) -> float:
    shared = sum(one[word] * other[word] * rarity[word] ** 2 for word in one)
    length = _length(one, rarity) * _length(other, rarity)
    return min(1.0, shared / length) if length else 0.0


def _length(bag: Counter[str], rarity: dict[str, float]) -> float:
    return math.sqrt(sum((count * rarity[word]) ** 2 for word, count in bag.items()))
