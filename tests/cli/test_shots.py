"""`shots` lists shots as a table, CSV or JSON."""

import csv
import json
from pathlib import Path

import cv2
import jsonschema
import numpy as np
import pytest

from tests.cli.run import invoke
from tests.clips import ClipCache, still_colors
from tests.tools.nets import save_face_finder
from vidcli.output.schema import load_schema


@pytest.fixture
def clip(clips: ClipCache) -> Path:
    colors = still_colors((200, 30, 30), (30, 200, 30), (30, 30, 200))
    return clips.build(".mp4", lambda path: _draw(path, colors), key="three colours, a second each")


def _draw(path: Path, colors) -> None:  # type: ignore[no-untyped-def]
    from tests.clips import make_clip

    make_clip(path, duration=3.0, draw=colors)


def test_a_table_has_one_row_for_each_shot(clip: Path):
    result = invoke("shots", str(clip))
    assert result.exit_code == 0
    head, *rows = result.stdout.splitlines()
    assert head.split() == ["shot", "start", "end", "length", "begins", "with"]
    assert [row.split()[:3] for row in rows] == [
        ["1", "0:00.00", "0:01.00"],
        ["2", "0:01.00", "0:02.00"],
        ["3", "0:02.00", "0:03.00"],
    ]
    assert "3 shots" in result.stderr


def test_csv_of_many_files_has_one_header(clip: Path):
    result = invoke("shots", str(clip), str(clip), "--format", "csv")
    assert result.exit_code == 0
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert [row["start_s"] for row in rows] == ["0.000", "1.000", "2.000"] * 2
    assert {row["file"] for row in rows} == {str(clip)}


@pytest.mark.parametrize("option", [["--json"], ["--format", "json"]])
def test_json_is_one_documented_object(clip: Path, option: list[str]):
    result = invoke("shots", str(clip), *option)
    document = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("shots"))
    assert [shot["transition"] for shot in document["shots"]] == ["start", "cut", "cut"]
    assert [shot["end_s"] for shot in document["shots"]] == [1.0, 2.0, 3.0]


def moving_camera(number: int, size: tuple[int, int]) -> np.ndarray:
    """Two seconds of a pan to the right over a texture, then two of another one at rest."""
    rng = np.random.default_rng(number >= 50)
    ground = np.clip(127 + 50 * rng.normal(0, 1, (30, 90, 3)), 0, 255).astype(np.uint8)
    left = 3 * number if number < 50 else 20
    wide = cv2.resize(ground, (540, 180), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(wide[20 : 20 + size[1], left : left + size[0]])


@pytest.fixture
def filmed(clips: ClipCache) -> Path:
    return clips.build(".mp4", lambda path: _draw_long(path), key="a pan, then a camera at rest")


def _draw_long(path: Path) -> None:
    from tests.clips import make_clip

    make_clip(path, duration=4.0, draw=moving_camera)


def test_details_tell_what_the_camera_does(filmed: Path):
    result = invoke("shots", str(filmed), "--details", "--json")
    document = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("shots"))
    pan, rest = (shot["details"] for shot in document["shots"])
    assert (pan["camera"], rest["camera"]) == ("pan right", "still")
    assert pan["pan"]["x"] == pytest.approx(3 * 25 / 192, rel=0.05)  # 3 of 192 pixels a frame
    assert rest["pan"] == {"x": 0, "y": 0}
    assert 0.4 < pan["brightness"] < 0.6
    assert (pan["faces"], pan["frames"]) == (None, 12)
    assert "vidcli models pull yunet" in result.stderr


def test_details_come_as_a_table_and_as_csv_too(filmed: Path):
    table = invoke("shots", str(filmed), "--details").stdout.splitlines()
    assert table[0].split()[-5:] == ["camera", "speed", "motion", "light", "faces"]
    assert "pan right  39%/s" in table[1]
    rows = csv.DictReader(
        invoke("shots", str(filmed), "--details", "--format", "csv").stdout.splitlines()
    )
    assert [(row["camera"], row["faces"]) for row in rows] == [("pan right", ""), ("still", "")]


def test_without_details_nothing_is_looked_at_twice(clip: Path):
    document = json.loads(invoke("shots", str(clip), "--json").stdout)
    assert [shot["details"] for shot in document["shots"]] == [None] * 3


def test_faces_are_counted_where_the_detector_is_there(clips: ClipCache, tmp_path: Path):
    from tests.clips import make_clip

    def draw(number: int, size: tuple[int, int]) -> np.ndarray:
        image = np.zeros((size[1], size[0], 3), np.uint8)
        image[32:48, 64:80] = (0, 255, 0)
        return image

    clip = make_clip(tmp_path / "face.mp4", duration=1.0, size=(160, 96), draw=draw)
    model = save_face_finder(tmp_path / "faces.onnx")
    named = invoke("shots", str(clip), "--details", "--json", "--face-model", str(model))
    assert json.loads(named.stdout)["shots"][0]["details"]["faces"] == 1
    assert invoke("models", "add", "faces", "--model", str(model)).exit_code == 0
    installed = invoke("shots", str(clip), "--details", "--json")
    assert json.loads(installed.stdout)["shots"][0]["details"]["faces"] == 1
    assert "not counted" not in installed.stderr


def test_a_face_model_without_details_is_a_usage_error(clip: Path):
    result = invoke("shots", str(clip), "--face-model", "yunet")
    assert (result.exit_code, "--details" in result.stderr) == (2, True)
    absent = invoke("shots", str(clip), "--details", "--face-model", "yunet")
    assert (absent.exit_code, "vidcli models pull yunet" in absent.stderr) == (4, True)


def test_two_forms_at_once_are_a_usage_error(clip: Path):
    result = invoke("shots", str(clip), "--json", "--format", "csv")
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_broken_file_among_others_is_reported_and_the_others_are_done(clip: Path, tmp_path: Path):
    (tmp_path / "broken.mp4").touch()
    result = invoke("shots", str(tmp_path / "broken.mp4"), str(clip), "--format", "csv")
    assert result.exit_code == 8
    assert len(result.stdout.splitlines()) == 4
