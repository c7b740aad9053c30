"""`detect` finds things in frames and follows them; the detector is hand-made, the way is real."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from tests.cli.run import invoke, shell
from tests.clips import ClipCache, make_clip
from tests.tools.nets import BLUE, RED, draw_squares, save_clip_classifier, save_colour_detector
from vidcli.media.worker import DecoderWorker
from vidcli.output.schema import load_schema

SIDE = 128


@pytest.fixture
def clip(clips: ClipCache) -> Path:
    """Two seconds at 25 a second."""
    return clips.build(
        ".mp4",
        lambda path: make_clip(path, duration=2.0, size=(SIDE, SIDE), draw=draw_squares),
        key="a red square that moves, a blue one that comes",
    )


@pytest.fixture
def detector(tmp_path: Path) -> str:
    path = save_colour_detector(tmp_path / "colours.onnx", (RED, BLUE), side=SIDE)
    (tmp_path / "colours.txt").write_text("red square\nblue square\n")
    return str(path)


def read(*args: str) -> dict:  # type: ignore[type-arg]
    result = invoke("detect", *args, "--json")
    document = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("detect"))
    return dict(document)


def test_boxes_are_where_the_pixels_are(clip: Path, detector: str):
    """A1.7: the answer follows from the frame, through decoding and the network."""
    document = read(str(clip), "--model", detector, "--frames", "2", "--score", "0.9")
    found = [{one["label"]: one["box"] for one in frame["objects"]} for frame in document["frames"]]
    assert [frame["time_s"] for frame in document["frames"]] == [0.48, 1.48]
    cell = {"y": 0.125, "width": 0.125, "height": 0.125}
    assert found == [
        {"red square": {"x": 0.125, **cell}},
        {"red square": {"x": 0.375, **cell}, "blue square": {"x": 0.0, **cell, "y": 0.75}},
    ]
    assert document["vocabulary"] == ["blue square", "red square"]
    assert document["coverage"]["frames"] == 2


def test_the_table_tells_the_same(clip: Path, detector: str):
    result = invoke(
        "detect", str(clip), "--model", detector, "--frames", "2", "--labels", "blue square"
    )
    assert result.exit_code == 0
    head, *rows = result.stdout.splitlines()
    assert head.split() == ["time", "what", "score", "left", "top", "width", "height"]
    assert {row.split()[1] for row in rows} == {"blue"}
    assert "75.0%" in rows[0]
    assert "2 frames" in result.stderr


def test_things_are_followed(clip: Path, detector: str):
    """A1.6: one red square that moves is one track."""
    document = read(str(clip), "--model", detector, "--tracks")
    tracks = document["tracks"]
    assert [track["label"] for track in tracks] == ["red square", "blue square"]
    places = [box["box"]["x"] for box in tracks[0]["boxes"]]
    assert places == [0, 0, 0.125, 0.125, 0.25, 0.25, 0.375, 0.375, 0.5, 0.5]
    assert tracks[1]["start_s"] == pytest.approx(1.1, abs=0.11)
    assert (len(document["frames"]), document["single_boxes"]) == (10, 0)  # five a second
    table = invoke("detect", str(clip), "--model", detector, "--tracks").stdout.splitlines()
    assert table[0].split() == ["track", "what", "from", "to", "frames", "score", "moves"]
    assert table[1].endswith("top left to top")


def test_nothing_found_exits_1(clip: Path, detector: str):
    result = invoke(
        "detect", str(clip), "--model", detector, "--to", "0.5", "--labels", "blue square"
    )
    assert (result.exit_code, result.stdout) == (1, "")
    assert "0 boxes" in result.stderr


def test_an_unknown_label_is_a_usage_error_that_names_the_vocabulary(clip: Path, detector: str):
    result = invoke("detect", str(clip), "--model", detector, "--labels", "red sqare,dog")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "does not know 'red sqare'" in result.stderr
    assert "did you mean red square" in result.stderr
    listed = invoke("detect", "--vocabulary", "--model", detector)
    assert (listed.exit_code, listed.stdout) == (0, "red square\nblue square\n")


def test_without_a_detector_the_command_that_gets_one_is_named(clip: Path):
    result = invoke("detect", str(clip))
    assert (result.exit_code, result.stdout) == (4, "")
    assert "no detector is installed" in result.stderr
    assert "vidcli models pull yolox-s" in result.stderr


def test_a_file_that_is_added_under_a_name_is_used(clip: Path, detector: str):
    assert invoke("models", "add", "colours", "--model", detector).exit_code == 0
    assert invoke("detect", str(clip), "--frames", "1").exit_code == 0
    assert invoke("detect", str(clip), "--frames", "1", "--model", "Colours").exit_code == 0


def test_a_network_for_something_else_is_a_model_error(clip: Path, tmp_path: Path):
    model = save_clip_classifier(tmp_path / "clips.onnx")
    result = invoke("detect", str(clip), "--model", str(model))
    assert result.exit_code == 4
    assert "out: logits [1, 3]" in result.stderr


def test_the_sheet_shows_the_boxes(clip: Path, detector: str, tmp_path: Path):
    import cv2

    plain, sheet = tmp_path / "plain.png", tmp_path / "boxes.png"
    options = (str(clip), "--frames", "2")
    assert invoke("frames", *options, "--sheet", str(plain)).exit_code == 0
    result = invoke("detect", *options, "--model", detector, "--boxes-sheet", str(sheet))
    assert result.exit_code == 0
    assert str(sheet) in result.stderr
    before, after = (cv2.imread(str(path)) for path in (plain, sheet))
    assert before.shape == after.shape
    assert 0.01 < (np.abs(before.astype(int) - after).max(axis=2) > 40).mean() < 0.6


def test_a_broken_file_among_others_is_reported_and_the_others_are_done(
    clip: Path, detector: str, tmp_path: Path
):
    (tmp_path / "broken.mp4").touch()
    result = invoke(
        "detect", str(tmp_path / "broken.mp4"), str(clip), "--model", detector, "--json"
    )
    assert result.exit_code == 8
    names = [json.loads(line)["schema"]["name"] for line in result.stdout.splitlines()]
    assert names == ["error", "detect"]


def test_head_ends_it_quietly(clip: Path, detector: str):
    done = shell('$VIDCLI detect "$1" --model "$2" --fps 25 | head -n 1', str(clip), detector)
    assert (done.returncode, done.stdout.split()[0]) == (0, "time")
    assert "Traceback" not in done.stderr


def test_a_damaged_model_file_is_said_in_one_line(clip: Path, tmp_path: Path):
    (tmp_path / "bad.onnx").write_bytes(b"nothing of the kind")
    result = invoke("detect", str(clip), "--model", str(tmp_path / "bad.onnx"))
    assert result.exit_code == 4
    assert "bad.onnx is no ONNX file, or is cut short" in result.stderr


def test_frames_far_apart_are_no_silent_ground_for_tracks(detector: str, clips: ClipCache):
    clip = clips.get(duration=4.0)
    document = read(str(clip), "--model", detector, "--tracks", "--frames", "2")
    assert "guesswork" in document["warnings"][0]


def test_no_worker_is_left(clip: Path, detector: str):
    """Decoding ends with the command, also where the network fails."""
    with DecoderWorker() as worker:
        assert worker.pids == ()
    assert invoke("detect", str(clip), "--model", detector, "--frames", "1").exit_code == 0
