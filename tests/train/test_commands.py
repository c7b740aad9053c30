"""`vidcli train` as a user meets it: what it says before, during and instead of training."""

import json

import jsonschema
import pytest

pytest.importorskip("peft", reason="needs the extra 'parity'")

from tests.cli.run import invoke
from tests.cli.test_sockets import run as run_without_sockets
from tests.train.conftest import TAUGHT
from vidcli.models.bundle import read_bundle
from vidcli.output.schema import load_schema

pytestmark = pytest.mark.train

SIZES = """
image_size = 32
patch_size = 16
width = 32
layers = 1
heads = 2
kv_heads = 1
inner = 32
vision_width = 32
vision_layers = 1
vision_heads = 2
vision_inner = 32
vocabulary = 416
"""
SHORT = (
    "--steps", "2", "--batch", "2", "--accumulate", "1", "--device", "cpu", "--threads", "1",
    "--eval-samples", "2", "--frames", "2",
)  # fmt: skip


@pytest.fixture
def sizes(tmp_path):
    path = tmp_path / "sizes.toml"
    path.write_text(SIZES)
    return path


def pretrain(world, out, *more: str) -> list[str]:
    return ["train", "pretrain", "--data", str(world.captions), "--out", str(out), *SHORT, *more]


def test_a_run_from_scratch_ends_as_a_bundle_with_its_account(world, sizes, tmp_path):
    out = tmp_path / "run"
    result = invoke(*pretrain(world, out, "--from-scratch", str(sizes), "--json"))
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    jsonschema.validate(report, load_schema("train"))
    assert report["learns"] == ["connector", "vision", "text"]
    assert json.loads((out / "report.json").read_text())["verdict"] == report["verdict"]
    assert len((out / "metrics.jsonl").read_text().splitlines()) == 2
    assert (out / "loss.png").read_bytes().startswith(b"\x89PNG")
    config = json.loads((out / "config.json").read_text())
    assert config["config"]["steps"] == 2
    assert config["data"][0]["rows"] == TAUGHT
    assert read_bundle(out).history[0]["data"] == config["data"]
    for said in ("samples of", "numbers learn", "in all", "are few"):
        assert said in result.stderr


def test_the_cost_is_told_and_nothing_done(world, sizes, tmp_path):
    out = tmp_path / "run"
    result = invoke(*pretrain(world, out, "--from-scratch", str(sizes), "--dry-run"))
    assert result.exit_code == 0, result.stderr
    assert "2 steps" in result.stdout
    assert not out.exists()


@pytest.mark.parametrize(
    ("more", "code", "reason"),
    [
        ((), 2, "name what to start from"),
        (("--from", "x.gguf", "--from-scratch", "y"), 2, "name what to start from"),
        (("--from-scratch", "no.toml"), 2, "no.toml cannot be read"),
        (("--from", "no.gguf"), 4, "no.gguf"),
        (("--from-scratch", "{sizes}", "--unfreeze", "brain"), 2, "knows no part brain"),
        (("--from-scratch", "{sizes}", "--videos", "{tmp}"), 3, "there is no video t00.mp4"),
        (("--from-scratch", "{sizes}", "--device", "cuda"), 5, "torch finds no cuda device"),
        (("--from-scratch", "{sizes}", "--data", "no.json"), 2, "no.json cannot be read"),
    ],
)
def test_what_makes_no_sense_is_told(more, code, reason, world, sizes, tmp_path):
    words = [text.format(sizes=sizes, tmp=tmp_path) for text in more]
    result = invoke(*pretrain(world, tmp_path / "run", *words))
    assert (result.exit_code, reason in result.stderr) == (code, True), result.stderr


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ("width = 33\n", "width is no multiple of heads"),
        ("depth = 3\n", "unknown depth"),
        ("width = [\n", "cannot be read"),
        ("layers = 0\n", "every size is above 0"),
        ("vocabulary = 100\n", "needs at least"),
    ],
)
def test_sizes_that_do_not_go_together_are_told(sizes, reason, world, tmp_path):
    (tmp_path / "sizes.toml").write_text(sizes)
    result = invoke(
        *pretrain(world, tmp_path / "run", "--from-scratch", str(tmp_path / "sizes.toml"))
    )
    assert result.exit_code in (2, 4)
    assert reason in result.stderr


