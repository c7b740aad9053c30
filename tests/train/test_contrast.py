"""A2.4: the contrastive objective is InfoNCE, and what it trains finds held-out texts."""

import json

import jsonschema
import numpy as np
import pytest

pytest.importorskip("peft", reason="needs the extra 'parity'")

import torch

from tests.cli.run import invoke
from vidcli.errors import ModelError
from vidcli.methods.dual import load_heads, rank_texts, summarize_video
from vidcli.models.bundle import read_bundle
from vidcli.models.pair import resolve_files
from vidcli.output.schema import load_schema
from vidcli.train.contrast import Heads, info_nce, to_numpy

pytestmark = pytest.mark.train


def reference(video: np.ndarray, text: np.ndarray, scale: float) -> float:
    """InfoNCE both ways, pair by pair, from its definition."""
    n = len(video)
    similar = [[float(video[i] @ text[j]) * np.exp(scale) for j in range(n)] for i in range(n)]
    total = 0.0
    for i in range(n):
        row = sum(np.exp(similar[i][j]) for j in range(n))
        column = sum(np.exp(similar[j][i]) for j in range(n))
        total += np.log(row) + np.log(column) - 2 * similar[i][i]
    return total / (2 * n)


@pytest.mark.parametrize("n", [2, 7, 16])
def test_a2_4_info_nce_is_that_of_a_reference(n):
    """A2.4: InfoNCE equals a numpy reference."""
    rng = np.random.default_rng(n)
    video, text = (rng.standard_normal((n, 8)) for _ in "vt")
    video, text = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (video, text))
    ours = info_nce(torch.from_numpy(video), torch.from_numpy(text), torch.tensor(2.0))
    assert float(ours) == pytest.approx(reference(video, text, 2.0), rel=1e-6)


def test_the_heads_in_numpy_are_those_of_torch():
    heads = Heads(16)
    tokens = np.random.default_rng(0).standard_normal((6, 4, 16)).astype(np.float32)
    words = np.random.default_rng(1).standard_normal((5, 16)).astype(np.float32)
    numpy = to_numpy(heads, {})
    with torch.no_grad():
        video = heads.video(torch.from_numpy(summarize_video(tokens)))
        text = heads.text(torch.from_numpy(words).mean(0))
    for ours, theirs in ((numpy.embed_video(tokens), video), (numpy.embed_text(words), text)):
        assert np.abs(ours - (theirs / theirs.norm()).numpy()).max() <= 1e-5


def test_a_video_in_reverse_is_another_video():
    tokens = np.random.default_rng(0).standard_normal((6, 4, 16)).astype(np.float32)
    forward, backward = summarize_video(tokens), summarize_video(tokens[::-1])
    assert np.allclose(forward[:16], backward[:16], atol=1e-6)
    assert np.allclose(forward[16:], -backward[16:], atol=1e-6)
    assert not summarize_video(tokens[:1])[16:].any()


def test_texts_are_ranked_by_cosine():
    texts = [np.array([1.0, 0.0]), np.array([0.6, 0.8]), np.array([0.0, 1.0])]
    assert rank_texts(np.array([0.0, 1.0]), texts) == [2, 1, 0]


@pytest.fixture(scope="module")
def contrasted(seeing, world, tmp_path_factory):
    out = tmp_path_factory.mktemp("contrast") / "run"
    result = invoke(
        "train", "pretrain", "--objective", "contrast", "--from", str(seeing.folder), "--data",
        str(world.captions), "--val", str(world.val_captions), "--frames", "2", "--out", str(out),
        "--steps", "200", "--batch", "16", "--accumulate", "1", "--lr", "1e-2", "--device", "cpu",
        "--threads", "1", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    return out, json.loads(result.stdout)


def test_a2_4_held_out_texts_are_found_above_five_times_chance(contrasted):
    """A2.4: R@1 of held-out texts is above five times chance, and above that before training."""
    _, report = contrasted
    jsonschema.validate(report, load_schema("contrast"))
    after = report["after"]
    assert after["texts"] >= 6
    assert after["recall_at_1"] > 5 * after["chance"]
    assert after["recall_at_1"] > report["before"]["recall_at_1"]


def test_the_heads_are_part_of_the_bundle_and_nothing_else_changed(contrasted, seeing):
    out, _ = contrasted
    bundle = read_bundle(out)
    heads = load_heads(bundle.heads)
    files, base = resolve_files(out), resolve_files(seeing.folder)
    assert heads.meta["weights_sha256"] == files.weights_sha256 == base.weights_sha256
    assert heads.meta["mmproj_sha256"] == files.mmproj_sha256 == base.mmproj_sha256
    assert bundle.history[-1]["objective"] == "contrast"


def test_a_batch_of_one_pair_is_refused(seeing, world, tmp_path):
    result = invoke(
        "train", "pretrain", "--objective", "contrast", "--from", str(seeing.folder), "--data",
        str(world.captions), "--out", str(tmp_path / "x"), "--frames", "2", "--batch", "1",
    )  # fmt: skip
    assert result.exit_code == 2
    assert "nothing to tell apart" in result.stderr


def test_damaged_heads_are_told(tmp_path):
    (tmp_path / "h.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(ModelError, match="holds no retrieval heads"):
        load_heads(tmp_path / "h.npz")
