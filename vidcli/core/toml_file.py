"""A flat TOML file with the line of every key, as settings are kept in.

Not here: which keys there may be (`vidcli.settings`), changing it (`vidcli.cli.config_file`).
"""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands at a key.

    Attributes:
        value: As TOML reads it; a table is a dict.
        line: Where its key stands, from 1.
    """

    value: object
    line: int


class TomlError(ValueError):
    """The text is no TOML.

    Attributes:
        line: Where, from 1.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def read_toml(path: Path) -> dict[str, Entry]:
    """Read a file; one that is not there is empty.

    Raises:
        TomlError: It is no TOML.
        OSError: It cannot be read.
    """
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return parse_toml(data)


def parse_toml(data: bytes) -> dict[str, Entry]:
    """Read the bytes of a file.

    Raises:
        TomlError: They are no TOML.
    """
    if not data.strip():
        return {}
    import tomllib  # only for those who keep settings

    try:
        text = decode(data)
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise TomlError("there are bytes that are no UTF-8", line) from error
    except tomllib.TOMLDecodeError as error:
        message, place = _split_place(str(error), text)
        raise TomlError(message, place) from error
    except RecursionError as error:
        raise TomlError("it is nested too deeply", 1) from error
    return {key: Entry(value, _line_of(key, text)) for key, value in document.items()}


def decode(data: bytes) -> str:
    """The text of a file, without the mark that some editors put first."""
    return data.decode("utf-8-sig")


def _split_place(message: str, text: str) -> tuple[str, int]:
    """What is wrong, and in which line."""
    found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    if found is None:
        return message, 1
    last = text.rstrip("\n").count("\n") + 1
    return message[: found.start()], int(found[1]) if found[1] else last


def _line_of(key: str, text: str) -> int:
    """The line in which a key of the top stands first: as `key =`, `key.x =` or `[key]`."""
    name = re.escape(key)
    begin = re.compile(rf"""\s*\[*\s*(?P<quote>["']?){name}(?P=quote)\s*[=.\]]""")
    numbered = enumerate(text.split("\n"), start=1)
    return next((number for number, line in numbered if begin.match(line)), 1)
