"""Family 3: instruction tuning starts from a pretrained model and teaches it to follow."""

import json
import shutil
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("peft", reason="needs the extra 'parity'")

import torch

from tests.cli.run import invoke
from tests.hub import Repo
from tests.train import serving
from tests.train.conftest import HELD_OUT, TAUGHT, open_toy_stage
from tests.train.toy import list_toys
from vidcli.core.sampling import Sampling
from vidcli.errors import ModelError
from vidcli.media.worker import DecoderWorker
from vidcli.models.bundle import read_bundle
from vidcli.models.pair import resolve_files
from vidcli.train.batches import collate
from vidcli.train.export import write_adapter
from vidcli.train.frames import watch_video
from vidcli.train.lora import LoraSettings, add_lora, lora_state
from vidcli.train.pair import load_pair
from vidcli.train.prompts import IGNORED, Said, compose, write_row

pytestmark = pytest.mark.train

COLOUR, CHANGE = (
    "Which colour is it? Answer in one word.",
    "Does it get brighter or darker? Answer in one word.",
)


def test_a3_1_tuning_refuses_what_nobody_pretrained(scratch, world):
    """A3.1: tuning what nobody pretrained is an error that explains the two stages."""
    with ExitStack() as stack, pytest.raises(ModelError, match="second of two stages") as caught:
        open_toy_stage(scratch, world, stack, stage="tune", steps=1, rate=1e-3)
    assert "train pretrain" in str(caught.value.hint)


def test_a3_1_an_upstream_model_may_be_tuned(scratch, world):
    """A3.1: a model that its makers pretrained may be tuned."""
    with ExitStack() as stack:
        upstream = replace(scratch, upstream="hf:somebody/model")
        assert open_toy_stage(upstream, world, stack, stage="tune", steps=1, rate=1e-3)


@pytest.fixture
def tune_files(scratch, world, tmp_path):
    """Runs `train tune` with files, and more words; gives the result and the folder."""

    def run(base: str, *more: str):
        out = tmp_path / "tuned"
        words = [
            "train", "tune", "--from", base, "--data", str(world.questions), "--out", str(out),
            "--steps", "1", "--batch", "2", "--accumulate", "1", "--device", "cpu", "--threads",
            "1", "--eval-samples", "2", "--frames", "2", *more,
        ]  # fmt: skip
        return invoke(*words), out

    return run


def test_a3_1_files_of_nobody_are_refused_on_the_command_line(scratch, tune_files):
    """A3.1: the error explains the two stages, and names what to type."""
    result, out = tune_files(str(scratch.files.weights), "--mmproj", str(scratch.files.mmproj))
    assert result.exit_code == 4
    assert "tuning is the second of two stages" in result.stderr
    assert "--upstream" in result.stderr
    assert not (out / "vidcli.json").exists()


def test_a3_1_who_pretrained_files_may_be_named(scratch, tune_files):
    """A3.1: `--upstream` names who did, and the bundle tells so."""
    files = scratch.files
    result, out = tune_files(
        str(files.weights), "--mmproj", str(files.mmproj), "--upstream", "the lab next door"
    )
    assert result.exit_code == 0, result.stderr
    bundle = read_bundle(out)
    assert bundle.base["upstream"] == "the lab next door"
    assert [stage["stage"] for stage in bundle.history] == ["tune"]


def test_a3_1_a_model_of_the_hub_may_be_tuned(scratch, tune_files, hub):
    """A3.1: `--from hf:…` is a model that its makers pretrained; so is its name once pulled."""
    files = scratch.files
    hub.repos["somebody/model"] = Repo(
        {
            "model-F32.gguf": files.weights.read_bytes(),
            "mmproj-model-F32.gguf": files.mmproj.read_bytes(),
            "README.md": b"#",
        }
    )
    pulled = invoke("models", "pull", "hf:somebody/model", "--name", "seer")
    assert pulled.exit_code == 0, pulled.stderr
    for base in ("hf:somebody/model", "seer"):
        result, out = tune_files(base)
        assert result.exit_code == 0, result.stderr
        assert read_bundle(out).base["upstream"] == "hf:somebody/model"
        shutil.rmtree(out)


