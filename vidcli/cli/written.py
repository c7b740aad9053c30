"""Documents that a command writes to a file of the user's own."""

import os
from pathlib import Path

from vidcli.core.files import atomic_write
from vidcli.errors import UsageError
from vidcli.output.documents import Document


def require_writable(path: Path) -> None:
    """Refuse a trace file that cannot be written, before minutes are spent on what it is to hold.

    Raises:
        UsageError: It is a folder, or its folder is missing or not to be written to.
    """
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UsageError(f"cannot write {path}", hint="name a file in a folder that can be written")


def write_file(path: Path, document: Document) -> None:
    """Write a document to a file.

    Raises:
        UsageError: The file cannot be written.
    """
    from vidcli.output.documents import write_json

    try:
        with atomic_write(path) as file:
            file.write(write_json(document, indent=True).encode())
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
