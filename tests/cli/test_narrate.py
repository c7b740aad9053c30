"""`data narrate` with a real model: rows to train on, the same whatever way they are come by."""

import json
import random
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.folder import fill, read_documents
from tests.cli.run import VIDCLI, invoke
from vidcli.output.schema import load_schema
from vidcli.train.data.files import read_data

pytestmark = pytest.mark.usefixtures("model")
NAMES = ("a.mp4", "b.mp4", "c.mp4")
# What a random model says seldom ends, and is never likely.
LOOSE = ("--max-tokens", "40", "--temperature", "3", "--top-p", "1", "--min-score", "-99")
FEW = (*LOOSE, "--window", "0.5", "--gap-candidates", "4", "--rephrase", "1", "--frames", "2")


@pytest.fixture
def videos(clip: Path, tmp_path: Path) -> Path:
    fill(tmp_path / "videos", clip, *NAMES)
    return tmp_path / "videos"


def narrate(*args: str | Path, code: int = 0) -> str:
    result = invoke("data", "narrate", *map(str, args))
    assert result.exit_code == code, result.stderr
    return result.stdout


def rows_of(path: Path) -> list[dict[str, Any]]:
    return read_documents(path.read_text())


def by_id(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = {row["id"]: row for row in rows}
    assert len(found) == len(rows), "a row came twice"
    return found


def test_rows_are_narrations_that_training_reads(videos: Path, tmp_path: Path):
    """LaViLa: rows feed `train pretrain` unchanged."""
    out = tmp_path / "pairs.jsonl"
    summary = json.loads(narrate(videos, "--out", out, "--json", *FEW))
    jsonschema.validate(summary, load_schema("narrate"))
    rows = rows_of(out)
    assert summary["rows"] == len(rows) > 2
    assert summary["coverage"]["told"] >= 0.95
    assert summary["clips"]["new"] == summary["clips"]["gaps"] == 12
    assert summary["clips"]["empty"] == 12 - len(rows)
    for row in rows:
        columns = ("texts", "scores", "log_probabilities", "sources")
        assert len({len(row[name]) for name in columns}) == 1
        assert set(row["sources"]) <= {"narrated", "rephrased"}
        assert all(score < 0 for score in (*row["scores"], *row["log_probabilities"]))
        assert 0 <= row["start"] < row["end"] <= 2
        assert row["video"] in {f"videos/{name}" for name in NAMES}
    samples = read_data(out)
    assert [sample.exchanges[0].answer for sample in samples] == [row["texts"][0] for row in rows]
    assert all(sample.span is not None for sample in samples)
    drawn = sum(summary["texts"].values()) + sum(summary["dropped"].values())
    assert drawn == 12 * 4 + len(rows), "every text drawn is kept or left out for a reason"


def test_order_and_shards_do_not_change_what_is_said(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    narrate(videos, "--out", tmp_path / "all.jsonl", *FEW)
    whole = by_id(rows_of(tmp_path / "all.jsonl"))
    parts: list[dict[str, Any]] = []
    for part in ("2/2", "1/2"):
        monkeypatch.setenv("VIDCLI_STATE_DIR", str(tmp_path / part))  # nothing is known
        monkeypatch.setenv("VIDCLI_CACHE_DIR", str(tmp_path / part))
        out = tmp_path / f"{part[0]}.jsonl"
        backwards = [videos / name for name in reversed(NAMES)]
        narrate(*backwards, "--out", out, "--shard", part, *FEW)
        parts += rows_of(out)
    assert by_id(parts) == whole
    narrate(videos, "--out", tmp_path / "other.jsonl", "--seed", "1", *FEW)
    other = by_id(rows_of(tmp_path / "other.jsonl"))
    assert [row["texts"] for row in other.values()] != [row["texts"] for row in whole.values()]


def start(videos: Path, out: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*VIDCLI, "data", "narrate", videos, "--out", out, *FEW],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def told_at(state: Path) -> dict[tuple[str, str], float]:
    import sqlite3

    if not (state / "journal.sqlite3").exists():
        return {}
    with sqlite3.connect(state / "journal.sqlite3", timeout=10) as database:
        try:
            rows = database.execute("SELECT fingerprint, settings, finished FROM results")
        except sqlite3.OperationalError:  # killed before it had tables
            return {}
        return {(row[0], row[1]): row[2] for row in rows}


def test_killed_at_random_moments_it_goes_on_where_it_was(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    narrate(videos, "--out", tmp_path / "wanted.jsonl", *FEW)
    state, out, chance = tmp_path / "state", tmp_path / "pairs.jsonl", random.Random(3)
    monkeypatch.setenv("VIDCLI_STATE_DIR", str(state))
    known: dict[tuple[str, str], float] = {}
    for wanted in (1, 4, 8):
        with start(videos, out) as child:
            deadline = time.monotonic() + 60
            while child.poll() is None and len(told_at(state)) < wanted:
                assert time.monotonic() < deadline
                time.sleep(0.002)
            time.sleep(chance.random() * 0.05)
            child.send_signal(signal.SIGKILL)
            child.communicate()
        assert known.items() <= told_at(state).items(), "something was told twice"
        known = told_at(state)
        by_id(rows_of(out))
    with start(videos, out) as child:
        _, said = child.communicate(timeout=60)
    assert child.returncode == 0, said
    assert known.items() <= told_at(state).items()
    assert rows_of(out) == rows_of(tmp_path / "wanted.jsonl")


def test_a_half_written_line_is_cut_off_and_written_again(videos: Path, tmp_path: Path):
    out = tmp_path / "pairs.jsonl"
    narrate(videos, "--out", out, *FEW)
    whole = out.read_bytes()
    out.write_bytes(whole[:-20])
    result = invoke("data", "narrate", str(videos), "--out", str(out), *FEW)
    assert result.exit_code == 0
    assert "half written" in result.stderr
    assert "1 row written" in result.stderr
    assert out.read_bytes() == whole


def test_rows_of_two_settings_are_not_mixed(videos: Path, tmp_path: Path):
    out = tmp_path / "pairs.jsonl"
    narrate(videos, "--out", out, *FEW)
    before = out.read_bytes()
    narrate(videos, "--out", out, *FEW, "--seed", "7", code=2)
    assert out.read_bytes() == before
    narrate(videos, "--out", out, *FEW, "--seed", "7", "--overwrite")
    assert {row["settings"] for row in rows_of(out)} != {
        json.loads(line)["settings"] for line in before.splitlines()
    }


def test_a_file_of_something_else_is_left_alone(clip: Path, tmp_path: Path):
    for content in ('{"q": 1}\n', "notes of mine", '[{"a": 1}]'):
        (tmp_path / "own.jsonl").write_text(content)
        result = invoke("data", "narrate", str(clip), "--out", str(tmp_path / "own.jsonl"), *FEW)
        assert result.exit_code == 2
        assert "something else" in result.stderr
        assert (tmp_path / "own.jsonl").read_text() == content


def test_one_bad_video_does_not_stop_the_rest(videos: Path, broken: Path, tmp_path: Path):
    out = tmp_path / "pairs.jsonl"
    text = narrate(broken, videos, "--out", out, "--json", *FEW, code=8)
    summary = json.loads(text)
    assert summary["videos"] == {
        "done": 3, "failed": 1, "copies": 0, "elsewhere": 0, "not_reached": 0,
    }  # fmt: skip
    assert summary["failures"][0]["path"] == str(broken)
    stopped = narrate(broken, videos, "--out", out, "--json", "--fail-fast", *FEW, code=8)
    assert json.loads(stopped)["videos"]["not_reached"] == 3


def test_what_people_said_is_kept_and_the_gaps_are_filled(clip: Path, tmp_path: Path):
    labels = tmp_path / "labels.srt"
    labels.write_text("1\n00:00:00,400 --> 00:00:01,000\nA number\ncounts up.\n")
    more = tmp_path / "dense.json"
    dense = {clip.stem: {"timestamps": [[1.0, 1.4]], "sentences": ["It counts on."]}}
    more.write_text(json.dumps({**dense, "unknown": dense[clip.stem]}))
    both = ("--labels", labels, "--labels", more)
    out = tmp_path / "pairs.jsonl"
    result = invoke(
        "data", "narrate", *map(str, (clip, *both, "--out", out, "--json", "--candidates", 4, *FEW))
    )
    assert result.exit_code == 0
    summary = json.loads(result.stdout)
    assert summary["clips"]["labelled"] == 2
    assert summary["texts"]["human"] == 2
    assert summary["coverage"]["told"] >= 0.95
    assert "1 video not among the inputs: unknown" in result.stderr
    rows = {row["start"]: row for row in rows_of(out)}
    assert rows[0.4]["texts"][0] == "A number counts up."
    assert rows[0.4]["sources"][0] == "human"
    assert rows[0.4]["scores"][0] == 0
    assert rows[0.4]["log_probabilities"][0] is None
    assert rows[1.0]["texts"][0] == "It counts on."


def test_paths_come_from_standard_input_and_rows_go_to_standard_output(videos: Path):
    listed = "".join(f"{videos / name}\0" for name in NAMES)
    result = invoke("data", "narrate", "-", "--from0", "--quiet", *FEW, stdin=listed)
    assert result.exit_code == 0
    assert {row["video"] for row in read_documents(result.stdout)} == {
        str(videos / name) for name in NAMES
    }
    assert result.stderr == ""
    assert invoke("data", "narrate", str(videos), "--json", *FEW).exit_code == 2


def test_what_is_left_out_can_be_looked_at(clip: Path, tmp_path: Path):
    out, rejects = tmp_path / "pairs.jsonl", tmp_path / "rejects.jsonl"
    strict = (*FEW, "--min-score", "-0.1", "--rejects", rejects)
    summary = json.loads(narrate(clip, "--out", out, "--json", *strict))
    assert out.read_text() == ""
    assert summary["coverage"] == {"told": 1.0, "with_text": 0.0}
    rows = rows_of(rejects)
    assert len(rows) == sum(summary["dropped"].values()) == 16
    assert {row["reason"] for row in rows} <= {"unlikely", "truncated", "loop", "short", "empty"}


def test_an_array_is_written_where_the_file_is_called_json(clip: Path, tmp_path: Path):
    narrate(clip, "--out", tmp_path / "pairs.jsonl", *FEW)
    for _ in range(2):
        narrate(clip, "--out", tmp_path / "pairs.json", *FEW)
        rows = json.loads((tmp_path / "pairs.json").read_text())
        assert rows == rows_of(tmp_path / "pairs.jsonl")


def test_a_copy_of_a_video_is_told_once(clip: Path, tmp_path: Path):
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(clip.read_bytes())
    summary = json.loads(narrate(clip, copy, "--out", tmp_path / "o.jsonl", "--json", *FEW))
    assert summary["videos"]["copies"] == 1
    assert summary["clips"]["new"] == 4


def test_a_dry_run_counts_clips_and_tells_nothing(videos: Path, tmp_path: Path):
    out = tmp_path / "pairs.jsonl"
    plan = json.loads(narrate(videos, "--out", out, "--dry-run", "--json", *FEW))
    jsonschema.validate(plan, load_schema("narrate-plan"))
    assert (plan["clips"], plan["draws"], plan["frames_per_clip"]) == (12, 60, 2)
    assert plan["seconds"]["total"] > 0
    assert not out.exists()
    assert "12: 0 labelled" in narrate(videos, "--dry-run", *FEW)


@pytest.mark.parametrize(
    "wrong",
    [
        ("--stride", "1"),
        ("--prompt", " "),
        ("--labels", "nowhere.json"),
        ("--min-score", "1"),
        ("--from", "9"),
        ("--top-p", "nan"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(wrong: Sequence[str], clip: Path, tmp_path: Path):
    narrate(clip, "--out", tmp_path / "o.jsonl", *FEW, *wrong, code=2)
