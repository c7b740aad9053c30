"""`vidcli cache`: see and bound what is kept on disk to be reused.

Nothing in the caches is precious; whatever is removed is made again when it is needed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli import settings
from vidcli.cli.caches import open_derived_files, open_prefix_cache, open_token_cache
from vidcli.cli.options import JsonOption, read_size
from vidcli.cli.terminal import Notes, write_document, write_out
from vidcli.errors import UsageError

if TYPE_CHECKING:
    from vidcli.engine.lru_dir import CacheEntry


@dataclass(frozen=True, slots=True)
class Part:
    """One of the caches.

    Attributes:
        name: What a person calls what it holds.
        usage: Its files, most recently used first.
        prune: Removes the least recently used down to so many bytes; returns the bytes freed.
        warnings: What went wrong with the disk.
    """

    name: str
    usage: "Callable[[], Sequence[CacheEntry]]"
    prune: Callable[[int], int]
    warnings: Callable[[], Sequence[str]]


def list_parts() -> list[Part]:
    """Every cache there is."""
    tokens, prefixes, derived = open_token_cache(), open_prefix_cache(), open_derived_files()
    return [
        Part("visual tokens", tokens.usage, tokens.prune, lambda: tokens.warnings),
        Part("prefix snapshots", prefixes.usage, prefixes.prune, lambda: prefixes.warnings),
        Part("derived projectors", derived.usage, derived.prune, lambda: derived.warnings),
    ]


def show(
    json: JsonOption = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="List every file.")] = False,
) -> None:
    """Show how much the caches hold, and where."""
    _report(list_parts(), json=json, verbose=verbose)


def prune(
    max_size: Annotated[
        int,
        typer.Option(
            "--max-size",
            metavar="SIZE",
            parser=read_size,
            help="Most that may be left, as 2GB or 500MB.",
            show_default=False,
        ),
    ],
    json: JsonOption = False,
) -> None:
    """Remove what was least recently used until the caches fit a size."""
    parts = list_parts()
    _report(parts, freed=_prune(parts, max_size), json=json)


def clear(
    yes: Annotated[bool, typer.Option("--yes", help="Do it.")] = False,
    json: JsonOption = False,
) -> None:
    """Remove everything from the caches."""
    if not yes:
        raise UsageError(
            "this removes everything from the caches", hint="'vidcli cache clear --yes' does it"
        )
    parts = list_parts()
    _report(parts, freed=sum(part.prune(-1) for part in parts), json=json)


def _prune(parts: Sequence[Part], max_bytes: int) -> int:
    """Remove the least recently used files of all parts together; returns the bytes freed."""
    entries = [(entry, part) for part in parts for entry in part.usage()]
    entries.sort(key=lambda pair: pair[0].last_used, reverse=True)
    kept: dict[str, int] = {part.name: 0 for part in parts}
    total = 0
    for entry, part in entries:
        total += entry.size_bytes
        if total > max_bytes:
            break
        kept[part.name] += entry.size_bytes
    return sum(part.prune(kept[part.name]) for part in parts)


def _report(
    parts: Sequence[Part], *, freed: int | None = None, json: bool, verbose: bool = False
) -> None:
    from vidcli.output.documents import cache_document
    from vidcli.output.plain import align, count, format_size, printable

    notes = Notes()
    entries = {part.name: part.usage() for part in parts}
    sizes = [
        (name, len(files), sum(entry.size_bytes for entry in files))
        for name, files in entries.items()
    ]
    for warning in (text for part in parts for text in part.warnings()):
        notes.warn(warning)
    if json:
        document = cache_document(
            str(settings.cache_dir()),
            sizes,
            max_bytes=settings.CACHE_MAX_BYTES,
            freed_bytes=freed or 0,
        )
        write_document(document)
        return
    rows = [(name, count(files, "file"), format_size(size)) for name, files, size in sizes]
    total = sum(size for _, _, size in sizes)
    rows.append(("in all", count(sum(n for _, n, _ in sizes), "file"), format_size(total)))
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
    folder, bound = settings.cache_dir(), format_size(settings.CACHE_MAX_BYTES)
    notes.tell(f"in {folder}, at most {bound}")
