"""`data synth` writes a set where it is told to; what makes no sense it says before it writes."""

import json
from pathlib import Path

import jsonschema
import pytest

from tests.cli.run import invoke, spawn
from vidcli.output.schema import load_schema

SHORT = ("--seconds", "0.5", "--size", "64", "--fps", "4")


def test_the_folder_is_the_answer_and_counts_are_told_beside_it(tmp_path: Path):
    out = tmp_path / "a set\nof clips"
    done = spawn("data", "synth", "--out", str(out), "--clips", "2", *SHORT)
    assert (done.returncode, done.stdout) == (0, f"{out}\n")
    assert "2 clips, 2 of them made now" in done.stderr
    again = spawn("data", "synth", "--out", str(out), "--clips", "3", "--quiet", *SHORT)
    assert (again.returncode, again.stdout, again.stderr) == (0, f"{out}\n", "")
    assert sorted(path.name for path in (out / "videos").iterdir()) == [
        "000000.mp4", "000001.mp4", "000002.mp4",
    ]  # fmt: skip


def test_json_says_what_there_is(tmp_path: Path):
    out = tmp_path / "set"
    result = invoke("data", "synth", "--out", str(out), "--clips", "3", "--seed", "4",
                    "--split", "eval", "--genre", "word", "--genre", "cut", "--no-sound", "--json",
                    *SHORT)  # fmt: skip
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("synth"))
    assert (document["seed"], document["split"], document["clips"]) == (4, "eval", 3)
    manifest = json.loads((out / "manifest.json").read_text())
    assert document["questions"] == manifest["questions"]
    assert set(manifest["genres"]) <= {"word", "cut"}
    assert manifest["settings"]["sound"] is False


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--size", "97"), "--size 97 is odd"),
        (("--seconds", "6-2"), "must rise"),
        (("--seconds", "x"), "is no range"),
        (("--seconds", "0-3"), "must rise and lie from 0.5"),
        (("--seconds", "nan"), "must rise"),
        (("--genre", "opera"), "no genre 'opera'"),
        (("--split", "test"), "test"),
        (("--clips", "0"), "--clips"),
        (("--seed", "-1"), "--seed"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error_and_writes_nothing(
    tmp_path: Path, options: tuple[str, ...], said: str
):
    out = tmp_path / "set"
    result = invoke("data", "synth", "--out", str(out), "--clips", "1", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert not out.exists()


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path):
    (tmp_path / "diary.txt").write_text("dear")
    result = invoke("data", "synth", "--out", str(tmp_path), "--clips", "1", *SHORT)
    assert result.exit_code == 2
    assert "holds other files" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]


def test_a_place_that_cannot_be_written_is_a_resource_error():
    result = invoke("data", "synth", "--out", "/proc/nowhere", "--clips", "1", *SHORT)
    assert (result.exit_code, result.stdout) == (5, "")
    assert "cannot write /proc/nowhere" in result.stderr


def test_no_ffmpeg_at_all_is_a_setup_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "gone"))
    result = invoke("data", "synth", "--out", str(tmp_path / "set"), "--clips", "1", *SHORT)
    assert (result.exit_code, result.stdout) == (7, "")
