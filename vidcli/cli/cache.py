"""`vidcli cache`: see and bound what is kept on disk to be reused.

Nothing in the caches is precious; whatever is removed is made again when it is needed. The run
journal is: its results cost a model's time, and go only where a person names it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from vidcli import settings
from vidcli.cli.caches import (
    KeptCaptions,
    open_derived_files,
    open_digests,
    open_features,
    open_prefix_cache,
    open_token_cache,
    open_trials,
)
from vidcli.cli.options import JsonOption, read_age, read_size
from vidcli.cli.terminal import Notes, write_document, write_out
from vidcli.errors import UsageError

if TYPE_CHECKING:
    from vidcli.engine.lru_dir import CacheEntry


class Bounded(Protocol):
    """What every cache can do."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What went wrong with the disk."""

    def usage(self) -> "list[CacheEntry]":
        """Its files, most recently used first."""

    def prune(self, max_bytes: int) -> int:
        """Remove the least recently used down to so many bytes; returns the bytes freed."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the caches, and what a person calls what it holds."""

    name: str
    files: Bounded


def list_parts() -> list[Part]:
    """Every cache there is."""
    return [
        Part("visual tokens", open_token_cache()),
        Part("prefix snapshots", open_prefix_cache()),
        Part("segment captions", KeptCaptions()),
        Part("derived projectors", open_derived_files()),
        Part("training features", open_features()),
        Part("model checksums", open_digests()),
        Part("model trials", open_trials()),
    ]


AgeOption = Annotated[
    int | None,
    typer.Option(
        "--journal-older-than",
        metavar="AGE",
        parser=read_age,
        help="Also forget results of runs that are older, as 90d, 12w or 36h.",
        show_default=False,
    ),
]


def show(
    json: JsonOption = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="List every file.")] = False,
) -> None:
    """Show how much the caches and the run journal hold, and where."""
    _report(list_parts(), json=json, verbose=verbose)


def prune(
    max_size: Annotated[
        int | None,
        typer.Option(
            "--max-size",
            metavar="SIZE",
            parser=read_size,
            help="Most that may be left, as 2GB or 500MB.",
            show_default=False,
        ),
    ] = None,
    journal_older_than: AgeOption = None,
    json: JsonOption = False,
) -> None:
    """Remove what was least recently used until the caches fit a size.

    Results of runs over many videos stay, unless --journal-older-than names an age: a run does
    again what is forgotten.
    """
    if max_size is None and journal_older_than is None:
        raise UsageError("nothing to remove is named", hint="vidcli cache prune --max-size 2GB")
    parts = list_parts()
    freed = 0 if max_size is None else _prune(parts, max_size)
    forgotten = None if journal_older_than is None else _forget(journal_older_than)
    _report(parts, freed=freed, forgotten=forgotten, json=json)


def clear(
    yes: Annotated[bool, typer.Option("--yes", help="Do it.")] = False,
    journal: Annotated[
        bool,
        typer.Option("--journal", help="Also forget the results of runs over many videos."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Remove everything from the caches; results of runs stay without --journal."""
    if not yes:
        raise UsageError(
            "this removes everything from the caches", hint="'vidcli cache clear --yes' does it"
        )
    parts = list_parts()
    freed = sum(part.files.prune(-1) for part in parts)
    forgotten = _forget(None) if journal else None
    _report(parts, freed=freed, forgotten=forgotten, json=json)


def _forget(older_than_s: int | None) -> int:
    from vidcli.library.journal_care import forget_results

    return forget_results(settings.state_dir(), older_than_s=older_than_s)


def _prune(parts: Sequence[Part], max_bytes: int) -> int:
    """Remove the least recently used files of all parts together; returns the bytes freed."""
    entries = [(entry, part) for part in parts for entry in part.files.usage()]
    entries.sort(key=lambda pair: pair[0].last_used, reverse=True)
    kept: dict[str, int] = {part.name: 0 for part in parts}
    total = 0
    for entry, part in entries:
        total += entry.size_bytes
        if total > max_bytes:
            break
        kept[part.name] += entry.size_bytes
    return sum(part.files.prune(kept[part.name]) for part in parts)


def _report(
    parts: Sequence[Part],
    *,
    freed: int | None = None,
    forgotten: int | None = None,
    json: bool,
    verbose: bool = False,
) -> None:
    from vidcli.library.journal_care import describe_journal
    from vidcli.output.documents import cache_document
    from vidcli.output.plain import align, count, format_size, printable

    notes = Notes()
    entries = {part.name: part.files.usage() for part in parts}
    sizes = [
        (name, len(files), sum(entry.size_bytes for entry in files))
        for name, files in entries.items()
    ]
    for warning in (text for part in parts for text in part.files.warnings):
        notes.warn(warning)
    journal = describe_journal(settings.state_dir())
    if json:
        document = cache_document(
            str(settings.cache_dir()),
            sizes,
            max_bytes=settings.cache_size(),
            freed_bytes=freed or 0,
            journal=journal,
            forgotten=forgotten or 0,
        )
        write_document(document)
        return
    rows = [(name, count(files, "file"), format_size(size)) for name, files, size in sizes]
    total = sum(size for _, _, size in sizes)
    rows.append(("in all", count(sum(n for _, n, _ in sizes), "file"), format_size(total)))
    if journal is not None:
        known = "unreadable" if journal.damage else count(journal.results, "result")
        rows.append(("run journal", known, format_size(journal.size_bytes)))
    write_out(align(rows, right=(1, 2)))
    if verbose:
        write_out(
            align(
                [
                    (format_size(entry.size_bytes), printable(entry.label or entry.path.name))
                    for files in entries.values()
                    for entry in files
                ],
                right=(0,),
            )
        )
    if freed is not None:
        notes.tell(f"{format_size(freed)} freed")
    if forgotten is not None:
        notes.tell(f"{count(forgotten, 'result')} of runs forgotten")
    if journal is not None and journal.damage:
        notes.warn(f"the run journal {journal.path}: {journal.damage}")
    folder, bound = settings.cache_dir(), format_size(settings.cache_size())
    notes.tell(f"in {folder}, at most {bound}")
