"""`watch` takes each video once it is whole, once, and goes on where it was."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.folder import fill, finished
from tests.cli.run import VIDCLI, invoke
from vidcli.cli.listing import Input
from vidcli.cli.watch import Seen, Settling

SHORT = ("--max-tokens", "4", "--frames", "2")


def at(settling: Settling, now: float, **sizes: int) -> list[str]:
    seen = [Seen(Input(name, name), (size, size)) for name, size in sizes.items()]
    return [item.path for item in settling.observe(seen, now=now)]


def test_a_file_is_taken_when_it_has_stopped_growing_and_only_once():
    settling = Settling(settle_s=5)
    assert at(settling, 0, a=1, b=7) == []
    assert at(settling, 4, a=2, b=7) == []
    assert at(settling, 6, a=3, b=7) == ["b"]
    assert at(settling, 10, a=3, b=7) == []
    assert at(settling, 11, a=3, b=7) == ["a"]
    assert at(settling, 60, a=3, b=7) == []


def test_a_file_that_changes_after_it_was_taken_is_taken_again():
    settling = Settling(settle_s=5)
    at(settling, 0, a=1)
    assert at(settling, 5, a=1) == ["a"]
    assert at(settling, 6, a=2) == []
    assert at(settling, 11, a=2) == ["a"]


def test_an_empty_file_is_not_whole_and_one_that_is_gone_is_forgotten():
    settling = Settling(settle_s=5)
    at(settling, 0, a=0, b=1)
    assert at(settling, 9, a=0) == []
    assert at(settling, 10, b=1) == []
    assert at(settling, 15, b=1) == ["b"]


def start(*args: str | Path) -> "subprocess.Popen[str]":
    options = ("--settle", "0.2", "--every", "0.1", *SHORT)
    return subprocess.Popen(
        [*VIDCLI, "watch", *map(str, args), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )


def stop(child: "subprocess.Popen[str]", number: signal.Signals) -> tuple[str, str]:
    child.send_signal(number)
    out, said = child.communicate(timeout=60)
    assert "Traceback" not in said
    return out, said


@pytest.mark.usefixtures("model")
def test_new_videos_are_done_as_they_come_and_a_restart_repeats_nothing(clip: Path, tmp_path: Path):
    folder = tmp_path / "in"
    fill(folder, clip, "one.mp4")
    with start(folder) as child:
        assert child.stdout is not None
        assert child.stdout.readline().startswith(f"{folder}/one.mp4: ")
        (folder / "two.mp4").write_bytes(clip.read_bytes() + b"two")
        assert child.stdout.readline().startswith(f"{folder}/two.mp4: ")
        out, said = stop(child, signal.SIGINT)
    assert (child.returncode, out) == (130, "")
    assert said.splitlines()[-2].startswith("done 2, skipped 0, failed 0")
    done = finished()
    fill(folder, clip, "zoo.mp4")
    with start(folder) as child:
        assert child.stdout is not None
        assert child.stdout.readline().startswith(f"{folder}/zoo.mp4: ")
        out, said = stop(child, signal.SIGTERM)
    assert (child.returncode, out) == (143, "")
    assert "done 1, skipped 2, failed 0" in said
    assert done.items() <= finished().items()


@pytest.mark.usefixtures("model")
def test_a_broken_file_is_told_of_and_the_watch_goes_on(clip: Path, broken: Path, tmp_path: Path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "bad.mp4").write_text("no video")
    fill(folder, clip, "sub/good.mp4")
    with start(folder, "--recursive", "--sidecar", "--format", "srt") as child:
        assert child.stdout is not None
        assert child.stdout.readline() == f"{folder}/sub/good.srt\n"
        _, said = stop(child, signal.SIGINT)
    assert "bad.mp4" in said
    assert (folder / "sub" / "good.srt").exists()


@pytest.mark.parametrize(
    "args",
    [
        ["{folder}", "--do", "ask"],
        ["{folder}", "-q", "Who?"],
        ["{folder}/none"],
        ["{folder}", "--settle", "0"],
        ["{folder}", "--format", "srt"],
    ],
)
@pytest.mark.usefixtures("model")
def test_what_makes_no_sense_is_a_usage_error(tmp_path: Path, args: list[str]):
    result = invoke("watch", *(word.format(folder=tmp_path) for word in args))
    assert (result.exit_code, result.stdout) == (2, "")
