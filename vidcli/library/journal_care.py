"""Looking at the run journal, and forgetting old results in it, from outside of a run.

Results cost the time of a model: they go only where a person says so. What runs know of the files
they wrote stays, since it keeps them from taking somebody else's file for their own.
"""

import os
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from vidcli.errors import ResourceError
from vidcli.library.database import BUSY_TIMEOUT_S
from vidcli.library.journal import NAME, VERSION

COUNTS = (
    "SELECT count(*) FROM results",
    "SELECT count(*) FROM results WHERE document IS NULL",
    "SELECT count(*) FROM files",
)


@dataclass(frozen=True, slots=True)
class JournalFacts:
    """What a journal holds.

    Attributes:
        path: Its file.
        size_bytes: On disk, with what is not yet merged.
        results: Videos whose answer it knows, once for each question and settings.
        failures: Those of them that failed.
        files: Files that runs wrote.
        damage: Why it cannot be used; empty where it can.
        aside: Damaged journals that runs have put aside.
    """

    path: Path
    size_bytes: int
    results: int = 0
    failures: int = 0
    files: int = 0
    damage: str = ""
    aside: tuple[Path, ...] = ()


def describe_journal(folder: Path, *, thorough: bool = False) -> JournalFacts | None:
    """Look at a journal without changing it; None where there is none.

    Args:
        folder: Where it is kept.
        thorough: Also check that its file is sound, which reads all of it.
    """
    path = folder / NAME
    aside = tuple(sorted(folder.glob(f"{NAME}.damaged-*")))
    if not path.exists():
        return JournalFacts(path, 0, aside=aside) if aside else None
    size = sum(part.stat().st_size for part in _parts(path))
    try:
        with closing(_open(path, "ro")) as database:
            found = _number(database, "PRAGMA user_version")
            if found not in (0, VERSION):
                raise sqlite3.OperationalError(f"it is of another version of vidcli ({found})")
            check = database.execute("PRAGMA quick_check(1)").fetchone()[0] if thorough else "ok"
            results, failures, files = (_number(database, query) for query in COUNTS)
    except sqlite3.Error as error:
        return JournalFacts(path, size, damage=f"it cannot be read: {error}", aside=aside)
    damage = "" if check == "ok" else f"it is damaged: {check}"
    return JournalFacts(path, size, results, failures, files, damage, aside)


def forget_results(folder: Path, *, older_than_s: float | None) -> int:
    """Forget results, so that a run would do them again; returns how many.

    Args:
        folder: Where the journal is kept.
        older_than_s: Only those that ended longer ago; None forgets all.

    Raises:
        ResourceError: The journal cannot be changed.
    """
    path = folder / NAME
    if not path.exists():
        return 0
    before = time.time() - older_than_s if older_than_s is not None else float("inf")
    try:
        with closing(_open(path, "rw")) as database:
            forgotten = database.execute("DELETE FROM results WHERE finished < ?", (before,))
            number = forgotten.rowcount
            _forget_gone_files(database)
            with suppress(sqlite3.OperationalError):  # a run is using it: its space is used again
                database.execute("VACUUM")
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise ResourceError(f"the run journal {path} cannot be changed: {error}") from error
    return number


def _forget_gone_files(database: sqlite3.Connection) -> None:
    """Forget files that are gone from directories that are there, and whose result is forgotten."""
    rows = database.execute(
        "SELECT path FROM files WHERE fingerprint NOT IN (SELECT fingerprint FROM results)"
    ).fetchall()
    gone = [row for row in rows if _is_gone(Path(os.fsdecode(row[0])))]
    database.executemany("DELETE FROM files WHERE path = ?", gone)


def _is_gone(path: Path) -> bool:
    return not os.path.lexists(path) and path.parent.is_dir()


def _parts(path: Path) -> list[Path]:
    """The file and what SQLite keeps beside it."""
    parts = [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))]
    return [part for part in parts if part.exists()]


def _open(path: Path, mode: str) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)


def _number(database: sqlite3.Connection, query: str) -> int:
    return int(database.execute(query).fetchone()[0])
