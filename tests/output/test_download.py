"""Download bars say what comes, how fast and how much, on terminals only."""

import io
import sys

import pytest

from vidcli.output.download import DownloadBars, open_bars, shorten
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


def test_a_long_name_leaves_room_for_the_figures(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    stream = io.StringIO()
    with DownloadBars(stream, color=False) as bars:
        bars("SmolVLM2-500M-Video-Instruct-Q8_0.gguf", 5 * 2**20, 437 * 2**20)
    line = next(line for line in stream.getvalue().splitlines() if "MiB" in line)
    assert "5.0/437.0 MiB" in line
    assert "-Q8_0.gguf" in line


@pytest.mark.parametrize("width", [12, 13, 30])
def test_a_name_is_shortened_in_its_middle(width: int):
    name = "SmolVLM2-500M-Video-Instruct-Q8_0.gguf"
    short = shorten(name, width)
    assert len(short) == width
    start, end = short.split("…")
    assert name.startswith(start)
    assert name.endswith(end)
    assert shorten(name, len(name)) == name


def test_nobody_watching_sees_no_bars(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert isinstance(open_bars(quiet=False, color=False), NoProgress)
