"""What a JSON Schema says: its keywords checked, its references followed, its branches compared.

Not here: writing grammar rules (`schema_compiler`).
"""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from vidcli.errors import UsageError

Schema = Mapping[str, Any] | bool

ANNOTATIONS = frozenset(
    {"title", "description", "default", "examples", "$comment", "$schema", "$id"}
    | {"$defs", "definitions", "deprecated", "readOnly", "writeOnly", "discriminator"}
)
BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
BY_TYPE: dict[str, frozenset[str]] = {
    "null": frozenset(),
    "boolean": frozenset(),
    "integer": BOUNDS,
    "number": BOUNDS,
    "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
    "array": frozenset({"items", "prefixItems", "minItems", "maxItems", "uniqueItems"}),
    "object": frozenset({"properties", "required", "additionalProperties"}),
}
SOLE = ("$ref", "const", "enum", "anyOf", "oneOf", "allOf")  # stand without other demands
KNOWN = ANNOTATIONS | {"type", *SOLE}.union(*BY_TYPE.values())


def fault(path: str, message: str, *, hint: str | None = None) -> UsageError:
    """An error that names a place in the schema."""
    return UsageError(f"schema {path}: {message}", hint=hint)


class SchemaDocument:
    """A whole schema; places in it are JSON pointers such as `#/properties/title`."""

    def __init__(self, root: Schema) -> None:
        self.root = root

    def check(self, schema: Any, path: str) -> Schema:
        """Make sure that every keyword here can be kept.

        Raises:
            UsageError: It is no schema, or a keyword is not supported here.
        """
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, Mapping):
            raise fault(path, "a schema is an object, true or false")
        for keyword in schema:
            if keyword not in KNOWN and not str(keyword).startswith("x-"):
                raise fault(path, f"'{keyword}' is not supported", hint="remove that keyword")
        sole = [keyword for keyword in SOLE if keyword in schema]
        if sole:
            allowed = {*ANNOTATIONS, sole[0]} | (
                {"type"} if sole[0] in ("const", "enum") else set()
            )
            for keyword in schema:
                if keyword not in allowed and not keyword.startswith("x-"):
                    raise fault(path, f"'{keyword}' beside '{sole[0]}' is not supported")
        return schema

    def resolve(self, reference: Any, path: str) -> Schema:
        """Follow a `$ref` inside the document.

        Raises:
            UsageError: It leads outside the document or nowhere.
        """
        if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
            raise fault(path, f"'$ref' {reference!r} leads outside the schema")
        node: Any = self.root
        for step in reference.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, Mapping) and name in node:
                node = node[name]
            elif isinstance(node, list) and name.isdigit() and int(name) < len(node):
                node = node[int(name)]
            else:
                raise fault(path, f"'$ref' {reference!r} leads nowhere")
        return self.check(node, reference)

    def types(self, schema: Mapping[str, Any], path: str) -> tuple[str, ...]:
        """Types asked for, else those whose keywords are used; empty where anything goes."""
        given = schema.get("type")
        if given is None:
            used = set(schema) - ANNOTATIONS
            found = [name for name, keywords in BY_TYPE.items() if used & keywords]
            return tuple(name for name in found if name != "integer")
        names = [given] if isinstance(given, str) else given
        if not isinstance(names, list) or not names or not all(name in BY_TYPE for name in names):
            raise fault(path, f"'type' {given!r} is unknown")
        return tuple(names)

    def exclude_each_other(self, branches: Sequence[Schema], path: str) -> bool:
        """Whether no value can satisfy two of these; False where that cannot be told."""
        return all(self._disjoint(a, b, path, 0) for a, b in itertools.combinations(branches, 2))

    def can_end(self, schema: Schema, known: frozenset[str]) -> bool:
        """Whether a finite value satisfies this, given the references known to have one."""
        if isinstance(schema, bool) or "const" in schema or "enum" in schema:
            return True
        if "$ref" in schema:
            return schema["$ref"] in known
        for keyword in ("anyOf", "oneOf", "allOf"):
            if keyword in schema:
                return any(self.can_end(branch, known) for branch in schema[keyword])
        rules: dict[str, Callable[[], bool]] = {
            "object": lambda: self._object_can_end(schema, known),
            "array": lambda: self._array_can_end(schema, known),
        }
        names = self.types(schema, "#")
        return not names or any(name not in rules or rules[name]() for name in names)

    def _object_can_end(self, schema: Mapping[str, Any], known: frozenset[str]) -> bool:
        properties = schema.get("properties", {})
        needed = (properties[name] for name in schema.get("required", ()) if name in properties)
        return all(self.can_end(child, known) for child in needed)

    def _array_can_end(self, schema: Mapping[str, Any], known: frozenset[str]) -> bool:
        least, first = schema.get("minItems", 0), schema.get("prefixItems", [])
        needed = [*first[:least], *([schema.get("items", True)] if least > len(first) else [])]
        return all(self.can_end(child, known) for child in needed)

    def _disjoint(self, one: Schema, other: Schema, path: str, depth: int) -> bool:
        one, other = self._follow(one, path), self._follow(other, path)
        if one is False or other is False:
            return True
        if isinstance(one, bool) or isinstance(other, bool) or depth > 8:
            return False
        values, others = _values(one), _values(other)
        if values is not None and others is not None:
            return not values & others
        if not self._kinds(one, path) & self._kinds(other, path):
            return True
        both = set(one.get("required", ())) & set(other.get("required", ()))
        return self._kinds(one, path) & self._kinds(other, path) == {"object"} and any(
            self._disjoint(one["properties"][name], other["properties"][name], path, depth + 1)
            for name in both
            if name in one.get("properties", {}) and name in other.get("properties", {})
        )

    def _follow(self, schema: Schema, path: str) -> Schema:
        for _ in range(32):
            if isinstance(schema, bool) or "$ref" not in schema:
                return schema
            schema = self.resolve(schema["$ref"], path)
        return True

    def _kinds(self, schema: Mapping[str, Any], path: str) -> frozenset[str]:
        values = _values(schema)
        if values is not None:
            names = {_kind(json.loads(value)) for value in values}
        elif any(keyword in schema for keyword in ("anyOf", "oneOf", "allOf")):
            names = set(BY_TYPE)
        else:
            names = set(self.types(schema, path)) or set(BY_TYPE)
        return frozenset("number" if name == "integer" else name for name in names)


