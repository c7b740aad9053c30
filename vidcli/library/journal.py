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
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidcli.library.database import BUSY_TIMEOUT_S, OPENING, Database, Layout

NAME = "journal.sqlite3"
VERSION = 1
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
LAYOUT = Layout(
    NAME,
    "run journal",
    _SCHEMA,
    version=VERSION,
    lost="what earlier runs did is not known any more",
    unkept="what is done now will be done again by the next run",
)


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


class Journal(Database):
    """An open journal; usable from several threads, and by several processes at once.

    Args:
        folder: Where it is kept; made if need be.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, LAYOUT)

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
        assert place < OPENING
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


def find_written(folder: Path, path: str) -> str | None:
    """Digest of what a run wrote to a file; None where none wrote it, or none can be known.

    Opens the journal for reading only, and so beside one that this process has open.

    Args:
        folder: Where the journal is kept.
        path: The file, absolute, links in its folder resolved.
    """
    address = f"{(folder / NAME).absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S)) as database:
            row = database.execute(
                "SELECT digest FROM files WHERE path = ?", (os.fsencode(path),)
            ).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else str(row[0])
