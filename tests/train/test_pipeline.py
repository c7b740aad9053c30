"""Recipes of commands: what they say, what they refuse, and that they are run as typed."""

import json
import os

import jsonschema
import pytest

from tests.cli.run import invoke
from tests.train.conftest import home
from vidcli.errors import UsageError
from vidcli.output.schema import load_schema
from vidcli.train import extra
from vidcli.train.pipeline import read_pipeline

DRAW = "data synth --out {out}/world --clips 2 --seed 3 --split eval --size 96"
LOOK = ["info", "{out}/world/videos/000000.mp4", "--json"]
ASK = ["chat", "{out}/world/videos/000000.mp4", "--model", "nano", "--json"]


def recipe(*steps, **more):
    return {"bundle": "world", "step": list(steps), **more}


def read(*steps, here, **more):
    return read_pipeline(recipe(*steps, **more), name="x", here=here)


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setattr(extra, "NEEDED", ())
    with home(tmp_path):
        yield


@pytest.fixture
def written(tmp_path):
    """A recipe in a folder with a space in its name."""
    file = tmp_path / "my recipes" / "look.toml"
    file.parent.mkdir()
    file.write_text(f"""
title = "Draws, looks, asks"
bundle = "world"

[[step]]
name = "draw"
run = "{DRAW}"
makes = ["world"]

[[step]]
name = "look"
run = {json.dumps(LOOK)}

[[step]]
name = "ask"
run = {json.dumps(ASK)}
lines = "What is shown?\\nHow many are there?\\n"
""")
    return file


def test_steps_are_run_as_typed_and_what_they_say_is_kept(written, tmp_path):
    out = tmp_path / "all of it"
    result = invoke("train", "run", str(written), "--out", str(out), "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("train-run"))
    assert document["bundle"] == str(out / "world")
    assert [step["step"] for step in document["steps"]] == ["draw", "look", "ask"]
    assert f"look: vidcli info '{out}/world/videos/000000.mp4' --json\n" in result.stderr
    info = json.loads((out / "said" / "look.txt").read_text())
    assert info["path"] == str(out / "world" / "videos" / "000000.mp4")
    answers = [json.loads(line) for line in (out / "said" / "ask.txt").read_text().splitlines()]
    assert [answer["question"] for answer in answers] == ["What is shown?", "How many are there?"]


def test_what_is_done_is_not_done_again_and_what_is_gone_is(written, tmp_path):
    out = tmp_path / "out"
    words = ("train", "run", str(written), "--out", str(out))
    assert invoke(*words).exit_code == 0
    dry = invoke(*words, "--dry-run").stdout
    assert dry == "draw: done before\nlook: done before\nask: done before\n"
    os.unlink(out / "world" / "videos" / "000001.mp4")
    result = invoke(*words, "--json")
    done = [step["done_before"] for step in json.loads(result.stdout)["steps"]]
    assert done == [False, True, True]
    assert (out / "world" / "videos" / "000001.mp4").exists()
    written.write_text(written.read_text().replace("--seed 3", "--seed 4"))
    assert "done before" not in invoke(*words, "--dry-run").stdout


def test_a_step_that_fails_ends_the_run_with_its_code(tmp_path):
    file = tmp_path / "x.toml"
    file.write_text(
        'bundle = "b"\n[[step]]\nname = "look"\nrun = "info {here}/none.mp4"\n'
        '[[step]]\nname = "more"\nrun = "info {here}/none.mp4"\n'
    )
    result = invoke("train", "run", str(file), "--out", str(tmp_path / "out"))
    assert result.exit_code == 3
    assert f"{tmp_path}/none.mp4" in result.stderr
    result = invoke("train", "run", str(file), "--out", str(tmp_path / "out"), "--step", "more")
    assert result.exit_code == 2
    assert "more needs look" in result.stderr


def test_a_step_that_does_not_make_what_it_says_is_told(tmp_path):
    file = tmp_path / "x.toml"
    file.write_text('bundle = "b"\n[[step]]\nname = "a"\nrun = "methods"\nmakes = ["b"]\n')
    result = invoke("train", "run", str(file), "--out", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert f"the step a has not made {tmp_path}/out/b" in result.stderr


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (5, "a step is no table"),
        ({"name": "a", "run": "info", "speed": 1}, "a step knows no speed"),
        ({"run": "info"}, "a step has a name"),
        ({"name": "../a", "run": "info"}, "a step has a name"),
        ({"name": "a"}, "a: run is the command"),
        ({"name": "a", "run": ""}, "a: run is the command"),
        ({"name": "a", "run": "info 'x"}, "No closing quotation"),
        ({"name": "a", "run": "info", "makes": ["../x"]}, "'../x' is no name below"),
        ({"name": "a", "run": "info", "makes": ["/x"]}, "'/x' is no name below"),
        ({"name": "a", "run": "info", "lines": 1}, "lines is text"),
    ],
)
def test_a_step_that_makes_no_sense_is_refused(step, reason, tmp_path):
    with pytest.raises(UsageError, match=reason):
        read(step, here=tmp_path)


def test_a_recipe_that_makes_no_sense_is_refused(tmp_path):
    step = {"name": "a", "run": "info"}
    with pytest.raises(UsageError, match="two steps are called a"):
        read(step, step, here=tmp_path)
    with pytest.raises(UsageError, match="unknown: pretrain"):
        read(step, here=tmp_path, pretrain={})
    with pytest.raises(UsageError, match="step is no list"):
        read(here=tmp_path)
    with pytest.raises(UsageError, match="bundle is missing"):
        read(step, here=tmp_path, bundle="")


def test_a_changed_step_is_done_anew_with_those_behind_it(tmp_path):
    first, second = {"name": "a", "run": "info {out}/x"}, {"name": "b", "run": "info"}
    before = read(first, second, here=tmp_path).digests()
    after = read(first, {**second, "lines": "x"}, here=tmp_path).digests()
    assert [before[step] == after[step] for step in "ab"] == [True, False]
    after = read({**first, "run": "info {out}/y"}, second, here=tmp_path).digests()
    assert [before[step] == after[step] for step in "ab"] == [False, False]
