"""`info` tells what a file is, in text and JSON, for any number of files and any file name."""

import json
import os
import shutil
from pathlib import Path

import jsonschema
import pytest

from tests.cli.run import invoke, spawn
from tests.clips import ClipCache
from vidcli.output.schema import load_schema


@pytest.fixture
def clip(clips: ClipCache) -> Path:
    return clips.get(duration=1.0, audio=True)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"")
    return path


def test_a_file_is_told_as_aligned_text(clip: Path):
    result = invoke("info", str(clip))
    assert result.exit_code == 0
    rows = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert rows["file"] == str(clip)
    assert rows["duration"] == "0:01 (1.000 s)"
    assert rows["picture"] == "192×108"
    assert rows["codec"].startswith("h264, yuv420p")
    assert rows["audio"].startswith("#1 aac, 16000 Hz, 1 channel")


def test_json_is_one_documented_object(clip: Path):
    result = invoke("info", str(clip), "--json")
    assert (result.exit_code, result.stdout.count("\n")) == (0, 1)
    document = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("info"))
    assert (document["video"]["width"], document["video"]["height"]) == (192, 108)


def test_a_broken_file_alone_exits_3_with_one_line_and_nothing_on_stdout(broken: Path):
    result = invoke("info", str(broken), "--json")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("error: ")
    assert str(broken) in result.stderr


def test_a_broken_file_among_others_is_reported_and_the_others_are_done(clip: Path, broken: Path):
    result = invoke("info", str(broken), str(clip))
    assert result.exit_code == 8
    assert str(clip) in result.stdout
    assert str(broken) not in result.stdout
    assert "error: 1 of 2 inputs failed; the others are done\n" in result.stderr


def test_json_lines_of_many_files_hold_an_error_for_the_broken_one(clip: Path, broken: Path):
    result = invoke("info", str(clip), str(broken), str(clip), "--json")
    assert result.exit_code == 8
    documents = [json.loads(line) for line in result.stdout.splitlines()]
    assert [document["schema"]["name"] for document in documents] == ["info", "error", "info"]
    jsonschema.validate(documents[1], load_schema("error"))
    assert (documents[1]["path"], documents[1]["exit_code"]) == (str(broken), 3)


def test_a_missing_file_is_a_media_error(tmp_path: Path):
    result = invoke("info", str(tmp_path / "none.mp4"))
    assert (result.exit_code, result.stdout) == (3, "")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"with space 'quoted'.mp4", "with space 'quoted'.mp4"),
        (b"two\nlines.mp4", "two\\nlines.mp4"),
        (b"-dash.mp4", "-dash.mp4"),
        (b"caf\xc3\xa9 \xff.mp4", "café \\xff.mp4"),
        (b"\x1b[31mred.mp4", "\\x1b[31mred.mp4"),
    ],
    ids=["quotes", "newline", "dash", "bytes", "escape"],
)
def test_any_file_name_works_and_is_safe_to_look_at(
    clip: Path, tmp_path: Path, name: bytes, shown: str
):
    target = os.path.join(os.fsencode(tmp_path), name)
    try:
        shutil.copy(clip, target)
    except OSError:
        pytest.skip("this file system does not hold such a name")
    done = spawn("info", "--", name, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == f"file        {shown}"
    done = spawn("info", "--json", "--", name, cwd=tmp_path)
    assert os.fsencode(json.loads(done.stdout)["path"]) == name
