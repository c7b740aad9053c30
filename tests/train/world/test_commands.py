"""`train pretrain` and `train tune` on the drawn world, as a user meets them."""

import json

import jsonschema
import pytest

pytest.importorskip("peft", reason="needs the extra 'train'")

from tests.cli.run import invoke
from tests.train.conftest import home
from vidcli.models.bundle import read_bundle
from vidcli.output.schema import load_schema
from vidcli.train.world import runs

pytestmark = pytest.mark.train

SIZES = """
image_size = 48
patch_size = 12
vision_width = 32
vision_layers = 2
vision_heads = 2
vision_inner = 64
width = 32
layers = 2
heads = 2
kv_heads = 2
inner = 64
"""
SHORT = ("--steps", "2", "--batch", "2", "--accumulate", "1", "--eval-samples", "2")


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    make = runs.make_base
    monkeypatch.setattr(runs, "make_base", lambda *a, **k: make(*a, **{**k, "words": 20}))
    with home(tmp_path):
        yield


@pytest.fixture
def sizes(tmp_path):
    path = tmp_path / "sizes.toml"
    path.write_text(SIZES)
    return path


def pretrain(sizes, out, *more):
    return invoke(
        "train", "pretrain", "--from-scratch", str(sizes), "--objective", "dense", "--data",
        "world:3", "--out", str(out), *SHORT, *more,
    )  # fmt: skip


def test_both_stages_from_the_command_line(sizes, tmp_path):
    first = pretrain(sizes, tmp_path / "a", "--json")
    assert first.exit_code == 0, first.stderr
    document = json.loads(first.stdout)
    jsonschema.validate(document, load_schema("train-world"))
    assert "2 steps of" in first.stderr
    second = invoke(
        "train", "tune", "--from", str(tmp_path / "a"), "--adapter", "whole", "--data", "world:4",
        "--frames", "3", "--out", str(tmp_path / "b"), *SHORT,
    )  # fmt: skip
    assert second.exit_code == 0, second.stderr
    assert second.stdout.splitlines()[-1] == str(tmp_path / "b")
    assert "without frames" in second.stdout
    bundle = read_bundle(tmp_path / "b")
    assert [stage["data"][0]["file"] for stage in bundle.history] == ["world:3", "world:4"]
    assert bundle.frames == 3


def test_the_cost_is_told_and_nothing_done(sizes, tmp_path):
    result = pretrain(sizes, tmp_path / "a", "--dry-run")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("2 steps of")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("pretrain", "--objective", "dense", "--data", "world:1"), "teaches a new model"),
        (("pretrain", "--from", "x", "--data", "world:1"), "teaches new models"),
        (("tune", "--from", "x", "--data", "world:1"), "teaches a whole model"),
        (("tune", "--from", "x", "--adapter", "whole", "--data", "a.json"), "teaches a whole"),
        (("tune", "--adapter", "whole", "--data", "world:1"), "name what to start from"),
        (
            ("pretrain", "--from-scratch", "S", "--objective", "dense", "--data", "world:x"),
            "is not",
        ),
        (("pretrain", "--from-scratch", "S", "--objective", "dense", "--data", "a.json"), "is not"),
    ],
)
def test_what_makes_no_sense_is_told(words, reason, sizes, tmp_path):
    words = [str(sizes) if word == "S" else word for word in words]
    result = invoke("train", *words, "--out", str(tmp_path / "o"), "--steps", "2")
    assert result.exit_code == 2
    assert reason in result.stderr


def test_without_steps_there_is_no_end(sizes, tmp_path):
    result = invoke(
        "train", "pretrain", "--from-scratch", str(sizes), "--objective", "dense", "--data",
        "world:1", "--out", str(tmp_path / "o"),
    )  # fmt: skip
    assert result.exit_code == 2
    assert "no epochs" in result.stderr
