"""Recipes as files: what they say, what they refuse, and what is done already."""

import tomllib
from importlib.resources import files

import pytest

from tests.cli.run import invoke
from vidcli.errors import UsageError
from vidcli.train.notes import is_done, note_done
from vidcli.train.recipe import STEPS, find_recipe, list_recipes, read_recipe


def document(**changes):
    text = (files("vidcli.train") / "recipes" / "tiny.toml").read_text("utf-8")
    return {**tomllib.loads(text), **changes}


def test_the_package_brings_nano_a_trial_and_a_pipeline():
    assert {"nano", "tiny", "hybrid"} <= set(list_recipes())
    result = invoke("train", "run", "--list")
    assert result.exit_code == 0
    assert "nano" in result.stdout


def test_nano_fits_what_is_promised_of_it():
    nano = find_recipe("nano")
    assert nano.export.most_bytes == 12_000_000
    assert {one.split for one in nano.sets} == {"eval", "eval-drawings"}
    assert nano.evaluate.limit >= 300
    assert nano.evaluate.controls
    seeds = {nano.pretrain.seed, nano.tune.seed, nano.tune.vision_seed}
    assert not seeds & {nano.tune.eval_seed, nano.pretrain.eval_seed, *(s.seed for s in nano.sets)}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pretrain": {"steps": 1, "speed": 2}}, "pretrain knows no speed"),
        ({"pretrain": {}}, "steps"),
        ({"tune": {"steps": 1, "dtype": "int8"}}, "dtype is"),
        ({"tune": 5}, "tune is no table"),
        ({"sets": [{"name": "a", "split": "test", "seed": 1, "clips": 2}]}, "split is one of"),
        ({"export": {"mmproj": "Q2"}}, "mmproj is one of"),
        ({"more": {}}, "unknown: more"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(changes, reason):
    with pytest.raises(UsageError, match=reason):
        read_recipe(document(**changes), name="x")


def test_a_recipe_without_a_stage_is_refused():
    lacking = document()
    lacking.pop("tune")
    with pytest.raises(UsageError, match="lacks 'tune'"):
        read_recipe(lacking, name="x")


@pytest.mark.parametrize(
    ("section", "key", "value", "redone"),
    [
        ("evaluate", "limit", 9, {"evaluate"}),
        ("export", "quant", "F16", {"export", "evaluate"}),
        ("tune", "lr", 0.5, {"tune", "export", "evaluate"}),
        ("pretrain", "seed", 9, {"pretrain", "tune", "export", "evaluate"}),
        ("model", "layers", 3, {"pretrain", "tune", "export", "evaluate"}),
        ("tune", "checkpoint_steps", 9, set()),
    ],
)
def test_a_change_is_a_change_of_every_later_step(section, key, value, redone):
    given = document()
    before = read_recipe(given, name="x").digests()
    after = read_recipe({**given, section: {**given[section], key: value}}, name="x").digests()
    assert {step for step in STEPS if before[step] != after[step]} == redone


def test_a_set_changes_what_is_measured_and_not_what_is_learnt():
    given = document()
    before = read_recipe(given, name="x").digests()
    after = read_recipe({**given, "sets": [{**given["sets"][0], "seed": 5}]}, name="x").digests()
    assert {step for step in STEPS if before[step] != after[step]} == {"synth", "evaluate"}


def test_a_step_is_done_while_its_files_are_there(tmp_path):
    file = tmp_path / "made.bin"
    file.write_bytes(b"1234")
    assert not is_done(tmp_path, "synth", "d")
    note_done(tmp_path, "synth", "d", [file])
    assert is_done(tmp_path, "synth", "d")
    assert not is_done(tmp_path, "synth", "other")
    file.write_bytes(b"12")
    assert not is_done(tmp_path, "synth", "d")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "name a recipe and a folder"),
        (("tiny",), "name a recipe and a folder"),
        (("none", "--out", "x"), "there is no recipe none"),
        (("no/file.toml", "--out", "x"), "there is no recipe"),
    ],
)
def test_what_cannot_be_run_is_told(words, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from vidcli.train import extra

    monkeypatch.setattr(extra, "NEEDED", ())
    result = invoke("train", "run", *words)
    assert result.exit_code == 2
    assert reason in result.stderr
