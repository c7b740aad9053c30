"""Arrangements that are trained in torch and run in numpy give the same tokens, and are served."""

import json

import numpy as np
import pytest

pytest.importorskip("peft", reason="needs the extra 'parity'")

import torch

from tests.cli.run import invoke
from tests.train import serving
from tests.train.conftest import TAUGHT, home, run
from vidcli.core.prompt import ImagePart, Prompt
from vidcli.media.worker import DecoderWorker
from vidcli.methods.arrange import POOL, QFORMER, Arranger, pool_tokens
from vidcli.methods.qformer import run_qformer
from vidcli.models.bundle import read_bundle
from vidcli.models.pair import resolve_files
from vidcli.train.base import open_bundle
from vidcli.train.frames import watch_video
from vidcli.train.pair import load_pair
from vidcli.train.prompts import Said, compose, write_row
from vidcli.train.qformer import VideoQFormer

pytestmark = pytest.mark.train


def numpy_of(module) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in module.state_dict().items()}


@pytest.mark.parametrize("frames", [1, 7, 40])
def test_the_q_former_in_numpy_is_that_of_torch(frames):
    """Video-LLaMA: numpy equals torch within 1e-4, and any number of frames gives 32 tokens."""
    module = VideoQFormer(64, heads=4, seed=0).eval()
    tokens = torch.randn(frames, 9, 64, generator=torch.Generator().manual_seed(frames))
    with torch.no_grad():
        theirs = module(tokens).numpy()
    ours = run_qformer(numpy_of(module), tokens.numpy(), heads=4)
    assert ours.shape == (32, 64)
    assert theirs.std() > 0.05
    assert np.abs(ours - theirs).max() <= 1e-4


def test_the_order_of_frames_changes_the_q_formers_tokens():
    """Video-LLaMA: permuting frames changes the 32 tokens."""
    module = VideoQFormer(64, heads=4, seed=0)
    tokens = np.random.default_rng(0).standard_normal((6, 9, 64)).astype(np.float32)
    forward = run_qformer(numpy_of(module), tokens, heads=4)
    backward = run_qformer(numpy_of(module), tokens[::-1], heads=4)
    assert np.abs(forward - backward).max() > 1e-3


@pytest.fixture(scope="module", params=[POOL, QFORMER])
def arranged(request, seeing, world, tmp_path_factory):
    kind = request.param
    folder = tmp_path_factory.mktemp(kind)
    parts = ("connector", "text") + (("qformer",) if kind == QFORMER else ())
    with home(folder):
        trained = run(
            open_bundle(seeing.folder), world, folder / "run", arrangement=kind, parts=parts,
            steps=150, rate=3e-3,
        )  # fmt: skip
    return kind, trained


def test_an_arrangement_is_learnt_and_needs_the_video(arranged):
    _, trained = arranged
    after = trained.report.after
    assert after["scores"]["seen"]["loss"] < after["scores"]["shuffled"]["loss"] - 0.2
    assert after["gaps"]["shuffled"]["low"] > 0


def test_the_bundle_says_how_frames_are_arranged(arranged):
    kind, trained = arranged
    bundle = read_bundle(trained.folder)
    assert bundle.arrangement == bundle.history[-1]["arrangement"] == kind
    assert (bundle.sidecar is not None) == (kind == QFORMER)


def test_llama_cpp_is_shown_what_torch_was_trained_on(arranged, world):
    """Video-LLaMA, Video-ChatGPT: what torch learnt from is what llama.cpp is shown."""
    from vidcli.cli.build import make_arranger

    kind, trained = arranged
    files = resolve_files(trained.folder)
    model = load_pair(files.weights, files.mmproj)
    model.arrange_as(kind)
    if kind == QFORMER:
        from vidcli.methods.qformer import load_sidecar

        weights, _ = load_sidecar(files.sidecar)
        state = {name: torch.from_numpy(value) for name, value in weights.items()}
        model.hf.video_qformer.load_state_dict(state)
    arranger = make_arranger(files)
    question = [Said("Which colour?")]
    with (
        serving.scribe_of(files.weights, files.mmproj) as scribe,
        serving.served(files) as session,
        DecoderWorker() as worker,
    ):
        clip = watch_video(str(world.video(TAUGHT)), scribe, worker, frames=4)
        row = write_row(scribe, clip, question, arrangement=kind)
        ours = serving.next_logits(model, row, clip)
        frames = [
            ImagePart(shown, session.encode(list(pixels)))
            for shown, pixels in zip(clip.shown, clip.pixels, strict=True)
        ]
        (image,) = arranger(frames)
        prompt = compose(scribe, clip, question, arrangement=kind)
        parts = tuple(image if isinstance(part, ImagePart) else part for part in prompt.parts)
        theirs = session.prefill(Prompt(parts, prompt.n_shared)).logits
    assert np.abs(ours - theirs).max() < 2e-2 * max(1.0, np.abs(ours).max())


