"""Tools are checked, timed and recorded, and nothing they do ends a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from vidcli.core.agent import Told
from vidcli.errors import MediaError
from vidcli.methods.agent.toolbox import ERROR_CHARS, Toolbox, check_arguments

TIME = {"type": "number", "minimum": 0, "maximum": 10}


@dataclass
class Recorder:
    """A tool that remembers how it was called, or fails as it is told to."""

    name: str = "recorder"
    purpose: str = "remembers"
    failure: Exception | None = None

    def __post_init__(self) -> None:
        self.parameters: Mapping[str, Mapping[str, Any]] = {"at": TIME}
        self.called: list[Mapping[str, Any]] = []

    def __call__(self, arguments: Mapping[str, Any]) -> list[Told]:
        self.called.append(arguments)
        if self.failure is not None:
            raise self.failure
        return [Told("seen", f"something at {arguments['at']}")]


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("telescope", {"at": 1}, "there is no tool 'telescope'; there are recorder"),
        ("recorder", {}, "at is missing"),
        ("recorder", {"at": 1, "to": 2}, "there is no argument to"),
        ("recorder", {"at": "soon"}, 'at must be a number, not "soon"'),
        ("recorder", {"at": True}, "at must be a number, not true"),
        ("recorder", {"at": 50}, "at is 50, which is more than 10"),
        ("recorder", {"at": -1}, "at is -1, which is less than 0"),
        ("recorder", {"at": float("nan")}, "at is nan, which is less than 0"),
        ("recorder", [1, 2], "at is missing; there is no argument ?"),
        ("recorder", None, "at is missing; there is no argument ?"),
    ],
)
def test_a_call_that_makes_no_sense_is_recorded_with_its_error(
    name: str, arguments: Any, error: str
) -> None:
    """A1.2: unknown tools and bad arguments give an observation with the error, and no crash."""
    tool = Recorder()
    box = Toolbox([tool])
    call = box.call(name, arguments)
    assert (call.error, call.observations, tool.called) == (error, (), [])
    assert box.calls == [call]


@pytest.mark.parametrize(
    "failure",
    [MediaError("the file ends here"), RuntimeError("the file ends here"), KeyError("x")],
)
def test_a_tool_that_fails_costs_its_call_and_nothing_else(failure: Exception) -> None:
    """A1.2: an exception of a tool gives an observation with the error, and no crash."""
    box = Toolbox([Recorder(failure=failure)])
    call = box.call("recorder", {"at": 1})
    assert call.observations == ()
    assert str(failure) in call.error
    box.tools = [Recorder()]
    assert box.call("recorder", {"at": 2}).observations[0].number == 1


def test_ctrl_c_in_a_tool_ends_the_run() -> None:
    class Endless(Recorder):
        def __call__(self, arguments: Mapping[str, Any]) -> list[Told]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Toolbox([Endless()]).call("recorder", {"at": 1})


def test_an_endless_error_is_cut() -> None:
    call = Toolbox([Recorder(failure=ValueError("x" * 9999))]).call("recorder", {"at": 1})
    assert len(call.error) == ERROR_CHARS


def test_the_same_call_is_not_made_twice_and_names_the_first() -> None:
    tool = Recorder()
    box = Toolbox([tool])
    first, other, again = (box.call("recorder", {"at": at}) for at in (1, 2, 1))
    assert [call.id for call in box.calls] == ["c1", "c2", "c3"]
    assert (first.repeats, other.repeats, again.repeats) == ("", "", "c1")
    assert len(tool.called) == 2
    assert [found.number for found in box.observations] == [1, 2]
    assert [found.call for found in box.observations] == ["c1", "c2"]


def test_values_are_checked_by_length_and_kind() -> None:
    word = {"type": "string", "minLength": 1, "maxLength": 3}
    whole = {"type": "integer", "minimum": 1, "maximum": 2}
    names = {"type": "array", "items": word, "maxItems": 1}
    schemas = {"word": word, "whole": whole, "names": names}
    assert check_arguments(schemas, {"word": "abc", "whole": 2, "names": ["a"]}) == []
    assert check_arguments(schemas, {"word": "", "whole": 1.5, "names": ["a", "b", 1]}) == [
        "word has length 0, which is less than 1",
        "whole must be a whole number, not 1.5",
        "names must be a text, not 1",
        "names has 3, which is more than 1",
    ]
