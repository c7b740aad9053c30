"""The directories that vidcli writes to, what lies in them, and the disk they are on."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from vidcli.core.findings import Finding, Level
from vidcli.core.units import GIB, KIB, format_size
from vidcli.models.hardware import read_free_disk

LITTLE_DISK = 1 * GIB
NO_DISK = 64 * KIB**2


def check_folder(name: str, folder: Path, variable: str) -> Finding:
    """Whether a directory can be written, and how much its disk has free.

    Args:
        name: What it holds.
        folder: Which; it need not be there yet.
        variable: What sets it.
    """
    free = read_free_disk(folder)
    facts = {"name": name, "path": str(folder), "free_bytes": free}
    text = f"{name}: {folder}, {format_size(free)} free"
    cause = find_obstacle(folder)
    if cause:
        remedy = f"set {variable} to a directory that can be written"
        return Finding("folder", Level.WARNING, f"{text}, {cause}", remedy, facts)
    if free < LITTLE_DISK:
        level = Level.WARNING if free > NO_DISK else Level.PROBLEM
        remedy = f"free some space, or set {variable} to another disk"
        return Finding("folder", level, text, remedy, facts)
    return Finding("folder", Level.OK, text, facts=facts)


def find_obstacle(folder: Path) -> str:
    """Why a file cannot be made in a directory, or in the one it would be made in; empty if not."""
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if not existing.is_dir():
        return f"{existing} is no directory"
    if existing != folder:
        return "" if os.access(existing, os.W_OK | os.X_OK) else f"{existing} cannot be written"
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=".vidcli-"):
            return ""
    except OSError as error:
        return f"it cannot be written: {error.strerror or error}"


def check_caches(
    sizes: Sequence[tuple[str, int, int]], *, max_bytes: int, folder: Path
) -> Iterator[Finding]:
    """How much the caches hold.

    Args:
        sizes: Name, files and bytes of each.
        max_bytes: What they may hold.
        folder: Where they are.
    """
    total = sum(size for _, _, size in sizes)
    parts = ", ".join(f"{name} {format_size(size)}" for name, _, size in sizes if size)
    text = f"caches hold {format_size(total)} of at most {format_size(max_bytes)}" + (
        f": {parts}" if parts else ""
    )
    facts = {"bytes": total, "max_bytes": max_bytes, "parts": {n: size for n, _, size in sizes}}
    room = read_free_disk(folder)
    if total + room < max_bytes:
        text += f"; the disk has room for {format_size(room)} more"
        remedy = f"vidcli config set cache_size {max(1, (total + room) // 2 // KIB**2)}MiB"
        yield Finding("caches", Level.NOTE, text, remedy, facts)
    else:
        yield Finding("caches", Level.OK, text, facts=facts)


def check_crashes(folder: Path) -> Iterator[Finding]:
    """Reports of bugs that were kept."""
    reports = sorted(folder.glob("*.txt")) if folder.is_dir() else []
    if not reports:
        yield Finding("crashes", Level.OK, "no crash was reported")
        return
    text = f"{len(reports)} crash report{'s' * (len(reports) > 1)}, the latest is {reports[-1]}"
    yield Finding("crashes", Level.NOTE, text, f"report it, or rm -r {folder}")


def check_journal(folder: Path) -> Iterator[Finding]:
    """The journal of runs over many videos: what it knows, and whether it is sound."""
    from vidcli.library.journal_care import describe_journal

    known = describe_journal(folder, thorough=True)
    if known is None:
        yield Finding("journal", Level.OK, "no run over many videos was made yet")
        return
    for old in known.aside:
        text = f"a damaged journal was put aside: {old}"
        yield Finding("journal-aside", Level.NOTE, text, f"rm {old}")
    facts = {"path": str(known.path), "bytes": known.size_bytes, "results": known.results}
    if known.damage:
        text = f"{known.path}: {known.damage}"
        remedy = "the next run puts it aside and begins a new one"
        yield Finding("journal", Level.WARNING, text, remedy, facts)
        return
    size = format_size(known.size_bytes)
    text = f"{known.results} results of runs, {known.failures} of them failures, {size}"
    yield Finding("journal", Level.OK, text, facts=facts)