def read_number(schema: Mapping[str, Any], keyword: str, path: str) -> Decimal | None:
    """A numeric bound, exact as written.

    Raises:
        UsageError: It is no finite number.
    """
    value = schema.get(keyword)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fault(path, f"'{keyword}' must be a number, not {value!r}")
    number = Decimal(str(value))
    if not number.is_finite() or abs(number.adjusted()) > 300:
        raise fault(path, f"'{keyword}' {value!r} is out of range")
    return number


def read_count(schema: Mapping[str, Any], keyword: str, path: str) -> int | None:
    """A length or a number of items.

    Raises:
        UsageError: It is no whole number ≥ 0.
    """
    value = schema.get(keyword)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise fault(path, f"'{keyword}' must be a whole number from 0, not {value!r}")
    return value


def has_type(value: Any, name: str) -> bool:
    """Whether a JSON value is of this JSON Schema type."""
    kind = _kind(value)
    if name == "integer":
        return kind == "number" and float(value).is_integer()
    return kind == name


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _values(schema: Mapping[str, Any]) -> frozenset[str] | None:
    """Values of `const` or `enum`, written so that equal ones are equal; None where any go."""
    if "const" in schema:
        return frozenset([_canonical(schema["const"])])
    if isinstance(schema.get("enum"), list):
        return frozenset(_canonical(value) for value in schema["enum"])
    return None


def _canonical(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True)
