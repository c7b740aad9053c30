"""A set is read as it was written; what is wrong with a row is said with its number."""

import re
from pathlib import Path

import pytest

from tests.evaluate.questions import colour_row, write_rows
from vidcli.errors import UsageError
from vidcli.evaluate.sets import CaptionTruth, Fact, limit_each, read_set


def test_rows_are_read_with_their_truth(tmp_path: Path):
    caption = {
        "id": "c", "video": "v.mp4", "kind": "caption", "question": "Describe.", "answer": "A cat.",
        "facts": [{"count": 2, "colour": "red", "object": "cat", "motion": None}],
        "word": "STOP", "ordered": True, "phrases": ["zooms in"], "wording": "held out",
    }  # fmt: skip
    write_rows(tmp_path, colour_row(1, reversed="blue"), "", caption)
    colour, told = read_set(tmp_path)
    assert colour.video == tmp_path / "v.mp4"
    assert (colour.answer, colour.reversed_answer, colour.is_held_out) == ("red", "blue", False)
    assert colour.truth is None
    assert told.is_held_out
    assert told.reversed_answer == told.answer
    fact = Fact(2, "red", "cat", None)
    assert told.truth == CaptionTruth((fact,), True, "STOP", ("zooms in",))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{", "row 2: Expecting"),
        ("[1]", "row 2: it is no JSON object"),
        ({"id": "x"}, "row 2: 'video' is missing"),
        (colour_row(2, "pink"), "row 2: the answer 'pink' is none of the options"),
        (colour_row(2, options="red"), "row 2: 'options' is no list of texts"),
        (colour_row(2, question=" "), "row 2: 'question' is no text"),
        (colour_row(2, video=3), "row 2: 'video' is no text"),
        (colour_row(1), "holds the id '1' twice"),
        (colour_row(2, facts=[{"count": "many"}]), "row 2: invalid literal"),
    ],
)
def test_a_bad_row_is_named_with_its_reason(tmp_path: Path, row: object, reason: str):
    write_rows(tmp_path, colour_row(1), row)
    with pytest.raises(UsageError, match=re.escape(reason)):
        read_set(tmp_path)


def test_no_set_and_an_empty_one_are_told_apart(tmp_path: Path):
    with pytest.raises(UsageError, match=r"holds no questions\.jsonl") as error:
        read_set(tmp_path)
    assert "vidcli data synth" in str(error.value.hint)
    write_rows(tmp_path)
    with pytest.raises(UsageError, match=r"holds no question$"):
        read_set(tmp_path)


def test_a_limit_counts_each_kind_by_itself(tmp_path: Path):
    rows = [colour_row(n, kind="ab"[n % 2]) for n in range(10)]
    questions = read_set(write_rows(tmp_path, *rows))
    assert [q.id for q in limit_each(questions, 2)] == ["0", "1", "2", "3"]
    assert limit_each(questions, 0) == questions
