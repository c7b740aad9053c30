"""Adapters that peft itself made and saved give peft's logits in llama.cpp."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("peft", reason="needs the extra 'train'")

import peft

from tests.parity.build import build_pair
from tests.train import serving
from tests.train.test_tune import random_lora
from vidcli.core.model import ModelFiles
from vidcli.train.export import write_adapter
from vidcli.train.frames import make_clip
from vidcli.train.model import VideoModel
from vidcli.train.pair import load_pair
from vidcli.train.peft_import import read_peft
from vidcli.train.prompts import Said

pytestmark = [
    pytest.mark.train,
    # peft asks transformers in the way of before
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]
RANK, ALPHA = 4, 4.0


@pytest.mark.parametrize("is_rslora", [False, True])
def test_an_adapter_that_peft_saved_counts_as_much_as_it_does_there(is_rslora, tmp_path):
    """A3.4: with rsLoRA peft counts alpha / sqrt(rank), and so does the adapter made of it."""
    pair = build_pair("smolvlm", tmp_path)
    model = load_pair(pair.weights, pair.mmproj)
    settings = peft.LoraConfig(
        r=RANK, lora_alpha=ALPHA, use_rslora=is_rslora,
        target_modules=r".*text_model.*\.(q|k|v|o|gate|up|down)_proj",
    )  # fmt: skip
    adapted = peft.get_peft_model(model.hf, settings).eval()
    random_lora(VideoModel(adapted, model.layout))
    adapted.save_pretrained(tmp_path / "saved")
    found = read_peft(tmp_path / "saved", model.layout)
    assert found.alpha == ALPHA * (RANK**0.5 if is_rslora else 1)
    path = tmp_path / "adapter.gguf"
    write_adapter(path, found.state, model.layout, alpha=found.alpha, name="x")
    question = [Said("what happens?")]
    files = ModelFiles(pair.weights, pair.mmproj, "0" * 64, "1" * 64, "x")
    with serving.scribe_of(pair.weights, pair.mmproj) as scribe:
        side = scribe.frame_size((168, 112))
        frames = np.random.default_rng(0).integers(0, 256, (2, side[1], side[0], 3), np.uint8)
        shown = make_clip(frames, [Fraction(0), Fraction(1)], duration=Fraction(2))
        ours = serving.our_logits(model, scribe, shown, question)
        with serving.served(replace(files, adapter=path, adapter_sha256="2" * 64)) as session:
            theirs = serving.their_logits(session, scribe, shown, question)
        with serving.served(files) as session:
            alone = serving.their_logits(session, scribe, shown, question)
    assert np.abs(ours - theirs).max() < 2e-2
    assert np.abs(ours - alone).max() > 1, "else any adapter would agree"
