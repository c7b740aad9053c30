"""Family 2: pretraining teaches the connector what frames look like, and only the connector."""

from contextlib import ExitStack

import numpy as np
import pytest

pytest.importorskip("peft", reason="needs the extra 'parity'")

import torch

from tests.train import serving
from tests.train.conftest import HELD_OUT, TAUGHT, open_toy_stage
from vidcli.core.sampling import Sampling
from vidcli.media.worker import DecoderWorker
from vidcli.methods.ask import CAPTION_QUESTION
from vidcli.models.pair import resolve_files
from vidcli.models.tensors import read_tensors
from vidcli.train.base import open_bundle
from vidcli.train.frames import watch_video
from vidcli.train.pair import load_pair
from vidcli.train.prompts import Said, compose

pytestmark = pytest.mark.train


def test_a2_1_only_the_connector_changes(seeing, realigned):
    """A2.1: pretraining changes the connector, and every other tensor is bit for bit as before."""
    before, after = resolve_files(seeing.folder), resolve_files(realigned.folder)
    assert before.weights_sha256 == after.weights_sha256
    old, new = read_tensors(before.mmproj), read_tensors(after.mmproj)
    assert old.keys() == new.keys()
    changed = {name for name in old if not np.array_equal(old[name], new[name])}
    assert changed == {"mm.model.fc.weight"}


def test_a2_1_the_connector_begins_from_random_weights(seeing, realigned, world):
    """A2.1: it starts unaligned, from random weights, though its base was aligned."""
    trained = read_tensors(resolve_files(seeing.folder).mmproj)["mm.model.fc.weight"]
    base = open_bundle(seeing.folder)
    with ExitStack() as stack:
        stage = open_toy_stage(base, world, stack, reset=True, steps=1, rate=1e-2)
        (_, fresh), *_ = stage.model.named("connector")
        fresh = fresh.detach().numpy()
    assert abs(np.corrcoef(fresh.ravel(), trained.ravel())[0, 1]) < 0.1
    before = realigned.report.before["scores"]
    assert before["seen"]["loss"] > realigned.report.after["scores"]["seen"]["loss"] + 0.2
    assert before["seen"]["accuracy"] < 0.5


def test_a2_2_text_is_told_from_pixels_not_from_a_prior(realigned):
    """A2.2: the held-out caption loss is below that with mismatched videos; the report has both."""
    after = realigned.report.after
    assert after["scores"]["seen"]["loss"] < after["scores"]["shuffled"]["loss"] - 0.2
    assert after["gaps"]["shuffled"]["low"] > 0
    assert after["gaps"]["blind"]["low"] > 0
    assert after["gaps"]["reversed"]["low"] > 0
    assert after["scores"]["seen"]["accuracy"] >= 0.75
    assert any("another video's frames cost" in sentence for sentence in realigned.report.verdict)


def test_a2_3_the_exported_connector_gives_torchs_output(realigned, world):
    """A2.3: the exported projector in llama.cpp gives torch's output within 1e-2."""
    files = resolve_files(realigned.folder)
    model = load_pair(files.weights, files.mmproj)
    with (
        serving.scribe_of(files.weights, files.mmproj) as scribe,
        serving.served(files) as session,
        DecoderWorker() as worker,
    ):
        clip = watch_video(str(world.video(TAUGHT)), scribe, worker, frames=2)
        with torch.no_grad():
            ours = model.connect(model.encode(torch.from_numpy(clip.pixels))).numpy()
        for n, pixels in enumerate(clip.pixels):
            theirs = session.encode(list(pixels)).data.astype(np.float32)
            assert np.abs(theirs - ours[n]).max() <= 1e-2 * np.abs(ours[n]).max()


def test_a2_3_llama_cpp_and_torch_write_the_same_captions(realigned, world):
    """A2.3: captions by llama.cpp and torch match on at least 95 % of held-out clips."""
    files = resolve_files(realigned.folder)
    model = load_pair(files.weights, files.mmproj)
    same = 0
    with (
        serving.scribe_of(files.weights, files.mmproj) as scribe,
        serving.served(files) as session,
        DecoderWorker() as worker,
    ):
        for n in range(TAUGHT, TAUGHT + HELD_OUT):
            clip = watch_video(str(world.video(n)), scribe, worker, frames=2)
            prompt = serving.encoded(session, compose(scribe, clip, [Said(CAPTION_QUESTION)]), clip)
            for _ in session.generate(session.prefill(prompt), Sampling(max_tokens=12)):
                pass
            theirs = session.last_generation.text.strip()
            same += theirs == serving.say_greedily(model, scribe, clip, CAPTION_QUESTION)
            assert theirs.split()[1:3] == ["light", "gets"]
    assert same >= 0.95 * HELD_OUT


def test_a_batch_can_be_learnt_by_heart(scratch, world):
    with ExitStack() as stack:
        stage = open_toy_stage(
            scratch, world, stack, parts=("connector", "vision", "text"), steps=240, rate=3e-3
        )
        from vidcli.train.corpus import Corpus, watch_samples
        from vidcli.train.loop import make_optimizer, mean_loss, take_step

        items = watch_samples(
            stage.dataset.train[:4], stage.scribe, stage.model, stage.store, frames=2
        )
        corpus = Corpus(
            items, stage.scribe, stage.model, level=stage.store.level, store=stage.store
        )
        optimizer = make_optimizer(stage.model, stage.config.loop)
        losses = [
            take_step(
                stage.model, optimizer, [corpus.batch(items)], stage.config.loop, n, mean_loss
            )[0]
            for n in range(stage.config.steps)
        ]
    assert losses[0] > 3
    assert losses[-1] < 0.1
