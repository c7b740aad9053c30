"""A name for a video's content: the same for a copy or a renamed file, another for another video.

Not a digest of the whole: reading an hour-long file through would cost more than probing it. Two
files of equal size that differ only between the windows read would be taken for one.
"""

import hashlib
import os

EDGE_BYTES = 1024**2
WINDOWS = 8
WINDOW_BYTES = 64 * 1024
VERSION = b"vidcli-1"  # part of the hash; raised when what is read changes


def fingerprint(path: str) -> str:
    """Hash the size, both ends and evenly spread inner windows of a file.

    Args:
        path: A regular file. Its name and times do not count.

    Returns:
        32 hex digits.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.blake2b(VERSION, digest_size=16)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest.update(size.to_bytes(8, "big"))
        for start, length in _windows(size):
            file.seek(start)
            digest.update(file.read(length))
    return digest.hexdigest()


def _windows(size: int) -> list[tuple[int, int]]:
    """(offset, bytes) to read: a small file whole, a large one at its ends and in between."""
    if size <= 2 * EDGE_BYTES + WINDOWS * WINDOW_BYTES:
        return [(0, size)]
    inner = size - 2 * EDGE_BYTES
    starts = [EDGE_BYTES + inner * (2 * n + 1) // (2 * WINDOWS) for n in range(WINDOWS)]
    return [
        (0, EDGE_BYTES),
        *((start, WINDOW_BYTES) for start in starts),
        (size - EDGE_BYTES, EDGE_BYTES),
    ]
