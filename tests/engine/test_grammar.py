import datetime
import ipaddress
import json
import re
import uuid
from typing import Any

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.engine.byte_model import GrammarDriver
from vidcli.engine.grammar import choice_gbnf, citations_gbnf, schema_to_gbnf
from vidcli.errors import UsageError

VALUES = st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5)
NAMES = st.text(st.sampled_from('abc"\\é /~-\n'), min_size=1, max_size=6)


@st.composite
def integers(draw: st.DrawFn) -> dict[str, Any]:
    low, high = sorted((draw(st.integers(-2000, 2000)), draw(st.integers(-2000, 2000))))
    return {
        "type": "integer",
        draw(st.sampled_from(["minimum", "exclusiveMinimum"])): low - 1,
        draw(st.sampled_from(["maximum", "exclusiveMaximum"])): high + 1.5,
    }


@st.composite
def numbers(draw: st.DrawFn) -> dict[str, Any]:
    low, high = sorted((draw(st.floats(-99, 99)), draw(st.floats(-99, 99))))
    return {
        "type": "number",
        draw(st.sampled_from(["minimum", "exclusiveMinimum"])): round(low, 3),
        draw(st.sampled_from(["maximum", "exclusiveMaximum"])): round(high, 2) + 1,
    }


@st.composite
def strings(draw: st.DrawFn) -> dict[str, Any]:
    least = draw(st.integers(0, 5))
    return {"type": "string", "minLength": least, "maxLength": least + draw(st.integers(0, 9))}


LEAVES = st.one_of(
    st.sampled_from(["null", "boolean", "integer", "number"]).map(lambda name: {"type": name}),
    integers(),
    numbers(),
    strings(),
    st.lists(VALUES, min_size=1, max_size=4).map(lambda values: {"enum": values}),
    VALUES.map(lambda value: {"const": value}),
    st.just({"type": ["integer", "null"], "minimum": 3, "title": "how many"}),
    st.just({"type": "string", "pattern": "^[a-f]{1,3}$"}),
)


def arrays(items: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    @st.composite
    def build(draw: st.DrawFn) -> dict[str, Any]:
        least = draw(st.integers(0, 3))
        schema = {"type": "array", "minItems": least, "maxItems": least + draw(st.integers(0, 3))}
        if draw(st.booleans()):
            schema["prefixItems"] = draw(st.lists(items, min_size=1, max_size=3))
        if "prefixItems" not in schema or draw(st.booleans()):
            schema["items"] = draw(items)
        return schema

    return build()


def objects(children: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    @st.composite
    def build(draw: st.DrawFn) -> dict[str, Any]:
        properties = draw(st.dictionaries(NAMES, children, min_size=1, max_size=4))
        required = [name for name in properties if draw(st.booleans())]
        return {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }

    return build()


SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: (
        arrays(inner)
        | objects(inner)
        | st.lists(inner, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches})
        | inner.map(lambda schema: {"type": "object", "additionalProperties": schema})
    ),
    max_leaves=6,
)


def assert_valid(schema: Any, text: str) -> None:
    jsonschema.Draft202012Validator(schema).validate(json.loads(text))


@given(schema=SCHEMAS, seed=st.integers(0, 2**32))
def test_everything_the_grammar_allows_is_valid(
    driver: GrammarDriver, schema: Any, seed: int
) -> None:
    text = driver.write(schema_to_gbnf(schema), seed)
    assume(text is not None)
    assert text is not None
    assert_valid(schema, text)


@given(seed=st.integers(0, 2**32))
@pytest.mark.parametrize("schema", [True, {}, {"type": "array"}, {"type": "object"}])
def test_where_the_schema_says_nothing_any_bounded_json_goes(
    driver: GrammarDriver, schema: Any, seed: int
) -> None:
    text = driver.write(schema_to_gbnf(schema), seed, longest=4000)
    if text is not None:
        assert_valid(schema, text)


TREE = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 3},
        "children": {"type": "array", "items": {"$ref": "#"}, "maxItems": 2},
    },
    "required": ["name"],
}
LINKED = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"next": {"$ref": "#/$defs/a~1b"}},
            "required": ["next"],
        },
        "a/b": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/node"}]},
    },
}


