"""Writing GBNF, llama.cpp's grammar notation: literals, character classes, repetition, rules.

Not here: what the grammars say (`grammar`, `gbnf_numbers`, `gbnf_patterns`).
"""

from collections.abc import Iterable, Sequence

LAST_CODE_POINT = 0x10FFFF
SURROGATES = (0xD800, 0xDFFF)
# llama.cpp refuses more than 2000 repetitions and reads a larger maximum as no maximum at all.
MAX_REPEAT = 1000

Range = tuple[int, int]


def literal(text: str) -> str:
    """Quote text that must appear exactly.

    Raises:
        ValueError: The text holds NUL or half a surrogate pair, which no token can spell.
    """
    return '"' + "".join(_escape(ord(letter), quoted='"\\') for letter in text) + '"'


def char_class(ranges: Iterable[Range]) -> str:
    """One character out of these code point ranges (both ends included).

    Raises:
        ValueError: There are no ranges: nothing could match.
    """
    quoted = "\\]^-["
    spans = [
        "-".join(_escape(end, quoted=quoted) for end in dict.fromkeys((low, high)))
        for low, high in ranges
    ]
    if not spans:
        raise ValueError("no character can match")
    return f"[{''.join(spans)}]"


def any_of(alternatives: Sequence[str]) -> str:
    """One of several expressions, in parentheses where there is more than one."""
    unique = list(dict.fromkeys(alternatives))
    return unique[0] if len(unique) == 1 else f"({' | '.join(unique)})"


def repeat(atom: str, least: int, most: int | None) -> str:
    """Repeat a rule name or a character class `least` to `most` times (None: without end).

    Counts beyond what llama.cpp takes are written as nested runs of `MAX_REPEAT`.
    """
    if most == 0:
        return '""'
    if least > MAX_REPEAT:
        rest = None if most is None else most - MAX_REPEAT
        tail = repeat(atom, least - MAX_REPEAT, rest)
        return f"{atom}{{{MAX_REPEAT}}} {tail}"
    if most is None:
        return atom + {0: "*", 1: "+"}.get(least, f"{{{least},}}")
    if most <= MAX_REPEAT:
        return _repeat_few(atom, least, most)
    head = f"{atom}{{{least}}} " if least else ""
    return head + _up_to(atom, most - least)


def _repeat_few(atom: str, least: int, most: int) -> str:
    if (least, most) == (1, 1):
        return atom
    if (least, most) == (0, 1):
        return f"{atom}?"
    return f"{atom}{{{least}}}" if least == most else f"{atom}{{{least},{most}}}"


def _up_to(atom: str, most: int) -> str:
    if most <= MAX_REPEAT:
        return _repeat_few(atom, 0, most) if most else '""'
    full, rest = f"{atom}{{{MAX_REPEAT}}}", _up_to(atom, most - MAX_REPEAT)
    return f"({atom}{{0,{MAX_REPEAT - 1}}} | {full} {rest})"


def _escape(code_point: int, *, quoted: str) -> str:
    if code_point == 0 or SURROGATES[0] <= code_point <= SURROGATES[1]:
        raise ValueError(f"U+{code_point:04X} cannot be written by any model")
    letter = chr(code_point)
    if letter in quoted:
        return "\\" + letter if letter != "^" else "\\x5E"
    if 0x20 <= code_point < 0x7F:
        return letter
    if code_point < 0x100:
        return f"\\x{code_point:02X}"
    return f"\\u{code_point:04X}" if code_point < 0x10000 else f"\\U{code_point:08X}"


class RuleBook:
    """Named rules of one grammar; equal expressions share a name."""

    def __init__(self) -> None:
        self._rules: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def add(self, hint: str, expression: str) -> str:
        """Name an expression; the name starts with `hint` as far as GBNF allows."""
        known = self._names.get(expression)
        if known is None:
            known = self._names[expression] = self.reserve(hint)
            self._rules[known] = expression
        return known

    def reserve(self, hint: str) -> str:
        """A name whose rule is given later with `define`, for rules that contain themselves."""
        stem = "".join(c if c.isascii() and c.isalnum() else "-" for c in hint.lower()[:24])
        name, number = f"{stem.strip('-') or 'rule'}", 1
        while name in self._rules or name == "root":
            number += 1
            name = f"{stem.strip('-') or 'rule'}-{number}"
        self._rules[name] = ""
        return name

    def define(self, name: str, expression: str) -> None:
        """Give a reserved name its rule."""
        self._rules[name] = expression

    def render(self, root: str) -> str:
        """The whole grammar, `root` first."""
        lines = [f"root ::= {root}", *(f"{name} ::= {rule}" for name, rule in self._rules.items())]
        return "\n".join(lines) + "\n"
