"""A digest is that of the bytes, is computed once, and never outlives a change of the file."""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vidcli.errors import ModelError
from vidcli.models import digest
from vidcli.models.digest import digest_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file last changed an hour ago."""
    path = tmp_path / "model.gguf"
    path.write_bytes(os.urandom(100_000))
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))
    return path


def hashed_bytes(path: Path) -> list[int]:
    """Digest the file; returns the progress reports, none where it was remembered."""
    seen: list[int] = []
    result = digest_model(path, progress=lambda _phase, done, _total: seen.append(done))
    assert result == hashlib.sha256(path.read_bytes()).hexdigest()
    return seen


def test_second_digest_reads_nothing(model):
    assert hashed_bytes(model) == [100_000]
    assert hashed_bytes(model) == []


def test_changed_file_is_hashed_again(model):
    hashed_bytes(model)
    content = bytearray(model.read_bytes())
    content[5] ^= 1
    model.write_bytes(content)
    assert hashed_bytes(model) == [100_000]


def test_file_changed_this_moment_is_not_remembered(model):
    os.utime(model)
    assert hashed_bytes(model) == [100_000]
    assert hashed_bytes(model) == [100_000]


@pytest.mark.parametrize("damage", [b"", b"12", b"Z" * 64, b"\xff" * 64])
def test_damaged_memory_is_ignored(model, cache, damage):
    hashed_bytes(model)
    (kept,) = (cache / "digests").iterdir()
    kept.write_bytes(damage)
    assert hashed_bytes(model) == [100_000]
    assert hashed_bytes(model) == []


def test_unwritable_cache_is_tolerated(model, cache):
    cache.write_text("a file where the directory should be")
    assert hashed_bytes(model) == [100_000]
    assert hashed_bytes(model) == [100_000]


def test_parts_of_a_split_model_are_hashed_in_order(tmp_path):
    for number, content in ((1, b"first"), (2, b"second")):
        (tmp_path / f"m-{number:05d}-of-00002.gguf").write_bytes(content)
    whole = hashlib.sha256(b"firstsecond").hexdigest()
    assert digest_model(tmp_path / "m-00001-of-00002.gguf") == whole


def test_missing_file_is_a_model_error(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        digest_model(tmp_path / "none.gguf")


def test_file_growing_while_it_is_hashed_is_refused(model, monkeypatch):
    def grow(*args: object) -> str:
        with model.open("ab") as file:
            file.write(b"more")
        return "0" * 64

    monkeypatch.setattr(digest, "_hash", grow)
    with pytest.raises(ModelError, match="changed while it was read"):
        digest_model(model)


def test_processes_at_once_agree_and_leave_one_memory(model, cache):
    script = (
        "import sys, pathlib; from vidcli.models.digest import digest_model;"
        "print(digest_model(pathlib.Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", script, str(model)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    printed = {process.communicate()[0].strip() for process in running}
    assert printed == {hashlib.sha256(model.read_bytes()).hexdigest()}
    assert len(list((cache / "digests").iterdir())) == 1
