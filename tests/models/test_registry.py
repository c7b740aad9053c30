"""The registry keeps names through crashes, two writers and damage."""

import subprocess
import sys
from pathlib import Path

import pytest

from vidcli.core.catalog import FileRole, InstalledModel, Kind, StoredFile
from vidcli.errors import ModelError, ResourceError, UsageError
from vidcli.models.registry import (
    check_name,
    find_installed,
    find_source,
    list_installed,
    register,
    registry_path,
    unregister,
)


def make(name: str, quant: str = "Q8_0") -> InstalledModel:
    files = (
        StoredFile(FileRole.WEIGHTS, Path("/m/é 1.gguf"), 9, "a" * 64),
        StoredFile(FileRole.MMPROJ, Path("/m/mmproj.gguf"), 5, "b" * 64),
    )
    added = "2026-01-01T00:00:00+00:00"
    return InstalledModel(name, Kind.VISION, "hf:a/b", "c" * 40, quant, "mit", files, added)


def test_what_is_registered_is_found_by_name_and_by_source():
    assert list_installed() == ()
    register(make("one"))
    register(make("Two", quant="Q4_K_M"))
    assert list_installed() == (make("Two", quant="Q4_K_M"), make("one"))
    assert find_installed("TWO") == make("Two", quant="Q4_K_M")
    assert find_source("hf:A/B", "q4_k_m") == make("Two", quant="Q4_K_M")
    assert find_source("hf:a/other") is None
    register(make("two"))
    unregister("ONE")
    assert list_installed() == (make("two"),)
    assert (make("x").size_bytes, make("x").mmproj) == (14, Path("/m/mmproj.gguf"))


def test_two_processes_that_register_at_once_lose_nothing():
    code = (
        "import sys\n"
        "from tests.models.test_registry import make\n"
        "from vidcli.models.registry import register\n"
        "for n in range(20): register(make(f'{sys.argv[1]}{n}'))\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, name]) for name in "ab"]
    assert [child.wait(60) for child in children] == [0, 0]
    assert len(list_installed()) == 40


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1, "models": {"x": {}}}'])
def test_a_damaged_registry_is_named_and_not_overwritten(text: str):
    registry_path().parent.mkdir(parents=True)
    registry_path().write_text(text)
    for attempt in (list_installed, lambda: register(make("one"))):
        with pytest.raises(ModelError, match="is damaged") as failed:
            attempt()
        assert str(registry_path()) in str(failed.value)
    assert registry_path().read_text() == text


def test_a_registry_of_a_newer_version_is_left_alone():
    registry_path().parent.mkdir(parents=True)
    registry_path().write_text('{"version": 2, "models": {}}')
    with pytest.raises(ModelError, match="newer vidcli"):
        list_installed()


@pytest.mark.parametrize("name", ["", "-x", "a/b", "hf:x", "a b", "x.gguf", "é"])
def test_a_name_that_could_be_taken_for_something_else_is_refused(name: str):
    with pytest.raises(UsageError, match="no name for a model"):
        check_name(name)


def test_a_data_directory_that_cannot_be_written_is_a_resource_error(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("VIDCLI_DATA_DIR", "/dev/null/data")
    with pytest.raises(ResourceError, match="cannot write"):
        register(make("one"))
