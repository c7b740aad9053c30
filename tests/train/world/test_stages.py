"""The two stages: they learn, they go on after a kill as if nothing were, they end as bundles."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("peft", reason="needs the extra 'train'")

import numpy as np
import torch

from tests.train.conftest import home
from vidcli.errors import EngineError, ModelError, UsageError
from vidcli.models.bundle import read_bundle
from vidcli.models.tensors import read_tensors
from vidcli.train.checkpoint import NAME as CHECKPOINT
from vidcli.train.world.convert import load_small
from vidcli.train.world.language import Lessons, TokenHeads, language_loss
from vidcli.train.world.learner import Learner
from vidcli.train.world.lessons import IGNORED
from vidcli.train.world.modules import SmallModel
from vidcli.train.world.runs import run_language, run_vision
from vidcli.train.world.settings import LanguageConfig, VisionConfig
from vidcli.train.world.start import start_model
from vidcli.train.world.stream import stream_batches
from vidcli.train.world.vision import PatchHeads

pytestmark = pytest.mark.train

WORDS = 20  # clips that the vocabulary is read from
VISION = VisionConfig(steps=5, crowds=3, scenes=2, eval_clips=4, checkpoint_steps=2)
LANGUAGE = LanguageConfig(
    steps=4, clips=2, frames=3, tap=1, eval_clips=4, eval_seed=998, checkpoint_steps=2, crowds=2,
    scenes=1,
)  # fmt: skip


class StoppedError(Exception):
    pass


def stop_at(step):
    def progress(phase, done, total):
        if done == step:
            raise StoppedError

    return progress


def weights_of(folder):
    bundle = read_bundle(folder)
    return {**read_tensors(bundle.weights), **read_tensors(bundle.mmproj)}


def folder_of(report):
    return Path(report.folder)


def assert_same(first, second):
    for name, values in first.items():
        assert np.array_equal(values, second[name]), name


@pytest.fixture(scope="module")
def seen(sizes, tmp_path_factory):
    """A finished first stage."""
    folder = tmp_path_factory.mktemp("seen") / "seen"
    with home(folder.parent):
        return run_vision(sizes, VISION, folder, words=WORDS)


@pytest.fixture(autouse=True)
def own_home(tmp_path):
    with home(tmp_path):
        yield


def test_a_first_stage_that_was_stopped_ends_as_if_it_were_not(seen, sizes, tmp_path):
    folder = tmp_path / "seen"
    with pytest.raises(StoppedError):
        run_vision(sizes, VISION, folder, words=WORDS, progress=stop_at(3))
    assert not (folder / "vidcli.json").exists()
    report = run_vision(sizes, VISION, folder, words=WORDS)
    assert report.resumed_at == 2  # the checkpoint before the kill
    assert_same(weights_of(folder_of(seen)), weights_of(folder))
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3, 4, 5]


def test_a_second_process_that_renders_ahead_changes_nothing(seen, sizes, tmp_path):
    config = replace(VISION, ahead=2)
    run_vision(sizes, config, tmp_path / "ahead", words=WORDS)
    assert_same(weights_of(folder_of(seen)), weights_of(tmp_path / "ahead"))


@pytest.mark.parametrize("vision", ["frozen", "joint", "beside"])
def test_a_second_stage_that_was_stopped_ends_as_if_it_were_not(vision, seen, tmp_path):
    config = replace(LANGUAGE, vision=vision)
    run_language(folder_of(seen), config, tmp_path / "whole")
    with pytest.raises(StoppedError):
        run_language(folder_of(seen), config, tmp_path / "cut", progress=stop_at(3))
    report = run_language(folder_of(seen), config, tmp_path / "cut")
    assert report.resumed_at == 2
    whole = weights_of(tmp_path / "whole")
    assert_same(whole, weights_of(tmp_path / "cut"))
    before = weights_of(folder_of(seen))
    name = "v.blk.0.ffn_up.weight"
    assert np.array_equal(before[name], whole[name]) == (vision == "frozen")
    assert not np.array_equal(before["blk.0.ffn_up.weight"], whole["blk.0.ffn_up.weight"])


def test_a_run_of_other_settings_is_not_taken_up(seen, sizes, tmp_path):
    with pytest.raises(StoppedError):
        run_vision(sizes, VISION, tmp_path / "x", words=WORDS, progress=stop_at(3))
    with pytest.raises(UsageError, match="other settings"):
        run_vision(sizes, replace(VISION, lr=1e-3), tmp_path / "x", words=WORDS)


def test_reports_tell_of_held_out_clips_and_controls(seen, tmp_path):
    assert set(seen.held_out) == {"eval", "eval-drawings"}
    assert {"kind", "colour", "offset"} <= set(seen.held_out["eval"])
    report = run_language(folder_of(seen), LANGUAGE, tmp_path / "l")
    for control in ("seen", "blind", "reversed"):
        assert report.held_out[control]["presence"]["asked"] > 0
    assert report.held_out["seen"]["caption"]["asked"] == LANGUAGE.eval_clips
    kept = json.loads((tmp_path / "l" / "report.json").read_text())
    assert kept["held_out"] == report.held_out
    assert (tmp_path / "l" / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_the_history_names_the_data_of_every_stage(seen, tmp_path):
    run_language(folder_of(seen), LANGUAGE, tmp_path / "l")
    bundle = read_bundle(tmp_path / "l")
    assert [stage["stage"] for stage in bundle.history] == ["pretrain", "tune"]
    assert [stage["data"][0]["file"] for stage in bundle.history] == ["world:1", "world:1"]
    assert bundle.frames == LANGUAGE.frames


def test_what_is_written_is_what_was_trained(seen):
    checkpoint = torch.load(folder_of(seen) / CHECKPOINT, weights_only=False)
    bundle = read_bundle(folder_of(seen))
    from vidcli.train.world.convert import read_sizes

    model = load_small(bundle.weights, bundle.mmproj, read_sizes(bundle.weights, bundle.mmproj))
    for name, value in model.vision.named_parameters():
        assert torch.equal(value, checkpoint["weights"][f"all/vision.{name}"]), name


def test_a_layer_that_is_not_there_cannot_be_tapped(seen, tmp_path):
    with pytest.raises(UsageError, match="no layer 3"):
        run_language(folder_of(seen), replace(LANGUAGE, tap=3), tmp_path / "l")


def test_a_folder_that_is_no_bundle_is_refused(tmp_path):
    with pytest.raises(ModelError):
        run_language(tmp_path, LANGUAGE, tmp_path / "l")


def test_one_batch_can_be_learnt_by_heart(blank, sizes):
    torch.manual_seed(0)
    model, heads, patch_heads = start_model(sizes, seed=0), TokenHeads(sizes), PatchHeads(sizes)
    config = LanguageConfig(steps=1, clips=1, frames=3, tap=1, short=4, long=1, vision="joint")
    source = Lessons(config, sizes, weights=blank[0], mmproj=blank[1])
    batch = source(0)
    source.close()
    learner = Learner({"model": model, "heads": heads}, lr=1e-2, weight_decay=0.0, clip=1.0)
    for _ in range(80):
        loss, record = language_loss(model, heads, patch_heads, batch, config)
        loss.backward()
        learner.step(1.0)
    assert record["loss"] < 0.05
    assert record["token_kind"] == 1.0


def test_only_answers_and_their_ends_are_learnt(blank, sizes):
    config = LanguageConfig(steps=1, clips=2, frames=3)
    source = Lessons(config, sizes, weights=blank[0], mmproj=blank[1])
    batch, end = source(0), source.writer.end
    for group in batch.groups:
        rows = group.targets.reshape(-1, group.targets.shape[-1])
        for ids, targets in zip(group.ids.reshape(rows.shape), rows, strict=True):
            learnt = np.flatnonzero(targets != IGNORED)
            if len(learnt):
                assert (np.diff(learnt) == 1).all()
                assert targets[learnt[-1]] == end
                assert (targets[learnt[:-1]] == ids[learnt[:-1] + 1]).all()
    texts = [source.writer.text_of(row) for row in batch.groups[0].ids[0]]
    assert len(set(texts)) == len(texts), "no question is asked twice"
    source.close()


def test_training_that_comes_apart_says_so(sizes):
    model = SmallModel(sizes)
    learner = Learner({"model": model}, lr=1.0, weight_decay=0.0, clip=1.0)
    model.norm.weight.grad = torch.full_like(model.norm.weight, float("nan"))
    with pytest.raises(EngineError, match="come apart"):
        learner.step(1.0)


def test_batches_come_in_order_from_any_step():
    assert list(stream_batches(abs, start=3, steps=6, ahead=0)) == [(3, 3), (4, 4), (5, 5)]
    assert list(stream_batches(abs, start=3, steps=6, ahead=2)) == [(3, 3), (4, 4), (5, 5)]
