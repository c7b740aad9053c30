"""One file from a server to the disk: resumed, checked, and whole or not there.

The bytes go to `NAME.incomplete` beside the target. Whatever ends the process, the next transfer
goes on from there. Only content of the right length and digest is renamed to the target, so that no
half file passes for whole.

Not here: who the server is and what its answers mean (`models.hub`).
"""

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from vidcli.core.protocols import Progress
from vidcli.core.units import format_size
from vidcli.errors import ModelError, ResourceError, VidcliError

INCOMPLETE = ".incomplete"
CHUNK_BYTES = 1024**2
WAITS_S = (1.0, 2.0, 4.0, 8.0)  # before each further attempt, after one that brought no byte
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class StreamLostError(Exception):
    """The server or the way to it failed in a manner that may pass; trying again makes sense.

    Args:
        failure: What to tell the user where it did not pass.
    """

    def __init__(self, failure: VidcliError) -> None:
        super().__init__(str(failure))
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Stream:
    """The bytes of a file that a server has begun to send.

    Attributes:
        start: Offset of the first of them; 0 where the server cannot go on in the middle.
        chunks: The bytes; raises `StreamLostError` where the connection is lost.
    """

    start: int
    chunks: Iterator[bytes]


OpenStream = Callable[[int], AbstractContextManager[Stream]]
"""Ask for the bytes from an offset on; raises `StreamLostError`, or a `VidcliError` for good."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file must be.

    Attributes:
        name: For messages and progress.
        size_bytes: Its length.
        sha256: Hex digest; empty where only `git_sha1` is known.
        git_sha1: Hex object name in git, for small files that are not in LFS.
    """

    name: str
    size_bytes: int
    sha256: str
    git_sha1: str = ""

    def new_hash(self) -> "hashlib._Hash":
        """A hash whose digest will be `digest` where the content is right."""
        if self.sha256:
            return hashlib.sha256()
        header = f"blob {self.size_bytes}\0".encode()
        return hashlib.sha1(header, usedforsecurity=False)

    @property
    def digest(self) -> str:
        """The digest to compare with."""
        return self.sha256 or self.git_sha1


def fetch(
    wanted: Wanted, target: Path, open_stream: OpenStream, *, progress: Progress | None = None
) -> None:
    """Bring a file to `target`, going on where an earlier transfer ended.

    On any failure the bytes so far stay in `target` + `.incomplete`, apart from a wrong digest,
    where they are useless.

    Args:
        wanted: Length and digest that it must have.
        target: Where it goes; its directory exists. No other process writes it now.
        open_stream: Called with the offset to begin at.
        progress: Called with the file's name, bytes done and bytes in all.

    Raises:
        ModelError: The server keeps failing, or sends other content than it announced.
        ResourceError: The disk is full or cannot be written.
    """
    partial = target.with_name(target.name + INCOMPLETE)
    try:
        resumed = partial.exists() and partial.stat().st_size > 0
        digest = _complete(wanted, partial, open_stream, progress)
        if digest != wanted.digest and resumed:  # the bytes of the earlier transfer may be to blame
            partial.unlink()
            digest = _complete(wanted, partial, open_stream, progress)
        if digest != wanted.digest:
            partial.unlink()
            raise ModelError(
                f"{wanted.name} arrived damaged: its digest is {digest[:12]}…, the hub's is"
                f" {wanted.digest[:12]}…",
                hint="try again; if it happens twice, a proxy or mirror on the way changes files",
            )
        os.replace(partial, target)
    except OSError as error:
        raise disk_failure(error, target, wanted.size_bytes) from error


def disk_failure(error: OSError, target: Path, size_bytes: int) -> ResourceError:
    """What to tell the user where a file could not be written."""
    folder = target.parent
    if error.errno in NO_ROOM:
        return ResourceError(
            f"the disk of {folder} is full: {error.strerror}",
            hint=f"free {format_size(size_bytes)} and run the same command again: it goes on where"
            " it stopped; HF_HOME chooses another disk",
        )
    return ResourceError(
        f"cannot write to {folder}: {error.strerror or error}",
        hint="set HF_HOME to a folder that can be written",
    )


def _complete(
    wanted: Wanted, path: Path, open_stream: OpenStream, progress: Progress | None
) -> str:
    """Bring the partial file to its full length; returns the digest of its content."""
    failures = 0
    with path.open("ab", buffering=0) as file:
        partial = _Partial(wanted, path, file)
        while partial.done < wanted.size_bytes:
            before = partial.done
            try:
                with open_stream(partial.done) as stream:
                    if stream.start != partial.done:
                        before = stream.start
                        partial.cut(stream.start)
                    for chunk in stream.chunks:
                        partial.append(chunk)
                        if progress:
                            progress(wanted.name, partial.done, wanted.size_bytes)
                lost = StreamLostError(_say_ended(wanted, partial.done))
            except StreamLostError as error:
                lost = error
            if partial.done < wanted.size_bytes:
                failures = 0 if partial.done > before else failures + 1
                if failures > len(WAITS_S):
                    raise lost.failure from lost
                time.sleep(WAITS_S[max(failures - 1, 0)])
        os.fsync(file.fileno())
    return partial.state.hexdigest()


def _say_ended(wanted: Wanted, done: int) -> ModelError:
    return ModelError(
        f"the server ends {wanted.name} after {done:,} of {wanted.size_bytes:,} bytes",
        hint="try again later: it goes on where it stopped",
    )


class _Partial:
    """The file that grows, and the hash of what it holds."""

    def __init__(self, wanted: Wanted, path: Path, file: IO[bytes]) -> None:
        self._wanted, self._path, self._file = wanted, path, file
        size = os.fstat(file.fileno()).st_size
        self.cut(size if size <= wanted.size_bytes else 0)

    def cut(self, size: int) -> None:
        """Keep the first `size` bytes only."""
        if os.fstat(self._file.fileno()).st_size > size:
            self._file.truncate(size)
        self.done, self.state = size, self._wanted.new_hash()
        with self._path.open("rb", buffering=0) as file:
            left = size
            while left > 0 and (chunk := file.read(min(CHUNK_BYTES, left))):
                self.state.update(chunk)
                left -= len(chunk)

    def append(self, chunk: bytes) -> None:
        """Write a chunk at the end."""
        _write_all(self._file, chunk)
        self.state.update(chunk)
        self.done += len(chunk)


def _write_all(file: IO[bytes], chunk: bytes) -> None:
    """Write a chunk whole; an unbuffered file may take a part of it at a time."""
    view = memoryview(chunk)
    while view:
        view = view[file.write(view) :]
