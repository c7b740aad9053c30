"""Grammars that bind an answer: JSON Schema, a closed choice, citations of existing frames.

`schema_to_gbnf` writes a subset of the schema's values: everything the grammar allows is valid, not
everything valid is allowed. Numbers carry no exponent, optional properties keep the schema's order,
nothing is written that the schema only tolerates (additional properties beside declared ones).
Supported: `type` (also a list), `enum`, `const`, `minimum`, `maximum`, `exclusiveMinimum`,
`exclusiveMaximum`, `minLength`, `maxLength`, `pattern` (see `gbnf_patterns`), `format` (see
`schema_strings`), `items`, `prefixItems`, `minItems`, `maxItems`, `properties`, `required`,
`additionalProperties`, `anyOf`, `oneOf` of branches that exclude each other, `allOf` of one, and
`$ref` into the document, recursive too. Any other keyword is a `UsageError`: a promise the grammar
could not keep is not made.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from vidcli.engine.gbnf import RuleBook, any_of, literal, repeat
from vidcli.engine.gbnf_numbers import integer_range
from vidcli.engine.schema_compiler import SchemaCompiler
from vidcli.errors import UsageError

MAX_GRAMMAR_BYTES = 1 << 20
LINES = 40  # of an answer with citations; then it must end
LINE_CHARS = 900  # of one line of it


def schema_to_gbnf(schema: Mapping[str, Any] | bool) -> str:
    """Write a grammar whose every text is JSON that the schema accepts.

    Args:
        schema: As `json.load` gives it.

    Raises:
        UsageError: The schema uses what no grammar here can keep, refers outside itself, or
            nothing at all satisfies it. The message names keyword and place.
    """
    try:
        grammar = SchemaCompiler(schema).compile()
    except RecursionError as error:
        raise UsageError("the schema is nested too deeply") from error
    if len(grammar.encode()) > MAX_GRAMMAR_BYTES:
        raise UsageError("the schema is too large to be a grammar")
    return grammar


def choice_gbnf(options: Sequence[str]) -> str:
    """Write a grammar that allows exactly one of these texts.

    Raises:
        UsageError: There are no options, or one is empty or holds what no token can spell.
    """
    if not options or not all(options):
        raise UsageError("a choice needs at least one option, and none may be empty")
    try:
        return f"root ::= {any_of([literal(option) for option in options])}\n"
    except ValueError as error:
        raise UsageError(f"an option cannot be written: {error}") from error


def citations_gbnf(frame_ids: Sequence[int]) -> str:
    """Write a grammar for free text in which `[3]` or `[3, 5]` may only name existing frames.

    Brackets are kept for marks. At most one blank line stands between lines, and a line and the
    answer have a largest length, so that the text comes to an end.

    Args:
        frame_ids: Positive; empty allows no marks.
    """
    book = RuleBook()
    letter = book.add("letter", r"[\x20-Z\\^-~\x80-\uD7FF\uE000-\U0010FFFF]")
    atoms = [letter]
    if frame_ids:
        frame = book.add("frame", any_of([_run(*run) for run in _runs(frame_ids)]))
        mark = book.add("mark", f'"[" {frame} {repeat(book.add("more", _more(frame)), 0, 8)} "]"')
        atoms.append(mark)
    line = book.add("line", repeat(book.add("piece", any_of(atoms)), 1, LINE_CHARS))
    next_line = book.add("next", f"[\\n]{{1,2}} {line}")
    return book.render(f"{line} {repeat(next_line, 0, LINES - 1)}")


def _more(frame: str) -> str:
    return f'"," " "? {frame}'


def _runs(frame_ids: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring ids as (first, last)."""
    numbered = enumerate(sorted(set(frame_ids)))
    groups = itertools.groupby(numbered, key=lambda item: item[1] - item[0])
    runs = [[value for _, value in group] for _, group in groups]
    return [(run[0], run[-1]) for run in runs]


def _run(first: int, last: int) -> str:
    expression = integer_range(first, last)
    if first < 1 or expression is None:
        raise ValueError(f"frame ids start at 1, not {first}")
    return expression