@pytest.mark.parametrize("schema", [TREE, LINKED])
@given(seed=st.integers(0, 2**32))
def test_recursive_schemas(driver: GrammarDriver, schema: Any, seed: int) -> None:
    text = driver.write(schema_to_gbnf(schema), seed)
    if text is not None:
        assert_valid(schema, text)


CASES = {
    "optional first": (
        {
            "type": "object",
            "properties": {"a": {"const": 1}, "b": {"const": 2}, "c": {"const": 3}},
            "required": ["b"],
        },
        ['{"b":2}', '{"a": 1, "b": 2}', '{"b":2,"c":3}', '{\n  "a":1,\n  "b":2,\n  "c":3\n}'],
        ["{}", '{"a":1}', '{"b":2,"a":1}', '{"a":1,"b":2,}', '{"b":2,"b":2}', '{"b":2,"d":1}'],
    ),
    "all optional": (
        {"type": "object", "properties": {"a": {"const": 1}, "b": {"const": 2}}},
        ["{}", '{"a":1}', '{"b":2}', '{"a":1,"b":2}'],
        ['{"b":2,"a":1}', "{,}", '{"a":1'],
    ),
    "no properties": (
        {"type": "object", "properties": {}},
        ["{}", "{ }"],
        ['{"a":1}'],
    ),
    "map": (
        {"type": "object", "additionalProperties": {"type": "boolean"}},
        ["{}", '{"anything":true,"more": false}'],
        ['{"a":1}'],
    ),
    "items": (
        {"type": "array", "items": {"const": 1}, "minItems": 2, "maxItems": 3},
        ["[1,1]", "[1, 1, 1]"],
        ["[]", "[1]", "[1,1,1,1]", "[1,1,]"],
    ),
    "prefix": (
        {"type": "array", "prefixItems": [{"const": 1}, {"const": 2}], "items": {"const": 0}},
        ["[]", "[1]", "[1,2]", "[1,2,0,0]"],
        ["[2]", "[1,0]", "[1,2,3]"],
    ),
    "tuple": (
        {"type": "array", "prefixItems": [{"const": 1}, {"const": 2}], "minItems": 1},
        ["[1]", "[1,2]"],
        ["[]", "[1,2,3]"],
    ),
    "no items": (
        {"type": "array", "items": False},
        ["[]", "[ ]"],
        ["[1]"],
    ),
    "listed values of one type": (
        {"enum": [1, "1", None, [1, 2]], "type": ["string", "array"]},
        ['"1"', "[1, 2]"],
        ["1", "null"],
    ),
    "length in characters": (
        {"type": "string", "minLength": 2, "maxLength": 3},
        ['"éé"', '"\\n\\u00e9a"', '"\N{GRINNING FACE}\N{GRINNING FACE}"'],
        ['"é"', '"abcd"', '"a"', '"\\n"'],
    ),
    "raw controls": (
        {"type": "string"},
        ['""', '"\\t\\" \\\\ \\/"'],
        ['"\t"', '"\n"', '"\x1f"', '"a', '"\\x41"', '"\\ud83d"', '"\\ud83d\\ude00"'],
    ),
    "one of several objects": (
        {
            "oneOf": [
                {"type": "object", "properties": {"k": {"const": k}}, "required": ["k"]}
                for k in ("cat", "dog")
            ]
        },
        ['{"k":"cat"}', '{"k":"dog"}'],
        ['{"k":"cow"}', "{}"],
    ),
    "all of one": ({"allOf": [{"const": 3}]}, ["3"], ["4"]),
    "true and false": ({"type": "boolean"}, ["true", "false"], ["True", "1", ""]),
}


@pytest.mark.parametrize("name", CASES)
def test_texts_that_are_allowed_and_texts_that_are_not(driver: GrammarDriver, name: str) -> None:
    schema, allowed, refused = CASES[name]
    grammar = schema_to_gbnf(schema)
    for text in allowed:
        assert_valid(schema, text)
        assert driver.accepts(grammar, text), text
    assert [text for text in refused if driver.accepts(grammar, text)] == []


