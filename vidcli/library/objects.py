"""Object memory: which things were in a video and when, in a file that is only ever read by SQL.

A memory is written once. Questions go through another connection, which opens the file read-only
and lets nothing but `SELECT` run: an authorizer refuses every other statement, every table but the
three, and every function that is not on a short list; rows, lengths and steps are bounded, so that
no question can take the machine's time or memory.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from vidcli.core.time import Span
from vidcli.core.tracks import Track
from vidcli.errors import UsageError

ROWS_MAX = 200
TEXT_MAX = 10_000  # characters of any value
STEPS_MAX = 2_000_000  # of SQLite's virtual machine: about a second
STEPS_ASKED = 1_000  # of them between two looks at the count
TABLES = """
CREATE TABLE objects (
    id INTEGER PRIMARY KEY, category TEXT NOT NULL, score REAL NOT NULL,
    start_s REAL NOT NULL, end_s REAL NOT NULL
);
CREATE TABLE segments (
    id INTEGER PRIMARY KEY, start_s REAL NOT NULL, end_s REAL NOT NULL, caption TEXT NOT NULL
);
CREATE TABLE objects_segments (
    object_id INTEGER NOT NULL REFERENCES objects, segment_id INTEGER NOT NULL REFERENCES segments,
    PRIMARY KEY (object_id, segment_id)
);
"""
NAMES = ("objects", "segments", "objects_segments")
ONLY = f"only a SELECT on {', '.join(NAMES)} runs here"
FUNCTIONS = frozenset({
    "abs", "avg", "coalesce", "count", "group_concat", "ifnull", "iif", "instr", "length", "like",
    "lower", "max", "min", "nullif", "round", "substr", "substring", "sum", "total", "trim",
    "upper",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class RememberedObject:
    """One thing, in one track or in several that are taken to show the same.

    Attributes:
        tracks: At least one.
    """

    tracks: tuple[Track, ...]

    @property
    def category(self) -> str:
        """Its label."""
        return self.tracks[0].label

    @property
    def span(self) -> Span:
        """From its first frame to its last."""
        spans = [track.span for track in self.tracks]
        return Span(min(span.start for span in spans), max(span.end for span in spans))

    def is_in(self, segment: Span) -> bool:
        """Whether one of its boxes lies in a segment."""
        return any(box.time.seconds in segment for track in self.tracks for box in track.boxes)


def write_memory(
    path: Path, objects: Sequence[RememberedObject], segments: Sequence[tuple[Span, str]]
) -> None:
    """Write a memory into a new file.

    Args:
        path: Where there is nothing yet.
        objects: Numbered from 1 in this order.
        segments: Each with its caption, numbered from 1 in this order.
    """
    meetings = [
        (n, m)
        for n, thing in enumerate(objects, start=1)
        for m, (span, _) in enumerate(segments, start=1)
        if thing.is_in(span)
    ]
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(TABLES)
        database.executemany(
            "INSERT INTO objects VALUES (?, ?, ?, ?, ?)",
            [
                (
                    n,
                    thing.category,
                    max(track.score for track in thing.tracks),
                    *_seconds(thing.span),
                )
                for n, thing in enumerate(objects, start=1)
            ],
        )
        database.executemany(
            "INSERT INTO segments VALUES (?, ?, ?, ?)",
            [(m, *_seconds(span), text) for m, (span, text) in enumerate(segments, start=1)],
        )
        database.executemany("INSERT INTO objects_segments VALUES (?, ?)", meetings)


def _seconds(span: Span) -> tuple[float, float]:
    return round(float(span.start), 3), round(float(span.end), 3)


class ObjectMemory:
    """A memory to ask; a context manager."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        self._steps = 0
        self._database.execute("PRAGMA query_only = 1")
        self._database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, TEXT_MAX)
        self._database.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, TEXT_MAX)
        self._database.setlimit(sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 8)
        self._database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        self._database.set_authorizer(_allow)
        self._database.set_progress_handler(self._count, STEPS_ASKED)

    def query(self, sql: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]], bool]:
        """Column names, at most `ROWS_MAX` rows, and whether there are more.

        Raises:
            UsageError: It is not one SELECT on the three tables, is wrong, or takes too long.
        """
        self._steps = 0
        if not sql.lstrip().casefold().startswith(("select", "with")):
            raise UsageError(ONLY)
        try:
            with closing(self._database.execute(sql)) as cursor:
                if cursor.description is None:
                    raise UsageError(ONLY)
                rows = cursor.fetchmany(ROWS_MAX + 1)
                columns = tuple(column[0] for column in cursor.description)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise UsageError(_explain(error, is_over=self._steps > STEPS_MAX)) from error
        return columns, rows[:ROWS_MAX], len(rows) > ROWS_MAX

    def _count(self) -> int:
        self._steps += STEPS_ASKED
        return int(self._steps > STEPS_MAX)  # anything but 0 stops the statement

    def close(self) -> None:
        """Close the file; idempotent."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _explain(error: Exception, *, is_over: bool) -> str:
    if is_over:
        return "the statement takes too long"
    text = str(error)
    if "not authorized" in text or "prohibited" in text:
        return f"{ONLY} ({text})"
    return f"the statement is wrong: {text}"


def _allow(
    action: int, first: str | None, second: str | None, _database: str | None, _by: str | None
) -> int:
    """SQLite's question whether a statement may do something."""
    if action == sqlite3.SQLITE_SELECT:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_READ and first in NAMES:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and (second or "").casefold() in FUNCTIONS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY
