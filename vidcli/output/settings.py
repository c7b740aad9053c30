"""Settings as a table, as a JSON document, and as a file to begin with."""

from collections.abc import Sequence
from pathlib import Path

from vidcli.core.setting import Setting, Written
from vidcli.output.documents import Document, head
from vidcli.output.plain import printable
from vidcli.settings import TABLE, Kept, Problem, Source

COLUMNS = ("setting", "value", "from")


def settings_rows(kept: Sequence[Kept], *, file: Path) -> list[tuple[str, str, str]]:
    """One row for each setting, in the columns of `COLUMNS`."""
    return [(item.setting.key, _say_value(item), _say_origin(item, file)) for item in kept]


def _say_value(item: Kept) -> str:
    text = f"({item.setting.unset or 'none'})"
    if item.written is not None:
        text = printable(write_value(item.written))
    return f"{text} (wrong)" if item.problem else text


def _say_origin(item: Kept, file: Path) -> str:
    if item.source is Source.FILE:
        return f"{file.name}:{item.place}"
    return str(item.place) or item.source.value


def write_value(written: object) -> str:
    """A value as an option would take it."""
    return str(written).lower() if isinstance(written, bool) else str(written)


def settings_document(kept: Sequence[Kept], *, file: Path, problems: Sequence[Problem]) -> Document:
    """The document `config`."""
    return {
        "schema": head("config"),
        "file": str(file),
        "exists": file.exists(),
        "settings": [_entry(item, file) for item in kept],
        "problems": [
            {"line": problem.line or None, "text": problem.text, "hint": problem.hint}
            for problem in problems
        ],
    }


def _entry(item: Kept, file: Path) -> Document:
    is_plain = isinstance(item.written, str | int | float | bool | None)
    return {
        "key": item.setting.key,
        "value": item.written if is_plain else str(item.written),
        "default": item.setting.default,
        "origin": {
            "source": item.source.value,
            "variable": item.place if item.source is Source.ENVIRONMENT else None,
            "file": str(file) if item.source is Source.FILE else None,
            "line": item.place if item.source is Source.FILE else None,
        },
        "variable": item.setting.variable,
        "help": item.setting.help,
        "problem": item.problem or None,
    }


def write_template() -> str:
    """A file in which every setting stands, commented out, with its default and its help."""
    head = (
        "# Settings of vidcli. A flag goes before a VIDCLI_* variable, a variable before this\n"
        "# file. Take away the '#' before a name to settle a value.\n"
    )
    return head + "".join(f"\n# {item.help}\n# {_write_default(item)}\n" for item in TABLE.values())


def _write_default(setting: Setting) -> str:
    if setting.default is not None:
        return f"{setting.key} = {_write_toml(setting.default)}"
    assert setting.example is not None, "a setting without default has an example"
    return (
        f"{setting.key} = {_write_toml(setting.example)}  # without it: {setting.unset or 'none'}"
    )


def _write_toml(value: Written) -> str:
    return f'"{value}"' if isinstance(value, str) else write_value(value)
