"""On a terminal: help in panels, tables that fit, colour unless told otherwise."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pexpect
import pytest

from tests.cli.run import VIDCLI


def show(*args: str, columns: int = 100, env: dict[str, str] | None = None) -> str:
    """What a person sees on a terminal of this width."""
    clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    text, code = pexpect.run(
        " ".join([*VIDCLI, *args]),
        withexitstatus=True,
        timeout=60,
        env=clean | {"TERM": "xterm-256color", "COLUMNS": str(columns)} | (env or {}),
    )
    assert code == 0, text
    return str(text.decode())


def without_codes(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_help_is_drawn_in_panels_by_purpose():
    text = show("--help")
    assert "\x1b[" in text
    assert "╭─ Answers ─" in without_codes(text)
    assert "╭─ Evidence ─" in without_codes(text)
    assert "╭─ Looking ─" in without_codes(show("ask", "--help"))


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_help_is_plain_where_colour_is_unwanted(env: dict[str, str]):
    text = show("--help", env=env)
    assert "\x1b[" not in text
    assert "Answers:" in text


def test_info_fits_a_narrow_terminal(clip: Path):
    text = show("info", str(clip), columns=40)
    assert "duration" in text
    assert "192×108" in text


def test_a_file_name_on_a_terminal_is_escaped(clip: Path, tmp_path: Path):
    evil = tmp_path / "a\x1b[31mb.mp4"
    evil.symlink_to(clip)
    command = [*VIDCLI[1:], "info", evil.name]
    child = pexpect.spawn(VIDCLI[0], command, timeout=60, encoding="utf-8", cwd=tmp_path)
    child.expect(pexpect.EOF)
    assert "\x1b[31m" not in child.before
    assert "a\\x1b[31mb.mp4" in child.before


@pytest.mark.usefixtures("model")
def test_a_terminated_command_leaves_through_its_cleanup(clip: Path):
    options = ["--max-tokens", "7000", "--temperature", "2"]
    child = subprocess.Popen(
        [*VIDCLI, "ask", str(clip), "What happens?", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    assert child.stdout is not None
    child.stdout.read(1)
    child.send_signal(signal.SIGTERM)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in said
