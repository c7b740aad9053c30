"""The shells themselves load `completions/` and complete with it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from tests.cli.run import invoke
from vidcli.cli.completions import FILES, render

FOLDER = Path(__file__).parents[2] / "completions"
TIMEOUT_S = 30


@pytest.fixture
def bin_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory on PATH that holds `vidcli`, and a home without start-up files."""
    script = tmp_path / "bin" / "vidcli"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vidcli "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TERM", "xterm")
    return script.parent


def find_shell(name: str) -> str:
    found = shutil.which(name)
    if found is None and os.environ.get("CI"):
        pytest.fail(f"{name} is not installed, and this must be tested in CI")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.mark.parametrize(("shell", "name"), FILES.items())
def test_the_files_are_current(shell: str, name: str):
    assert (FOLDER / name).read_text() == render(shell), (
        "run: python -m vidcli.cli.completions completions"
    )


SET_UP = {
    "bash": (["--norc", "--noprofile", "-i"], "source '{folder}/vidcli.bash'"),
    "zsh": (["-f", "-i"], "fpath=('{folder}' $fpath); autoload -Uz compinit; compinit -u -D"),
    "fish": (["--no-config", "-i"], "source '{folder}/vidcli.fish'"),
}


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.usefixtures("bin_dir")
def test_a_shell_completes_a_command_and_an_option_at_the_first_key(shell: str):
    arguments, set_up = SET_UP[shell]
    child = pexpect.spawn(
        find_shell(shell), arguments, encoding="utf-8", timeout=TIMEOUT_S, dimensions=(50, 200)
    )
    try:
        child.sendline("PS1='$ '; " + set_up.format(folder=FOLDER) + "; echo set '' up")
        child.expect("set  up")
        child.send("vidcli sche\t")
        child.expect("vidcli schema")
        child.send("--lis\t\r")
        child.expect("answer\r\n.*caption\r\n")
    finally:
        child.close(force=True)


@pytest.mark.usefixtures("bin_dir")
def test_fish_completes_a_command_and_an_option():
    script = (
        f"source '{FOLDER}/vidcli.fish'\n"
        "complete -C 'vidcli sche'\n"
        "complete -C 'vidcli schema --lis'\n"
    )
    done = subprocess.run(
        [find_shell("fish"), "--no-config", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT_S,
    )
    assert [line.partition("\t")[0] for line in done.stdout.splitlines()] == ["schema", "--list"]


@pytest.mark.usefixtures("bin_dir")
def test_bash_offers_file_names_for_a_video(tmp_path: Path):
    (tmp_path / "my holiday.mp4").touch()
    child = pexpect.spawn(
        find_shell("bash"), SET_UP["bash"][0], encoding="utf-8", timeout=TIMEOUT_S, cwd=tmp_path
    )
    try:
        child.sendline(SET_UP["bash"][1].format(folder=FOLDER) + "; echo set '' up")
        child.expect("set  up")
        child.send("vidcli info my\t")
        child.expect(r"my\\ holiday.mp4 ")
    finally:
        child.close(force=True)


@pytest.mark.usefixtures("bin_dir")
def test_zsh_can_read_the_help_of_every_option():
    """Help texts pass through a shell's `eval`; none may break it."""
    commands = [
        line.split()[0]
        for line in invoke("--help").stdout.split("Options:")[1].splitlines()
        if line.startswith("  ") and line.strip()[:1].isalpha()
    ]
    assert "schema" in commands
    script = "_arguments() { print -r -- $#1 }\n" + "".join(
        f'eval "$(_TYPER_COMPLETE_ARGS="vidcli {command} --" '
        f'_VIDCLI_COMPLETE=complete_zsh vidcli)" || print -r -- {command} >&2\n'
        for command in commands
    )
    done = subprocess.run(
        [find_shell("zsh"), "-f", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stderr == ""
    assert len([line for line in done.stdout.split() if int(line) > 20]) == len(commands)
