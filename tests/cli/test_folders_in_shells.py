"""Runs do what people write in a shell: loops, find, xargs, head, jq."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.folder import fill, finished
from tests.cli.run import shell

pytestmark = pytest.mark.usefixtures("model")
CAPTION = "$VIDCLI caption --max-tokens 4 --frames 2"


@pytest.fixture
def folder(clip: Path, tmp_path: Path) -> Path:
    fill(tmp_path / "videos", clip, "a b.mp4", "c.mp4", "two\nlines.mp4")
    return tmp_path / "videos"


def test_a_loop_reads_its_list_to_the_end(folder: Path):
    script = f"""
        printf '%s\\n' "$1/a b.mp4" "$1/c.mp4" > list
        while read -r f; do {CAPTION} "$f" --quiet --json; done < list
    """
    done = shell(f'cd "$1/.."; {script}', str(folder))
    paths = [json.loads(line)["video"]["path"] for line in done.stdout.splitlines()]
    assert paths == [f"{folder}/a b.mp4", f"{folder}/c.mp4"]


def test_find_print0_hands_over_every_name(folder: Path):
    script = f'find "$1" -name "*.mp4" -print0 | sort -z | {CAPTION} - --from0 --sidecar'
    done = shell(script, str(folder))
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in folder.glob("*.txt"))
    assert names == ["a b.txt", "c.txt", "two\nlines.txt"]


def test_xargs_runs_two_at_once_on_one_journal(folder: Path, clip: Path):
    fill(folder, clip, "d.mp4", "e.mp4")
    script = f'find "$1" -name "*.mp4" -print0 | xargs -0 -n1 -P2 {CAPTION} --sidecar --quiet'
    done = shell(script, str(folder))
    assert done.returncode == 0, done.stderr
    assert len(list(folder.glob("*.txt"))) == 5
    before = finished()
    assert len(before) == 5
    done = shell(script, str(folder))
    assert (done.returncode, done.stdout) == (0, "")
    assert finished() == before


def test_head_takes_one_line_and_the_run_ends_quietly(folder: Path, clip: Path):
    fill(folder, clip, *(f"more{n}.mp4" for n in range(20)))
    done = shell(f'set -o pipefail; {CAPTION} "$1" --quiet --json | head -1', str(folder))
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0)
    assert len(done.stdout.splitlines()) == 1
    assert len(finished()) < 23


def test_jq_reads_results_and_failures(folder: Path, broken: Path):
    jq = shutil.which("jq")
    if jq is None:
        pytest.skip("jq is not installed")
    shutil.copy(broken, folder / "b.mp4")
    script = f'{CAPTION} "$1" --quiet --format jsonl 2> /dev/null | jq -r ".caption // .error"'
    done = shell(script, str(folder))
    assert len(done.stdout.splitlines()) == 4


def test_files_that_were_written_are_named_for_the_next_program(folder: Path):
    written = f"{CAPTION} c.mp4 'a b.mp4' --out-dir o --quiet"
    done = shell(f"cd \"$1\"; {written} | tr '\\n' '\\0' | xargs -0 wc -l", str(folder))
    assert "2 total" in done.stdout


def test_a_pattern_in_quotes_and_one_that_the_shell_expands_are_the_same(folder: Path):
    quoted = shell(f"cd \"$1\"; {CAPTION} '*.mp4' --quiet", str(folder))
    bare = shell(f'cd "$1"; {CAPTION} *.mp4 --quiet', str(folder))
    assert quoted.stdout == bare.stdout
    assert quoted.stdout.count("mp4: ") == 3
