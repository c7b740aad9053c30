"""A folder of small videos that differ in content, and what runs over it leave behind."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

from vidcli.library.journal import NAME
from vidcli.settings import state_dir


def fill(folder: Path, clip: Path, *names: str) -> list[Path]:
    """Copies of `clip`, each with bytes at its end that make it another video."""
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip, path)
        with path.open("ab") as file:
            file.write(path.name.encode())
    return paths


def finished() -> dict[str, float]:
    """When the journal says that each video was answered, by its fingerprint."""
    return {row[0]: row[1] for row in query("SELECT fingerprint, finished FROM results")}


def query(text: str) -> list[Any]:
    path = state_dir() / NAME
    if not path.exists():
        return []
    database = sqlite3.connect(path, timeout=10)
    try:
        return database.execute(text).fetchall()
    except sqlite3.OperationalError:  # killed before it had tables
        return []
    finally:
        database.close()


def read_documents(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]
