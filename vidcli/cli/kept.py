"""What a person settled for good, handed to the options that it is for.

The file is read when an option is looked up that neither the command line nor the environment gave:
help and completion never read it. What contradicts something of a higher order gives way to it.
"""

import os
from collections.abc import Iterable
from typing import Any

from vidcli import settings

ORDER = ("DEFAULT", "DEFAULT_MAP", "ENVIRONMENT", "COMMANDLINE")  # Typer's names, lowest first
FILE = ORDER.index("DEFAULT_MAP")


CLASHES = (*settings.CLASHES, settings.Clash("json", "format", ("json", "jsonl")))


class KeptDefaults(dict[str, Any]):
    """Defaults of a command's options out of the file, which is read when one is asked for."""

    def __init__(self, params: Iterable[Any]) -> None:
        super().__init__()
        self._keys = {param.name: key for param in params if (key := key_of(param))}

    def get(self, name: str, default: Any = None) -> Any:
        """What the file says of a parameter.

        Raises:
            UsageError: The file is wrong, wherever it is.
        """
        key = self._keys.get(name)
        if key is None:
            return default
        config = settings.read_config()
        config.require_whole()
        entry = config.entries.get(key)
        if entry is None:
            return default
        setting = settings.TABLE[key]
        value = setting.read(entry.value)
        if isinstance(value, str) and setting.kind.is_path(value):
            return os.path.expanduser(value)  # no shell has done it
        return value if setting.kind.is_plain else str(entry.value)


def key_of(param: Any) -> str | None:
    """The setting that a parameter is the option of; None where it is none."""
    variable = getattr(param, "envvar", None)
    key = str(variable).removeprefix(settings.ENV_PREFIX).lower()
    return key if key in settings.TABLE and variable == settings.TABLE[key].variable else None


def settle(ctx: Any, params: Iterable[Any]) -> None:
    """Let what contradicts a value of a higher order give way to it.

    `--fps 2` makes `select = "shots"` of the file void; flags that contradict each other are left
    to the command, which refuses them.
    """
    by_key = {key_of(param) or param.name: param for param in params}
    given = {key: ctx.params.get(param.name) for key, param in by_key.items()}
    rank = {key: _rank(ctx, param.name) for key, param in by_key.items()}
    for clash in CLASHES:
        first, second = clash.first, clash.second
        if not (given.get(first) and given.get(second)) or given[second] in clash.agreeing:
            continue
        if rank[first] != rank[second]:
            low = by_key[min(first, second, key=rank.__getitem__)]
            ctx.params[low.name] = low.default
    if given.get("mmproj") and rank["mmproj"] == FILE < rank["model"]:
        ctx.params["mmproj"] = None  # it belongs to the file's own model


def _rank(ctx: Any, name: str) -> int:
    source = ctx.get_parameter_source(name)
    return ORDER.index(source.name) if source is not None and source.name in ORDER else 0
