"""Files of training rows that grow while a run works, and survive its end at any moment.

JSON Lines are appended to, each line whole and on disk before the next is begun; a `.json` file is
one array, written anew when the run ends. What a run was killed at is cut off, and what was written
before is not written twice. Rows know the settings they were made with, and what was known of their
video: rows of two settings, or of one video known in two ways, are never mixed.
"""

import fcntl
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from vidcli.cli.terminal import write_document
from vidcli.core.files import atomic_write
from vidcli.errors import ResourceError, UsageError
from vidcli.output.documents import Document, write_json

ARRAY = ".json"
SETTINGS = "settings"  # of a row: names what it was made with
ID = "id"
VIDEO, FROM = "fingerprint", "made_from"  # of a row: its video's content, and what was known of it
HEAD = b'{"id": "'  # how every row begins, so that half a row is known from half of anything else


class Rows:
    """Rows on their way out, to standard output or, in subclasses, into a file.

    Attributes:
        warnings: What a user should know about what was found in the file.
    """

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self._ids: set[str] = set()

    def add(self, rows: Sequence[Document]) -> int:
        """Write rows that are not there yet, in one step; returns how many were new.

        Raises:
            ResourceError: They cannot be written.
            ReaderGoneError: Nobody reads standard output any more.
        """
        for row in rows:
            self._require_same(row)
        new = [row for row in rows if row[ID] not in self._ids]
        self._ids.update(row[ID] for row in new)
        if new:
            self._write(new)
        return len(new)

    def _require_same(self, row: Document) -> None:
        """Make sure that all rows about a video are made from the same.

        Raises:
            UsageError: They are not.
        """

    def _write(self, rows: Sequence[Document]) -> None:
        for row in rows:
            write_document(row)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass


class NoRows(Rows):
    """Rows that nobody asked for."""

    def _write(self, rows: Sequence[Document]) -> None:
        pass


class RowFile(Rows):
    """Rows in a file of this run's own.

    Args:
        path: `.json` is one array, anything else JSON Lines.
        settings: Names what this run's rows are made with.
        overwrite: Begin anew, whatever is there.

    Raises:
        UsageError: It holds something else, rows of other settings, or another run is at it.
    """

    def __init__(self, path: Path, *, settings: str, overwrite: bool) -> None:
        super().__init__()
        self._path = path
        self._file: IO[bytes] = _open_locked(path)
        self._array: list[Document] | None = [] if path.suffix.lower() == ARRAY else None
        self._is_torn = False
        try:
            found = [] if overwrite else self._read()
            _require_own(found, path, settings)
        except BaseException:
            self._file.close()
            raise
        if overwrite:
            self._file.truncate(0)
        if self._is_torn:
            self._file.seek(0)
            self._file.truncate(self._file.read().rfind(b"\n") + 1)
            self.warnings.append(f"{path}: the last line was half written, and is cut off")
        self._ids.update(row[ID] for row in found)
        self._made_from = {row[VIDEO]: row[FROM] for row in found}
        if self._array is not None:
            self._array += found

    def _require_same(self, row: Document) -> None:
        if self._made_from.setdefault(row[VIDEO], row[FROM]) != row[FROM]:
            raise UsageError(
                f"{self._path} holds rows about this video that were made from something else: "
                "its labels, captions, speech or clips have changed",
                hint="name another file with --out, or begin anew with --overwrite",
            )

    def _read(self) -> list[Document]:
        self._file.seek(0)
        raw = self._file.read()
        try:
            if self._array is not None:
                found = json.loads(raw) if raw.strip() else []
                return found if isinstance(found, list) else [found]
            whole, end, torn = raw.rpartition(b"\n")
            self._is_torn = bool(torn) and torn.startswith(HEAD[: len(torn)])
            raw = whole + end + (b"" if self._is_torn else torn)
            return [json.loads(line) for line in raw.splitlines() if line.strip()]
        except ValueError as error:
            raise _not_ours(self._path) from error

    def _write(self, rows: Sequence[Document]) -> None:
        if self._array is not None:
            self._array += rows
            return
        text = "".join(write_json(row) for row in rows).encode("utf-8", "surrogateescape")
        try:
            self._file.seek(0, os.SEEK_END)
            self._file.write(text)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise ResourceError(f"cannot write {self._path}: {error.strerror or error}") from error

    def _close_array(self) -> None:
        assert self._array is not None, "only called for arrays"
        body = ",\n".join(write_json(row).rstrip("\n") for row in self._array)
        text = f"[\n{body}\n]\n" if body else "[]\n"
        try:
            with atomic_write(self._path) as file:
                file.write(text.encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise ResourceError(f"cannot write {self._path}: {error.strerror or error}") from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if self._array is not None:
                self._close_array()
        finally:
            self._file.close()


def open_rows(path: Path | None, *, settings: str, overwrite: bool) -> Rows:
    """Rows into a file, or to standard output where none is named.

    Raises:
        UsageError: The file holds something else, or another run is at it.
    """
    return Rows() if path is None else RowFile(path, settings=settings, overwrite=overwrite)


def _open_locked(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror or error}",
            hint="name a file in a folder that can be written",
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise UsageError(
            f"another run is writing {path}", hint="give each run, and each --shard, its own --out"
        ) from error
    except OSError:  # a file system without locks
        pass
    return file


def _require_own(rows: Sequence[Any], path: Path, settings: str) -> None:
    if not all(isinstance(row, dict) and {ID, SETTINGS, VIDEO, FROM} <= row.keys() for row in rows):
        raise _not_ours(path)
    if any(row[SETTINGS] != settings for row in rows):
        raise UsageError(
            f"{path} holds rows that were made with other settings",
            hint="name another file with --out, or begin anew with --overwrite",
        )


def _not_ours(path: Path) -> UsageError:
    return UsageError(
        f"{path} holds something else than rows of this command",
        hint="name another file with --out; --overwrite replaces what is there",
    )


def name_beside(video: str, out: Path | None) -> str:
    """What a row calls a video: relative to its file where it lies below it, else absolute."""
    path = os.path.abspath(video)
    if out is not None:
        with suppress(ValueError):
            below = os.path.relpath(path, os.path.abspath(out.parent))
            if not below.startswith(os.pardir + os.sep):
                return below
    return path
