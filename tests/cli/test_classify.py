"""`classify` as people use it: a real small model, labels on the command line and in a file."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.run import invoke
from tests.clips import ClipCache
from tests.world.films import film, show, stage
from vidcli.output.schema import load_schema

random = pytest.mark.usefixtures("model")
LABELS = ("--labels", "red,green,blue")


def document_of(*args: str | Path) -> dict[str, Any]:
    result = invoke("classify", *map(str, args), "--json")
    assert result.exit_code == 0, result.stderr
    made: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(made, load_schema("classification"))
    return made


@random
def test_a_line_a_label_the_likeliest_first(clip: Path):
    result = invoke("classify", str(clip), *LABELS)
    assert result.exit_code == 0
    rows = [line.split(" ", 1) for line in result.stdout.splitlines()]
    assert {label for _, label in rows} == {"red", "green", "blue"}
    likely = [float(number) for number, _ in rows]
    assert likely == sorted(likely, reverse=True)
    assert sum(likely) == pytest.approx(1, abs=0.002)


@random
def test_probabilities_are_those_of_the_closed_question(clip: Path):
    made = document_of(clip, *LABELS, "--question", "Which colour?")
    asked = invoke("ask", str(clip), "Which colour?", "--choices", "red,green,blue", "--json")
    choices = json.loads(asked.stdout)["choices"]
    assert {entry["label"]: entry["probability"] for entry in made["labels"]} == {
        choice["text"]: choice["probability"] for choice in choices
    }
    assert (made["multi"], made["usage"]["completion_tokens"]) == (False, 0)


@random
def test_with_multi_each_label_has_its_own_yes_and_no(clip: Path):
    """What is said of one label is what `ask` says, whatever the other labels are."""
    question = ("--multi", "--question", "Is it {label}?")
    made = document_of(clip, *LABELS, *question)
    alone = document_of(clip, "--labels", "blue", *question)
    blue = next(entry for entry in made["labels"] if entry["label"] == "blue")
    assert blue == pytest.approx(alone["labels"][0])
    asked = invoke("ask", str(clip), "Is it blue?", "--choices", "yes,no", "--json")
    yes = json.loads(asked.stdout)["choices"][0]
    assert alone["labels"][0]["probability"] == pytest.approx(yes["probability"], abs=1e-6)
    assert made["multi"]


@random
def test_what_top_leaves_out_is_counted(clip: Path):
    made = document_of(clip, *LABELS, "--top", "2")
    assert (len(made["labels"]), made["labels_left_out"]) == (2, 1)
    assert len(document_of(clip, *LABELS, "--top", "9")["labels"]) == 3


@random
def test_labels_of_a_file_stand_one_a_line(clip: Path, tmp_path: Path):
    path = tmp_path / "labels"
    path.write_text("\ufeffa, red one\n\n  a  blue one \na, red one\n", "utf-8")
    made = document_of(clip, "--labels", path)
    assert {entry["label"] for entry in made["labels"]} == {"a, red one", "a blue one"}


@random
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "labels are needed"),
        (("--labels", " , "), "at least two different labels"),
        (("--labels", "a,a"), "at least two different labels"),
        (("--labels", ",", "--multi"), "at least one label"),
        (("--labels", "gone.txt"), "gone.txt: No such file"),
        (("--labels", "a,b", "--question", " "), "the question is empty"),
        (("--labels", "a,b", "--multi", "--question", "Is it?"), "where each label stands"),
        (("--labels", "a,b", "--top", "0"), "--top"),
    ],
)
def test_labels_that_make_no_sense_are_usage_errors(clip: Path, options: tuple[str], said: str):
    result = invoke("classify", str(clip), *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


@random
def test_a_file_of_labels_that_is_no_text_is_a_usage_error(clip: Path, tmp_path: Path):
    path = tmp_path / "labels"
    path.write_bytes(b"\xff\xfe\n\xff\n")
    result = invoke("classify", str(clip), "--labels", str(path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no UTF-8 text" in result.stderr


@random
def test_every_line_of_many_videos_says_which(clip: Path, clips: ClipCache, broken: Path):
    other = clips.get(duration=1.0)
    result = invoke("classify", str(clip), str(broken), str(other), *LABELS, "--top", "1")
    assert result.exit_code == 8
    assert [line.split(": ")[0] for line in result.stdout.splitlines()] == [str(clip), str(other)]
    again = invoke("classify", str(clip), str(other), *LABELS)
    assert len(again.stdout.splitlines()) == 6, "another --top of the same run comes out whole"
    assert "skipped 2" in again.stderr


@random
def test_labels_come_as_rows_and_lists(clip: Path):
    rows = invoke("classify", str(clip), *LABELS, "--format", "csv").stdout.splitlines()
    assert rows[0].startswith("file,question,answer")
    assert len(rows) == 4
    written = invoke("classify", str(clip), *LABELS, "--format", "md").stdout
    assert sum(line.startswith("- 0.") for line in written.splitlines()) == 3
    cues = invoke("classify", str(clip), *LABELS, "--format", "srt").stdout
    assert cues.count("-->") == 1


@random
def test_the_trace_of_multi_holds_the_question_of_every_label(clip: Path, tmp_path: Path):
    path = tmp_path / "trace.json"
    document_of(clip, *LABELS, "--multi", "--trace", path)
    trace = json.loads(path.read_text())
    jsonschema.validate(trace, load_schema("summary-trace"))
    assert [step["name"] for step in trace["steps"]] == ["red", "green", "blue"]
    assert all(step["reply"].startswith("yes 0.") for step in trace["steps"])
    names = ("red", "green", "blue")
    asked = ["".join(part.get("text", "") for part in step["parts"]) for step in trace["steps"]]
    assert all(f"fit the video? {name}" in text for name, text in zip(names, asked, strict=True))


@random
def test_a_dry_run_answers_nothing(clip: Path):
    result = invoke("classify", str(clip), *LABELS, "--multi", "--dry-run", "--json")
    assert result.exit_code == 0
    jsonschema.validate(json.loads(result.stdout), load_schema("plan"))


@pytest.mark.usefixtures("nano")
def test_the_object_that_is_seen_is_the_likeliest(tmp_path: Path):
    clip = film(stage(4.0, show("red", "car", 0.0, 4.0)), tmp_path / "car.mp4")
    labels = ("--labels", "a fish,a car,a guitar,a tree")
    made = document_of(clip, *labels, "--question", "What object is shown?")
    assert made["labels"][0]["label"] == "a car"
    each = document_of(clip, *labels, "--multi", "--question", "Is there {label}?")
    likely = {entry["label"]: entry["probability"] for entry in each["labels"]}
    assert {name for name, value in likely.items() if value > 0.5} == {"a car"}
