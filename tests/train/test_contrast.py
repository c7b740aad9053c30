"""A2.4: the contrastive objective is InfoNCE, and what it trains finds held-out texts."""

import json
import shutil
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

pytest.importorskip("peft", reason="needs the extra 'parity'")

import torch

from tests.cli.run import invoke
from tests.train import serving
from tests.train.conftest import TAUGHT
from vidcli.core.prompt import ImagePart
from vidcli.errors import ModelError
from vidcli.media.worker import DecoderWorker
from vidcli.methods.ask import CAPTION_QUESTION
from vidcli.methods.dual import load_heads, rank_texts, save_heads, summarize_video
from vidcli.methods.retrieval import open_encoder
from vidcli.models.bundle import read_bundle
from vidcli.models.pair import resolve_files
from vidcli.output.schema import load_schema
from vidcli.train.contrast import DIM, Heads, info_nce, to_numpy
from vidcli.train.frames import watch_video

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


def test_a2_4_the_trained_heads_are_what_a_search_loads(contrasted, world):
    """A2.4: over the model as llama.cpp runs it, they find as many texts as the run counted.

    Survey roles, hidden layer: vectors of the documented dimension, in which a matched pair ranks
    above mismatched ones.
    """
    out, report = contrasted
    captions = [json.loads(line)["caption"] for line in world.val_captions.read_text().splitlines()]
    texts = list(dict.fromkeys(captions))
    files, hits, likeness = resolve_files(out), 0, []
    with (
        serving.scribe_of(files.weights, files.mmproj) as scribe,
        serving.served(files) as session,
        DecoderWorker() as worker,
    ):
        encoder = open_encoder(read_bundle(out), session)
        vectors = [encoder.embed_text(text) for text in texts]
        for n, own in enumerate(captions, TAUGHT):
            clip = watch_video(str(world.video(n)), scribe, worker, frames=2)
            images = [
                ImagePart(shown, session.encode(list(pixels)))
                for shown, pixels in zip(clip.shown, clip.pixels, strict=True)
            ]
            video = encoder.embed_video(images)
            assert video.shape == vectors[0].shape == (DIM,)
            assert np.linalg.norm(video) == pytest.approx(1, abs=1e-5)
            hits += texts[rank_texts(video, vectors)[0]] == own
            others = [
                float(v @ video) for text, v in zip(texts, vectors, strict=True) if text != own
            ]
            likeness.append((float(vectors[texts.index(own)] @ video), np.mean(others)))
        with pytest.raises(ValueError, match="empty text"):
            encoder.embed_text(" ")
    assert all(matched > mismatched for matched, mismatched in likeness)
    assert len(texts) == report["after"]["texts"]
    assert hits / len(captions) == pytest.approx(report["after"]["recall_at_1"])
    assert hits / len(captions) > 5 / len(texts)


def search_each(model, world, captions) -> float:
    """Share of the texts whose first hit, among all held-out videos, is a video they describe."""
    videos = [str(world.video(n)) for n, _ in enumerate(captions, TAUGHT)]
    texts = list(dict.fromkeys(captions))
    hits = 0
    for text in texts:
        result = invoke(
            "search", text, *videos, "--model", str(model), "--window", "60", "--frames", "2",
            "--top", "1", "--threads", "1", "--json",
        )  # fmt: skip
        assert result.exit_code == 0, result.stderr
        found = json.loads(result.stdout)["hits"][0]["path"]
        hits += captions[videos.index(found)] == text
    return hits / len(texts)


def test_a2_4_search_finds_held_out_videos_by_the_trained_heads(contrasted, world, tmp_path):
    """A2.4: the trained head is what `search` uses: R@1 is above five times chance by it alone.

    With heads of random weights in its place, in the same bundle, it is not.
    """
    captions = [json.loads(line)["caption"] for line in world.val_captions.read_text().splitlines()]
    chance = 1 / len(set(captions))
    assert search_each(contrasted[0], world, captions) > 5 * chance
    folder = tmp_path / "untrained"
    shutil.copytree(contrasted[0], folder)
    heads = read_bundle(folder).heads
    trained = load_heads(heads)
    save_heads(heads, to_numpy(Heads(trained.weights["text.weight"].shape[1]), trained.meta))
    assert search_each(folder, world, captions) <= 5 * chance


def test_heads_that_are_not_there_or_of_another_model_are_told(contrasted, seeing):
    with pytest.raises(ModelError, match="has no retrieval heads"):
        open_encoder(read_bundle(seeing.folder), None)
    bundle = read_bundle(contrasted[0])
    other = replace(bundle, sha256={**bundle.sha256, "mmproj": "0" * 64})
    with pytest.raises(ModelError, match="for another model"):
        open_encoder(other, None)


def train_heads(base, data, world, out) -> dict:
    result = invoke(
        "train", "pretrain", "--objective", "contrast", "--from", str(base), "--data", str(data),
        "--videos", str(world.folder), "--val", str(world.val_captions), "--frames", "2", "--out",
        str(out), "--steps", "100", "--batch", "16", "--accumulate", "1", "--lr", "1e-2",
        "--device", "cpu", "--threads", "1", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)["after"]


def test_narrations_of_unlabelled_clips_help_where_a_tenth_is_labelled(seeing, world, tmp_path):
    """LaViLa: with 10 % labels, human and pseudo pairs beat human pairs alone at retrieval.

    The model narrates what nobody labelled; its rows are learnt from as they are written.
    """
    rows = world.captions.read_text().splitlines()
    tenth = rows[: max(2, round(len(rows) / 10))]
    human = tmp_path / "human.jsonl"
    human.write_text("".join(f"{row}\n" for row in tenth))
    labels = tmp_path / "labels.jsonl"
    labels.write_text(
        "".join(
            json.dumps({"video": row["video"], "start": 0, "end": 2, "texts": [row["caption"]]})
            + "\n"
            for row in map(json.loads, tenth)
        )
    )
    both = tmp_path / "both.jsonl"
    told = invoke(
        "data", "narrate", *(str(world.video(n)) for n in range(TAUGHT)), "--labels", str(labels),
        "--model", str(seeing.folder), "--out", str(both), "--window", "2", "--frames", "2",
        "--candidates", "4", "--gap-candidates", "4", "--rephrase", "0", "--max-tokens", "12",
        "--prompt", CAPTION_QUESTION, "--threads", "1", "--json",
    )  # fmt: skip
    assert told.exit_code == 0, told.stderr
    summary = json.loads(told.stdout)
    assert summary["coverage"]["told"] >= 0.95
    assert (summary["texts"]["human"], summary["clips"]["gaps"]) == (
        len(tenth),
        TAUGHT - len(tenth),
    )
    alone = train_heads(seeing.folder, human, world, tmp_path / "alone")
    helped = train_heads(seeing.folder, both, world, tmp_path / "helped")
    assert helped["recall_at_1"] >= alone["recall_at_1"] + 0.2
    assert helped["recall_at_1"] > 3 * helped["chance"]


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
