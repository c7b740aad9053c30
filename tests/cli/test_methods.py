"""`--method` and `vidcli methods`: one table that says what there is, and that is what runs."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.run import invoke
from vidcli.core.method import Method, Option
from vidcli.methods import registry
from vidcli.output.schema import load_schema

QUESTION = "What happens?"
SHORT = ("--max-tokens", "8")


def ask_json(*args: str) -> dict[str, Any]:
    result = invoke("ask", *args, *SHORT, "--json")
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("answer"))
    return document


def plan_json(*args: str) -> dict[str, Any]:
    result = invoke("ask", *args, *SHORT, "--dry-run", "--json")
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("plan"))
    return document


def test_every_method_is_listed_with_its_idea_paper_cost_and_needs():
    document = json.loads(invoke("methods", "--json").stdout)
    jsonschema.validate(document, load_schema("methods"))
    assert [entry["name"] for entry in document["methods"]] == list(registry.METHODS)
    assert all(entry["idea"] and entry["paper"] and entry["cost"] for entry in document["methods"])
    listed = invoke("methods").stdout.splitlines()
    assert [line.split()[0] for line in listed[1:]] == list(registry.METHODS)


@pytest.mark.parametrize("name", registry.METHODS)
def test_one_method_is_shown_with_every_parameter(name: str):
    shown = invoke("methods", name)
    assert shown.exit_code == 0
    for option in registry.METHODS[name].options:
        assert f"{option.key}={option.default}" in shown.stdout


@pytest.mark.parametrize("name", registry.METHODS)
def test_what_the_table_names_can_be_imported(name: str):
    method = registry.METHODS[name]
    for place in filter(None, (method.shows, method.runs, method.tools, method.estimates)):
        assert callable(registry.load_named(place))


def test_an_unknown_method_is_refused_with_the_nearest_name():
    result = invoke("methods", "uniforn")
    assert result.exit_code == 2
    assert "there is no method 'uniforn'" in result.stderr
    assert "did you mean 'uniform'?" in result.stderr


@pytest.mark.usefixtures("model")
def test_a_wrong_method_is_refused_before_anything_is_opened(clip: Path):
    for text, said in (
        ("slowest", "there is no method 'slowest'"),
        ("uniform:frames=3", "has no parameter 'frames=3'"),
    ):
        result = invoke("ask", str(clip), QUESTION, "--method", text)
        assert (result.exit_code, result.stdout) == (2, "")
        assert said in result.stderr


@pytest.mark.usefixtures("model")
def test_a_method_can_be_settled_for_good_and_is_named_where_it_is_wrong(clip: Path):
    assert invoke("config", "set", "method", "uniform").exit_code == 0
    assert ask_json(str(clip), QUESTION)["approach"]["asked"] == "uniform"
    assert invoke("config", "set", "method", "unifrom").exit_code == 0
    result = invoke("ask", str(clip), QUESTION)
    assert result.exit_code == 2
    assert "config.toml:" in result.stderr
    assert ask_json(str(clip), QUESTION, "--method", "uniform")["method"] == "uniform"


@pytest.mark.usefixtures("model")
def test_the_result_says_how_it_was_watched(clip: Path):
    document = ask_json(str(clip), QUESTION)
    assert document["approach"]["method"] == "uniform"
    assert document["approach"]["asked"] == "auto"
    assert document["approach"]["encoded"] == 8
    assert ask_json(str(clip), QUESTION)["approach"]["encoded"] == 0  # from the cache
    assert "method: uniform" in invoke("ask", str(clip), QUESTION, *SHORT, "-v").stderr


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> Method:
    """A method of one entry, which does the whole work itself."""
    method = Method(
        name="steps",
        idea="A test.",
        paper="none",
        cost="little",
        options=(Option("times", 2, "How often."),),
        runs="tests.methods.steps:answer",
        tools="tests.methods.steps:count_tools",
    )
    monkeypatch.setattr(registry, "METHODS", {**registry.METHODS, "steps": method})
    return method


@pytest.mark.usefixtures("model", "entered")
def test_a_method_of_one_entry_runs_with_its_parameters_and_tools(clip: Path, tmp_path: Path):
    trace = tmp_path / "trace.json"
    asked = ("--method", "steps:times=3", "--trace", str(trace))
    document = ask_json(str(clip), QUESTION, *asked)
    assert (document["method"], document["approach"]["options"]) == ("steps", {"times": 3})
    assert "asked 3 times" in document["warnings"]
    traced = json.loads(trace.read_text())
    jsonschema.validate(traced, load_schema("method-trace"))
    assert traced["steps"] == [{"tool": "path", "found": str(clip)}]


@pytest.mark.usefixtures("model", "entered")
def test_a_method_that_cannot_tell_its_cost_says_so(clip: Path):
    result = invoke("ask", str(clip), QUESTION, "--method", "steps", "--dry-run")
    assert result.exit_code == 2
    assert "cannot tell beforehand what it takes: little" in result.stderr


@pytest.mark.usefixtures("entered")
@pytest.mark.parametrize("value", ["0", "-1", "two", "²", ""])
def test_a_parameter_out_of_bounds_is_refused(value: str):
    with pytest.raises(registry.UsageError, match="is no whole number of at least 1"):
        registry.read_method(f"steps:times={value}")
