"""Files of rows keep what was written, whole, once, and nothing of anyone else's."""

import json
from pathlib import Path
from typing import Any

import pytest

from vidcli.cli.rows import name_beside, open_rows
from vidcli.errors import UsageError


def row(
    name: str, *, settings: str = "s", video: str = "v", made_from: str = "m"
) -> dict[str, Any]:
    return {"id": name, "fingerprint": video, "made_from": made_from, "settings": settings}


def write(path: Path, *rows: dict[str, Any], settings: str = "s", overwrite: bool = False) -> int:
    with open_rows(path, settings=settings, overwrite=overwrite) as out:
        return out.add(rows)


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json"])
def test_a_row_is_written_once_however_often_it_comes(name: str, tmp_path: Path):
    path = tmp_path / name
    assert write(path, row("a"), row("b")) == 2
    once = path.read_bytes()
    assert write(path, row("b"), row("a")) == 0
    assert path.read_bytes() == once
    assert write(path, row("a"), row("c")) == 1
    text = path.read_text()
    found = json.loads(text) if name.endswith("json") else map(json.loads, text.splitlines())
    assert [entry["id"] for entry in found] == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json"])
def test_an_exception_keeps_what_was_added(name: str, tmp_path: Path):
    def run() -> None:
        with open_rows(tmp_path / name, settings="s", overwrite=False) as out:
            out.add([row("a")])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert write(tmp_path / name, row("a")) == 0


@pytest.mark.parametrize("cut", range(1, 70, 7))
def test_wherever_a_line_was_cut_the_whole_ones_stay(cut: int, tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    write(path, row("a"), row("b"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    write(path, row("a"), row("b"))
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "content", ["mine", "mine\n", "{}", "[]\n", '{"id": "x"}\n', '{"ID', "\n7"]
)
def test_what_is_not_ours_is_not_touched(content: str, tmp_path: Path):
    for name in ("rows.jsonl", "rows.json"):
        path = tmp_path / name
        path.write_text(content)
        if name == "rows.json" and content == "[]\n":
            continue  # no rows of ours are ours
        with pytest.raises(UsageError, match="something else"):
            open_rows(path, settings="s", overwrite=False)
        assert path.read_text() == content


def test_rows_of_other_settings_or_other_sources_are_refused(tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    write(path, row("a"))
    with pytest.raises(UsageError, match="other settings"):
        open_rows(path, settings="t", overwrite=False)
    with pytest.raises(UsageError, match="made from something else"):
        write(path, row("b", made_from="n"))
    write(path, row("c", video="w", made_from="n"))
    assert write(path, row("a", settings="t"), settings="t", overwrite=True) == 1
    assert [json.loads(line)["settings"] for line in path.read_text().splitlines()] == ["t"]


def test_two_runs_do_not_write_one_file(tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    with (
        open_rows(path, settings="s", overwrite=False),
        pytest.raises(UsageError, match="another run"),
    ):
        open_rows(path, settings="s", overwrite=False)
    write(path, row("a"))


def test_a_place_that_cannot_be_written_is_a_usage_error(tmp_path: Path):
    with pytest.raises(UsageError, match="cannot write"):
        open_rows(tmp_path, settings="s", overwrite=False)


def test_videos_below_the_file_are_named_from_it_and_others_from_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert name_beside("v/a.mp4", Path("pairs.jsonl")) == "v/a.mp4"
    assert name_beside("v/a.mp4", Path("v/pairs.jsonl")) == "a.mp4"
    assert name_beside("v/a.mp4", Path("sets/pairs.jsonl")) == f"{tmp_path}/v/a.mp4"
    assert name_beside("v/a.mp4", None) == f"{tmp_path}/v/a.mp4"
    assert name_beside("..a.mp4", Path("pairs.jsonl")) == "..a.mp4"
