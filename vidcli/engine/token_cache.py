"""Visual tokens kept on disk, so that a second question about a video encodes nothing.

One file per video and settings (`token_file` has the format), written whole to a temporary name and
renamed: a kill at any time loses at most the frames not yet flushed. A damaged, truncated or
foreign file is a miss; a full or read-only disk is a warning. The directory is bounded, least
recently used out (`lru_dir`).
"""

import hashlib
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from vidcli.core.files import atomic_write
from vidcli.core.prompt import VisualTokens
from vidcli.core.time import Timestamp
from vidcli.engine.lru_dir import DiskCache, LruDirectory
from vidcli.engine.token_file import (
    EncodedEntry,
    TokenFile,
    decode_entry,
    encode_entry,
    read_label,
    write_token_file,
)

SUFFIX = ".vtok"
FLUSH_INTERVAL_S = 5.0  # an encode takes seconds a frame, so this loses a frame or two to a kill
FLUSH_SHARE = 20  # and rewriting a long video's file takes at most one part in this of the time


class TokenCache(DiskCache):
    """The directory of all visual tokens.

    Args:
        directory: Made when the first frame is kept.
        max_bytes: Most that all files together may take.
    """

    def __init__(self, directory: Path, max_bytes: int) -> None:
        super().__init__(directory, max_bytes, suffix=SUFFIX, read_label=read_label)

    def open(self, fingerprint: str, settings_digest: str, label: str) -> "DiskTokenStore":
        """Open the tokens of one video under one set of settings; close the store when done.

        Args:
            fingerprint: Of the video's content, so that renaming it changes nothing.
            settings_digest: Of everything else the tokens depend on: projector, profile version,
                frame size, detail.
            label: What a person calls the video; only shown.
        """
        return DiskTokenStore(self._files, f"{fingerprint}\n{settings_digest}", label)


class DiskTokenStore:
    """Tokens of one video and settings; what `core.protocols.TokenStore` asks for.

    Frames put are readable at once and on disk after the next flush, which `put` does every few
    seconds and `close` always. Of two processes that write the same video each keeps what it finds
    of the other's; where they rename at the same moment the later one wins.
    """

    def __init__(self, files: LruDirectory, key: str, label: str) -> None:
        self._files = files
        self._key = key
        self._label = label
        self._path = files.path_of(hashlib.sha256(key.encode()).hexdigest()[:32])
        self._pending: dict[tuple[Fraction, ...], EncodedEntry] = {}
        self._told: dict[str, None] = {}
        self._writable = True
        self._next_flush = time.monotonic() + FLUSH_INTERVAL_S
        self._file = TokenFile.open(self._path, key)
        if self._file is not None:
            files.touch(self._path)

    def get(
        self, wanted: tuple[Fraction, ...]
    ) -> tuple[tuple[Timestamp, ...], VisualTokens] | None:
        """Tokens put earlier for these planned instants, by this process or another; else None."""
        entry = self._pending.get(wanted)
        if entry is None and self._file is not None:
            entry = self._file.read(wanted)
        if entry is None:
            return None
        try:
            return decode_entry(entry)
        except (ValueError, KeyError, TypeError, ZeroDivisionError):
            return None

    def put(
        self, wanted: tuple[Fraction, ...], times: tuple[Timestamp, ...], tokens: VisualTokens
    ) -> None:
        """Keep tokens; a full or read-only disk is a warning of the cache, given once."""
        if not self._writable:
            return
        self._pending[wanted] = encode_entry(times, tokens)
        if time.monotonic() >= self._next_flush:
            self.flush()

    def remember(self, warnings: Sequence[str]) -> None:
        """Keep what decoding found wrong, for the runs that find all they need here."""
        self._told |= dict.fromkeys(warnings)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What decoding found wrong, in this run and earlier ones."""
        earlier = self._file.warnings if self._file is not None else ()
        return tuple(dict.fromkeys((*earlier, *self._told)))

    def flush(self) -> None:
        """Bring what was put and told to disk."""
        earlier = self._file.warnings if self._file is not None else ()
        if not self._pending and not (self._writable and self._told.keys() - set(earlier)):
            return
        started = time.monotonic()
        try:
            self._rewrite()
        except OSError as error:
            self._files.warn_of_disk(error)
            self._stop_writing()
        now = time.monotonic()
        self._next_flush = now + max(FLUSH_INTERVAL_S, FLUSH_SHARE * (now - started))

    def close(self) -> None:
        """Flush and let go of the file; idempotent."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _rewrite(self) -> None:
        """Write the union of what is on disk by now and what is pending.

        Raises:
            OSError: The directory cannot be written, or the disk is full.
        """
        earlier, warnings = self._on_disk()
        entries = {**earlier, **self._pending}
        warnings |= self._told
        size = sum(len(entry.payload) for entry in entries.values())
        if size > self._files.max_bytes:
            self._files.warn(
                f"visual tokens of {self._label} were not kept: "
                f"{size} bytes are more than the cache's {self._files.max_bytes}"
            )
            self._stop_writing()
            return
        with atomic_write(self._path) as file:
            write_token_file(
                file, self._key, self._label, entries.items(), warnings=tuple(warnings)
            )
        if self._file is not None:
            self._file.close()
        self._file = TokenFile.open(self._path, self._key)
        self._pending.clear()
        self._files.prune(keep=self._path)

    def _on_disk(self) -> tuple[dict[tuple[Fraction, ...], EncodedEntry], dict[str, None]]:
        """Undamaged entries and warnings of the file as it is now, another process's included."""
        current = TokenFile.open(self._path, self._key)
        if current is None:
            return {}, {}
        try:
            found = ((wanted, current.read(wanted)) for wanted in current.wanted)
            entries = {wanted: entry for wanted, entry in found if entry is not None}
            return entries, dict.fromkeys(current.warnings)
        finally:
            current.close()

    def _stop_writing(self) -> None:
        """After a failure nothing more is kept, so that memory does not fill up instead."""
        self._writable = False
        self._pending.clear()
