"""`cache` shows what is kept and removes what was least recently used."""

import json
import os
from pathlib import Path

import jsonschema
import pytest

from tests.cli.run import invoke
from vidcli.output.schema import load_schema
from vidcli.settings import cache_dir


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


def read(*args: str) -> dict[str, object]:
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
