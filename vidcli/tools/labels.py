"""The closed vocabulary of a network: from a file, from the network's own notes, or beside it.

Labels are never invented: a network whose labels nobody tells is refused.
"""

import ast
import json
from collections.abc import Sequence
from pathlib import Path

from vidcli.core.onnx_header import OnnxHeader
from vidcli.errors import ModelError, UsageError
from vidcli.tools.coco import COCO

NOTES = ("names", "labels", "classes")  # keys under which exporters write them


def find_labels(
    path: Path, header: OnnxHeader, count: int, *, file: Path | None, knows_coco: bool
) -> tuple[str, ...]:
    """The labels of a network, by number.

    Looked for in `file`, in the network's own notes, in a `.txt` of its name beside it; a detector
    of 80 kinds whose labels nobody tells has those of COCO.

    Args:
        path: The ONNX file.
        header: Its header.
        count: How many classes it tells apart.
        file: One label a line; None where none is given.
        knows_coco: Whether COCO's may be assumed.

    Raises:
        UsageError: `file` cannot be read, or holds another number of labels.
        ModelError: Nobody tells the labels.
    """
    if file is not None:
        return _check_count(_read_lines(file), count, path, str(file))
    for key in NOTES:
        if labels := _read_note(header.notes.get(key, "")):
            return _check_count(labels, count, path, f"the note {key!r} in it")
    beside = path.with_suffix(".txt")
    if beside.is_file():
        return _check_count(_read_lines(beside), count, path, str(beside))
    if knows_coco and count == len(COCO):
        return COCO
    raise ModelError(
        f"{path.name} tells {count} classes apart, and nothing says what they are",
        hint=f"--labels-file FILE, one label a line, or such a file as {beside.name} beside it",
    )


def _read_lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise UsageError(f"{path} cannot be read: {reason}") from error
    lines = [line.strip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _read_note(note: str) -> list[str]:
    """Labels written as JSON or Python: a list, or a table by number; or parted by commas."""
    read = None
    for reader in (json.loads, ast.literal_eval):
        try:
            read = reader(note)
            break
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    if isinstance(read, dict):
        try:
            numbered = {int(key): str(value) for key, value in read.items()}
        except ValueError:
            return []
        return [numbered.get(number, "") for number in range(max(numbered, default=-1) + 1)]
    if isinstance(read, list | tuple):
        return [str(label) for label in read]
    return [label.strip() for label in note.split(",")] if "," in note else []


def _check_count(labels: Sequence[str], count: int, path: Path, where: str) -> tuple[str, ...]:
    if len(labels) != count or not all(labels):
        told = f"{len(labels)} labels" if len(labels) != count else "an empty label"
        raise UsageError(
            f"{where} holds {told}; {path.name} tells {count} classes apart",
            hint="one label a line, in the network's order: --labels-file FILE",
        )
    return tuple(labels)
