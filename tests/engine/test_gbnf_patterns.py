import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.byte_model import GrammarDriver
from vidcli.engine.grammar import schema_to_gbnf
from vidcli.errors import UsageError


def pattern_grammar(pattern: str) -> str:
    return schema_to_gbnf({"type": "string", "pattern": pattern})


PATTERNS = [
    "^[a-c]{2,4}$",
    "^(red|green|dark (blue|grey))$",
    r"^\d{4}-\d\d$",
    r"^[^\d\s]+$",
    r"^\w+(-\w+)*$",
    r'^"quoted"$',
    r"^back\\slash/$",
    r"^a.c$",
    r"^a?b*c+d{0,2}e{3}?$",
    r"^\t\n\x41\u00e9$",
    r"^[\]\-^]+$",
    "dog",
    "^start",
    "end$",
    "^a|b$|c",
    "^(?:x|y)(?<name>z)?$",
    "^é+ü?$",
    "^$",
    r"^\{\}{2}$",
    r"^[\w.-]+@[\w-]+\.com$",
]


@pytest.mark.parametrize("pattern", PATTERNS)
@settings(max_examples=40)
@given(seed=st.integers(0, 2**32))
def test_written_strings_match_the_pattern(driver: GrammarDriver, pattern: str, seed: int) -> None:
    written = driver.write(pattern_grammar(pattern), seed, longest=200)
    if written is not None:
        assert re.search(pattern.replace("(?<", "(?P<"), json.loads(written), re.ASCII)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^[a-c]{2,4}$", "abca"),
        ("^(red|green|dark (blue|grey))$", "dark grey"),
        (r'^"quoted"$', '"quoted"'),
        (r"^back\\slash/$", "back\\slash/"),
        (r"^\t\n\x41\u00e9$", "\t\nAé"),
        ("dog", "hot dogs"),
        ("^a|b$|c", "xcx"),
        ("^a|b$|c", "axx"),
        ("^$", ""),
        (r"^\{\}{2}$", "{}}"),
        ("^a.c$", "a\N{GRINNING FACE}c"),
    ],
)
def test_what_matches_can_be_written(driver: GrammarDriver, pattern: str, text: str) -> None:
    assert driver.accepts(pattern_grammar(pattern), json.dumps(text, ensure_ascii=False))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^[a-c]{2,4}$", "a"),
        ("^[a-c]{2,4}$", "abcab"),
        ("dog", "cat"),
        ("^a.c$", "a\nc"),
        ("^$", "x"),
    ],
)
def test_what_does_not_match_cannot(driver: GrammarDriver, pattern: str, text: str) -> None:
    assert not driver.accepts(pattern_grammar(pattern), json.dumps(text))


@pytest.mark.parametrize(
    ("pattern", "cause"),
    [
        ("(?=a)", "look-around"),
        ("(?<!a)b", "look-around"),
        (r"(a)\1", r"\1"),
        (r"\bword", r"\b"),
        (r"\p{L}", r"\p"),
        ("(a*)*", "may match nothing"),
        ("(a", "not closed"),
        ("a)", "unbalanced"),
        ("[a", "too soon"),
        ("a**", "nothing to repeat"),
        ("*a", "nothing to repeat"),
        ("a{3,2}", "backwards"),
        ("a{99999}", "repeats more"),
        ("(^a)", "inner anchor"),
        ("(a$)", "inner anchor"),
        ("a$b", "inner anchor"),
        ("[z-a]", "makes no sense"),
        (r"\x4", "hexadecimal"),
        ("\\", "too soon"),
        (r"\x01", "cannot hold"),
        ("[]", "cannot hold"),
    ],
)
def test_what_is_outside_the_subset_is_refused_with_its_cause(pattern: str, cause: str) -> None:
    with pytest.raises(UsageError) as caught:
        pattern_grammar(pattern)
    assert cause in str(caught.value)
    assert "schema #: 'pattern'" in str(caught.value)


@given(pattern=st.text(alphabet="ab.^$*+?(){}[]|\\-d0,1<>:", max_size=12), seed=st.integers(0, 99))
def test_no_pattern_ends_in_anything_but_a_grammar_or_a_usage_error(
    driver: GrammarDriver, pattern: str, seed: int
) -> None:
    try:
        grammar = pattern_grammar(pattern)
    except UsageError:
        return
    driver.write(grammar, seed, longest=60)
