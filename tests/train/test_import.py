"""Checkpoints of transformers on disk become GGUF pairs that answer alike, and are trained."""

import json
from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("peft", reason="needs the extra 'parity'")

import torch

from tests.cli.run import invoke
from tests.parity.build import KINDS, build_pair
from tests.train import serving
from tests.train.conftest import World
from tests.train.toy import list_toys, write_questions, write_videos
from vidcli.core.model import ModelFiles
from vidcli.errors import MediaError
from vidcli.media.worker import DecoderWorker
from vidcli.models.bundle import read_bundle
from vidcli.models.shapes import read_shape
from vidcli.models.vocabulary import build_vocabulary
from vidcli.train.checkpoint_import import import_checkpoint
from vidcli.train.frames import make_clip, watch_video
from vidcli.train.model import VideoModel
from vidcli.train.names import from_gguf, to_gguf
from vidcli.train.pair import load_pair
from vidcli.train.prompts import Said

pytestmark = pytest.mark.train


def save_checkpoint(kind: str, folder, work):
    """A tiny random model as its makers would publish it."""
    pair = build_pair(kind, work)
    pair.model.save_pretrained(folder)
    vocabulary = build_vocabulary(**read_shape(KINDS[kind])["vocabulary"])
    special = {n: text for n, text in enumerate(vocabulary.tokens) if vocabulary.types[n] == 3}
    tokenizer = {
        "model": {
            "type": "BPE",
            "vocab": {t: n for n, t in enumerate(vocabulary.tokens) if n not in special},
            "merges": [merge.split(" ") for merge in vocabulary.merges],
        },
        "added_tokens": [
            {"id": n, "content": text, "special": True} for n, text in special.items()
        ],
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    names = {"bos": vocabulary.bos, "eos": vocabulary.eos, "pad": vocabulary.pad}
    config = {f"{name}_token": text for name, text in names.items()}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "chat_template.jinja").write_text(vocabulary.chat_template)
    return pair


@pytest.fixture(scope="module", params=["smolvlm", "idefics3", "qwen2vl"])
def checkpoint(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(f"{request.param}-hf")
    return folder, save_checkpoint(request.param, folder, tmp_path_factory.mktemp("work"))


def test_an_imported_checkpoint_gives_transformers_logits_in_llama_cpp(checkpoint, tmp_path):
    folder, pair = checkpoint
    weights, mmproj = import_checkpoint(folder, tmp_path)
    model = VideoModel(pair.model, load_pair(weights, mmproj).layout)
    files = ModelFiles(weights, mmproj, "0" * 64, "1" * 64, "x")
    with serving.scribe_of(weights, mmproj) as scribe, serving.served(files) as session:
        side = scribe.frame_size((168, 112))
        frames = np.random.default_rng(0).integers(0, 256, (2, side[1], side[0], 3), np.uint8)
        clip = make_clip(
            frames, [Fraction(0), Fraction(1)], duration=Fraction(2), group=scribe.profile.group
        )
        said = [Said("what happens?")]
        theirs = serving.their_logits(session, scribe, clip, said)
        ours = serving.our_logits(model, scribe, clip, said)
    assert ours.std() > 0.5
    assert np.abs(theirs - ours).max() < 2e-2


def test_every_parameter_survives_the_way_there_and_back(checkpoint):
    _, pair = checkpoint
    layout = load_pair(pair.weights, pair.mmproj).layout
    state = {name: p.detach().numpy() for name, p in pair.model.named_parameters()}
    back = from_gguf(to_gguf(state, layout), layout)
    assert back.keys() == state.keys()
    assert all(np.array_equal(back[name], state[name]) for name in state)


@pytest.mark.parametrize("has_card", [True, False])
def test_a_checkpoint_with_a_model_card_can_be_tuned(checkpoint, has_card, tmp_path):
    folder, _ = checkpoint
    world = World(tmp_path)
    toys = list_toys()[:6]
    write_videos(tmp_path, toys, side=112)
    write_questions(world.questions, toys[:4])
    write_questions(world.val_questions, toys[4:], first=4)
    card = folder / "README.md"
    card.write_text("made by somebody") if has_card else card.unlink(missing_ok=True)
    result = invoke(
        "train", "tune", "--from", str(folder), "--data", str(world.questions), "--val",
        str(world.val_questions), "--frames", "2", "--out", str(tmp_path / "run"), "--steps", "2",
        "--batch", "2", "--accumulate", "1", "--device", "cpu", "--threads", "1",
        "--eval-samples", "2", "--adapter", "hybrid",
    )  # fmt: skip
    if not has_card:
        assert result.exit_code == 4
        assert "was not pretrained" in result.stderr
        return
    assert result.exit_code == 0, result.stderr
    bundle = read_bundle(tmp_path / "run")
    assert bundle.base["upstream"] == f"model card of {folder.name}"
    asked = invoke(
        "ask", str(world.video(0)), "?", "--model", str(tmp_path / "run"), "--max-tokens", "2",
        "--threads", "1",
    )  # fmt: skip
    assert asked.exit_code == 0, asked.stderr


def test_a_video_that_llama_cpp_would_enlarge_is_refused(world, tmp_path):
    pair = build_pair("qwen2vl", tmp_path)
    with (
        serving.scribe_of(pair.weights, pair.mmproj) as scribe,
        DecoderWorker() as worker,
        pytest.raises(MediaError, match="is too small for this model"),
    ):
        watch_video(str(world.video(0)), scribe, worker, frames=2)


def test_a_half_precision_checkpoint_keeps_its_precision(tmp_path, tmp_path_factory):
    from vidcli.models.tensors import read_tensors, tensor_types

    folder = tmp_path / "hf"
    pair = save_checkpoint("smolvlm", folder, tmp_path_factory.mktemp("work"))
    pair.model.to(torch.bfloat16).save_pretrained(folder)
    weights, _ = import_checkpoint(folder, tmp_path / "gguf")
    assert tensor_types(weights)["token_embd.weight"] == "BF16"
    kept = read_tensors(weights)["token_embd.weight"]
    assert np.array_equal(kept, pair.model.model.text_model.embed_tokens.weight.float().detach())


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"config.json": '{"model_type": "llava"}'}, "of architecture llava"),
        ({"config.json": "{"}, "is no transformers checkpoint"),
        ({"config.json": '{"model_type": "smolvlm"}'}, "cannot be loaded"),
    ],
)
def test_what_cannot_be_imported_says_why(files, reason, world, tmp_path):
    for name, text in {**files, "model.safetensors": "x"}.items():
        (tmp_path / name).write_text(text)
    result = invoke(
        "train", "pretrain", "--from", str(tmp_path), "--data", str(world.captions), "--out",
        str(tmp_path / "run"),
    )  # fmt: skip
    assert result.exit_code == 4, result.stderr
    assert reason in result.stderr
