"""How alike texts are, word by word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcli.methods.agent.similarity import compare_texts

TEXTS = ["A red ball rolls to the left.", "A blue hat is still.", "Two red balls fall."]


def test_the_text_with_the_rarer_shared_words_is_the_most_alike() -> None:
    assert compare_texts("the blue hat", TEXTS) == pytest.approx([0, 0.8, 0], abs=0.06)
    red, blue, two = compare_texts("red balls", TEXTS)
    assert red == two > blue == 0  # a plural is its singular
    assert compare_texts("a the of", TEXTS) == [0, 0, 0]
    assert compare_texts("ball", []) == []


def test_case_and_script_do_not_matter() -> None:
    assert compare_texts("ROTER Ball", ["roter ball", "мяч"]) == pytest.approx([1, 0])
    assert compare_texts("Мяч", ["roter ball", "мяч"]) == pytest.approx([0, 1])


@given(st.text(max_size=40), st.lists(st.text(max_size=40), max_size=5))
def test_similarity_lies_between_0_and_1(query: str, texts: list[str]) -> None:
    scores = compare_texts(query, texts)
    assert len(scores) == len(texts)
    assert all(0 <= score <= 1 for score in scores)
