"""A run that is killed at any moment goes on where it was: nothing lost, twice, or torn."""

import json
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.folder import fill, finished, query
from tests.cli.run import VIDCLI

pytestmark = pytest.mark.usefixtures("model")
NAMES = tuple(f"{n}.mp4" for n in range(6))
SHORT = ("--max-tokens", "16", "--frames", "4")
KILLS_MAX = 12


def start(*args: str | Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*VIDCLI, "caption", *map(str, args), *SHORT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
    )


def whole_documents(folder: Path) -> dict[str, bytes]:
    """Every file there that calls itself a result; each must be one whole document."""
    files = {path.name: path.read_bytes() for path in sorted(folder.glob("[!.]*"))}
    for content in files.values():
        assert json.loads(content)["schema"] == {"name": "caption", "version": 1}
    return files


def test_killed_at_random_moments_and_run_again_it_is_all_done_once(clip: Path, tmp_path: Path):
    fill(tmp_path / "videos", clip, *NAMES)
    out = tmp_path / "out"
    out.mkdir()
    chance = random.Random(7)
    done: dict[str, float] = {}
    files: dict[str, bytes] = {}
    for _ in range(KILLS_MAX):
        with start(tmp_path / "videos", "--out-dir", out, "--format", "json") as child:
            wanted = len(list(out.glob("*.json"))) + chance.randint(0, 2)
            deadline = time.monotonic() + 30
            while child.poll() is None and len(list(out.glob("*.json"))) < wanted:
                assert time.monotonic() < deadline
                time.sleep(0.002)
            time.sleep(chance.random() * 0.4)
            is_killed = child.poll() is None
            child.send_signal(signal.SIGKILL)
            child.communicate()
        assert done.items() <= finished().items(), "something was done twice"
        assert files.items() <= whole_documents(out).items(), "a whole file was lost or rewritten"
        done, files = finished(), whole_documents(out)
        if not is_killed:
            break
    with start(tmp_path / "videos", "--out-dir", out, "--format", "json") as child:
        _, said = child.communicate(timeout=60)
    assert child.returncode == 0, said
    assert done.items() <= finished().items()
    assert len(finished()) == len(NAMES)
    assert sorted(whole_documents(out)) == [f"{n}.json" for n in range(len(NAMES))]


def test_an_interrupt_ends_with_a_summary_and_keeps_what_is_done(clip: Path, tmp_path: Path):
    fill(tmp_path / "videos", clip, *NAMES)
    with start(tmp_path / "videos", "--json") as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        child.send_signal(signal.SIGINT)
        rest, said = child.communicate(timeout=60)
    assert child.returncode == 130, said
    lines = [first, *rest.splitlines()]
    assert all(json.loads(line)["caption"] for line in lines)
    summary, last = said.splitlines()[-2:]
    assert last == "interrupted"
    assert "Traceback" not in said
    told, done = int(summary.split()[1].rstrip(",")), len(query("SELECT 1 FROM results"))
    # The interrupt may come when the last is in the journal, and not yet counted or printed.
    assert len(lines) <= told <= done <= len(lines) + 1


def test_two_runs_over_one_folder_share_the_work(clip: Path, tmp_path: Path):
    fill(tmp_path / "videos", clip, *NAMES)
    out = tmp_path / "out"
    children = [start(tmp_path / "videos", "--out-dir", out, "--format", "json") for _ in "ab"]
    said = [child.communicate(timeout=60)[1] for child in children]
    assert [child.returncode for child in children] == [0, 0], said
    counts = [line.split()[1] for text in said for line in text.splitlines() if "done " in line]
    assert sum(int(count.rstrip(",")) for count in counts) == len(NAMES)
    assert len(whole_documents(out)) == len(NAMES)
