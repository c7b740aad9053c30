"""`actions` says what happens when; the classifier is hand-made, the way is real."""

import json
from pathlib import Path

import jsonschema
import pytest

from tests.cli.run import invoke
from tests.clips import ClipCache, make_clip, still_colors
from tests.tools.nets import save_clip_classifier, save_colour_detector
from vidcli.output.schema import load_schema


@pytest.fixture
def clip(clips: ClipCache) -> Path:
    """White for two seconds, then black for two."""
    colours = still_colors((235, 235, 235), (235, 235, 235), (16, 16, 16), (16, 16, 16))
    return clips.build(
        ".mp4",
        lambda path: make_clip(path, duration=4.0, draw=colours),
        key="white for two seconds, then black",
    )


@pytest.fixture
def model(tmp_path: Path) -> str:
    (tmp_path / "clips.txt").write_text("bright\ndark\nmoving\n")
    return str(save_clip_classifier(tmp_path / "clips.onnx"))


def read(*args: str) -> dict:  # type: ignore[type-arg]
    document = json.loads(invoke("actions", *args, "--json").stdout)
    jsonschema.validate(document, load_schema("actions"))
    return dict(document)


def test_what_happens_and_when(clip: Path, model: str):
    """A1.7: the spans are those of the pixels."""
    document = read(str(clip), "--model", model, "--every", "0.5", "--window", "0.5")
    found = [(one["label"], one["start_s"], one["end_s"]) for one in document["actions"]]
    assert found == [("bright", 0, 2), ("dark", 2, 4)]
    assert len(document["windows"]) == 8
    assert document["windows"][0]["guesses"][0]["label"] == "bright"
    assert document["labels"] == 3


def test_the_table_and_every_stretch_by_itself(clip: Path, model: str):
    result = invoke("actions", str(clip), "--model", model)
    assert result.exit_code == 0
    head, *rows = result.stdout.splitlines()
    assert head.split() == ["start", "end", "what", "probability", "windows"]
    assert [row.split()[2] for row in rows] == ["bright", "dark"]
    each = invoke("actions", str(clip), "--model", model, "--windows", "--top", "1")
    assert [row.split()[2] for row in each.stdout.splitlines()[1:]] == ["bright"] * 2 + ["dark"] * 2


def test_a_part_of_the_video(clip: Path, model: str):
    document = read(str(clip), "--model", model, "--from", "2", "--to", "3.5")
    assert {one["label"] for one in document["actions"]} == {"dark"}
    assert document["windows"][0]["start_s"] == 2


def test_a_clip_shorter_than_a_stretch_is_one_stretch(clips: ClipCache, model: str):
    document = read(str(clips.get(duration=0.2)), "--model", model)
    assert [(one["start_s"], one["end_s"]) for one in document["windows"]] == [(0, 0.2)]


def test_nothing_likely_enough_exits_1(clip: Path, model: str):
    result = invoke("actions", str(clip), "--model", model, "--score", "1")
    assert (result.exit_code, result.stdout) == (1, "")


def test_without_a_classifier_it_says_how_to_name_one(clip: Path):
    result = invoke("actions", str(clip))
    assert (result.exit_code, result.stdout) == (4, "")
    assert "no clip classifier is installed" in result.stderr
    assert "--model FILE.onnx" in result.stderr


def test_labels_come_from_a_file_and_must_be_as_many(clip: Path, tmp_path: Path):
    model = str(save_clip_classifier(tmp_path / "bare.onnx"))
    without = invoke("actions", str(clip), "--model", model)
    assert (without.exit_code, "--labels-file" in without.stderr) == (4, True)
    labels = tmp_path / "labels"
    labels.write_text("hell\ndunkel\nbewegt\n", encoding="utf-8")
    told = invoke("actions", "--vocabulary", "--model", model, "--labels-file", str(labels))
    assert told.stdout == "hell\ndunkel\nbewegt\n"
    labels.write_text("hell\n")
    few = invoke("actions", str(clip), "--model", model, "--labels-file", str(labels))
    assert few.exit_code == 2


def test_a_detector_is_refused(clip: Path, tmp_path: Path):
    model = save_colour_detector(tmp_path / "d.onnx", ((1, 0, 0),))
    result = invoke("actions", str(clip), "--model", str(model))
    assert (result.exit_code, "it is a detector" in result.stderr) == (4, True)


def test_a_broken_file_among_others_is_reported_and_the_others_are_done(
    clip: Path, model: str, tmp_path: Path
):
    (tmp_path / "broken.mp4").touch()
    result = invoke("actions", str(tmp_path / "broken.mp4"), str(clip), "--model", model, "--json")
    assert result.exit_code == 8
    names = [json.loads(line)["schema"]["name"] for line in result.stdout.splitlines()]
    assert names == ["error", "actions"]


def test_a_still_picture_that_lasts_is_looked_at_all_the_same(tmp_path: Path, model: str):
    """Frames that are shown for long come from the decoder once, for many instants."""
    slow = make_clip(tmp_path / "slow.mp4", duration=6.0, rate=1, draw=still_colors((235,) * 3))
    document = read(str(slow), "--model", model)
    assert {one["guesses"][0]["label"] for one in document["windows"]} == {"bright"}
    assert len(document["windows"]) >= 5
