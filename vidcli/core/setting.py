"""What a setting is, and how its values are read: from a TOML file, a variable, the command line.

Every reader takes what TOML knows (text, numbers, true and false) or plain text, and raises a
`ValueError` that ends the sentence "n_ctx = 'x' …". Which settings there are: `vidcli.settings`.
"""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from vidcli.core.time import parse_time
from vidcli.core.units import parse_size

Written = str | int | float | bool  # as it stands in a file
Value = Written | Fraction | None
YES, NO = ("1", "on", "yes", "true", "y", "t"), ("0", "off", "no", "false", "n", "f")


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of values.

    Attributes:
        read: From what is written to the value.
        is_plain: Whether TOML writes the value itself, not the text a person typed.
        is_path: Whether a relative one would mean another file in another directory.
    """

    read: Callable[[object], Value]
    is_plain: bool = False
    is_path: Callable[[str], bool] = lambda _text: False


def read_whole(value: object) -> int:
    """A whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if text.isascii() and text.removeprefix("-").isdigit():
        return int(text)
    raise ValueError("is no whole number")


def read_number(value: object) -> float:
    """A number that is finite."""
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("is no number")
    return number


def read_yes_no(value: object) -> bool:
    """Yes or no, in the spellings that options take from variables."""
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in YES + NO:
        raise ValueError("is neither true nor false")
    return word in YES


def read_text(value: object) -> str:
    """Text that is not empty and has no NUL, as every name and path."""
    if not isinstance(value, str):
        raise ValueError("is no text; put it in quotes")
    if not value.strip() or "\0" in value:
        raise ValueError("is empty" if not value.strip() else "holds a NUL character")
    return value


def read_auto_count(value: object) -> int:
    """`auto` as 0, or a number of at least 1."""
    number = _read_auto(value, 0)
    if number is None or (number < 1 and value in (number, str(number))):
        raise ValueError("is neither 'auto' nor a number of at least 1")
    return number


def read_auto_layers(value: object) -> int:
    """`auto` as -1, or a number of layers of at least 0."""
    number = _read_auto(value, -1)
    if number is None or (number < 0 and value in (number, str(number))):
        raise ValueError("is neither 'auto' nor a number of layers")
    return number


def _read_auto(value: object, auto: int) -> int | None:
    if isinstance(value, str) and value.strip().lower() == "auto":
        return auto
    try:
        return read_whole(value)
    except ValueError:
        return None


def read_length(value: object) -> Fraction:
    """A length of time above 0: seconds, or text such as `1:30` or `1m30s`."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        length = parse_time(str(value)) if is_number or isinstance(value, str) else Fraction(0)
    except ValueError:
        length = Fraction(0)
    if length <= 0:
        raise ValueError("is not a length of time; write 30, 1:30 or 1m30s")
    return length


def read_size(value: object) -> int:
    """A size on disk or in memory: bytes, or text such as `500MB`, `2GB`, `1.5GiB`."""
    try:
        if isinstance(value, bool):
            raise ValueError
        return parse_size(str(value))
    except ValueError:
        raise ValueError("is not a size; write 500MB, 2GB or 1.5GiB") from None


def _looks_like_path(text: str) -> bool:
    return "/" in text or text.startswith("~") or text.casefold().endswith(".gguf")


WHOLE = Kind(read_whole, is_plain=True)
NUMBER = Kind(read_number, is_plain=True)
YES_NO = Kind(read_yes_no, is_plain=True)
WORD = Kind(read_text)
AUTO_COUNT = Kind(read_auto_count)
AUTO_LAYERS = Kind(read_auto_layers)
LENGTH = Kind(read_length)
SIZE = Kind(read_size)
MODEL = Kind(read_text, is_path=lambda text: _looks_like_path(text) and not text.startswith("hf:"))
PATH = Kind(read_text, is_path=lambda _text: True)


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that a person may settle for good.

    Attributes:
        key: Its name in the file.
        kind: Of its values.
        default: As it would be written; None where it is decided case by case.
        help: One sentence.
        metavar: What its value is called in help; empty for the type's own name.
        unset: What holds where the default is None.
        example: Shown in a new file where the default is None.
        choices: All values there are; empty where there is no such list.
        least: Smallest value.
        most: Largest value.
    """

    key: str
    kind: Kind
    default: Written | None
    help: str
    metavar: str = ""
    unset: str = ""
    example: Written | None = None
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return f"VIDCLI_{self.key.upper()}"

    def read(self, written: object) -> Value:
        """The value that something written means.

        Raises:
            ValueError: It means none; the message ends the sentence "KEY = … ".
        """
        value = self.kind.read(written)
        if self.choices and value not in self.choices:
            raise ValueError(f"is none of {', '.join(self.choices)}")
        if self.least is not None and isinstance(value, int | float) and value < self.least:
            raise ValueError(f"is too small: at least {self.least:.15g}")
        if self.most is not None and isinstance(value, int | float) and value > self.most:
            raise ValueError(f"is too large: at most {self.most:.15g}")
        return value

    def read_kept(self, written: object) -> Value:
        """As `read`, of a file: what it holds must mean the same in every directory.

        Raises:
            ValueError: As `read`, or a path is relative.
        """
        value = self.read(written)
        is_path = isinstance(value, str) and self.kind.is_path(value)
        if is_path and not os.path.isabs(os.path.expanduser(str(value))):
            raise ValueError("is a relative path; begin it with / or ~")
        return value

    def write(self, text: str) -> Written:
        """What is to stand in the file for text that a person typed.

        Raises:
            ValueError: As `read`.
        """
        value = self.read(text)
        if self.kind.is_plain:
            assert isinstance(value, int | float)
            return value
        if isinstance(value, str) and self.kind.is_path(value):
            return value if value.startswith("~") else os.path.abspath(value)
        cleaned = text.strip()
        return int(cleaned) if value == read_or_none(cleaned) else cleaned


def read_or_none(text: str) -> int | None:
    """A whole number; None where it is none."""
    return int(text) if text.isascii() and text.isdigit() else None
