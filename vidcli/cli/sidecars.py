"""Files named after the videos they are about: found, named, written, and never somebody else's.

A run replaces only what a run wrote. Where the plain name (`talk.srt`) belongs to something else,
the video's whole name is kept (`talk.mkv.srt`), then its fingerprint is added.
"""

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from vidcli.cli.listing import Input
from vidcli.cli.terminal import OutputError
from vidcli.core.files import atomic_write
from vidcli.errors import ResourceError, UsageError
from vidcli.output.forms import AnyForm

if TYPE_CHECKING:
    from vidcli.library.journal import Journal, WrittenFile

DISK_TROUBLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
STALE_S = 60.0  # a temporary file older than this was left by a run that was killed
UNREADABLE = "unreadable"
NAME_BYTES_MAX = 255  # of a file on every file system in common use


class SidecarError(ResourceError):
    """A result cannot be written to its file; it is kept in the journal."""


class Sidecars:
    """Writes the results of a run to files.

    Args:
        journal: Knows what runs wrote.
        form: Of the files.
        folder: Where they go; None puts each beside its video.
        overwrite: Replace files that no run wrote, too.

    Raises:
        UsageError: The folder cannot be made or written.
    """

    def __init__(
        self, journal: "Journal", form: AnyForm, *, folder: Path | None, overwrite: bool
    ) -> None:
        self._journal = journal
        self._form = form
        self._folder = folder
        self._overwrite = overwrite
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(f"{folder} cannot be made: {error.strerror}") from error
            if not os.access(folder, os.W_OK | os.X_OK):
                raise UsageError(f"{folder} cannot be written")

    def write(
        self,
        item: Input,
        fingerprint: str,
        rendering: str,
        make: Callable[[], bytes],
        *,
        is_new: bool,
    ) -> tuple[Path, bool]:
        """Bring the file of a video up to date.

        Args:
            item: The video.
            fingerprint: Of its content.
            rendering: Names the content of the file without making it.
            make: Makes the content.
            is_new: The result was just made: the file is written even where it looks current.

        Returns:
            The file, and whether it had to be written.

        Raises:
            SidecarError: It cannot be written.
            OutputError: The disk is full or cannot be written at all.
        """
        rendering = f"{rendering} {self._form.value}"
        while True:
            path, owner, on_disk = self._choose(item, fingerprint, rendering)
            if not is_new and _is_current(owner, on_disk, fingerprint, rendering):
                return path, False
            content = make()
            if self._claim(path, owner, on_disk, item, fingerprint, rendering, content):
                self._put(path, content)
                return path, True

    def _claim(
        self,
        path: Path,
        owner: "WrittenFile | None",
        on_disk: str,
        item: Input,
        fingerprint: str,
        rendering: str,
        content: bytes,
    ) -> bool:
        from vidcli.library.journal import WrittenFile

        new = WrittenFile(
            fingerprint, os.path.abspath(item.path), rendering, _digest(content), on_disk
        )
        return self._journal.claim_file(str(path), new, instead_of=owner)

    def _choose(
        self, item: Input, fingerprint: str, rendering: str
    ) -> tuple[Path, "WrittenFile | None", str]:
        """The first name that is free or ours, what is known of it, and what it holds."""
        for path in self._names(item, fingerprint):
            owner = self._journal.find_file(str(path))
            on_disk = _digest_of(path)
            if self._is_usable(path, owner, on_disk, item, fingerprint, rendering):
                return path, owner, on_disk
        raise SidecarError(
            f"{path} is there already and was not written by vidcli",
            hint="--overwrite replaces it",
        )

    def _names(self, item: Input, fingerprint: str) -> Iterator[Path]:
        if self._folder is None:
            folder = os.path.dirname(item.path) or os.curdir
        else:
            folder = os.path.join(self._folder, os.path.dirname(item.below))
        place = Path(os.path.realpath(folder))
        name = os.path.basename(item.path)
        suffix = self._form.suffix
        for plain in (f"{os.path.splitext(name)[0]}{suffix}", f"{name}{suffix}"):
            if len(os.fsencode(plain)) <= NAME_BYTES_MAX:
                yield place / plain
        tail = f".{fingerprint[:8]}{suffix}"
        yield place / f"{_shorten(name, NAME_BYTES_MAX - len(tail))}{tail}"

    def _is_usable(
        self,
        path: Path,
        owner: "WrittenFile | None",
        on_disk: str,
        item: Input,
        fingerprint: str,
        rendering: str,
    ) -> bool:
        if on_disk and (on_disk == UNREADABLE or _is_same(path, item.path)):
            return False
        if owner is None:
            return not on_disk or self._overwrite
        if fingerprint != owner.fingerprint and os.path.abspath(item.path) != owner.video:
            return False
        is_edited = on_disk not in ("", owner.digest, owner.previous)
        return not is_edited or owner.rendering == rendering or self._overwrite

    def _put(self, path: Path, content: bytes) -> None:
        try:
            _remove_leftovers(path)
            with atomic_write(path) as file:
                file.write(content)
        except OSError as error:
            sentence = f"cannot write {path}: {error.strerror or error}"
            if self._folder is not None and error.errno in DISK_TROUBLE:
                raise OutputError(sentence) from error
            raise SidecarError(sentence) from error


def _is_current(
    owner: "WrittenFile | None", on_disk: str, fingerprint: str, rendering: str
) -> bool:
    """Whether the file holds what it should, or what its user made of that."""
    if owner is None or not on_disk:
        return False
    if (owner.fingerprint, owner.rendering) != (fingerprint, rendering):
        return False
    return on_disk == owner.digest or on_disk != owner.previous


def _shorten(name: str, n_bytes: int) -> str:
    """The start of a name, whole characters only."""
    while len(os.fsencode(name)) > n_bytes:
        name = name[:-1]
    return name


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _digest_of(path: Path) -> str:
    """Digest of a file; empty where there is none."""
    try:
        return _digest(path.read_bytes())
    except FileNotFoundError:
        return ""
    except OSError:
        return UNREADABLE


def _is_same(path: Path, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False


def _remove_leftovers(path: Path) -> None:
    """Remove what runs that were killed while they wrote this file have left."""
    start = f".{path.name[:40]}."
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if entry.name.startswith(start) and entry.name.endswith(".tmp"):
                with suppress(OSError):
                    if entry.stat().st_mtime < time.time() - STALE_S:
                        os.unlink(entry.path)
