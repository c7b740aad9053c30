"""The loop as a library: drawn clips in memory, packed turns, a checkpoint and a GGUF pair out."""

from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("peft", reason="needs the extra 'parity'")

import torch

from tests.train import serving
from vidcli.core.model import ModelFiles
from vidcli.models.tensors import copy_gguf
from vidcli.train.batches import collate
from vidcli.train.checkpoint import load_checkpoint
from vidcli.train.frames import make_clip
from vidcli.train.loop import LoopConfig, read_metrics, run_loop, schedule
from vidcli.train.model import Batch, VideoModel
from vidcli.train.names import to_gguf
from vidcli.train.pair import load_pair, state_of
from vidcli.train.prompts import Said, write_row
from vidcli.train.scratch import ScratchConfig, make_scratch
from vidcli.world import ask_questions, make_scene, render

pytestmark = pytest.mark.train

FRAMES, SIDE = 3, 32
SIZES = ScratchConfig(
    image_size=SIDE, patch_size=16, scale_factor=2, vocabulary=640, width=32, layers=1, heads=2,
    kv_heads=1, inner=32, vision_width=32, vision_layers=1, vision_heads=2, vision_inner=32,
)  # fmt: skip


def test_drawn_clips_with_many_turns_train_a_model_that_llama_cpp_runs(tmp_path):
    torch.set_num_threads(1)
    scenes = [make_scene(1, n) for n in range(8)]
    asked = [ask_questions(scene) for scene in scenes]
    texts = [f" {q.text} {q.answer}" for questions in asked for q in questions]
    paths = make_scratch(SIZES, texts, folder=tmp_path, name="nano")
    model = load_pair(*paths)
    model.unfreeze(("connector", "vision", "text"))
    with serving.scribe_of(*paths) as scribe:

        def batches(step: int) -> list[Batch]:
            rows, features = [], []
            for n in (2 * step % 8, (2 * step + 1) % 8):
                scene, questions = scenes[n], asked[n]
                times = scene.sample_times(FRAMES)
                clip = make_clip(
                    render(scene, times, SIDE),
                    [Fraction(float(time)) for time in times],
                    duration=Fraction(float(scene.duration)),
                )
                rows.append(write_row(scribe, clip, [Said(q.text, q.answer) for q in questions]))
                features.append(model.encode(torch.from_numpy(clip.pixels)))
            return [collate(rows, features, device=model.device)]

        config = LoopConfig(steps=12, lr=dict.fromkeys(("connector", "vision", "text"), 3e-3))
        result = run_loop(model, batches, config, folder=tmp_path, digest="x")
        assert result.step == 12
        assert result.losses[-1] < result.losses[0]
        assert len(read_metrics(tmp_path / "metrics.jsonl")) == 12
        kept = load_checkpoint(tmp_path, digest="x")
        assert kept.step == 12
        assert all(torch.equal(kept.weights[name], p.data) for name, p in model.trainable().items())
        clip = make_clip(
            render(scenes[0], scenes[0].sample_times(FRAMES), SIDE),
            [Fraction(n) for n in range(FRAMES)],
            duration=Fraction(FRAMES),
        )
        tensors = to_gguf(state_of(model), model.layout)
        made = [tmp_path / path.name.replace("nano", "taught") for path in paths]
        for old, new in zip(paths, made, strict=True):
            is_vision = old.name.startswith("mmproj")
            mine = {
                name: values
                for name, values in tensors.items()
                if name.startswith(("v.", "mm.")) == is_vision
            }
            copy_gguf(old, new, mine)
        ours = serving.our_logits(model, scribe, clip, [Said("What is it?")])
    files = ModelFiles(*made, "0" * 64, "1" * 64, "taught")
    with serving.scribe_of(*made) as scribe, serving.served(files) as session:
        theirs = serving.their_logits(session, scribe, clip, [Said("What is it?")])
    assert np.abs(ours - theirs).max() < 2e-2


def test_the_learning_rate_rises_then_falls_to_its_floor():
    config = LoopConfig(steps=100, lr={}, warmup=10, floor=0.1)
    rates = [schedule(config, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == pytest.approx(1.0)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.1, abs=0.01)


def test_micro_batches_add_up_to_the_batch():
    """Accumulated gradients are those of one batch, though rows hold different many labels."""
    from vidcli.train.loop import make_optimizer, mean_loss, take_step
    from vidcli.train.scratch import random_model

    def rows() -> list[Batch]:
        from vidcli.train.prompts import Row

        rng = np.random.default_rng(0)
        made = []
        for n in (3, 9, 5):
            ids = rng.integers(0, 640, n + 4)
            labels = np.where(np.arange(n + 4) >= 4, ids, -100)
            made.append(Row(ids.astype(np.int64), labels.astype(np.int64), None))
        return made

    def grown(split: bool) -> dict[str, torch.Tensor]:
        model: VideoModel = random_model(SIZES, seed=3)
        model.unfreeze(("text",))
        config = LoopConfig(steps=1, lr={"text": 1e-2}, clip=0)
        optimizer = torch.optim.SGD(list(model.trainable().values()), lr=1e-2)
        optimizer.param_groups[0]["peak"] = 1e-2
        groups = [[row] for row in rows()] if split else [rows()]
        batches = [collate(g, [None] * len(g), device=model.device) for g in groups]
        take_step(model, optimizer, batches, config, 0, mean_loss)
        assert make_optimizer(model, config).param_groups[0]["weight_decay"] == 0.01
        return {name: p.data.clone() for name, p in model.trainable().items()}

    whole, parts = grown(False), grown(True)
    assert all(torch.allclose(whole[name], parts[name], atol=1e-6) for name in whole)
