"""The run journal: which video was answered how, by which model, and which files say so.

Work is named by the video's content and by a digest of everything that shapes the answer (`Work`):
a renamed file is still done, a changed setting is not. Every entry is committed before anything is
shown for it, so that a killed run loses nothing; SQLite's write-ahead log keeps several processes
and a cut power line from harming it.

The journal is shared by all runs of a user. Where it cannot be kept, or is found damaged, the run
goes on with an empty one and says so in `warnings`.
"""

import fcntl
import hashlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

NAME = "journal.sqlite3"
BUSY_TIMEOUT_S = 60.0
VERSION = 1
OPENING = 2**56  # byte of the lock file that stands for opening the database; work lies below
_SCHEMA = """
CREATE TABLE IF NOT EXISTS results (
    fingerprint TEXT NOT NULL,
    settings TEXT NOT NULL,
    path BLOB NOT NULL,
    document TEXT,
    error TEXT,
    hint TEXT,
    exit_code INTEGER NOT NULL,
    seconds REAL NOT NULL,
    finished REAL NOT NULL,
    PRIMARY KEY (fingerprint, settings)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    path BLOB PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    video BLOB NOT NULL,
    rendering TEXT NOT NULL,
    digest TEXT NOT NULL,
    previous TEXT NOT NULL
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Work:
    """One question to one video.

    Attributes:
        fingerprint: Of the video's content.
        settings: Digest of question, model and everything else that shapes the answer.
    """

    fingerprint: str
    settings: str


@dataclass(frozen=True, slots=True)
class Record:
    """How work ended.

    Attributes:
        document: The result as a JSON document; None where it failed.
        error: Why it failed.
        hint: What to do about it.
        exit_code: 0, or that of the error.
        seconds: Wall time it took.
    """

    document: dict[str, Any] | None
    error: str = ""
    hint: str | None = None
    exit_code: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that a run wrote, or was about to write when it was killed.

    Attributes:
        fingerprint: Of the video it is about.
        video: Path of that video then, absolute.
        rendering: Names work and form of the content.
        digest: Of the content.
        previous: Digest of what the file held before.
    """

    fingerprint: str
    video: str
    rendering: str
    digest: str
    previous: str = ""


def digest_settings(settings: dict[str, Any]) -> str:
    """Name settings by their content: equal for equal values, whatever their order."""
    text = json.dumps(settings, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Journal:
    """An open journal; usable from several threads, and by several processes at once.

    Args:
        folder: Where it is kept; made if need be.

    Attributes:
        warnings: What a user should know about how it is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.warnings: list[str] = []
        self._mutex = threading.Lock()
        self._lock_file: int | None = None
        path = folder / NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock_file = os.open(
                path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
            with self._locked(OPENING):  # two processes must not both make it, or set it aside
                self._database = self._open(path)
        except (OSError, sqlite3.Error) as error:
            self.warnings.append(
                f"the run journal {path} cannot be kept ({error}): what is done now will be done "
                "again by the next run"
            )
            self._database = _connect(":memory:")

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
            return _connect(os.fspath(path))
        except sqlite3.OperationalError:  # locked, read-only, full: nothing is wrong with the file
            raise
        except sqlite3.DatabaseError as error:
            aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
            os.replace(path, aside)
            for rest in ("-wal", "-shm"):
                path.with_name(path.name + rest).unlink(missing_ok=True)
            self.warnings.append(
                f"the run journal was damaged ({error}) and is kept as {aside}: "
                "what earlier runs did is not known any more"
            )
            return _connect(os.fspath(path))

    # Results

    def find(self, work: Work) -> Record | None:
        """How this work ended; None where it has not."""
        row = self._one(
            "SELECT document, error, hint, exit_code, seconds FROM results "
            "WHERE fingerprint = ? AND settings = ?",
            (work.fingerprint, work.settings),
        )
        if row is None:
            return None
        document, error, hint, exit_code, seconds = row
        return Record(json.loads(document) if document else None, error, hint, exit_code, seconds)

    def finish(self, work: Work, path: str, record: Record) -> None:
        """Note how work ended, in place of what was noted before; on disk when this returns."""
        document = None if record.document is None else json.dumps(record.document)
        self._write(
            "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                work.fingerprint,
                work.settings,
                os.fsencode(path),
                document,
                record.error,
                record.hint,
                record.exit_code,
                record.seconds,
                time.time(),
            ),
        )

    # Files

    def find_file(self, path: str) -> WrittenFile | None:
        """What runs know of a file they wrote; None of any other."""
        row = self._one(
            "SELECT fingerprint, video, rendering, digest, previous FROM files WHERE path = ?",
            (os.fsencode(path),),
        )
        if row is None:
            return None
        fingerprint, video, rendering, digest, previous = row
        return WrittenFile(fingerprint, os.fsdecode(video), rendering, digest, previous)

    def claim_file(self, path: str, new: WrittenFile, *, instead_of: WrittenFile | None) -> bool:
        """Note that a file is about to be written; whether no other process was faster.

        Args:
            path: The file, absolute.
            new: What it will hold.
            instead_of: What `find_file` knew of it.
        """
        values = (new.fingerprint, os.fsencode(new.video), new.rendering, new.digest, new.previous)
        if instead_of is None:
            done = self._write(
                "INSERT OR IGNORE INTO files VALUES (?, ?, ?, ?, ?, ?)",
                (os.fsencode(path), *values),
            )
        else:
            done = self._write(
                "UPDATE files SET fingerprint = ?, video = ?, rendering = ?, digest = ?, "
                "previous = ? WHERE path = ? AND fingerprint = ?",
                (*values, os.fsencode(path), instead_of.fingerprint),
            )
        return done == 1

    # Processes side by side

    @contextmanager
    def hold(self, work: Work, *, wait: bool) -> Iterator[bool]:
        """Keep other processes from the same work for the block, which may be told to go without.

        The lock ends with the process, however it ends. Of one process, all work is its own.

        Args:
            work: What is to be done.
            wait: Until another process that holds it is through.

        Yields:
            Whether the work is held; always true where the system has no locks.
        """
        if self._lock_file is None:
            yield True
            return
        name = hashlib.sha256(f"{work.fingerprint} {work.settings}".encode()).digest()
        place = int.from_bytes(name[:7], "big")  # one byte of the file stands for the work
        try:
            fcntl.lockf(self._lock_file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB), 1, place)
        except (BlockingIOError, PermissionError):
            yield False
            return
        except OSError:  # a file system without locks
            yield True
            return
        try:
            yield True
        finally:
            with suppress(OSError):
                fcntl.lockf(self._lock_file, fcntl.LOCK_UN, 1, place)

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

    def _one(self, query: str, values: tuple[Any, ...]) -> Any:
        with self._mutex:
            return self._database.execute(query, values).fetchone()

    def _write(self, query: str, values: tuple[Any, ...]) -> int:
        """Run one statement as a transaction; a journal that cannot be kept is warned of once."""
        with self._mutex:
            try:
                return self._database.execute(query, values).rowcount
            except sqlite3.OperationalError as error:
                sentence = f"the run journal cannot be written ({error})"
                if sentence not in self.warnings:
                    self.warnings.append(sentence)
                return 1


def _connect(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        found = database.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, VERSION):
            raise sqlite3.OperationalError(f"it was written by another version of vidcli ({found})")
        database.executescript(_SCHEMA)
        database.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        database.close()
        raise
    return database
