"""Calling tools: checked, timed, recorded; whatever goes wrong is told and not raised.

Not here: what the tools do (`seeing`, `knowing`).
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vidcli.core.agent import Call, Observation, Told
from vidcli.core.protocols import Tool
from vidcli.core.time import Timestamp
from vidcli.errors import VidcliError

ERROR_CHARS = 300  # of an error the planner is told
KINDS: Mapping[str, Any] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
}
NOUNS = {"string": "a text", "integer": "a whole number", "number": "a number", "array": "a list"}


@dataclass(frozen=True, slots=True)
class Looked:
    """Frames a call has looked at.

    Attributes:
        frames: That had not been looked at before, of which words came.
        scanned: How many were only compared with a description.
    """

    frames: tuple[Timestamp, ...] = ()
    scanned: int = 0


@dataclass(slots=True)
class Toolbox:
    """The tools that can be called, and what was called.

    Args:
        tools: Of different names.
        take_looked: Tells which frames were looked at since it was asked last.

    Attributes:
        calls: So far, in order.
    """

    tools: Sequence[Tool]
    take_looked: Callable[[], Looked] = Looked
    calls: list[Call] = field(default_factory=list)

    @property
    def observations(self) -> list[Observation]:
        """What was found so far, in order."""
        return [found for call in self.calls for found in call.observations]

    def find(self, name: str) -> Tool | None:
        """The tool of this name."""
        return next((tool for tool in self.tools if tool.name == name), None)

    def call(self, name: str, given: Any, *, by: str = "planner") -> Call:
        """Call a tool, and record it.

        A call that is the same as an earlier one is recorded and not made again.

        Args:
            name: Of the tool.
            given: Arguments, of any shape.
            by: `planner` or `loop`.

        Returns:
            The call; with an `error` where there is no such tool, the arguments are not its, or it
            failed in whatever way.
        """
        id = f"c{len(self.calls) + 1}"
        arguments: Mapping[str, Any] = given if isinstance(given, dict) else {"?": given}
        earlier = self._find_same(name, arguments)
        if earlier is not None:
            call = Call(id, name, arguments, by, 0.0, repeats=earlier.id)
        else:
            call = self._make(id, name, arguments, by)
        self.calls.append(call)
        return call

    def _find_same(self, name: str, arguments: Mapping[str, Any]) -> Call | None:
        wanted = write_arguments(arguments)
        for call in self.calls:
            same = call.tool == name and write_arguments(call.arguments) == wanted
            if same and not call.repeats:
                return call
        return None

    def _make(self, id: str, name: str, arguments: Mapping[str, Any], by: str) -> Call:
        started = time.perf_counter()
        self.take_looked()
        told: Sequence[Told] = ()
        error = self._refuse(name, arguments)
        if not error:
            tool = self.find(name)
            assert tool is not None
            try:
                told = tool(arguments)
            except VidcliError as failure:
                error = str(failure)
            except Exception as failure:  # noqa: BLE001  # a tool's own fault costs one call
                error = f"{type(failure).__name__}: {failure}"
        looked = self.take_looked()
        first = len(self.observations) + 1
        return Call(
            id,
            name,
            arguments,
            by,
            time.perf_counter() - started,
            frames=looked.frames,
            scanned=looked.scanned,
            observations=tuple(
                Observation(number, id, found) for number, found in enumerate(told, start=first)
            ),
            error=error[:ERROR_CHARS],
        )

    def _refuse(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Why a call cannot be made; empty where it can."""
        tool = self.find(name)
        if tool is None:
            names = ", ".join(tool.name for tool in self.tools)
            return f"there is no tool {name!r}; there are {names}"
        return "; ".join(check_arguments(tool.parameters, arguments))


def write_arguments(arguments: Mapping[str, Any]) -> str:
    """Arguments as JSON; equal ones come out equal, whatever the order of their names."""
    return json.dumps(arguments, ensure_ascii=False, sort_keys=True, default=str)


def check_arguments(
    parameters: Mapping[str, Mapping[str, Any]], arguments: Mapping[str, Any]
) -> list[str]:
    """What is wrong with arguments, a sentence each.

    Args:
        parameters: Schemas with `type`, and `minimum`, `maximum`, `minLength`, `maxLength`,
            `items` (of one type) where they matter.
        arguments: As the planner gave them.
    """
    wrong = [f"{name} is missing" for name in parameters if name not in arguments]
    wrong += [f"there is no argument {name}" for name in arguments if name not in parameters]
    for name, schema in parameters.items():
        if name in arguments:
            wrong += [f"{name} {text}" for text in _check_value(schema, arguments[name])]
    return wrong


def _check_value(schema: Mapping[str, Any], value: Any) -> list[str]:
    kind = schema["type"]
    if not isinstance(value, KINDS[kind]) or isinstance(value, bool):
        return [f"must be {NOUNS[kind]}, not {json.dumps(value, ensure_ascii=False, default=str)}"]
    if kind in ("integer", "number"):
        return _check_bounds(schema, value, "is", ("minimum", "maximum"))
    if kind == "string":
        return _check_bounds(schema, len(value), "has length", ("minLength", "maxLength"))
    wrong = [text for entry in value for text in _check_value(schema["items"], entry)]
    return wrong + _check_bounds(schema, len(value), "has", ("minItems", "maxItems"))


def _check_bounds(
    schema: Mapping[str, Any], size: float, verb: str, bounds: tuple[str, str]
) -> list[str]:
    least, most = (schema.get(bound) for bound in bounds)
    if least is not None and not size >= least:  # a NaN is not
        return [f"{verb} {size}, which is less than {least}"]
    if most is not None and not size <= most:
        return [f"{verb} {size}, which is more than {most}"]
    return []
