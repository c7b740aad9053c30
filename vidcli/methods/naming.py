"""Which labels of a closed vocabulary a text names: words, not meanings.

A word names a label that it is equal to, whatever the case and whether singular or plural. What
only means the same (`automobile`, `someone`) names nothing: no list of synonyms is kept.
"""

import re
from collections.abc import Sequence

WORD = re.compile(r"\w+")
PLURALS = {"people": "person", "mice": "mouse", "men": "man", "women": "woman"}
ENDINGS = (("ies", "y"), ("ves", "fe"), ("ves", "f"), ("es", ""), ("s", ""))
SHORTEST = 4  # letters of a word whose ending may be that of a plural


def find_named(text: str, labels: Sequence[str]) -> tuple[str, ...]:
    """The labels that a text names, in the order in which it does.

    Labels of several words go first, and a word counts once: `hot dog` names no dog.

    Args:
        text: In any language that puts spaces between words.
        labels: As the detector writes them.
    """
    words = _split(text)
    free = [True] * len(words)
    named: dict[str, int] = {}
    for label in sorted(labels, key=lambda label: -len(_split(label))):
        parts = _split(label)
        for start in range(len(words) - len(parts) + 1 if parts else 0):
            place = slice(start, start + len(parts))
            if all(free[place]) and _is_same(words[place], parts):
                free[place] = [False] * len(parts)
                named.setdefault(label, start)
    return tuple(sorted(named, key=lambda label: named[label]))


def _split(text: str) -> list[str]:
    return WORD.findall(text.casefold().replace("_", " "))


def _is_same(words: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether words are a label, but for the number of its last."""
    *head, last = parts
    return list(words[:-1]) == head and bool(_forms(words[-1]) & _forms(last))


def _forms(word: str) -> set[str]:
    """A word, and what it may be the plural of."""
    forms = {word, PLURALS.get(word, word)}
    if len(word) >= SHORTEST and not word.endswith("ss"):
        forms |= {word.removesuffix(end) + new for end, new in ENDINGS if word.endswith(end)}
    return forms
