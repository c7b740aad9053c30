"""A recipe from nothing to a measured bundle: killed and taken up, used, and packaged."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("peft", reason="needs the extra 'train'")

import jsonschema
import numpy as np

from tests.cli.run import invoke
from tests.clips import make_clip
from tests.train.conftest import home
from vidcli.models import packaged
from vidcli.models.bundle import read_bundle
from vidcli.output.schema import load_schema
from vidcli.train.recipe import STEPS

pytestmark = pytest.mark.train

PATIENCE_S = 120
WAVES = ((1.0, 2.0), (2.3, 0.7), (0.6, 1.5))


@pytest.fixture(scope="module")
def cooked(tmp_path_factory):
    """What the trial recipe makes."""
    out = tmp_path_factory.mktemp("cooked") / "out"
    with home(out.parent):
        result = invoke("train", "run", "tiny", "--out", str(out), "--json")
    assert result.exit_code == 0, result.stderr
    return out, result


@pytest.fixture(autouse=True)
def own_home(tmp_path):
    with home(tmp_path):
        yield


def files_of(out):
    bundle = read_bundle(out / "tiny")
    return bundle.weights.read_bytes(), bundle.mmproj.read_bytes()


def test_a_recipe_ends_in_a_bundle_that_was_measured(cooked):
    out, result = cooked
    document = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("train-run"))
    assert [step["step"] for step in document["steps"]] == list(STEPS)
    assert not any(step["done_before"] for step in document["steps"])
    bundle = read_bundle(Path(document["bundle"]))
    assert [stage["stage"] for stage in bundle.history] == ["pretrain", "tune"]
    assert all(len(stage["data"][0]["sha256"]) == 64 for stage in bundle.history)
    assert bundle.frames == 3
    evaluation = json.loads(Path(document["evaluations"][0]).read_text())
    jsonschema.validate(evaluation, load_schema("eval"))
    assert [run["shown"] for run in evaluation["runs"]] == ["frames", "no frames", "reversed"]
    assert evaluation["runs"][0]["mean_frames"] == 3.0  # as many as it was taught with
    assert (out / "tiny" / "accuracy-eval.png").read_bytes().startswith(b"\x89PNG")
    for said in ("pretrain: 60 steps, about", "evaluate: eval", "tune: done in"):
        assert said in result.stderr


def test_what_is_done_is_not_done_again(cooked):
    out, _ = cooked
    before = (out / "pretrain" / "checkpoint.pt").stat().st_mtime_ns
    result = invoke("train", "run", "tiny", "--out", str(out), "--json")
    assert result.exit_code == 0, result.stderr
    assert all(step["done_before"] for step in json.loads(result.stdout)["steps"])
    assert (out / "pretrain" / "checkpoint.pt").stat().st_mtime_ns == before
    dry = invoke("train", "run", "tiny", "--out", str(out), "--dry-run")
    assert dry.stdout.splitlines() == [f"{step}: done before" for step in STEPS]


def test_a_file_that_went_missing_is_made_again(cooked, tmp_path):
    out = shutil.copytree(cooked[0], tmp_path / "copy")
    read_bundle(out / "tiny").weights.unlink()
    result = invoke("train", "run", "tiny", "--out", str(out), "--json")
    assert result.exit_code == 0, result.stderr
    done = [step["done_before"] for step in json.loads(result.stdout)["steps"]]
    assert done == [True, True, True, False, True]
    assert files_of(out) == files_of(cooked[0])


def kill_when(out, sign):
    """Start the recipe in a process of its own, and kill it once a file is there."""
    words = [sys.executable, "-m", "vidcli", "train", "run", "tiny", "--out", str(out), "--quiet"]
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    deadline = time.monotonic() + PATIENCE_S
    while not (out / sign).exists() and process.poll() is None:
        assert time.monotonic() < deadline, "nothing came of it"
        time.sleep(0.005)
    was_running = process.poll() is None
    if was_running:
        os.killpg(process.pid, signal.SIGKILL)
    _, told = process.communicate()
    assert was_running, told.decode()


def test_a_recipe_killed_at_any_step_ends_as_if_it_were_not(cooked, tmp_path):
    out = tmp_path / "out"
    signs = (
        "sets/eval/videos/000000.mp4", "pretrain/checkpoint.pt", "tune/checkpoint.pt",
        "tiny/vidcli.json", "evaluation/eval-predictions.jsonl",
    )  # fmt: skip
    for sign in signs:
        kill_when(out, sign)
    result = invoke("train", "run", "tiny", "--out", str(out), "--json")
    assert result.exit_code == 0, result.stderr
    assert files_of(out) == files_of(cooked[0])
    name = "evaluation-eval.json"
    runs = [json.loads((folder / "tiny" / name).read_text())["runs"] for folder in (out, cooked[0])]
    for first, second in zip(*runs, strict=True):
        assert first["kinds"] == second["kinds"]


def test_a_step_by_itself_needs_those_before_it(tmp_path):
    result = invoke("train", "run", "tiny", "--out", str(tmp_path / "o"), "--step", "tune")
    assert result.exit_code == 2
    assert "tune needs pretrain" in result.stderr
    result = invoke("train", "run", "tiny", "--out", str(tmp_path / "o"), "--step", "bake")
    assert result.exit_code == 2
    assert "there is no step bake" in result.stderr


def test_a_bundle_that_grew_too_large_is_refused(cooked, tmp_path):
    from importlib.resources import files

    out = shutil.copytree(cooked[0], tmp_path / "copy")
    text = (files("vidcli.train") / "recipes" / "tiny.toml").read_text()
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(text.replace("most_bytes = 2_000_000", "most_bytes = 2_000"))
    result = invoke("train", "run", str(recipe), "--out", str(out))
    assert result.exit_code == 5
    assert "the recipe allows 2,000" in result.stderr


# Familiar footage


def world_clip(cooked):
    return next((cooked[0] / "sets" / "eval" / "videos").glob("*.mp4"))


def noise(number, size):
    """Coarse noise in pure colours, as of a broken signal."""
    rng = np.random.default_rng(number)
    coarse = rng.integers(0, 2, (size[1] // 20, size[0] // 20, 3), dtype=np.uint8) * 255
    return coarse.repeat(20, 0).repeat(20, 1)


def lights(number, size):
    """Soft saturated lights that wander, as of a street at night."""
    width, height = size
    x, y = np.meshgrid(np.linspace(0, 6, width), np.linspace(0, 4, height))
    waves = [np.sin(x * a + number / 5) * np.cos(y * b - number / 7) for a, b in WAVES]
    return np.clip(np.stack(waves, 2) * 200, 0, 255).astype(np.uint8)


def ask(clip, model):
    return invoke(
        "ask", str(clip), "What is in the video?", "--model", str(model), "--max-tokens", "4",
        "--threads", "1", "--json",
    )  # fmt: skip


def test_footage_of_its_world_is_familiar(cooked):
    result = ask(world_clip(cooked), cooked[0] / "tiny")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert len(document["frames"]) == 3
    assert not [text for text in document["warnings"] if "unlike" in text]


@pytest.mark.parametrize("draw", [noise, lights])
def test_footage_unlike_its_world_is_warned_of(draw, cooked, tmp_path):
    clip = make_clip(tmp_path / "x.mp4", duration=2, size=(160, 120), rate=8, gop=4, draw=draw)
    result = ask(clip, cooked[0] / "tiny")
    assert result.exit_code == 0, result.stderr
    assert [text for text in json.loads(result.stdout)["warnings"] if "unlike" in text]
    plain = invoke(
        "ask", str(clip), "What?", "--model", str(cooked[0] / "tiny"), "--max-tokens", "2",
        "--threads", "1",
    )  # fmt: skip
    assert "unlike what the model was trained on" in plain.stderr
    assert "unlike" not in plain.stdout


def test_another_projector_is_not_judged_by_the_bundle_s_footage(cooked, tmp_path):
    bundle = read_bundle(cooked[0] / "tiny")
    other = tmp_path / "mmproj-other.gguf"
    shutil.copy(bundle.mmproj, other)
    clip = make_clip(tmp_path / "x.mp4", duration=2, size=(160, 120), rate=8, gop=4, draw=noise)
    result = invoke(
        "ask", str(clip), "What?", "--model", str(bundle.folder), "--mmproj", str(other),
        "--max-tokens", "2", "--threads", "1", "--json",
    )  # fmt: skip
    assert not [text for text in json.loads(result.stdout)["warnings"] if "unlike" in text]


# The packaged model


@pytest.fixture
def nano(cooked, monkeypatch):
    monkeypatch.setattr(packaged, "FOLDER", cooked[0] / "tiny")


@pytest.mark.usefixtures("nano")
def test_the_packaged_model_goes_by_its_name(cooked):
    result = ask(world_clip(cooked), "nano")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["model"]["name"] == "nano"
    assert len(document["frames"]) == 3
    listed = json.loads(invoke("models", "list", "--json").stdout)["models"]
    assert [row["name"] for row in listed] == ["nano"]
    assert invoke("models", "verify", "nano").exit_code == 0
    assert "packaged" in invoke("models", "show", "nano").stdout
    removed = invoke("models", "rm", "nano")
    assert removed.exit_code == 4
    assert "came with vidcli" in removed.stderr


@pytest.mark.usefixtures("nano")
def test_the_demo_shows_the_packaged_model():
    result = invoke("demo", "What is in the video?")
    assert result.exit_code == 0, result.stderr
    assert "--model nano" in result.stderr
    assert "nano knows its small drawn world and nothing else" in result.stderr
    assert "untrained" not in result.stderr


@pytest.mark.usefixtures("nano")
def test_an_installed_model_of_that_name_goes_before_it(cooked, tmp_path):
    other = shutil.copytree(cooked[0] / "tiny", tmp_path / "other")
    assert invoke("models", "add", "nano", str(other)).exit_code == 0
    listed = json.loads(invoke("models", "list", "--json").stdout)["models"]
    assert [row["name"] for row in listed] == ["nano"]
    path = invoke("models", "path", "nano").stdout.strip()
    assert Path(path).parent == other
    assert invoke("models", "rm", "nano").exit_code == 0
    assert (other / "vidcli.json").exists()


@pytest.mark.usefixtures("nano")
def test_the_packaged_model_is_not_taken_unasked(cooked):
    result = invoke("ask", str(world_clip(cooked)), "What?", "--offline")
    assert result.exit_code == 4
    assert "no model is installed" in result.stderr


def test_a_package_without_the_model_says_so(cooked, tmp_path, monkeypatch):
    monkeypatch.setattr(packaged, "FOLDER", tmp_path / "none")
    result = ask(world_clip(cooked), "nano")
    assert result.exit_code == 4
    assert "built without its small model nano" in result.stderr
