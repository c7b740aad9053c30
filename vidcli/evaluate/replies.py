"""Which of the possible answers a reply means, if any."""

import re
from collections.abc import Sequence

ARTICLES = frozenset({"a", "an", "the"})
DIGITS = {"1": "one", "2": "two", "3": "three", "4": "four"}


def choose_option(reply: str, options: Sequence[str]) -> str | None:
    """The option that a reply means; None where it means none, or more than one.

    Case, punctuation and articles do not count. A reply means the option that it is; else the one
    that it holds as whole words (`Yes, there is.`), the longest where one is part of another; else
    the one that it is a part of (`left` for `to the left`).
    """
    if reply in options:
        return reply
    said = _words(reply, options)
    plain = {option: _words(option, options) for option in options}
    if not said:
        return None
    same = [option for option, words in plain.items() if words == said]
    held = [option for option, words in plain.items() if _holds(said, words)]
    longest = [
        option
        for option in held
        if not any(other != option and _holds(plain[other], plain[option]) for other in held)
    ]
    parts = [option for option, words in plain.items() if _holds(words, said)]
    found = same or longest or parts
    return found[0] if len(found) == 1 else None


def _words(text: str, options: Sequence[str]) -> list[str]:
    """The words that count; of number words, digits are another spelling."""
    words = re.findall(r"[^\W_]+", text.casefold())
    if "two" in options:
        words = [DIGITS.get(word, word) for word in words]
    return [word for word in words if word not in ARTICLES]


def _holds(words: list[str], part: list[str]) -> bool:
    return any(words[i : i + len(part)] == part for i in range(len(words) - len(part) + 1))
