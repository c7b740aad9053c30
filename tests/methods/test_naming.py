"""Labels are found in a text as words: in the singular or the plural, and each word once."""

import pytest

from vidcli.methods.naming import find_named

LABELS = (
    "person", "bicycle", "bus", "knife", "mouse", "sheep", "wine glass", "hot dog", "dog", "skis",
    "traffic light", "ponytail_fly",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a dog runs", ["dog"]),
        ("The DOGS bark", ["dog"]),
        ("people get on buses", ["person", "bus"]),
        ("two knives and three mice", ["knife", "mouse"]),
        ("wine glasses on a table", ["wine glass"]),
        ("a glass of wine", []),
        ("someone eats a hot dog", ["hot dog"]),
        ("a dog eats hot dogs", ["dog", "hot dog"]),
        ("a ski", ["skis"]),
        ("the traffic-light turns red", ["traffic light"]),
        ("ponytail flies", ["ponytail_fly"]),
        ("a dogma; busy, sheepish", []),
        ("automobile", []),
        ("dog after dog", ["dog"]),
        ("", []),
    ],
)
def test_words_name_labels(text: str, named: list[str]):
    assert list(find_named(text, LABELS)) == named


def test_a_label_without_letters_names_nothing():
    assert find_named("a -- b", ("--", "b")) == ("b",)
