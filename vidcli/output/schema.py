"""The JSON Schemas of vidcli's own documents: package data, printed by `vidcli schema NAME`."""

import json
from importlib.resources import files
from typing import Any

from vidcli.errors import UsageError

_FOLDER = files("vidcli.output") / "schemas"
_SHARED = "shared"  # definitions that several documents use


def list_schemas() -> list[str]:
    """Names of all documents, sorted."""
    names = (entry.name.removesuffix(".json") for entry in _FOLDER.iterdir())
    return sorted(name for name in names if name != _SHARED)


def load_schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a document, complete in itself.

    Raises:
        UsageError: There is no document of this name.
    """
    if name not in list_schemas():
        raise UsageError(
            f"there is no schema named {name}", hint="'vidcli schema --list' names them all"
        )
    schema: dict[str, Any] = _read(name)
    shared = _read(_SHARED)["$defs"]
    used: dict[str, Any] = {}
    _collect(schema, shared, used)
    return schema | {"$defs": used} if used else schema


def _read(name: str) -> Any:
    return json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def _collect(node: Any, shared: dict[str, Any], used: dict[str, Any]) -> None:
    """Add to `used` the shared definitions that `node` refers to, and those they refer to."""
    if isinstance(node, dict):
        name = str(node.get("$ref", "")).removeprefix("#/$defs/")
        if name and name not in used:
            used[name] = shared[name]
            _collect(shared[name], shared, used)
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            _collect(child, shared, used)