def test_missing_videos_are_left_out_and_counted(world, sizes, tmp_path):
    rows = world.captions.read_text().splitlines()
    data = world.folder / "with_missing.jsonl"
    data.write_text("\n".join([*rows, '{"video": "gone.mp4", "caption": "x"}']) + "\n")
    result = invoke(
        "train", "pretrain", "--data", str(data), "--out", str(tmp_path / "run"), *SHORT,
        "--from-scratch", str(sizes), "--skip-missing", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["missing"] == 1
    assert "1 samples left out" in result.stderr


def test_a_video_in_both_halves_is_refused(world, sizes, tmp_path):
    result = invoke(
        *pretrain(world, tmp_path / "run", "--from-scratch", str(sizes), "--val",
                  str(world.questions))
    )  # fmt: skip
    assert result.exit_code == 2
    assert "is both in --data and in --val" in result.stderr


def test_training_opens_no_socket(world, sizes, seeing, tmp_path):
    lines = [
        " ".join(pretrain(world, tmp_path / "a", "--from-scratch", str(sizes))),
        " ".join(pretrain(world, tmp_path / "b", "--from", str(seeing.folder))),
        f"train export {tmp_path / 'b'} --out {tmp_path / 'c'} --quantize Q8_0",
    ]
    done = run_without_sockets(f"from tests.cli.test_sockets import run_all; run_all({lines!r})")
    assert done.returncode == 0, done.stderr
    assert [line.split()[-1] for line in done.stdout.splitlines()] == ["0", "0", "0"]


@pytest.fixture
def timed(world):
    """Events of every video, as dense captions and as subtitles."""
    dense = {
        f"t{n:02d}": {"duration": 2.0, "timestamps": [[0, 1], [1, 2]], "sentences": ["on", "off"]}
        for n in range(TAUGHT)
    }
    path = world.folder / "dense.json"
    path.write_text(json.dumps(dense))
    speech = world.folder / "speech"
    speech.mkdir(exist_ok=True)
    for n in range(TAUGHT):
        (speech / f"t{n:02d}.srt").write_text(
            "1\n00:00:00,000 --> 00:00:01,000\none two three four five six seven eight\n"
        )
    return path, speech


@pytest.mark.parametrize("objective", ["events", "denoise"])
def test_a2_5_timed_events_are_taught(objective, timed, world, sizes, tmp_path):
    """A2.5: both objectives train on dense captions and on speech, with random parts."""
    for n, data in enumerate(timed):
        words = (
            "train", "pretrain", "--data", str(data), "--videos", str(world.folder), "--out",
            str(tmp_path / str(n)), *SHORT, "--from-scratch", str(sizes), "--objective", objective,
        )  # fmt: skip
        result = invoke(*words, "--json")
        assert result.exit_code == 0, result.stderr
        (stage,) = read_bundle(tmp_path / str(n)).history
        assert (stage["objective"], stage["crop"]) == (objective, 0.5)


def test_a2_5_both_kinds_of_batches_are_there(timed):
    """A2.5: about half of the steps show the video alone, the others video and masked speech."""
    from vidcli.train.corpus import Item, draw
    from vidcli.train.data.files import read_data
    from vidcli.train.objectives import (
        FILL_QUESTION,
        SPEECH_QUESTION,
        read_timeline,
        say_sequence,
        write_sequence,
    )

    timeline = read_timeline(read_data(timed[1])[0], 2, is_masked=True)
    item = Item((say_sequence(write_sequence(timeline)),), "", None, "v", timeline=timeline)
    said = [draw(item, seed=0, step=step).said[0] for step in range(40)]
    with_speech = [one for one in said if one.question.startswith(FILL_QUESTION)]
    alone = [one for one in said if one.question == SPEECH_QUESTION]
    assert len(with_speech) + len(alone) == 40
    assert 8 <= len(with_speech) <= 32
    words = timeline.events[0].text.split()
    assert all(any(word in one.question for word in words) for one in with_speech)
    assert not any(word in one.question for one in alone for word in words[2:])


def test_a_crop_of_a_caption_is_refused(world, sizes, tmp_path):
    result = invoke(*pretrain(world, tmp_path / "x", "--from-scratch", str(sizes), "--crop", "1"))
    assert result.exit_code == 2
    assert "--crop shows a part of a video" in result.stderr


def test_captions_and_events_are_not_mistaken_for_each_other(timed, world, sizes, tmp_path):
    result = invoke(
        *pretrain(world, tmp_path / "x", "--from-scratch", str(sizes), "--objective", "events")
    )
    assert result.exit_code == 2
    assert "row 1: it has no timed events" in result.stderr


def test_a_sample_longer_than_the_context_is_told_not_cut(world, sizes, tmp_path):
    sizes.write_text(SIZES + "context = 64\n")
    result = invoke(*pretrain(world, tmp_path / "x", "--from-scratch", str(sizes)))
    assert result.exit_code == 5
    assert "cells, and the model's context is 64" in result.stderr
