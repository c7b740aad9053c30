"""`shots` lists shots as a table, CSV or JSON."""

import csv
import json
from pathlib import Path

import jsonschema
import pytest

from tests.cli.run import invoke
from tests.clips import ClipCache, still_colors
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


def test_two_forms_at_once_are_a_usage_error(clip: Path):
    result = invoke("shots", str(clip), "--json", "--format", "csv")
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_broken_file_among_others_is_reported_and_the_others_are_done(clip: Path, tmp_path: Path):
    (tmp_path / "broken.mp4").touch()
    result = invoke("shots", str(tmp_path / "broken.mp4"), str(clip), "--format", "csv")
    assert result.exit_code == 8
    assert len(result.stdout.splitlines()) == 4
