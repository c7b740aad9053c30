"""What was written of parts of long videos, so that an interrupted summary goes on where it was.

A piece is a caption of one segment or one step of a reduction, under a key that names everything
it depends on: the video's content, the instants, the prompt, the model. It is committed before the
next one is begun. Pieces are worth little once their summary is made; the oldest go first.
"""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vidcli.library.database import Database, Layout

NAME = "segments.sqlite3"
PIECES_MAX = 200_000  # about 400 MB
_TABLES = """
CREATE TABLE IF NOT EXISTS pieces (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    value TEXT NOT NULL,
    made REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS pieces_made ON pieces (made);
"""
LAYOUT = Layout(
    NAME,
    "store of segment captions",
    _TABLES,
    version=1,
    lost="segments that were captioned before are captioned again",
    unkept="an interrupted summary will begin anew",
)


class SegmentStore(Database):
    """An open store; usable from several threads, and by several processes at once.

    Args:
        folder: Where it is kept; made if need be.
        most: Pieces to keep; the oldest above that are removed now.
    """

    def __init__(self, folder: Path, *, most: int = PIECES_MAX) -> None:
        super().__init__(folder, LAYOUT)
        self._write(
            "DELETE FROM pieces WHERE made < "
            "(SELECT made FROM pieces ORDER BY made DESC LIMIT 1 OFFSET ?)",
            (most - 1,),
        )

    def of(self, fingerprint: str, *, anew: bool = False) -> "VideoPieces":
        """The pieces of one video.

        Args:
            fingerprint: Of its content.
            anew: Take those that are there for missing, and replace them.
        """
        return VideoPieces(self, fingerprint, anew=anew)

    def usage(self) -> list[tuple[str, int, float]]:
        """(fingerprint, bytes, Unix time of the latest piece) of every video, latest first."""
        return self._all(
            "SELECT fingerprint, SUM(LENGTH(value) + LENGTH(key)), MAX(made) FROM pieces "
            "GROUP BY fingerprint ORDER BY MAX(made) DESC"
        )

    def forget(self, fingerprints: Sequence[str]) -> None:
        """Remove all pieces of some videos, and give the disk back what they took."""
        for fingerprint in fingerprints:
            self._write("DELETE FROM pieces WHERE fingerprint = ?", (fingerprint,))
        if fingerprints:
            self._write("VACUUM", ())

    def find(self, key: str) -> dict[str, Any] | None:
        """A piece; None where there is none that can be read."""
        row = self._one("SELECT value FROM pieces WHERE key = ?", (key,))
        try:
            value = json.loads(row[0]) if row is not None else None
        except ValueError:
            return None
        return value if isinstance(value, dict) else None

    def keep(self, key: str, fingerprint: str, value: Mapping[str, Any]) -> None:
        """Keep a piece in place of an earlier one; on disk when this returns."""
        self._write(
            "INSERT OR REPLACE INTO pieces VALUES (?, ?, ?, ?)",
            (key, fingerprint, json.dumps(value), time.time()),
        )


class VideoPieces:
    """Pieces of one video; a `core.protocols.PieceStore`. From `SegmentStore.of`."""

    def __init__(self, store: SegmentStore, fingerprint: str, *, anew: bool) -> None:
        self._store = store
        self._fingerprint = fingerprint
        self._is_anew = anew
        self._made: set[str] = set()

    def get(self, key: str) -> dict[str, Any] | None:
        """A piece that was kept under this key."""
        if self._is_anew and key not in self._made:
            return None
        return self._store.find(f"{self._fingerprint} {key}")

    def put(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep a piece; a full or read-only disk is warned of once and otherwise ignored."""
        self._made.add(key)
        self._store.keep(f"{self._fingerprint} {key}", self._fingerprint, value)
