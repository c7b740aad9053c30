r"""Regular expressions over the text of a JSON string, as GBNF.

The subset: literals, `.`, classes `[a-z]` and `[^a-z]`, `\d \w \s \D \W \S` (what ECMA-262
means by them), `\n \r \t \f \v \xHH \uHHHH` and escaped punctuation, groups `(…)`, `(?:…)` and
`(?<name>…)`, alternation, `* + ? {m} {m,} {m,n}` (a lazy `?` behind one changes nothing), and `^`
and `$` at the ends of a top-level alternative. Look-around, back-references, `\b` and `\p{…}` are
not in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vidcli.engine.gbnf import (
    LAST_CODE_POINT,
    SURROGATES,
    Range,
    RuleBook,
    any_of,
    char_class,
    literal,
    repeat,
)

ESCAPED = {'"': '"', "\\": "\\", "\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
NEVER_RAW: tuple[Range, ...] = ((0, 0x1F), (0x22, 0x22), (0x5C, 0x5C), (0x7F, 0x7F), SURROGATES)
DIGIT: tuple[Range, ...] = ((0x30, 0x39),)
WORD: tuple[Range, ...] = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
SPACE: tuple[Range, ...] = (
    *((0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A)),
    *((0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)),
)
SHORTHANDS = {"d": DIGIT, "w": WORD, "s": SPACE}
CONTROLS = {"n": 0x0A, "r": 0x0D, "t": 0x09, "f": 0x0C, "v": 0x0B}
MAX_COUNT = 10_000
LINE_ENDS: tuple[Range, ...] = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A GBNF expression, and whether it can match nothing."""

    rule: str
    may_be_empty: bool


def pattern_rule(pattern: str, book: RuleBook, *, any_char: str) -> str:
    """Expression for the inside of a JSON string (without its quotes) that the pattern matches.

    Args:
        pattern: Matched anywhere in the string, as JSON Schema has it, unless anchored.
        book: Takes the rules it needs.
        any_char: Rule for one character of a JSON string, for what is around the match.

    Raises:
        ValueError: The pattern is broken or outside the subset; the message says how.
    """
    return _PatternParser(pattern, book, any_char).parse()


def invert(ranges: Sequence[Range]) -> list[Range]:
    """Every code point outside these ranges."""
    gaps, start = [], 0
    for low, high in sorted(ranges):
        if low > start:
            gaps.append((start, low - 1))
        start = max(start, high + 1)
    return [*gaps, (start, LAST_CODE_POINT)] if start <= LAST_CODE_POINT else gaps


def json_char(ranges: Sequence[Range]) -> str:
    """One character of these, as it is written inside a JSON string.

    Control characters without a short escape are left out, and so are surrogates.

    Raises:
        ValueError: Nothing is left.
    """
    raw = invert([*invert(ranges), *NEVER_RAW])
    short = [
        spelled
        for letter, spelled in ESCAPED.items()
        if any(low <= ord(letter) <= high for low, high in ranges)
    ]
    alternatives = [char_class(raw)] if raw else []
    if short:
        letters = char_class([(ord(spelled), ord(spelled)) for spelled in short])
        alternatives.append(f"{literal(chr(92))} {letters}")
    if not alternatives:
        raise ValueError("it asks for characters that JSON text cannot hold")
    return any_of(alternatives)


