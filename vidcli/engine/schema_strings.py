"""Strings of a JSON Schema as GBNF: lengths, patterns, and the formats that make sense.

Formats: `date` (real days only), `time`, `date-time`, `uuid`, `ipv4`, `email` (plain ones).
"""

from collections.abc import Mapping
from typing import Any

from vidcli.engine.gbnf import RuleBook, repeat
from vidcli.engine.gbnf_patterns import pattern_rule
from vidcli.engine.schema_shape import fault, read_count

# Control characters never raw; \u never half a surrogate pair, which could not be printed. The
# class says what is allowed: a negated one would let llama.cpp pass bytes that are not UTF-8.
CHAR = (
    r'[\x20-\x21\x23-\x5B\x5D-\x7E\x80-\uD7FF\uE000-\U0010FFFF] | "\\" (["\\/bfnrt] | '
    r'"u" ([0-9A-CE-Fa-ce-f] hex{3} | [Dd] [0-7] hex{2}))'
)
HEX = "[0-9A-Fa-f]"
QUOTE = r'"\""'
MAX_LENGTH = 10_000  # a larger maximum is cut to this: shorter strings satisfy it too

_LEAP_YEAR = "([1-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26])00)"
_DATE = (
    "([1-9][0-9]{3}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    f"|02-(0[1-9]|1[0-9]|2[0-8]))|{_LEAP_YEAR}-02-29)"
)
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_TIME = rf"{_CLOCK}:[0-5][0-9](\.[0-9]{{1,6}})?(Z|[+-]{_CLOCK})"
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_NAME = "[a-z0-9]{1,20}([._+-][a-z0-9]{1,20}){0,3}"
_DOMAIN = r"[a-z0-9]{1,20}(-[a-z0-9]{1,20}){0,2}(\.[a-z]{2,10}){1,3}"
FORMATS = {
    "date": _DATE,
    "time": _TIME,
    "date-time": f"{_DATE}T{_TIME}",
    "uuid": "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "ipv4": rf"{_OCTET}(\.{_OCTET}){{3}}",
    "email": f"{_NAME}@{_DOMAIN}",
}


def char_rule(book: RuleBook) -> str:
    """Rule for one character of a JSON string, escaped where JSON asks for it."""
    hex_digit = book.add("hex", HEX)
    return book.add("char", CHAR.replace("hex", hex_digit))


def string_rule(schema: Mapping[str, Any], path: str, book: RuleBook) -> str:
    """Expression for a string under `minLength`, `maxLength`, `pattern` and `format`.

    Raises:
        UsageError: Keywords are combined, broken or unknown, or nothing satisfies them.
    """
    lengths = [keyword for keyword in ("minLength", "maxLength") if keyword in schema]
    if "pattern" in schema or "format" in schema:
        sole = "pattern" if "pattern" in schema else "format"
        others = [
            keyword for keyword in ("format", *lengths) if keyword in schema and keyword != sole
        ]
        if others:
            raise fault(
                path,
                f"'{others[0]}' beside '{sole}' is not supported",
                hint="write the length into the pattern, as in ^[a-z]{1,20}$",
            )
        return f"{QUOTE} {_pattern(schema, sole, path, book)} {QUOTE}"
    least = read_count(schema, "minLength", path) or 0
    most = read_count(schema, "maxLength", path)
    if most is not None and least > most:
        raise fault(path, f"no string is at least {least} and at most {most} characters long")
    if least > MAX_LENGTH:
        raise fault(path, f"'minLength' is supported up to {MAX_LENGTH}")
    bound = None if most is None else min(most, MAX_LENGTH)
    return f"{QUOTE} {repeat(char_rule(book), least, bound)} {QUOTE}"


def _pattern(schema: Mapping[str, Any], keyword: str, path: str, book: RuleBook) -> str:
    value = schema[keyword]
    if not isinstance(value, str):
        raise fault(path, f"'{keyword}' must be a string, not {value!r}")
    if keyword == "format" and value not in FORMATS:
        raise fault(
            path, f"'format' {value!r} is not supported", hint=f"use one of {', '.join(FORMATS)}"
        )
    pattern = f"^{FORMATS[value]}$" if keyword == "format" else value
    try:
        return pattern_rule(pattern, book, any_char=char_rule(book))
    except ValueError as error:
        raise fault(path, f"'pattern' {value!r} is not supported: {error}") from error
