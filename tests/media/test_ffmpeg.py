"""The ffmpeg program is found, never asks, never hangs, never outlives its use."""

import os
import stat
import time
from pathlib import Path

import ffmpeg
import pytest

from tests.clips import FFMPEG
from vidcli.errors import MediaError, SetupError
from vidcli.media import ffmpeg as program


def write_program(directory: Path, script: str) -> str:
    path = directory / "ffmpeg"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def black(seconds: float = 0.2) -> object:
    source = ffmpeg.input(f"color=size=16x16:rate=5:duration={seconds}", format="lavfi")
    return ffmpeg.output(source, "pipe:1", format="rawvideo", pix_fmt="gray")


def test_the_carried_program_is_there_without_a_path(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert program.programs() == (FFMPEG,)
    assert len(program.run(black(), timeout_s=30)) == 16 * 16


def test_the_systems_own_comes_first(monkeypatch, tmp_path):
    own = write_program(tmp_path, "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program.programs() == (own, FFMPEG)


def test_without_any_program_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(program, "_carried", lambda: None)
    with pytest.raises(SetupError) as caught:
        program.programs()
    assert "imageio-ffmpeg" in (caught.value.hint or "")


def test_a_failure_quotes_the_programs_last_words():
    missing = ffmpeg.output(ffmpeg.input("file:none.mp4"), "pipe:1", format="rawvideo")
    with pytest.raises(MediaError, match="No such file"):
        program.run(missing, timeout_s=30)


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path):
    pids = tmp_path / "pids"
    slow = write_program(tmp_path, f"sleep 300 & echo $! > {pids}; wait")
    with pytest.raises(MediaError, match=r"no end after 0\.5 s"):
        program.run(black(), timeout_s=0.5, program=slow)
    child = int(pids.read_text())
    deadline = time.monotonic() + 10
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(child)


def is_running(pid: int) -> bool:
    """Whether a process works still; one that nobody waited for does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_a_flood_of_complaints_does_not_block_it(tmp_path):
    complain = "while [ $i -lt 4000 ]; do echo complaint complaint complaint >&2; i=$((i+1)); done"
    loud = write_program(tmp_path, f"i=0; {complain}; echo last >&2; exit 3")
    with pytest.raises(MediaError, match="last"):
        program.run(black(), timeout_s=60, program=loud)


def test_it_never_reads_our_input(tmp_path):
    reader = write_program(tmp_path, "cat; echo done")
    assert program.run(black(), timeout_s=30, program=reader) == b"done\n"


def test_a_program_left_early_is_gone():
    with program.piped(black(3600), program=FFMPEG) as (output, running):
        assert len(output.read(256)) == 256
    assert running.child.returncode is not None


def test_a_program_that_cannot_start_is_a_setup_error(tmp_path):
    with pytest.raises(SetupError, match="cannot be started"):
        program.run(black(), timeout_s=5, program=str(tmp_path / "none"))
