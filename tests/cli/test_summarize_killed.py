"""A summary that is stopped at any moment goes on with the next segment, and loses none."""

import json
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.folder import fill, finished
from tests.cli.run import VIDCLI
from tests.clips import ClipCache
from vidcli.library.segments import NAME
from vidcli.settings import state_dir

pytestmark = pytest.mark.usefixtures("model")
SEGMENTS = 30
LONG = ("--segment", "1", "--max-tokens", "128")


@pytest.fixture
def clip(clips: ClipCache) -> Path:
    """Thirty seconds in which the colour changes every second."""

    def draw(number: int, size: tuple[int, int]) -> np.ndarray:
        color = (number // 5 * 83 % 256, number // 5 * 151 % 256, number // 5 * 37 % 256)
        return np.full((size[1], size[0], 3), color, np.uint8)

    return clips.get(duration=SEGMENTS, rate=5, size=(64, 36), gop=5, draw=draw)


def start(*args: str | Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*VIDCLI, "summarize", *map(str, args), *LONG],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
    )


def kept() -> dict[str, float]:
    """When each piece was made, by its key."""
    path = state_dir() / NAME
    if not path.exists():
        return {}
    database = sqlite3.connect(path, timeout=10)
    try:
        return dict(database.execute("SELECT key, made FROM pieces").fetchall())
    except sqlite3.OperationalError:  # killed before it had tables
        return {}
    finally:
        database.close()


def stop_after(child: "subprocess.Popen[str]", n: int, number: signal.Signals) -> tuple[str, str]:
    """Send a signal once so many pieces are kept."""
    deadline = time.monotonic() + 60
    while len(kept()) < n:
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    child.send_signal(number)
    return child.communicate(timeout=60)


def finish(*args: str | Path) -> tuple[dict[str, Any], str]:
    with start(*args, "--json") as child:
        out, said = child.communicate(timeout=120)
    assert child.returncode == 0, said
    made: dict[str, Any] = json.loads(out)
    return made, said


def test_killed_again_and_again_it_captions_nothing_twice(clip: Path):
    before: dict[str, float] = {}
    for n in (1, 5, 12, 29):
        with start(clip) as child:
            stop_after(child, n, signal.SIGKILL)
        assert before.items() <= kept().items(), "a segment was captioned twice"
        before = kept()
    made, _ = finish(clip)
    assert before.items() <= kept().items()
    whole = [segment["from_cache"] for segment in made["segments"]]
    assert len(whole) == SEGMENTS
    assert whole == sorted(whole, reverse=True), "kept ones come first"
    assert sum(whole) >= 29
    fresh, _ = finish(clip, "--no-cache")
    assert [s["caption"] for s in fresh["segments"]] == [s["caption"] for s in made["segments"]]
    assert (fresh["title"], fresh["chapters"]) == (made["title"], made["chapters"])


def test_an_interrupt_says_what_is_kept_and_leaves_no_answer(clip: Path):
    with start(clip) as child:
        out, said = stop_after(child, 3, signal.SIGINT)
    assert (child.returncode, out) == (130, "")
    assert "Traceback" not in said
    told = next(line for line in said.splitlines() if "captioned and kept" in line)
    number = int(told.split()[0])
    assert 3 <= number <= len(kept()) <= number + 1
    assert f"{number} of {SEGMENTS} segments captioned and kept: the same command goes on" in told
    made, _ = finish(clip)
    assert sum(segment["from_cache"] for segment in made["segments"]) >= number


def test_a_killed_folder_run_goes_on_inside_the_video_it_was_at(clip: Path, tmp_path: Path):
    folder, out = tmp_path / "videos", tmp_path / "out"
    fill(folder, clip, "a.mp4", "b.mp4")
    with start(folder, "--out-dir", out, "--format", "json") as child:
        stop_after(child, SEGMENTS + 5, signal.SIGKILL)
    before, done = kept(), finished()
    assert len(done) == 1
    with start(folder, "--out-dir", out, "--format", "json") as child:
        _, said = child.communicate(timeout=120)
    assert child.returncode == 0, said
    assert "done 1, skipped 1" in said
    assert before.items() <= kept().items()
    assert done.items() <= finished().items()
    second = json.loads((out / "b.json").read_text())
    assert any(segment["from_cache"] for segment in second["segments"])
    assert not list(out.glob(".*"))


def test_watch_summarizes_what_comes(clip: Path, tmp_path: Path):
    fill(tmp_path / "in", clip, "a.mp4")
    command = [*VIDCLI, "watch", tmp_path / "in", "--do", "summarize", "--settle", "0.1"]
    child = subprocess.Popen(
        [*command, "--every", "0.1", "--sidecar", "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == f"{tmp_path}/in/a.json\n"
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)
    assert json.loads((tmp_path / "in" / "a.json").read_text())["schema"]["name"] == "summary"
