"""A2.6: a run that is killed goes on, and ends with the weights of one that was not."""

import json
import signal
import subprocess
import time
from contextlib import ExitStack

import numpy as np
import pytest

pytest.importorskip("peft", reason="needs the extra 'parity'")

from tests.cli.run import VIDCLI, invoke
from tests.train.conftest import open_toy_stage
from vidcli.models.pair import resolve_files
from vidcli.models.tensors import read_tensors
from vidcli.train.loop import read_metrics

pytestmark = pytest.mark.train

STEPS = 40


def command(seeing, world, out, *more: str) -> list[str]:
    return [
        "train", "tune", "--from", str(seeing.folder), "--data", str(world.questions),
        "--val", str(world.val_questions), "--frames", "2", "--out", str(out),
        "--steps", str(STEPS), "--batch", "4", "--accumulate", "2", "--lr", "1e-3",
        "--adapter", "hybrid", "--checkpoint-every", "3", "--device", "cpu", "--threads", "1",
        "--eval-samples", "4", *more,
    ]  # fmt: skip


def learnt(folder) -> dict[str, np.ndarray]:
    files = resolve_files(folder)
    assert files.adapter is not None
    connector = read_tensors(files.mmproj, lambda name: name.startswith("mm."))
    return {**read_tensors(files.adapter), **connector}


def test_a2_6_killed_and_resumed_is_as_if_never_stopped(seeing, world, tmp_path):
    """A2.6: killed at three steps and resumed, the weights are those of an uninterrupted run."""
    whole = invoke(*command(seeing, world, tmp_path / "whole", "--quiet"))
    assert whole.exit_code == 0
    out, kills = tmp_path / "killed", 0
    for wanted in (7, 19, 33):
        with subprocess.Popen(
            [*VIDCLI, *command(seeing, world, out)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as child:
            deadline = time.monotonic() + 240
            while child.poll() is None and len(read_metrics(out / "metrics.jsonl")) < wanted:
                assert time.monotonic() < deadline
                time.sleep(0.005)
            kills += child.poll() is None
            child.send_signal(signal.SIGKILL)
            child.wait()
    assert kills >= 2
    last = invoke(*command(seeing, world, out, "--json"))
    assert last.exit_code == 0
    report = json.loads(last.stdout)
    assert report["resumed_at"] > 0
    assert "went on from step" in last.stderr
    ours, theirs = learnt(out), learnt(tmp_path / "whole")
    assert ours.keys() == theirs.keys()
    for name, values in ours.items():
        assert np.allclose(values, theirs[name], atol=1e-5), name
    assert [line["step"] for line in read_metrics(out / "metrics.jsonl")] == [*range(1, STEPS + 1)]


def test_another_runs_folder_is_refused_and_can_be_begun_anew(seeing, world, tmp_path):
    short = ["--steps", "2", "--quiet"]
    assert invoke(*command(seeing, world, tmp_path / "x", *short)).exit_code == 0
    other = invoke(*command(seeing, world, tmp_path / "x", *short, "--seed", "5"))
    assert other.exit_code == 2
    assert "holds a run with other settings" in other.stderr
    anew = invoke(*command(seeing, world, tmp_path / "x", *short, "--seed", "5", "--restart"))
    assert anew.exit_code == 0


def test_a_damaged_checkpoint_is_told(seeing, world, tmp_path):
    short = ["--steps", "2", "--quiet"]
    assert invoke(*command(seeing, world, tmp_path / "x", *short)).exit_code == 0
    path = tmp_path / "x" / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:1000])
    result = invoke(*command(seeing, world, tmp_path / "x", *short))
    assert result.exit_code == 2
    assert "checkpoint.pt is damaged" in result.stderr
    assert "--restart" in result.stderr


def test_features_are_kept_and_used_again(seeing, world, monkeypatch):
    from vidcli.train import corpus
    from vidcli.train.base import open_bundle

    with ExitStack() as stack:
        stage = open_toy_stage(open_bundle(seeing.folder), world, stack, steps=1, rate=1e-3)

        def watch():
            return corpus.watch_samples(
                stage.dataset.train[:3], stage.scribe, stage.model, stage.store, frames=2
            )

        first = watch()
        fresh = [
            corpus.Corpus(
                [i], stage.scribe, stage.model, level=stage.store.level, store=stage.store
            ).features(i)
            for i in first
        ]
        monkeypatch.setattr(corpus, "watch_video", None)  # nothing is decoded again
        again = watch()
        kept = [
            corpus.Corpus(
                [i], stage.scribe, stage.model, level=stage.store.level, store=stage.store
            ).features(i)
            for i in again
        ]
    assert all(bool((a == b).all()) for a, b in zip(fresh, kept, strict=True))
    assert [item.clip.shown for item in first] == [item.clip.shown for item in again]
