"""From the nodes of a JSON Schema to the rules of a grammar.

Every rule stands for one JSON value; white space is one blank or one line break with a bounded
indent, since small models loop on it.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vidcli.engine.gbnf import RuleBook, any_of, literal, repeat
from vidcli.engine.gbnf_numbers import decimal_range, integer_range
from vidcli.engine.schema_shape import (
    Schema,
    SchemaDocument,
    fault,
    has_type,
    read_count,
    read_number,
)
from vidcli.engine.schema_strings import string_rule

BLANK = '"" | " " | [\\n] [ ]{0,12}'
ANY_DEPTH = 4  # levels of arrays and objects where the schema says nothing
ANY_MEMBERS = 16  # members of each
MAX_ITEMS = 1000  # a larger maximum is cut to this: shorter arrays satisfy it too

NOTHING: frozenset[str] = frozenset()


class SchemaCompiler:
    """Compiles one document; the methods take the place of a node for their messages.

    `open_refs` are the references being followed without a character written in between: meeting
    one of them again would never come to an end.
    """

    def __init__(self, root: Schema) -> None:
        self._document = SchemaDocument(root)
        self._book = RuleBook()
        self._blank = self._book.add("ws", BLANK)
        self._references: dict[str, str] = {}

    def compile(self) -> str:
        """The whole grammar.

        Raises:
            UsageError: A keyword cannot be kept, a reference leads nowhere, or nothing at all
                satisfies the schema.
        """
        self._references["#"] = self._book.reserve("document")
        rule = self._value(self._document.root, "#", frozenset(["#"]))
        self._book.define(self._references["#"], rule)
        self._check_ends()
        return self._book.render(self._references["#"])

    def _value(self, node: Any, path: str, open_refs: frozenset[str] = NOTHING) -> str:
        """Name of the rule for one node."""
        schema = self._document.check(node, path)
        if schema is False:
            raise fault(path, "nothing satisfies false")
        if isinstance(schema, bool):
            return self._anything(ANY_DEPTH)
        if "$ref" in schema:
            return self._reference(schema["$ref"], path, open_refs)
        if "const" in schema or "enum" in schema:
            return self._listed(schema, path)
        for keyword in ("anyOf", "oneOf", "allOf"):
            if keyword in schema:
                return self._branches(schema[keyword], keyword, f"{path}/{keyword}", open_refs)
        types = self._document.types(schema, path)
        if not types:
            return self._anything(ANY_DEPTH)
        return self._one_of([self._typed(name, schema, path) for name in types], path)

    def _typed(self, name: str, schema: Mapping[str, Any], path: str) -> str:
        writers: dict[str, Callable[[], str]] = {
            "null": lambda: '"null"',
            "boolean": lambda: '"true" | "false"',
            "integer": lambda: self._integer(schema, path),
            "number": lambda: self._number(schema, path),
            "string": lambda: string_rule(schema, path, self._book),
            "array": lambda: self._array(schema, path),
            "object": lambda: self._object(schema, path),
        }
        return self._book.add(name, writers[name]())

    def _one_of(self, rules: Sequence[str], path: str) -> str:
        return rules[0] if len(rules) == 1 else self._book.add(_hint(path), any_of(rules))

    def _reference(self, reference: Any, path: str, open_refs: frozenset[str]) -> str:
        if reference in open_refs:
            raise fault(path, f"'$ref' {reference!r} refers to itself and to nothing else")
        known = self._references.get(reference)
        if known is None:
            schema = self._document.resolve(reference, path)
            known = self._references[reference] = self._book.reserve(_hint(reference))
            rule = self._value(schema, reference, open_refs | {reference})
            self._book.define(known, rule)
        return known

    def _check_ends(self) -> None:
        """Make sure that every reference has a finite value (the least fixed point)."""
        ended: frozenset[str] = NOTHING
        while True:
            more = frozenset(
                reference
                for reference in self._references
                if self._document.can_end(self._document.resolve(reference, "#"), ended)
            )
            if more == ended:
                break
            ended = more
        for reference in self._references:
            if reference not in ended:
                raise fault(reference, "no finite value satisfies this recursion")

    def _branches(self, branches: Any, keyword: str, path: str, open_refs: frozenset[str]) -> str:
        if not isinstance(branches, list) or not branches:
            raise fault(path, f"'{keyword}' must be a list of schemas")
        if keyword == "allOf" and len(branches) > 1:
            raise fault(path, "'allOf' of more than one schema is not supported")
        rules = [
            self._value(branch, f"{path}/{number}", open_refs)
            for number, branch in enumerate(branches)
        ]
        if keyword == "oneOf" and not self._document.exclude_each_other(branches, path):
            raise fault(
                path, "two branches of 'oneOf' may accept the same value", hint="use anyOf instead"
            )
        return self._one_of(rules, path)

    def _listed(self, schema: Mapping[str, Any], path: str) -> str:
        values = [schema["const"]] if "const" in schema else schema["enum"]
        if not isinstance(values, list):
            raise fault(path, "'enum' must be a list of values")
        types = self._document.types(schema, path)
        if "type" in schema:
            values = [value for value in values if any(has_type(value, name) for name in types)]
        if not values:
            raise fault(path, "nothing satisfies it")
        return self._book.add(_hint(path), any_of([json_literal(value) for value in values]))

    def _integer(self, schema: Mapping[str, Any], path: str) -> str:
        low, high = read_number(schema, "minimum", path), read_number(schema, "maximum", path)
        above = read_number(schema, "exclusiveMinimum", path)
        below = read_number(schema, "exclusiveMaximum", path)
        lows = [math.ceil(low)] if low is not None else []
        lows += [math.floor(above) + 1] if above is not None else []
        highs = [math.floor(high)] if high is not None else []
        highs += [math.ceil(below) - 1] if below is not None else []
        rule = integer_range(max(lows, default=None), min(highs, default=None))
        if rule is None:
            raise fault(path, "no integer lies between its bounds")
        return rule

    def _number(self, schema: Mapping[str, Any], path: str) -> str:
        low, high = read_number(schema, "minimum", path), read_number(schema, "maximum", path)
        above = read_number(schema, "exclusiveMinimum", path)
        below = read_number(schema, "exclusiveMaximum", path)
        low_open = above is not None and (low is None or above >= low)
        high_open = below is not None and (high is None or below <= high)
        rule = decimal_range(
            above if low_open else low,
            below if high_open else high,
            low_open=low_open,
            high_open=high_open,
        )
        if rule is None:
            raise fault(path, "no number that can be written lies between its bounds")
        return rule

    def _array(self, schema: Mapping[str, Any], path: str) -> str:
        if schema.get("uniqueItems") is True:
            raise fault(path, "'uniqueItems' is not supported", hint="remove that keyword")
        least = read_count(schema, "minItems", path) or 0
        most = read_count(schema, "maxItems", path)
        first = schema.get("prefixItems", [])
        if not isinstance(first, list):
            raise fault(path, "'prefixItems' must be a list of schemas")
        rest = schema.get("items", not first or least > len(first))
        if rest is False:
            most = len(first) if most is None else min(most, len(first))
        if (most is not None and least > most) or least > MAX_ITEMS:
            raise fault(path, f"no array has {least} items or more here")
        most = None if most is None else min(most, MAX_ITEMS)
        rules = [
            self._value(item, f"{path}/prefixItems/{number}")
            for number, item in enumerate(first[:most])
        ]
        rest_rule = self._value(rest, f"{path}/items") if most is None or most > len(rules) else ""
        return f'"[" {self._blank} {self._items(rules, rest_rule, least, most)} "]"'

    def _items(self, first: Sequence[str], rest: str, least: int, most: int | None) -> str:
        """Items of an array and the blank before its end: `first` in order, then `rest`."""
        comma, count = f'"," {self._blank}', len(first)
        tail = self._blank
        if rest:
            more = self._book.add("more", f"{comma} {rest}")
            left = None if most is None else most - max(count, 1)
            tail = f"{repeat(more, max(least - max(count, 1), 0), left)} {self._blank}"
        for number in range(count - 1, 0, -1):
            step = f"{comma} {first[number]} {tail}"
            tail = step if number < least else f"({step} | {self._blank})"
        head = first[0] if first else rest
        if not head:
            return self._blank
        filled = f"{head} {tail}"
        return filled if least else f"({filled} | {self._blank})"

    def _object(self, schema: Mapping[str, Any], path: str) -> str:
        properties, required = schema.get("properties", {}), schema.get("required", [])
        if not isinstance(properties, Mapping) or not isinstance(required, list):
            raise fault(path, "'properties' must be an object and 'required' a list")
        for name in required:
            if name not in properties:
                raise fault(
                    path, f"'required' names {name!r}, which 'properties' does not describe"
                )
        if not properties:
            other = schema.get("additionalProperties", "properties" not in schema)
            return self._map(other, path)
        pairs = [
            (self._pair(name, child, path), name in required)
            for name, child in properties.items()
            if child is not False or name in required
        ]
        return f'"{{" {self._blank} {self._members(pairs)}'

    def _pair(self, name: str, child: Any, path: str) -> str:
        place = f"{path}/properties/{name.replace('~', '~0').replace('/', '~1')}"
        value = self._value(child, place)
        return self._book.add(f"{name}-pair", f'{json_literal(name)} ":" {self._blank} {value}')

    def _members(self, pairs: Sequence[tuple[str, bool]]) -> str:
        """Members in the schema's order, each optional one there or not, and the closing brace."""
        close = f'{self._blank} "}}"'
        tail = close
        heads: list[str] = []
        for pair, is_required in reversed(pairs):
            if is_required:
                heads = []  # no member behind this one can be the first
            heads.append(f"{pair} {tail}")
            step = f'"," {self._blank} {pair}'
            tail = self._book.add("tail", f"{step} {tail}" if is_required else f"({step})? {tail}")
        if not any(is_required for _, is_required in pairs):
            heads.append(close)
        return any_of(heads)

    def _map(self, values: Any, path: str) -> str:
        """An object with free names; `values` is the schema of what they hold."""
        if values is False:
            return f'"{{" {self._blank} "}}"'
        rule = self._value(values, f"{path}/additionalProperties")
        return self._free_members(rule)

    def _free_members(self, value: str) -> str:
        name = self._book.add("string", string_rule({}, "#", self._book))
        pair = self._book.add("pair", f'{name} ":" {self._blank} {value}')
        more = self._book.add("more", f'"," {self._blank} {pair}')
        members = f"({pair} {repeat(more, 0, ANY_MEMBERS - 1)} {self._blank} | {self._blank})"
        return f'"{{" {self._blank} {members} "}}"'

    def _anything(self, depth: int) -> str:
        """Any JSON value, to a bounded depth and size."""
        plain = [self._typed(name, {}, "#") for name in ("string", "number", "boolean", "null")]
        if depth == 0:
            return self._book.add("leaf", any_of(plain))
        inner = self._anything(depth - 1)
        items = self._items([], inner, 0, ANY_MEMBERS)
        array = self._book.add("array", f'"[" {self._blank} {items} "]"')
        members = self._book.add("object", self._free_members(inner))
        return self._book.add("value", any_of([members, array, *plain]))


def json_literal(value: Any) -> str:
    """A JSON value written out, as a GBNF literal."""
    try:
        return literal(json.dumps(value, ensure_ascii=False))
    except ValueError:  # half a surrogate pair is only spelled by an escape
        return literal(json.dumps(value))


def _hint(path: str) -> str:
    steps = [step for step in path.split("/")[1:] if step not in ("properties", "$defs")]
    return "-".join(steps[-2:]) or "value"