@pytest.mark.parametrize("longest", [1999, 2000, 2001, 2500, 5000])
def test_lengths_beyond_what_llama_cpp_counts_are_kept(driver: GrammarDriver, longest: int) -> None:
    grammar = schema_to_gbnf({"type": "string", "minLength": longest - 1, "maxLength": longest})
    fits = [
        count
        for count in range(longest - 2, longest + 2)
        if driver.accepts(grammar, f'"{"x" * count}"')
    ]
    assert fits == [longest - 1, longest]


def test_white_space_is_bounded(driver: GrammarDriver) -> None:
    grammar = schema_to_gbnf({"type": "array", "items": {"type": "boolean"}})
    assert driver.accepts(grammar, "[\n  true,\n  false\n]")
    assert not driver.accepts(grammar, "[" + " " * 30 + "true]")
    assert not driver.accepts(grammar, "[\n\n\n\n\ntrue]")


@pytest.mark.parametrize("name", ["date", "time", "date-time", "uuid", "ipv4", "email"])
@given(seed=st.integers(0, 2**32))
def test_formats_are_what_they_say(driver: GrammarDriver, name: str, seed: int) -> None:
    text = driver.write(schema_to_gbnf({"type": "string", "format": name}), seed)
    assert text is not None
    value = json.loads(text)
    readers = {
        "date": datetime.date.fromisoformat,
        "time": lambda text: datetime.datetime.fromisoformat(f"2000-01-01T{text}"),
        "date-time": datetime.datetime.fromisoformat,
        "uuid": uuid.UUID,
        "ipv4": ipaddress.IPv4Address,
        "email": lambda text: re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", text) or 1 / 0,
    }
    readers[name](value)


def test_the_29th_of_february_is_for_leap_years(driver: GrammarDriver) -> None:
    grammar = schema_to_gbnf({"type": "string", "format": "date"})
    leap = [year for year in range(1890, 2110) if driver.accepts(grammar, f'"{year}-02-29"')]
    assert leap == [
        year for year in range(1890, 2110) if year % 4 == 0 and (year % 100 or year % 400 == 0)
    ]


