"""Prefix snapshots kept on disk: the KV state of a video, so that only the question is prefilled.

A snapshot is one llama.cpp state file with our own footer behind it, so that one rename publishes
both and they can never be of different runs:

    state     as `llama_state_seq_save_file` wrote it; the loader stops at its end by itself
    facts     JSON: key, n_past, n_cells, extra
    footer    state length, facts length, CRC-32 of state, CRC-32 of facts, version, magic

llama.cpp aborts the process on a truncated state file, so the length and the checksum of every
byte are verified before it may see one. CRC-32 guards against accidents, not against malice; of
zlib and hashlib it is the fastest by 2.5 times or more (0.25 s of CPU a gigabyte).
"""

import hashlib
import json
import os
import struct
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from vidcli.engine.lru_dir import DiskCache, LruDirectory

SUFFIX = ".prefix"
MAGIC = b"vidcliPX"
VERSION = 1
FOOTER = struct.Struct("<QIIII8s")  # state length, facts length, two CRC-32, version, magic
MAX_FACTS_BYTES = 64 * 1024**2
BLOCK = 1 << 20  # bytes read at a time while checking


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A verified snapshot.

    Attributes:
        path: Give it to `llama_state_seq_load_file`, with a token buffer.
        n_past: Position that the next token takes.
        n_cells: Context cells the prefix takes.
        extra: What the writer added.
    """

    path: Path
    n_past: int
    n_cells: int
    extra: Mapping[str, Any] = field(default_factory=dict)


class SnapshotDraft:
    """A state file being written; only `commit` makes it a snapshot."""

    def __init__(self, files: LruDirectory, key: str, path: Path) -> None:
        self._files = files
        self._key = key
        self.path = path

    def commit(
        self, *, n_past: int, n_cells: int, label: str = "", extra: Mapping[str, Any] | None = None
    ) -> bool:
        """Seal the state file that is now at `path` and publish it under its key.

        Args:
            n_past: Position that the next token takes.
            n_cells: Context cells the prefix takes.
            label: What a person calls the video; only shown.
            extra: Anything JSON can hold.

        Returns:
            False where the disk is full or the snapshot larger than the whole cache: a warning of
            the cache, not an error.
        """
        facts = {"key": self._key, "n_past": n_past, "n_cells": n_cells, "label": label}
        try:
            with self.path.open("r+b") as file:
                _seal(file, json.dumps({**facts, "extra": dict(extra or {})}).encode())
                size = file.tell()
            if size > self._files.max_bytes:
                self._files.warn(
                    f"prefix snapshot of {size} bytes was not kept: "
                    f"more than the cache's {self._files.max_bytes}"
                )
                return False
            target = self._files.path_of(_name_of(self._key))
            os.replace(self.path, target)
        except OSError as error:
            self._files.warn_of_disk(error)
            return False
        self._files.prune(keep=target)
        return True


class PrefixCache(DiskCache):
    """The directory of all prefix snapshots.

    Args:
        directory: Made when the first snapshot is written.
        max_bytes: Most that all snapshots together may take.
    """

    def __init__(self, directory: Path, max_bytes: int) -> None:
        super().__init__(directory, max_bytes, suffix=SUFFIX, read_label=_read_label)

    def lookup(self, key: str) -> Snapshot | None:
        """Find a snapshot and verify every byte of it; a damaged one is removed and is a miss.

        Args:
            key: Digest of everything the state depends on: model, profile, visual tokens, text
                before them, context and KV settings, version of llama.cpp.
        """
        path = self._files.path_of(_name_of(key))
        try:
            with path.open("rb", buffering=0) as file:
                facts = _verify(file)
            if facts["key"] != key:
                raise ValueError("another key")
            snapshot = Snapshot(path, int(facts["n_past"]), int(facts["n_cells"]), facts["extra"])
        except OSError:
            return None
        except (ValueError, KeyError, TypeError, RecursionError):
            self._files.remove(path)
            return None
        self._files.touch(path)
        return snapshot

    @contextmanager
    def path_for_writing(self, key: str) -> Iterator[SnapshotDraft | None]:
        """Give a temporary path to write the state to; without a `commit` it is removed again.

        An `OSError` inside the block is a warning of the cache.

        Yields:
            The draft, or None where the directory cannot be written (a warning too).
        """
        path = self._make_temporary(key)
        try:
            yield None if path is None else SnapshotDraft(self._files, key, path)
        except OSError as error:
            self._files.warn_of_disk(error)
        finally:
            if path is not None:
                path.unlink(missing_ok=True)

    def discard(self, key: str) -> None:
        """Remove a snapshot that llama.cpp refused though its checksum was right."""
        self._files.remove(self._files.path_of(_name_of(key)))

    def _make_temporary(self, key: str) -> Path | None:
        try:
            self._files.directory.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(
                dir=self._files.directory, prefix=f".{_name_of(key)}{SUFFIX}.", suffix=".tmp"
            )
        except OSError as error:
            self._files.warn_of_disk(error)
            return None
        os.close(descriptor)
        return Path(name)


def _name_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _seal(file: IO[bytes], facts: bytes) -> None:
    """Append facts and footer to a state file; leaves the position at its end."""
    state_length, state_crc = _checksum(file, None)
    footer = FOOTER.pack(state_length, len(facts), state_crc, zlib.crc32(facts), VERSION, MAGIC)
    file.write(facts + footer)
    file.flush()


def _verify(file: IO[bytes]) -> dict[str, Any]:
    """Facts of a whole and undamaged snapshot.

    Raises:
        ValueError: It is neither.
        OSError: It cannot be read.
    """
    state_length, state_crc, facts = _read_end(file)
    file.seek(0)
    if _checksum(file, state_length) != (state_length, state_crc):
        raise ValueError("the state is damaged")
    return facts


def _read_end(file: IO[bytes]) -> tuple[int, int, dict[str, Any]]:
    """State length, CRC-32 of the state, and the facts.

    Raises:
        ValueError: The end of the file is not ours, or damaged.
        OSError: It cannot be read.
    """
    size = os.fstat(file.fileno()).st_size
    if size < FOOTER.size:
        raise ValueError("too short")
    file.seek(size - FOOTER.size)
    state_length, facts_length, state_crc, facts_crc, version, magic = FOOTER.unpack(
        file.read(FOOTER.size)
    )
    if (magic, version) != (MAGIC, VERSION) or facts_length > MAX_FACTS_BYTES:
        raise ValueError("not a snapshot of this version")
    if state_length + facts_length + FOOTER.size != size:
        raise ValueError("the length does not agree")
    file.seek(state_length)
    text = file.read(facts_length)
    if zlib.crc32(text) != facts_crc:
        raise ValueError("the facts are damaged")
    facts = json.loads(text)
    if not isinstance(facts, dict):
        raise ValueError("the facts are no object")
    return state_length, state_crc, facts


def _checksum(file: IO[bytes], length: int | None) -> tuple[int, int]:
    """Bytes read and their CRC-32, from the file's position up to `length` bytes or its end."""
    block = memoryview(bytearray(BLOCK))
    crc = done = 0
    while length is None or done < length:
        wanted = BLOCK if length is None else min(BLOCK, length - done)
        count = file.readinto(block[:wanted])  # type: ignore[attr-defined]  # raw or buffered
        if not count:
            break
        crc = zlib.crc32(block[:count], crc)
        done += count
    return done, crc


def _read_label(path: Path) -> str:
    """Label of a snapshot, its state unread; empty where the file is damaged."""
    try:
        with path.open("rb") as file:
            return str(_read_end(file)[2]["label"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
