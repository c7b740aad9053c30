"""A directory of cache files bounded in bytes, the least recently used thrown out first.

Shared by the visual-token cache and the prefix snapshots. Nothing in it is precious: a failing
disk is a warning, never an error. Not here: what the files hold.
"""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

STALE_TEMPORARY_S = 6 * 3600  # left by a killed process; no write of ours takes that long


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One file of a cache.

    Attributes:
        path: The file.
        size_bytes: What it takes on disk.
        last_used: Unix time in seconds of the latest read or write.
        label: What a person calls it, usually the video's file name; empty where unknown.
    """

    path: Path
    size_bytes: int
    last_used: float
    label: str


class LruDirectory:
    """Files with one suffix in one directory, at most `max_bytes` in all.

    Any number of processes may use the directory at once: files appear by renaming, are never
    changed in place, and one that vanishes between two looks is simply gone.

    Args:
        directory: Made when the first file is written.
        max_bytes: Bound that `make_room` keeps.
        suffix: Of the files that belong here, such as `.vtok`; all others are left alone.
        read_label: Reads a file's label; only called by `usage`.
    """

    def __init__(
        self, directory: Path, max_bytes: int, *, suffix: str, read_label: Callable[[Path], str]
    ) -> None:
        self.directory = directory
        self.max_bytes = max_bytes
        self._suffix = suffix
        self._read_label = read_label
        self._warnings: list[str] = []

    @property
    def warnings(self) -> tuple[str, ...]:
        """What went wrong with the disk, one sentence each, none twice."""
        return tuple(self._warnings)

    def warn(self, message: str) -> None:
        """Remember a warning, unless it was given before."""
        if message not in self._warnings:
            self._warnings.append(message)

    def warn_of_disk(self, error: OSError) -> None:
        """Remember that the cache could not be written, and why."""
        cause = error.strerror or str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            cause = "the disk is full"
        self.warn(f"cache {self.directory} was not written: {cause}")

    def path_of(self, name: str) -> Path:
        """Where the file of this name is, or would be."""
        return self.directory / f"{name}{self._suffix}"

    def touch(self, path: Path) -> None:
        """Mark a file as used now; a read-only directory keeps its old order."""
        with suppress(OSError):
            os.utime(path)

    def usage(self) -> list[CacheEntry]:
        """Every file, most recently used first."""
        entries = [
            CacheEntry(path, stat.st_size, stat.st_mtime, self._read_label(path))
            for path, stat in self._files()
        ]
        return sorted(entries, key=lambda entry: (-entry.last_used, entry.path.name))

    def prune(self, max_bytes: int | None = None, *, keep: Path | None = None) -> int:
        """Remove the least recently used files until at most `max_bytes` are left.

        Args:
            max_bytes: Bound to reach; None takes the directory's own.
            keep: A file in use that stays even where the bound is then not reached.

        Returns:
            Bytes freed.
        """
        self._sweep_temporaries()
        files = sorted(self._files(), key=lambda item: item[1].st_mtime_ns)
        excess = sum(stat.st_size for _, stat in files) - (
            self.max_bytes if max_bytes is None else max_bytes
        )
        freed = 0
        for path, stat in files:
            if freed >= excess:
                break
            if path != keep and self.remove(path):
                freed += stat.st_size
        return freed

    def clear(self) -> int:
        """Remove every file; returns the bytes freed."""
        return self.prune(-1)

    def remove(self, path: Path) -> bool:
        """Remove one file; False where it was gone already or may not be removed."""
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            self.warn(f"{path} could not be removed: {error.strerror or error}")
            return False
        return True

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path, stat in self._scan():
            if path.suffix == self._suffix and not path.name.startswith("."):
                yield path, stat

    def _scan(self) -> Iterator[tuple[Path, os.stat_result]]:
        try:
            listing = list(os.scandir(self.directory))
        except OSError:
            return
        for item in listing:
            with suppress(OSError):
                if item.is_file(follow_symlinks=False):
                    yield Path(item.path), item.stat(follow_symlinks=False)

    def _sweep_temporaries(self) -> None:
        """Remove what killed writers left: `.NAME.random.tmp` files nobody writes any more."""
        oldest = time.time() - STALE_TEMPORARY_S
        for path, stat in self._scan():
            is_ours = path.name.startswith(".") and f"{self._suffix}." in path.name
            if is_ours and path.suffix == ".tmp" and stat.st_mtime < oldest:
                self.remove(path)


class DiskCache:
    """A cache on disk of bounded size: what every kind of one lets a person see and clear.

    Args:
        directory: Made when the first file is written.
        max_bytes: Most that all files together may take.
        suffix: Of the cache's own files.
        read_label: What a person calls a file; empty where it is damaged.
    """

    def __init__(
        self, directory: Path, max_bytes: int, *, suffix: str, read_label: Callable[[Path], str]
    ) -> None:
        self._files = LruDirectory(directory, max_bytes, suffix=suffix, read_label=read_label)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What went wrong with the disk, one sentence each, none twice."""
        return self._files.warnings

    def usage(self) -> list[CacheEntry]:
        """Every file, most recently used first."""
        return self._files.usage()

    def prune(self, max_bytes: int | None = None) -> int:
        """Remove the least recently used until `max_bytes` are left; returns the bytes freed."""
        return self._files.prune(max_bytes)

    def clear(self) -> int:
        """Remove everything; returns the bytes freed."""
        return self._files.clear()
