"""`find --boxes`: what the event names is followed through what is found; the detector is real."""

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from tests.cli.run import invoke
from tests.clips import ClipCache, make_clip
from tests.tools.nets import BLUE, RED, save_colour_detector
from tests.world.films import film, show, stage
from vidcli.output.schema import load_schema

SIDE, RATE = 128, 10
QUERY = "Are there two red squares?"
EVERYTHING = ("--threshold", "0", "--from", "0.5", "--to", "3.5")  # one moment of three seconds
random = pytest.mark.usefixtures("model")


def draw(number: int, size: tuple[int, int]) -> np.ndarray:
    """A red square that goes right, a cell each half second, and one that rests from 2 s on."""
    image = np.full((size[1], size[0], 3), 114, np.uint8)
    left = 16 * (number // 5)
    image[16:32, left : left + 16] = (255, 0, 0)
    if number >= 20:
        image[96:112, 112:128] = (255, 0, 0)
    return image


@pytest.fixture
def squares(clips: ClipCache) -> Path:
    """Four seconds."""
    return clips.build(
        ".mp4",
        lambda path: make_clip(path, duration=4.0, rate=RATE, size=(SIDE, SIDE), draw=draw),
        key="a red square that goes right, another that comes",
    )


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    path = save_colour_detector(tmp_path / "colours.onnx", (RED, BLUE), side=SIDE)
    (tmp_path / "colours.txt").write_text("red square\nblue square\n")
    return path


@pytest.fixture
def installed(colours: Path) -> str:
    assert invoke("models", "add", "colours", "--model", str(colours)).exit_code == 0
    return "colours"


def document_of(*args: str | Path, code: int = 0) -> dict[str, Any]:
    result = invoke("find", *map(str, args), "--json")
    assert result.exit_code == code, result.stderr
    made: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(made, load_schema("moments"))
    return made


@random
@pytest.mark.usefixtures("installed")
def test_every_moment_carries_the_tracks_of_what_is_named(squares: Path):
    made = document_of(squares, QUERY, *EVERYTHING, "--boxes")
    assert made["detector"] == {"name": "colours.onnx", "labels": ["red square"], "score": 0.5}
    assert [(m["start_s"], m["end_s"]) for m in made["moments"]] == [(0.5, 3.5)]
    things = made["moments"][0]["things"]
    assert (things["frames"], things["single_boxes"]) == (15, 0)  # five a second
    mover, rester = things["tracks"]
    assert [track["label"] for track in (mover, rester)] == ["red square"] * 2
    for box in mover["boxes"]:
        at = int(box["time_s"] * RATE + 1e-6) // 5 * 16 / SIDE
        assert box["box"] == {"x": at, "y": 0.125, "width": 0.125, "height": 0.125}
        assert 0.5 <= box["time_s"] < 3.5
    assert (mover["start_s"], rester["start_s"]) == pytest.approx((0.6, 2.0), abs=0.11)
    assert {box["box"]["x"] for box in rester["boxes"]} == {0.875}


@random
@pytest.mark.usefixtures("installed")
def test_a_line_a_thing_follows_the_line_of_its_moment(squares: Path):
    result = invoke("find", str(squares), QUERY, *EVERYTHING, "--boxes")
    moment, mover, rester = result.stdout.splitlines()
    assert moment.startswith("0:00.5–0:03.5 ")
    assert mover.split(" ", 2)[2] == "red square: top left to top right"
    assert rester.split(" ", 2)[2] == "red square: bottom right"
    assert "red square: 2 tracks in 1 of 1 moment, followed by colours.onnx" in result.stderr
    many = invoke("find", str(squares), str(squares.parent), QUERY, *EVERYTHING, "--boxes")
    assert f"{squares}@{mover}" in many.stdout.splitlines()


@random
@pytest.mark.usefixtures("installed")
def test_other_forms_carry_them_too(squares: Path):
    asked = (str(squares), QUERY, *EVERYTHING, "--boxes")
    rows = list(csv.DictReader(io.StringIO(invoke("find", *asked, "--format", "csv").stdout)))
    assert [(row["question"], row["answer"]) for row in rows[1:]] == [
        ("red square", "top left to top right"),
        ("red square", "bottom right"),
    ]
    cues = invoke("find", *asked, "--format", "srt").stdout
    assert cues.count("\nred square\n") == 2


@random
@pytest.mark.usefixtures("installed")
def test_without_the_option_nothing_is_followed(squares: Path):
    made = document_of(squares, QUERY, *EVERYTHING)
    assert (made["detector"], made["moments"][0]["things"]) == (None, None)


@random
@pytest.mark.usefixtures("installed")
def test_a_result_without_boxes_is_not_taken_for_one_with(squares: Path, clip: Path):
    plain = invoke("find", str(squares), str(clip), QUERY, *EVERYTHING[:2])
    assert (plain.exit_code, "red square:" in plain.stdout) == (0, False)
    boxed = invoke("find", str(squares), str(clip), QUERY, *EVERYTHING[:2], "--boxes")
    assert "red square: " in boxed.stdout
    again = invoke("find", str(squares), str(clip), QUERY, *EVERYTHING[:2], "--boxes")
    assert again.stdout == boxed.stdout
    assert "skipped 2" in again.stderr


@random
@pytest.mark.usefixtures("installed")
def test_a_moment_without_the_thing_says_that_it_has_none(squares: Path):
    made = document_of(squares, "a blue square", *EVERYTHING, "--boxes")
    assert made["moments"][0]["things"] == {"tracks": [], "frames": 15, "single_boxes": 0}
    told = invoke("find", str(squares), "a blue square", *EVERYTHING, "--boxes")
    assert len(told.stdout.splitlines()) == 1
    assert "blue square: 0 tracks in 0 of 1 moment" in told.stderr


@random
@pytest.mark.usefixtures("installed")
def test_a_dry_run_says_what_will_be_followed(squares: Path):
    result = invoke("find", str(squares), QUERY, "--boxes", "--dry-run")
    assert result.exit_code == 0
    assert "red square will be followed by colours.onnx" in result.stderr


@pytest.mark.usefixtures("installed")
def test_a_word_that_is_not_in_the_vocabulary_is_a_usage_error_before_any_work(squares: Path):
    result = invoke("find", str(squares), "a dog runs", "--boxes")  # no model is there to load
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no word of 'a dog runs' is one that colours.onnx knows" in result.stderr
    assert "it knows red square, blue square" in result.stderr


def test_without_a_detector_the_command_that_gets_one_is_named(squares: Path):
    result = invoke("find", str(squares), "a dog runs", "--boxes")
    assert (result.exit_code, result.stdout) == (4, "")
    assert "no detector is installed" in result.stderr
    assert "vidcli models pull yolox-s; or --detector FILE.onnx" in result.stderr


@random
def test_a_detector_may_be_named(squares: Path, colours: Path):
    made = document_of(squares, QUERY, *EVERYTHING, "--boxes", "--detector", colours)
    assert len(made["moments"][0]["things"]["tracks"]) == 2
    alone = invoke("find", str(squares), QUERY, "--detector", str(colours))
    assert (alone.exit_code, alone.stdout) == (2, "")
    assert "--detector is for --boxes" in alone.stderr


@random
def test_another_detector_is_another_result(squares: Path, clip: Path, colours: Path):
    """Its content counts, not its name."""
    asked = (str(squares), str(clip), QUERY, *EVERYTHING[:2], "--boxes", "--detector", str(colours))
    first = invoke("find", *asked)
    save_colour_detector(colours, (RED, BLUE), side=SIDE, spread=2.0)
    os.utime(colours, (0, 0))
    second = invoke("find", *asked)
    assert first.exit_code == second.exit_code == 0
    assert "skipped" not in second.stderr or "skipped 0" in second.stderr


@pytest.mark.usefixtures("nano")
def test_the_thing_that_is_seen_has_its_box(tmp_path: Path):
    """A drawn car stands in the middle for some seconds; so does its box, and no longer."""
    clip = film(stage(8.0, show("red", "car", 3.0, 6.0)), tmp_path / "car.mp4")
    net = save_colour_detector(tmp_path / "red.onnx", [(3, -2, -2)], side=96, active=8)
    (tmp_path / "red.txt").write_text("car\n")
    made = document_of(clip, "a red car is shown", "--boxes", "--detector", net)
    (moment,) = made["moments"]
    boxes = [box for track in moment["things"]["tracks"] for box in track["boxes"]]
    assert boxes
    for box in boxes:
        assert 2.9 <= box["time_s"] <= 6.1
        assert 0.2 < box["box"]["x"] + box["box"]["width"] / 2 < 0.8
