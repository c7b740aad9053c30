"""Which steps of a recipe are done: a note for each, of the settings and the files it made."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from vidcli.core.files import atomic_write

NOTES = "done"  # folder of the notes


def note_done(out: Path, step: str, digest: str, made: Iterable[Path]) -> None:
    """Note that a step is done, with the files it made."""
    sizes = {str(path.relative_to(out)): path.stat().st_size for path in made}
    with atomic_write(out / NOTES / f"{step}.json") as file:
        file.write(json.dumps({"digest": digest, "files": sizes}, indent=2).encode())


def is_done(out: Path, step: str, digest: str) -> bool:
    """Whether a step is done for these settings, and all its files are still there."""
    try:
        note = json.loads((out / NOTES / f"{step}.json").read_text("utf-8"))
        return note["digest"] == digest and all(
            (out / name).stat().st_size == size for name, size in note["files"].items()
        )
    except (OSError, ValueError, KeyError):
        return False


def digest_facts(*facts: object) -> str:
    """Names facts that JSON can write, in hex."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
