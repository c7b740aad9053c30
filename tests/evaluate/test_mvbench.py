"""VideoChat2: the reader of MVBench, and how its questions are worded."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from vidcli.core.time import Span
from vidcli.errors import UsageError
from vidcli.evaluate.metrics import judge
from vidcli.evaluate.mvbench import read_mvbench
from vidcli.methods.ask import Question

ROW = {
    "video": "a.mp4",
    "question": "What did the person do first?",
    "candidates": ["Opened a door.", "Closed a door.", "Not sure"],
    "answer": "Closed a door.",
}


def write_task(folder: Path, task: str, *rows: Any) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{task}.json"
    path.write_text(json.dumps(list(rows)))
    return path


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_three_rows_of_two_tasks_are_read(tmp_path: Path):
    """VideoChat2: rows of MVBench, with and without a part; the task is the kind."""
    data, videos = tmp_path / "json", tmp_path / "video"
    touch(videos / "star" / "a.mp4", videos / "b.webm")
    write_task(data, "moving_count", {**ROW, "video": "b.webm"})
    write_task(data, "action_sequence", {**ROW, "start": 1.1, "end": 7}, {**ROW, "question": "?"})
    one, two, three = read_mvbench(data, videos)
    assert [q.id for q in (one, two, three)] == [
        "action_sequence 1", "action_sequence 2", "moving_count 1",
    ]  # fmt: skip
    assert one.video == two.video == videos / "star" / "a.mp4"
    assert one.span == Span(Fraction(11, 10), Fraction(7))
    assert two.span is None
    assert (three.kind, three.video) == ("moving_count", videos / "b.webm")
    assert one.options == tuple(ROW["candidates"])
    assert all(q.is_closed and q.answer == ROW["answer"] for q in (one, two, three))
    assert judge(one, "Closed a door.").is_right
    assert judge(one, "Opened a door.").chance == pytest.approx(1 / 3)


def test_questions_of_one_video_stand_together(tmp_path: Path):
    touch(tmp_path / "a.mp4", tmp_path / "b.mp4")
    rows = [{**ROW, "video": name} for name in ("a.mp4", "b.mp4", "a.mp4")]
    found = read_mvbench(write_task(tmp_path, "task", *rows), None)
    assert [q.id for q in found] == ["task 1", "task 3", "task 2"]


def test_a_video_that_is_not_there_is_looked_for_where_it_should_be(tmp_path: Path):
    (question,) = read_mvbench(write_task(tmp_path, "task", ROW), None)
    assert question.video == tmp_path / "a.mp4"
    touch(tmp_path / "x" / "a.mp4", tmp_path / "y" / "a.mp4")
    with pytest.raises(UsageError, match=r"task\.json, row 1: there are several videos a\.mp4"):
        read_mvbench(tmp_path / "task.json", None)
    touch(tmp_path / "task" / "a.mp4")
    (question,) = read_mvbench(tmp_path / "task.json", None)
    assert question.video == tmp_path / "task" / "a.mp4"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"video": 3}, "'video' is missing or no text"),
        ({"question": " "}, "'question' is missing or no text"),
        ({"candidates": "A or B"}, "'candidates' is missing or no list of texts"),
        ({"candidates": ["Closed a door."]}, "fewer than two"),
        ({"candidates": ["x", "x", "Closed a door."]}, "two of them are the same"),
        ({"answer": "B"}, "the answer 'B' is none of the candidates"),
        ({"start": 1}, "'start' and 'end' are not both numbers"),
        ({"start": 2, "end": 1}, "row 2: "),
        ({"start": 1, "end": float("nan")}, "row 2: "),
    ],
)
def test_a_bad_row_is_named_with_its_reason(tmp_path: Path, change: dict[str, Any], reason: str):
    """VideoChat2: a malformed row of MVBench is told by file, row and reason."""
    path = write_task(tmp_path, "task", ROW, {**ROW, **change})
    with pytest.raises(UsageError, match=r"task\.json, row 2: ") as caught:
        read_mvbench(path, None)
    assert reason in str(caught.value)


def test_no_file_and_no_question_are_told(tmp_path: Path):
    with pytest.raises(UsageError, match="holds no question"):
        read_mvbench(tmp_path, None)
    with pytest.raises(UsageError, match="cannot be read"):
        read_mvbench(tmp_path / "none.json", None)
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(UsageError, match="no list of questions"):
        read_mvbench(tmp_path, None)


def test_options_get_letters_and_the_reply_is_begun():
    """VideoChat2: MVBench's prompt, with an instruction first and a started answer."""
    wording = Question("What?", ("red", "blue"), style="mvbench").wording
    assert "in which order" in wording.system
    assert wording.text == (
        "Question: What?\nOptions:\n(A) red\n(B) blue\nOnly give the best option."
    )
    assert wording.started == "Best option:("
    assert wording.spellings == {"red": ("A",), "blue": ("B",)}
    with pytest.raises(UsageError, match="one of several options"):
        _ = Question("What?", style="mvbench").wording