REFUSED = [
    ({"type": "integer", "multipleOf": 3}, "#", "multipleOf"),
    ({"type": "object", "properties": {"a": {"not": {}}}}, "#/properties/a", "not"),
    ({"type": "array", "items": {"uniqueItems": True, "type": "array"}}, "#/items", "uniqueItems"),
    ({"type": "object", "patternProperties": {}}, "#", "patternProperties"),
    ({"anyOf": [{"type": "null"}, {"if": {}}]}, "#/anyOf/1", "if"),
    ({"anyOf": [{"type": "null"}], "type": "null"}, "#", "type"),
    ({"anyOf": []}, "#", "anyOf"),
    ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, "#/oneOf", "oneOf"),
    ({"allOf": [{}, {}]}, "#/allOf", "allOf"),
    ({"$ref": "other.json"}, "#", "$ref"),
    ({"$ref": "#/$defs/missing"}, "#", "$ref"),
    ({"$ref": "#"}, "#", "$ref"),
    ({"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"}, "#", "$ref"),
    ({"properties": {"a": {"$ref": "#"}}, "required": ["a"]}, "#", "recursion"),
    ({"type": "array", "items": {"$ref": "#"}, "minItems": 1}, "#", "recursion"),
    ({"type": "integer", "minimum": 3, "maximum": 2}, "#", "bounds"),
    ({"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 4}, "#", "bounds"),
    ({"type": "number", "minimum": "3"}, "#", "minimum"),
    ({"type": "number", "minimum": True}, "#", "minimum"),
    ({"type": "number", "maximum": float("inf")}, "#", "maximum"),
    ({"type": "string", "minLength": 3, "maxLength": 2}, "#", "characters"),
    ({"type": "string", "minLength": -1}, "#", "minLength"),
    ({"type": "string", "pattern": "a", "maxLength": 3}, "#", "maxLength"),
    ({"type": "string", "format": "iri"}, "#", "iri"),
    ({"type": "array", "minItems": 2, "maxItems": 1}, "#", "items"),
    ({"type": "array", "prefixItems": [{}], "items": False, "minItems": 2}, "#", "items"),
    ({"type": "object", "required": ["a"]}, "#", "required"),
    ({"type": "text"}, "#", "text"),
    ({"type": []}, "#", "type"),
    ({"enum": []}, "#", "nothing"),
    ({"enum": ["a"], "type": "integer"}, "#", "nothing"),
    ({"enum": ["a"], "maxLength": 3}, "#", "maxLength"),
    ({"properties": {"a/b": False}, "required": ["a/b"]}, "#/properties/a~1b", "false"),
    (False, "#", "false"),
    ("string", "#", "object"),
]


@pytest.mark.parametrize(("schema", "path", "word"), REFUSED)
def test_what_cannot_be_promised_is_refused_by_keyword_and_place(
    schema: Any, path: str, word: str
) -> None:
    with pytest.raises(UsageError) as caught:
        schema_to_gbnf(schema)
    assert str(caught.value).startswith(f"schema {path}")
    assert word in str(caught.value)


def test_a_schema_nested_without_end_is_refused() -> None:
    schema: Any = {"type": "null"}
    for _ in range(5000):
        schema = {"type": "array", "items": schema}
    with pytest.raises(UsageError, match="nested too deeply"):
        schema_to_gbnf(schema)


def test_a_schema_too_large_is_refused() -> None:
    with pytest.raises(UsageError, match="too large"):
        schema_to_gbnf({"enum": [f"{number:0200d}" for number in range(10_000)]})


@pytest.mark.parametrize("options", [["yes", "no", "unsure"], ['say "no"\n', "\\", "ja", "jawohl"]])
def test_a_choice_is_exactly_one_of_its_options(driver: GrammarDriver, options: list[str]) -> None:
    grammar = choice_gbnf(options)
    assert all(driver.accepts(grammar, option) for option in options)
    assert not driver.accepts(grammar, "")
    assert not driver.accepts(grammar, options[0] + options[1])


@pytest.mark.parametrize("options", [[], ["yes", ""], ["a\0b"], ["\ud800"]])
def test_a_choice_that_cannot_be_written_is_a_usage_error(options: list[str]) -> None:
    with pytest.raises(UsageError):
        choice_gbnf(options)


@given(
    ids=st.lists(st.integers(1, 300), max_size=40),
    seed=st.integers(0, 2**32),
)
def test_citations_name_existing_frames_only(
    driver: GrammarDriver, ids: list[int], seed: int
) -> None:
    text = driver.write(citations_gbnf(ids), seed)
    if text is not None:
        marks = re.findall(r"\[(\d+(?:, ?\d+)*)\]", text)
        assert text.count("[") == text.count("]") == len(marks)
        assert {int(number) for mark in marks for number in mark.split(",")} <= set(ids)


def test_citations_are_found_among_free_text(driver: GrammarDriver) -> None:
    grammar = citations_gbnf([1, 2, 3, 7, 12])
    for text in (
        'A dog, then [3] a "cat" [1,2].',
        "[12]",
        "No marks.\n\nTwo lines [1, 7].",
        "é\N{DOG}",
    ):
        assert driver.accepts(grammar, text), text
    for text in (
        "[4]",
        "[01]",
        "[]",
        "[1",
        "[1,]",
        "[1 2]",
        "a\n\n\nb",
        "",
        "\n",
        "a\n",
        "see [http]",
    ):
        assert not driver.accepts(grammar, text), text


def test_an_answer_with_citations_has_an_end(driver: GrammarDriver) -> None:
    grammar = citations_gbnf([1])
    assert driver.accepts(grammar, "x" * 900)
    assert not driver.accepts(grammar, "x" * 901)
    assert driver.accepts(grammar, "\n".join("x" * 40))
    assert not driver.accepts(grammar, "\n".join("x" * 41))
