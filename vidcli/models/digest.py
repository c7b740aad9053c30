"""SHA-256 of model files, remembered so that 5 GB are hashed once and not at every start.

A digest is remembered under device, inode, size and modification time: one small file each, written
under a temporary name and renamed, so that processes need no lock and a killed one leaves nothing.
"""

import hashlib
import os
import re
import time
from pathlib import Path

from vidcli.core.files import atomic_write
from vidcli.core.protocols import Progress
from vidcli.errors import ModelError
from vidcli.models.gguf import split_parts
from vidcli.settings import cache_dir

CHUNK_BYTES = 4 * 1024**2
SETTLED_S = 2.0  # a file changed later than this may change again within one tick of its mtime
_HEX = re.compile(r"[0-9a-f]{64}")


def digest_model(path: Path, *, progress: Progress | None = None) -> str:
    """Hex SHA-256 of a model file; of all parts, in order, where it is split.

    A cache that cannot be written costs the time of hashing, nothing else.

    Args:
        path: The file; of a split model the first part.
        progress: Called with `hash`, bytes done and bytes in all, only while hashing.

    Raises:
        ModelError: The file is missing, unreadable, or changed while it was read.
    """
    parts = split_parts(path)
    try:
        before = [part.stat() for part in parts]
        memory = _memory_of(before)
        remembered = _recall(memory)
        if remembered:
            return remembered
        digest = _hash(parts, sum(stat.st_size for stat in before), progress)
        after = [part.stat() for part in parts]
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error
    if _memory_of(after) != memory:
        raise ModelError(f"{path.name} changed while it was read", hint="wait for its download")
    if max(stat.st_mtime for stat in before) < time.time() - SETTLED_S:
        _remember(memory, digest)
    return digest


def digest_file(path: Path, *, progress: Progress | None = None) -> str:
    """Hex SHA-256 of what one file holds now, read again whatever is remembered.

    Raises:
        ModelError: The file is missing or cannot be read.
    """
    try:
        return _hash((path,), path.stat().st_size, progress)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error


def remember_digest(path: Path, sha256: str) -> None:
    """Note the digest of a file that was just checked, so that its first use need not hash it."""
    _remember(_memory_of([path.stat()]), sha256)


def _memory_of(stats: list[os.stat_result]) -> Path:
    """Where the digest of files with this identity is kept."""
    identity = repr([(s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns) for s in stats])
    return cache_dir() / "digests" / hashlib.sha256(identity.encode()).hexdigest()


def _recall(memory: Path) -> str | None:
    """The digest kept there, or None where there is none or it is damaged."""
    try:
        text = memory.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return None
    return text if _HEX.fullmatch(text) else None


def _remember(memory: Path, digest: str) -> None:
    try:
        with atomic_write(memory) as file:
            file.write(digest.encode())
    except OSError:
        return  # a full or read-only cache: hashed again next time


def _hash(parts: tuple[Path, ...], total: int, progress: Progress | None) -> str:
    state, done = hashlib.sha256(), 0
    buffer = memoryview(bytearray(CHUNK_BYTES))
    for part in parts:
        with part.open("rb", buffering=0) as file:
            while size := file.readinto(buffer):
                state.update(buffer[:size])
                done += size
                if progress:
                    progress("hash", done, total)
    return state.hexdigest()
