"""Opening an SQLite database that several processes share, and that must never stop a run.

Write-ahead log, one writer at a time, every statement its own transaction. A damaged file is set
aside and a new one begun; one that cannot be kept at all is replaced by one in memory. Either is
said in a warning, never raised.
"""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

BUSY_TIMEOUT_S = 60.0
OPENING = 2**56  # byte of the lock file that stands for opening the database


@dataclass(frozen=True, slots=True)
class Layout:
    """What a database is for.

    Attributes:
        name: File name, ending in `.sqlite3`.
        title: What people call it, such as `run journal`.
        tables: SQL that makes the tables where they are missing.
        version: Of the tables; a file of another one is not touched.
        lost: What it means that a damaged one begins anew.
        unkept: What it means that none can be kept.
    """

    name: str
    title: str
    tables: str
    version: int
    lost: str
    unkept: str


class Database:
    """An open database; usable from several threads, and by several processes at once.

    Args:
        folder: Where it is kept; made if need be.
        layout: What it holds.

    Attributes:
        warnings: What a user should know about how it is kept.
    """

    def __init__(self, folder: Path, layout: Layout) -> None:
        self.warnings: list[str] = []
        # A second descriptor of this file in this process would drop its locks when closed.
        self._lock_file: int | None = None
        self._layout = layout
        self._mutex = threading.Lock()
        path = folder / layout.name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock_file = os.open(
                path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
            with self._locked(OPENING):  # two processes must not both make it, or set it aside
                self._database = self._open(path)
        except (OSError, sqlite3.Error) as error:
            self.warnings.append(
                f"the {layout.title} {path} cannot be kept ({error}): {layout.unkept}"
            )
            self._database = self._connect(":memory:")

    @contextmanager
    def _locked(self, place: int) -> Iterator[None]:
        assert self._lock_file is not None, "only called where there is one"
        with suppress(OSError):  # a file system without locks
            fcntl.lockf(self._lock_file, fcntl.LOCK_EX, 1, place)
        try:
            yield
        finally:
            with suppress(OSError):
                fcntl.lockf(self._lock_file, fcntl.LOCK_UN, 1, place)

    def _open(self, path: Path) -> sqlite3.Connection:
        try:
            return self._connect(os.fspath(path))
        except sqlite3.OperationalError:  # locked, read-only, full: nothing is wrong with the file
            raise
        except sqlite3.DatabaseError as error:
            aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
            os.replace(path, aside)
            for rest in ("-wal", "-shm"):
                path.with_name(path.name + rest).unlink(missing_ok=True)
            self.warnings.append(
                f"the {self._layout.title} was damaged ({error}) and is kept as {aside}: "
                f"{self._layout.lost}"
            )
            return self._connect(os.fspath(path))

    def _connect(self, path: str) -> sqlite3.Connection:
        database = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            found = database.execute("PRAGMA user_version").fetchone()[0]
            if found not in (0, self._layout.version):
                raise sqlite3.OperationalError(
                    f"it was written by another version of vidcli ({found})"
                )
            database.executescript(self._layout.tables)
            database.execute(f"PRAGMA user_version = {self._layout.version}")
        except BaseException:
            database.close()
            raise
        return database

    def _one(self, query: str, values: tuple[Any, ...]) -> Any:
        """The first row of a query; None for none, or where it cannot be read."""
        with self._mutex:
            try:
                return self._database.execute(query, values).fetchone()
            except sqlite3.DatabaseError as error:
                self._warn(f"the {self._layout.title} cannot be read ({error})")
                return None

    def _all(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """Every row of a query; none where it cannot be read."""
        with self._mutex:
            try:
                return self._database.execute(query, values).fetchall()
            except sqlite3.DatabaseError as error:
                self._warn(f"the {self._layout.title} cannot be read ({error})")
                return []

    def _write(self, query: str, values: tuple[Any, ...]) -> int:
        """Run one statement as a transaction, on disk when this returns.

        Returns:
            Rows changed; 1 where it cannot be written, which is warned of once.
        """
        with self._mutex:
            try:
                return self._database.execute(query, values).rowcount
            except sqlite3.DatabaseError as error:
                self._warn(f"the {self._layout.title} cannot be written ({error})")
                return 1

    def _warn(self, sentence: str) -> None:
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def close(self) -> None:
        """Let go of the files; idempotent."""
        with self._mutex:
            self._database.close()
            if self._lock_file is not None:
                os.close(self._lock_file)
                self._lock_file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