def test_a3_1_the_history_tells_both_stages_and_their_data(tuned, seeing):
    """A3.1: the history lists both stages with the digests of their data."""
    history = read_bundle(tuned.folder).history
    assert [stage["stage"] for stage in history] == ["pretrain", "tune"]
    assert history[0] == read_bundle(seeing.folder).history[0]
    assert [stage["data"][0]["file"] for stage in history] == ["captions.jsonl", "questions.json"]
    assert all(len(stage["data"][0]["sha256"]) == 64 for stage in history)


@pytest.fixture
def clip(seeing, world):
    files = resolve_files(seeing.folder)
    with (
        serving.scribe_of(files.weights, files.mmproj) as scribe,
        DecoderWorker() as worker,
    ):
        yield scribe, watch_video(str(world.video(TAUGHT)), scribe, worker, frames=2)


def learnt(scribe, row) -> str:
    return "".join(scribe.text_of(label) for label in row.labels if label != IGNORED)


def test_a3_2_only_what_the_assistant_says_is_learnt(clip):
    """A3.2: the loss is on the assistant's tokens only."""
    scribe, shown = clip
    row = write_row(scribe, shown, [Said(COLOUR, "red")], system="Be brief.")
    assert learnt(scribe, row) == " red<end_of_utterance>"


def test_a3_2_an_empty_answer_teaches_nothing(clip, seeing):
    """A3.2: where the answer is empty the gradient is zero."""
    scribe, shown = clip
    files = resolve_files(seeing.folder)
    model = load_pair(files.weights, files.mmproj)
    model.unfreeze(("connector", "text"))
    row = write_row(scribe, shown, [Said(COLOUR)])
    assert row.n_labels == 0
    features = model.encode(torch.from_numpy(shown.pixels))
    model.loss(collate([row], [features], device=model.device)).backward()
    gradients = [p.grad for p in model.trainable().values() if p.grad is not None]
    assert gradients
    assert all(not gradient.any() for gradient in gradients)


def test_a3_2_inspect_batch_prints_the_mask(seeing, world, tmp_path):
    """A3.2: `--inspect-batch 1` prints the label mask."""
    result = invoke(
        "train", "tune", "--from", str(seeing.folder), "--data", str(world.questions),
        "--val", str(world.val_questions), "--frames", "2", "--out", str(tmp_path / "x"),
        "--inspect-batch", "1",
    )  # fmt: skip
    assert result.exit_code == 0
    toy = json.loads(world.questions.read_text())[0]["conversations"]
    for turn in toy:
        bracketed = f"[ {turn['value']}|<end_of_utterance>]" in result.stdout.replace("[ ", "[ ")
        assert bracketed == (turn["from"] == "gpt")
    assert result.stdout.count("<1 visual>") == 2
    assert not (tmp_path / "x").exists()


def test_a3_3_answers_get_better_and_beat_the_blind_control(tuned):
    """A3.3: on held-out videos accuracy rises by 20 points and beats the blind control."""
    before, after = tuned.report.before["scores"], tuned.report.after["scores"]
    assert after["seen"]["accuracy"] >= before["seen"]["accuracy"] + 0.2
    assert after["seen"]["accuracy"] >= after["blind"]["accuracy"] + 0.2
    assert after["seen"]["accuracy"] >= after["shuffled"]["accuracy"] + 0.2
    assert tuned.report.after["gaps"]["blind"]["low"] > 0


def test_a3_3_a_new_form_of_answer_is_followed_after_tuning_only(tuned, world):
    """A3.3: one-word answers, a form that stage 1 never had, come after tuning and not before."""
    said = {}
    for scale in ("0", "1"):
        result = invoke(
            "ask", str(world.video(TAUGHT)), COLOUR, "--model", str(tuned.folder),
            "--lora-scale", scale, "--max-tokens", "12", "--threads", "1",
        )  # fmt: skip
        assert result.exit_code == 0
        said[scale] = result.stdout.split()
    assert len(said["0"]) > 1
    assert len(said["1"]) == 1
    assert said["1"] == said["0"][:1], "both see the same colour"


