"""Download bars say what comes, how fast and how much, on terminals only."""

import io
import sys

import pytest

from vidcli.output.download import DownloadBars, open_bars
from vidcli.output.progress import NoProgress


def test_each_file_has_a_bar_with_its_size(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "100")
    stream = io.StringIO()
    with DownloadBars(stream, color=False) as bars:
        bars("a\x1b[1m.gguf", 0, 3 * 2**20)
        bars("a\x1b[1m.gguf", 3 * 2**20, 3 * 2**20)
        bars("another process downloads b", 0, 0)
    text = stream.getvalue()
    assert "a\\x1b[1m.gguf" in text
    assert "3.0/3.0 MiB" in text
    assert "another process downloads b" in text


def test_nobody_watching_sees_no_bars(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert isinstance(open_bars(quiet=False, color=False), NoProgress)
