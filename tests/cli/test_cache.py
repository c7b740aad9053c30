"""`cache` shows what is kept and removes what was least recently used."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.run import invoke
from vidcli.library.journal import Journal, Record, Work, WrittenFile
from vidcli.library.segments import SegmentStore
from vidcli.output.schema import load_schema
from vidcli.settings import cache_dir, state_dir


@pytest.fixture
def filled() -> list[Path]:
    """Three files of 1000 bytes, oldest first, in two of the caches."""
    files = [
        cache_dir() / "tokens" / "old.vtok",
        cache_dir() / "prefixes" / "middle.prefix",
        cache_dir() / "tokens" / "new.vtok",
    ]
    for age, file in enumerate(files):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(1000))
        os.utime(file, (1_000_000 + age, 1_000_000 + age))
    return files


def read(*args: str) -> dict[str, Any]:
    result = invoke("cache", *args, "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("cache"))
    return document


def test_an_empty_cache_is_shown():
    result = invoke("cache", "show")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].split() == ["in", "all", "0", "files", "0", "B"]


@pytest.mark.usefixtures("filled")
def test_show_counts_every_cache():
    document = read("show")
    assert document["bytes"] == 3000
    parts = {part["name"]: part["files"] for part in document["parts"]}
    assert (parts["visual tokens"], parts["prefix snapshots"]) == (2, 1)
    assert "old.vtok" in invoke("cache", "show", "-v").stdout


@pytest.mark.parametrize(("size", "left"), [("3000", 3), ("2kB", 2), ("1.5KiB", 1), ("0", 0)])
def test_prune_keeps_what_was_used_last_whichever_cache_it_is_in(
    filled: list[Path], size: str, left: int
):
    document = read("prune", "--max-size", size)
    assert [file.exists() for file in filled] == [False] * (3 - left) + [True] * left
    assert (document["bytes"], document["freed_bytes"]) == (1000 * left, 3000 - 1000 * left)


def test_clear_asks_for_yes_and_then_removes_everything(filled: list[Path]):
    result = invoke("cache", "clear")
    assert (result.exit_code, result.stdout) == (2, "")
    assert all(file.exists() for file in filled)
    for folder in ("derived", "digests", "tried"):
        (cache_dir() / folder).mkdir()
        name = "a.gguf" if folder == "derived" else "a" * 64
        (cache_dir() / folder / name).write_text("something")
    assert read("clear", "--yes")["bytes"] == 0
    assert not [path for path in cache_dir().rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", ["", "GB", "1XB", "-1", "1.2.3", "½GB", "i", "5ib"])
def test_a_size_that_is_none_is_a_usage_error(size: str):
    result = invoke("cache", "prune", "--max-size", size)
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.usefixtures("model")
def test_what_answering_keeps_is_shown_under_its_video(clip: Path):
    options = ["--max-tokens", "4", "--detail", "low"]
    assert invoke("ask", str(clip), "What happens?", *options).exit_code == 0
    parts = {part["name"]: part["files"] for part in read("show")["parts"]}
    assert (parts["visual tokens"], parts["prefix snapshots"]) == (1, 1)
    assert parts["derived projectors"] == 1
    assert parts["model trials"] >= 1  # those of earlier tests too
    assert clip.name in invoke("cache", "show", "-v").stdout


# The run journal, which is no cache


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Two results, one a failure and a hundred days old, and two files, one of them gone."""
    there, gone = tmp_path / "there.txt", tmp_path / "gone.txt"
    there.write_text("a result")
    with Journal(state_dir()) as opened:
        opened.finish(Work("new", "s"), "new.mp4", Record({"answer": "yes"}))
        opened.finish(Work("old", "s"), "old.mp4", Record(None, "broken", None, 3))
        for path in (there, gone):
            opened.claim_file(str(path), WrittenFile("old", "v", "r", "d"), instead_of=None)
    with closing(sqlite3.connect(state_dir() / "journal.sqlite3")) as database, database:
        database.execute(
            "UPDATE results SET finished = finished - ? WHERE fingerprint = 'old'",
            (100 * 86_400,),
        )
    return Journal(state_dir())


def test_the_journal_is_shown_and_no_part_of_the_caches(journal: Journal):
    document = read("show")
    shown = document["journal"]
    assert isinstance(shown, dict)
    assert (shown["results"], shown["failures"], shown["files"]) == (2, 1, 2)
    assert document["bytes"] == 0
    assert invoke("cache", "show").stdout.splitlines()[-1].split()[:4] == [
        "run", "journal", "2", "results",
    ]  # fmt: skip
    journal.close()


def test_clearing_and_pruning_the_caches_forgets_no_result(journal: Journal):
    for options in (["prune", "--max-size", "0"], ["clear", "--yes"]):
        assert read(*options)["forgotten_results"] == 0
    assert journal.find(Work("old", "s")) is not None
    journal.close()


def test_results_are_forgotten_by_age_or_by_name_while_a_run_has_the_journal(
    journal: Journal, tmp_path: Path
):
    assert read("prune", "--journal-older-than", "101d")["forgotten_results"] == 0
    assert read("prune", "--journal-older-than", "12w")["forgotten_results"] == 1
    assert journal.find(Work("old", "s")) is None
    assert journal.find(Work("new", "s")) is not None
    assert journal.find_file(str(tmp_path / "there.txt")) is not None, "its owner is still known"
    assert journal.find_file(str(tmp_path / "gone.txt")) is None
    assert read("clear", "--yes", "--journal")["forgotten_results"] == 1
    assert journal.find(Work("new", "s")) is None
    journal.finish(Work("new", "s"), "new.mp4", Record({"answer": "yes"}))
    assert not journal.warnings
    journal.close()


def test_what_is_damaged_is_said_and_not_removed():
    state_dir().mkdir(parents=True)
    path = state_dir() / "journal.sqlite3"
    path.write_bytes(b"nonsense" * 1000)
    shown = invoke("cache", "show")
    assert (shown.exit_code, str(path) in shown.stderr) == (0, True)
    cleared = invoke("cache", "clear", "--yes", "--journal")
    assert (cleared.exit_code, path.read_bytes()[:8]) == (5, b"nonsense")


def test_prune_needs_to_be_told_what():
    result = invoke("cache", "prune")
    assert (result.exit_code, "--max-size" in result.stderr) == (2, True)


@pytest.mark.parametrize("age", ["", "d", "90", "1.5d", "-1d", "90x"])
def test_an_age_that_is_none_is_a_usage_error(age: str):
    result = invoke("cache", "prune", "--journal-older-than", age)
    assert (result.exit_code, result.stdout) == (2, "")


def test_captions_of_segments_are_counted_by_video_and_cleared():
    with SegmentStore(state_dir()) as store:
        for fingerprint in ("aa", "bb", "bb"):
            store.of(fingerprint).put("k", {"caption": "x" * 1000})
    (part,) = (p for p in read("show")["parts"] if p["name"] == "segment captions")
    assert (part["files"], 2000 < part["bytes"] < 2200) == (2, True)
    assert read("prune", "--max-size", "1500")["freed_bytes"] > 1000
    with SegmentStore(state_dir()) as store:
        assert (store.of("aa").get("k"), store.of("bb").get("k") is not None) == (None, True)
    assert read("clear", "--yes")["bytes"] == 0
    with SegmentStore(state_dir()) as store:
        assert store.of("bb").get("k") is None
        assert store.warnings == []