def test_ask_shows_the_arranged_tokens(arranged, world, tmp_path):
    kind, trained = arranged
    wanted = {POOL: 2 + 1, QFORMER: 32}[kind]
    for more in ((), ("--no-cache",)):
        trace = tmp_path / "trace.json"
        result = invoke(
            "ask", str(world.video(TAUGHT)), "?", "--model", str(trained.folder), "--json",
            "--max-tokens", "4", "--threads", "1", "--trace", str(trace), *more,
        )  # fmt: skip
        assert result.exit_code == 0, result.stderr
        document = json.loads(result.stdout)
        assert document["usage"]["visual_tokens"] == wanted
        assert sum(frame["visual_tokens"] for frame in document["frames"]) == wanted
        assert len(document["frames"]) == 2


def test_an_exported_arrangement_is_whole(arranged, world, tmp_path):
    kind, trained = arranged
    out = tmp_path / "out"
    made = invoke("train", "export", str(trained.folder), "--out", str(out), "--mmproj-type", "F16")
    assert made.exit_code == 0, made.stderr
    assert read_bundle(out).arrangement == kind
    said = [
        invoke("caption", str(world.video(TAUGHT)), "--model", str(folder), "--max-tokens", "8",
               "--threads", "1").stdout
        for folder in (trained.folder, out)
    ]  # fmt: skip
    assert said[0] == said[1]


def test_the_pool_of_a_single_frame_is_that_frame_and_its_mean():
    tokens = np.random.default_rng(0).standard_normal((1, 4, 8)).astype(np.float32)
    assert np.allclose(pool_tokens(tokens)[1:], tokens[0])
    assert Arranger(POOL, pool_tokens).kind == POOL


def test_a_dry_run_counts_the_arranged_tokens(arranged, world):
    kind, trained = arranged
    result = invoke(
        "ask", str(world.video(0)), "?", "--model", str(trained.folder), "--dry-run", "--json",
        "--threads", "1",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["tokens"]["visual"] == {POOL: 3, QFORMER: 32}[kind]


def test_each_stage_of_the_q_former_changes_the_q_former_and_nothing_else(seeing, world, tmp_path):
    """Video-LLaMA: two recorded stages, each with the list of what stayed frozen."""
    from vidcli.methods.qformer import load_sidecar

    stages = [
        ("pretrain", seeing.folder, world.captions, ("--arrange", "qformer")),
        ("tune", tmp_path / "pretrain", world.questions, ("--adapter", "connective")),
    ]
    for name, base, data, more in stages:
        result = invoke(
            "train", name, "--from", str(base), "--data", str(data), "--frames", "2", "--out",
            str(tmp_path / name), "--steps", "2", "--batch", "2", "--accumulate", "1", "--device",
            "cpu", "--threads", "1", "--eval-samples", "2", "--quiet", *more,
        )  # fmt: skip
        assert result.exit_code == 0, result.stderr
    first, second = (read_bundle(tmp_path / name) for name in ("pretrain", "tune"))
    history = second.history[-2:]
    assert [stage["stage"] for stage in history] == ["pretrain", "tune"]
    for stage in history:
        assert stage["learns"] == ["qformer"]
        assert stage["frozen"] == ["vision", "connector", "text"]
    files = [resolve_files(folder) for folder in (seeing.folder, first.folder, second.folder)]
    assert len({found.weights_sha256 for found in files}) == 1
    assert len({found.mmproj_sha256 for found in files}) == 1
    before, after = (load_sidecar(bundle.sidecar)[0] for bundle in (first, second))
    width = before["queries"].shape[1]
    fresh = numpy_of(VideoQFormer(width, heads=1, seed=0))
    assert before.keys() == after.keys() == fresh.keys()
    assert before["queries"].shape == (32, width)
    assert {name.split(".")[1] for name in before if name.startswith("layers.")} == {"0", "1"}
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    assert {"positions", "queries", "out.weight", "layers.0.cross_v.weight"} <= moved