class _PatternParser:
    """Recursive descent over the pattern, writing GBNF as it goes."""

    def __init__(self, pattern: str, book: RuleBook, any_char: str) -> None:
        self._text = pattern
        self._at = 0
        self._book = book
        self._any_char = any_char

    def parse(self) -> str:
        alternatives = [self._anchored()]
        while self._take("|"):
            alternatives.append(self._anchored())
        if self._at < len(self._text):
            found = "an inner anchor" if self._text[self._at - 1] == "$" else "unbalanced ')'"
            raise ValueError(f"{found} at character {self._at + 1}")
        return any_of(alternatives)

    def _anchored(self) -> str:
        """One top-level alternative, with whatever may stand around it."""
        around = f"{self._any_char}*"
        starts = self._take("^")
        body = self._sequence()
        ends = self._take("$")
        return " ".join([*([] if starts else [around]), body.rule, *([] if ends else [around])])

    def _alternatives(self) -> _Piece:
        pieces = [self._sequence()]
        while self._take("|"):
            pieces.append(self._sequence())
        rule = any_of([piece.rule for piece in pieces])
        return _Piece(rule, any(piece.may_be_empty for piece in pieces))

    def _sequence(self) -> _Piece:
        pieces = []
        while self._at < len(self._text) and self._text[self._at] not in "|)$":
            pieces.append(self._quantified(self._atom()))
        rule = " ".join(piece.rule for piece in pieces) or '""'
        return _Piece(rule, all(piece.may_be_empty for piece in pieces))

    def _quantified(self, atom: _Piece) -> _Piece:
        counts = self._quantifier()
        if counts is None:
            return atom
        least, most = counts
        if most is None and atom.may_be_empty:
            raise ValueError("it repeats without end what may match nothing")
        if self._at < len(self._text) and self._text[self._at] in "*+?":
            raise ValueError(f"nothing to repeat at character {self._at + 1}")
        name = self._book.add("part", atom.rule)
        return _Piece(repeat(name, least, most), least == 0 or atom.may_be_empty)

    def _quantifier(self) -> tuple[int, int | None] | None:
        if self._take("*"):
            counts: tuple[int, int | None] | None = (0, None)
        elif self._take("+"):
            counts = (1, None)
        elif self._take("?"):
            counts = (0, 1)
        else:
            counts = self._braces()
        if counts is not None:
            self._take("?")  # lazy: the same strings match
        return counts

    def _braces(self) -> tuple[int, int | None] | None:
        end = self._text.find("}", self._at)
        if end < 0 or self._text[self._at] != "{":
            return None
        least, comma, most = self._text[self._at + 1 : end].partition(",")
        if not _is_count(least) or not (_is_count(most) or most == ""):
            return None
        self._at = end + 1
        counts = int(least), int(most) if most else (None if comma else int(least))
        if counts[1] is not None and counts[1] < counts[0]:
            raise ValueError(f"{{{least},{most}}} counts backwards")
        if max(counts[0], counts[1] or 0) > MAX_COUNT:
            raise ValueError(f"it repeats more than {MAX_COUNT} times")
        return counts

    def _atom(self) -> _Piece:
        letter = self._next()
        if letter == "(":
            return self._group()
        if letter == "[":
            return self._char(self._bracketed())
        if letter == ".":
            return self._char(invert(LINE_ENDS))
        if letter == "\\":
            return self._char(self._escape())
        if letter in "^*+?":
            what = "an inner anchor" if letter == "^" else "nothing to repeat"
            raise ValueError(f"{what} at character {self._at}")
        return self._char([(ord(letter), ord(letter))])

    def _char(self, ranges: Sequence[Range]) -> _Piece:
        return _Piece(json_char(ranges), may_be_empty=False)

    def _group(self) -> _Piece:
        if self._take("?") and not self._take(":"):
            is_look = self._text[self._at : self._at + 2] in ("<=", "<!")
            if is_look or not (self._take("P<") or self._take("<")):
                raise ValueError("look-around and inline flags are not supported")
            while self._next() != ">":
                pass
        piece = self._alternatives()
        if self._text[self._at : self._at + 1] == "$":
            raise ValueError(f"an inner anchor at character {self._at + 1}")
        if not self._take(")"):
            raise ValueError("a group is not closed")
        return piece

    def _bracketed(self) -> Sequence[Range]:
        negated = self._take("^")
        ranges: list[Range] = []
        while not self._take("]"):
            first = self._member()
            if len(first) == 1 and first[0][0] == first[0][1] and self._is_range():
                self._take("-")
                last = self._member()
                if len(last) != 1 or last[0][0] < first[0][0]:
                    raise ValueError(f"a class range that makes no sense at character {self._at}")
                ranges.append((first[0][0], last[0][1]))
            else:
                ranges.extend(first)
        return invert(ranges) if negated else ranges

    def _is_range(self) -> bool:
        following = self._text[self._at : self._at + 2]
        return len(following) == 2 and following[0] == "-" and following[1] != "]"

    def _member(self) -> Sequence[Range]:
        letter = self._next()
        return self._escape() if letter == "\\" else [(ord(letter), ord(letter))]

    def _escape(self) -> Sequence[Range]:
        letter = self._next()
        if letter.lower() in SHORTHANDS:
            ranges = SHORTHANDS[letter.lower()]
            return ranges if letter.islower() else invert(ranges)
        if letter in CONTROLS:
            return [(CONTROLS[letter],) * 2]
        if letter in "xu":
            return [(self._hex(2 if letter == "x" else 4),) * 2]
        if letter.isalnum():
            raise ValueError(f"\\{letter} is not supported")
        return [(ord(letter),) * 2]

    def _hex(self, count: int) -> int:
        digits = self._text[self._at : self._at + count]
        if len(digits) != count or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
            raise ValueError(f"{count} hexadecimal digits are missing at character {self._at + 1}")
        self._at += count
        return int(digits, 16)

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise ValueError("it ends too soon")
        self._at += 1
        return self._text[self._at - 1]

    def _take(self, expected: str) -> bool:
        found = self._text.startswith(expected, self._at)
        self._at += len(expected) if found else 0
        return found


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit()
