"""Which files a directory, a pattern or a list on standard input stands for.

The order is always the same: as named, and below each directory or pattern by name. Symbolic links
are followed, and no directory is entered twice, so that a loop of them ends.
"""

import glob
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from vidcli.errors import UsageError

# fmt: off
VIDEO_SUFFIXES = frozenset({
    ".3g2", ".3gp", ".asf", ".avi", ".divx", ".f4v", ".flv", ".gif", ".m2ts", ".m2v",
    ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogm", ".ogv",
    ".qt", ".rm", ".rmvb", ".ts", ".vob", ".webm", ".wmv", ".y4m",
})
SOUND_SUFFIXES = frozenset({
    ".aac", ".ac3", ".aif", ".aiff", ".amr", ".caf", ".flac", ".m4a", ".m4b", ".mka", ".mp2",
    ".mp3", ".oga", ".ogg", ".opus", ".wav", ".wma",
})
# fmt: on
STDIN = "-"


@dataclass(frozen=True, slots=True)
class Input:
    """A file to work on.

    Attributes:
        path: As the user could type it.
        below: Its path below the directory it was found in; a named file's own name.
    """

    path: str
    below: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Which files are wanted.

    A pattern with a slash is matched with the path below the directory, any other with the name.

    Attributes:
        include: Patterns of which a file must match one; without any, what a directory holds must
            have one of `suffixes`.
        exclude: Patterns of which it may match none.
        recursive: Enter the directories in a directory too.
        suffixes: In lower case.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    recursive: bool = False
    suffixes: frozenset[str] = VIDEO_SUFFIXES

    def wants(self, found: Input, *, named: bool = False) -> bool:
        """Whether a file is one of them; a named one needs no suffix."""
        if any(_matches(found.below, pattern) for pattern in self.exclude):
            return False
        if self.include:
            return any(_matches(found.below, pattern) for pattern in self.include)
        return named or os.path.splitext(found.path)[1].lower() in self.suffixes


def _matches(below: str, pattern: str) -> bool:
    return fnmatchcase(below if "/" in pattern else os.path.basename(below), pattern)


def expand_word(word: str, wanted: Filter) -> Iterator[Input]:
    """Files that one argument stands for.

    Args:
        word: A file, a directory, or a pattern that the shell left alone.
        wanted: Which files.
    """
    if os.path.isdir(word):
        yield from walk(word, wanted)
    elif os.path.lexists(word) or not glob.has_magic(word):
        yield from _named(word, wanted)
    else:
        pattern = os.path.expanduser(word)  # the shell leaves a quoted ~ alone
        matches = sorted(glob.iglob(pattern, recursive=True), key=_order)
        for path in matches or [word]:  # what matches nothing fails like a file that is missing
            if os.path.isdir(path):
                if not word.endswith("**"):
                    yield from walk(path, wanted)
            else:
                yield from _named(path, wanted)


def _named(path: str, wanted: Filter) -> Iterator[Input]:
    found = Input(path, os.path.basename(path) or path)
    if wanted.wants(found, named=True):
        yield found


def walk(folder: str, wanted: Filter) -> list[Input]:
    """Files in a directory, by name; hidden ones are left out.

    Raises:
        UsageError: The directory cannot be read; one inside it that cannot is left out.
    """
    _entries(folder, must=True)
    entered: set[tuple[int, int]] = set()
    linked = [folder]
    found: list[Input] = []
    while linked:  # what a link leads to comes after all that lies there without links
        top = linked.pop(0)
        if not _enter(top, entered):
            continue
        pending = [top]
        while pending:
            current = pending.pop()
            for entry in _entries(current):
                path = os.path.join(current, entry.name)
                if _is_directory(entry):
                    if not wanted.recursive:
                        continue
                    if entry.is_symlink():
                        linked.append(path)
                    elif _enter(path, entered):
                        pending.append(path)
                elif _is_file(entry):
                    candidate = Input(path, os.path.relpath(path, folder))
                    if wanted.wants(candidate):
                        found.append(candidate)
    return sorted(found, key=lambda item: _order(item.below))


def _entries(folder: str, *, must: bool = False) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            shown = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        if must:
            raise UsageError(f"{folder} cannot be read: {error.strerror}") from error
        return []
    return sorted(shown, key=lambda entry: entry.name)


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links in a circle
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _enter(folder: str, entered: set[tuple[int, int]]) -> bool:
    """Whether this directory is a new one."""
    try:
        status = os.stat(folder)
    except OSError:
        return False
    identity = (status.st_dev, status.st_ino)
    is_new = identity not in entered
    entered.add(identity)
    return is_new


def _order(path: str) -> list[bytes]:
    """Sorts a directory's own files among its directories, the same on every machine."""
    return [os.fsencode(part) for part in path.split(os.sep)]


def read_list(*, nul: bool) -> list[str]:
    """Paths on standard input: one a line, or each ended by a NUL byte."""
    raw = sys.stdin.buffer.read()
    return [os.fsdecode(path) for path in raw.split(b"\0" if nul else b"\n") if path]