def test_a3_3_questions_in_new_wordings_about_new_videos_are_answered(tuned, world):
    """A3.3: held-out wordings of the colour question, on held-out videos, against no frames.

    The words were never seen in training; a new wording of the other question is not understood.
    """
    from vidcli.methods.ask import Question
    from vidcli.methods.blind import ask_blind

    wordings = ("Answer in one word: which colour?", "Which colour is the light? One word.")
    files = resolve_files(tuned.folder)
    right = {"before": 0, "after": 0, "blind": 0}
    with serving.scribe_of(files.weights, files.mmproj) as scribe, DecoderWorker() as worker:
        clips = [
            watch_video(str(world.video(n)), scribe, worker, frames=2)
            for n in range(TAUGHT, TAUGHT + HELD_OUT)
        ]
        truth = [toy.colour for toy in list_toys()[TAUGHT:]]
        for name, scale in (("before", 0.0), ("after", 1.0)):
            with serving.served(replace(files, lora_scale=scale)) as session:
                for clip, colour in zip(clips, truth, strict=True):
                    for words in wordings:
                        prompt = compose(scribe, clip, [Said(words)])
                        prefix = session.prefill(serving.encoded(session, prompt, clip))
                        for _ in session.generate(prefix, Sampling(max_tokens=8)):
                            pass
                        right[name] += session.last_generation.text.strip() == colour
                        if name == "after":
                            sampling = Sampling(max_tokens=8)
                            made = ask_blind(session, Question(words, sampling=sampling))
                            right["blind"] += made.text.strip() == colour
    n = len(clips) * len(wordings)
    assert right["after"] >= right["before"] + 0.2 * n
    assert right["after"] >= right["blind"] + 0.2 * n
    assert right["after"] >= 0.8 * n


def random_lora(model, seed: int = 3) -> None:
    """Adapter matrices that change the logits a good deal."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.hf.named_parameters():
            if "lora_" in name:
                drawn = torch.randn(parameter.shape, generator=generator)
                parameter.copy_(drawn * (parameter.shape[-1] ** -0.5) * 0.7)


@pytest.mark.parametrize("kind", ["smolvlm", "qwen2vl"])
def test_a3_4_the_adapter_in_llama_cpp_gives_torchs_logits(kind, tmp_path, monkeypatch):
    """A3.4: logits equal PEFT's; scale 0 is the base exactly; unpermuted q/k are off."""
    from fractions import Fraction

    from tests.parity.build import build_pair
    from vidcli.core.model import ModelFiles
    from vidcli.train import lora
    from vidcli.train.frames import make_clip

    pair = build_pair(kind, tmp_path)
    model = load_pair(pair.weights, pair.mmproj)
    settings = LoraSettings(rank=4, alpha=8, dropout=0.0)
    files = ModelFiles(pair.weights, pair.mmproj, "0" * 64, "1" * 64, "x")
    question = [Said("what happens?")]
    with serving.scribe_of(pair.weights, pair.mmproj) as scribe:
        side = scribe.frame_size((168, 112))
        frames = np.random.default_rng(0).integers(0, 256, (2, side[1], side[0], 3), np.uint8)
        shown = make_clip(
            frames, [Fraction(0), Fraction(1)], duration=Fraction(2), group=scribe.profile.group
        )
        base = serving.our_logits(model, scribe, shown, question)
        add_lora(model, settings, seed=0)
        random_lora(model)
        ours = serving.our_logits(model.hf.eval() and model, scribe, shown, question)
        assert np.abs(ours - base).max() > 1, "else any adapter would agree"

        def theirs(path, scale=1.0):
            adapted = replace(files, adapter=path, adapter_sha256="2" * 64, lora_scale=scale)
            with serving.served(adapted) as session:
                return serving.their_logits(session, scribe, shown, question)

        right = tmp_path / "adapter.gguf"
        write_adapter(right, lora_state(model), model.layout, alpha=settings.alpha, name="x")
        assert np.abs(theirs(right) - ours).max() < 2e-2
        with serving.served(files) as session:
            alone = serving.their_logits(session, scribe, shown, question)
        assert np.array_equal(theirs(right, 0.0), alone)
        assert np.abs(theirs(right, 0.5) - alone).max() > 0.1

        wrong = tmp_path / "wrong.gguf"
        monkeypatch.setattr(lora, "_permute", lambda ours, rows, layout: rows)
        write_adapter(wrong, lora_state(model), model.layout, alpha=settings.alpha, name="x")
        off = np.abs(theirs(wrong) - ours).max()
        assert off > 0.3 if kind == "smolvlm" else off < 2e-2


