"""The hub's cache on disk: one blob for each content, and snapshots of links to them.

The layout is the hub client's own, so that other programs find what is here and the other way
round. Not here: the hub itself (`models.hub`).
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from vidcli.core.files import atomic_write
from vidcli.core.protocols import Progress
from vidcli.core.units import format_size
from vidcli.errors import ResourceError
from vidcli.models.digest import digest_file
from vidcli.models.hardware import read_free_disk
from vidcli.models.transfer import INCOMPLETE, Wanted

FREE_MARGIN_BYTES = 64 * 1024**2


def folder_of(cache: Path, repo: str) -> Path:
    """Where a repository's blobs, snapshots and refs are."""
    return cache / f"models--{repo.replace('/', '--')}"


def check_room(folder: Path, files: Sequence[Wanted]) -> None:
    """Make sure that what is still to come fits the disk.

    Raises:
        ResourceError: It does not.
    """
    missing = 0
    for file in files:
        blob = folder / "blobs" / file.digest
        partial = blob.with_name(blob.name + INCOMPLETE)
        if not blob.exists():
            there = partial.stat().st_size if partial.exists() else 0
            missing += max(file.size_bytes - there, 0)
    free = read_free_disk(folder)
    if missing and missing + FREE_MARGIN_BYTES > free:
        raise ResourceError(
            f"{format_size(missing)} are to be downloaded to {folder.parent}, and"
            f" {format_size(free)} are free there",
            hint="free some space, choose a smaller --quant, or set HF_HOME to another disk",
        )


def has_content(file: Wanted, blob: Path, progress: Progress | None) -> bool:
    """Whether the cache holds a file with the right content; a wrong one is removed."""
    if not blob.is_file():
        return False
    if blob.stat().st_size == file.size_bytes and (
        not file.sha256 or digest_file(blob, progress=progress) == file.sha256
    ):
        return True
    blob.unlink()
    return False


def link_blob(blob: Path, link: Path) -> None:
    """Put a file into a snapshot, as a relative link where the file system has links."""
    if link.exists():
        return
    link.unlink(missing_ok=True)  # a link to nothing
    try:
        link.symlink_to(os.path.relpath(blob, link.parent))
    except FileExistsError:  # the other process was quicker
        return
    except OSError:
        os.replace(blob, link)


def remember_revision(folder: Path, revision: str, commit: str) -> None:
    """Note which commit a branch stood for, as the client does."""
    if revision != commit:
        with atomic_write(folder / "refs" / revision) as file:
            file.write(commit.encode())


def remove_files(paths: Sequence[Path]) -> int:
    """Remove files from the cache, with their content where no other snapshot has it.

    Args:
        paths: In snapshots, as `models.hub.download` returns them.

    Returns:
        Bytes freed.
    """
    freed = 0
    folders = {parent.parent for path in paths for parent in path.parents if _is_snapshots(parent)}
    for path in paths:
        blob = path.resolve() if path.is_symlink() else path
        if blob != path:
            path.unlink(missing_ok=True)
        if blob.is_file() and not any(_is_linked(blob, folder) for folder in folders):
            freed += blob.stat().st_size
            blob.unlink()
    for folder in folders:
        _tidy(folder)
    return freed


def _is_snapshots(folder: Path) -> bool:
    return folder.name == "snapshots" and folder.parent.name.startswith("models--")


def _is_linked(blob: Path, folder: Path) -> bool:
    """Whether a snapshot of a repository still has this content."""
    links = (path for path in (folder / "snapshots").rglob("*") if path.is_symlink())
    return any(path.resolve() == blob for path in links)


def _tidy(folder: Path) -> None:
    """Remove what a repository's folder is left with: refs to commits that are gone, and holes."""
    for directory, _, _ in os.walk(folder / "snapshots", topdown=False):
        with suppress(OSError):  # there is something in it
            Path(directory).rmdir()
    for ref in [path for path in (folder / "refs").rglob("*") if path.is_file()]:
        if not (folder / "snapshots" / ref.read_text().strip()).is_dir():
            ref.unlink()
    for directory, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):
            Path(directory).rmdir()