def test_a3_4_the_trained_adapter_is_what_torch_learnt(tuned, seeing, world):
    """A3.4: the trained adapter at scale 1 changes the output."""
    files = resolve_files(tuned.folder)
    with (
        serving.scribe_of(files.weights, files.mmproj) as scribe,
        serving.served(files) as session,
        DecoderWorker() as worker,
    ):
        shown = watch_video(str(world.video(TAUGHT)), scribe, worker, frames=2)
        adapted = serving.their_logits(session, scribe, shown, [Said(COLOUR)])
        with serving.served(replace(files, lora_scale=0.0)) as plain:
            base = serving.their_logits(plain, scribe, shown, [Said(COLOUR)])
    assert np.abs(adapted - base).max() > 0.1


def test_a3_7_training_ids_are_the_ids_that_ask_sends(seeing, world, tmp_path, clip):
    """A3.7: the training prompt has the ids that `ask` sends for the same video and question."""
    scribe, _ = clip
    trace = tmp_path / "trace.json"
    video = world.video(TAUGHT)
    with DecoderWorker() as worker:
        shown = watch_video(str(video), scribe, worker, frames=2)
    result = invoke(
        "ask", str(video), COLOUR, "--model", str(seeing.folder), "--trace", str(trace),
        "--max-tokens", "1", "--threads", "1",
    )  # fmt: skip
    assert result.exit_code == 0
    parts = json.loads(trace.read_text())["parts"]
    sent = [token for part in parts for token in part["token_ids"]]
    row = write_row(scribe, shown, [Said(COLOUR, "red")])
    first = int(np.argmax(row.labels != IGNORED))
    ours = [int(token) for token in row.ids[:first] if token >= 0]
    assert ours == sent
    assert len(ours) > 40


def test_a3_7_a_chat_sends_what_training_saw_turn_by_turn(seeing, world, clip):
    """A3.7: so it is for a conversation of several turns."""
    from vidcli.core.results import VideoReport
    from vidcli.methods.converse import Conversation, Turn
    from vidcli.methods.watch import Watched

    scribe, shown = clip
    row = write_row(scribe, shown, [Said(COLOUR, "red"), Said(CHANGE, "darker")])
    from vidcli.core.prompt import ImagePart

    files = resolve_files(seeing.folder)
    with serving.served(files) as session:
        images = tuple(
            ImagePart(frames, session.encode(list(pixels)))
            for frames, pixels in zip(shown.shown, shown.pixels, strict=True)
        )
        watched = Watched(images, None, None, ())
        chat = Conversation(session, watched, VideoReport("x", "y", shown.duration))
        for turns in ([], [Turn(COLOUR, "red")]):
            question = CHANGE if turns else COLOUR
            prompt = chat._compose(question, turns)
            sent = []
            for traced in session.trace(prompt):
                if not traced.frames:
                    sent += traced.token_ids
                    continue
                tokens = images[0].tokens
                sent += [*tokens.opening, *[-1] * traced.visual_tokens, *tokens.closing]
            assert sent == row.ids[: len(sent)].tolist()
            assert row.labels[len(sent)] != IGNORED


def test_a3_8_every_turn_of_the_assistant_is_learnt(clip):
    """A3.8: multi-turn conversations train on every assistant turn."""
    scribe, shown = clip
    row = write_row(scribe, shown, [Said(COLOUR, "red"), Said(CHANGE, "darker"), Said("?", "red")])
    assert learnt(scribe, row) == (
        " red<end_of_utterance> darker<end_of_utterance> red<end_of_utterance>"
    )
