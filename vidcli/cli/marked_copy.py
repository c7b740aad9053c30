"""`--write-chapters`: a copy of the video with chapter marks."""

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from vidcli.cli.groups import Telling
from vidcli.cli.inputs import Inputs
from vidcli.cli.keeping import Keeping
from vidcli.cli.tasks import leave_at_that
from vidcli.errors import UsageError
from vidcli.output.documents import Document
from vidcli.output.plain import count


def make_copier(
    target: Path | None, inputs: Inputs, telling: Telling, keeping: Keeping
) -> Callable[[Document], None]:
    """What writes the copy with chapter marks, checked before any work.

    Raises:
        UsageError: The copy cannot be written there.
    """
    if target is None:
        return leave_at_that
    from vidcli.media.chapters import CONTAINER_SUFFIXES

    if inputs.many:
        raise UsageError(
            "--write-chapters is about one video",
            hint="--chapters ffmetadata --out-dir DIR writes the marks of many",
        )
    if target.suffix.lower() not in CONTAINER_SUFFIXES:
        names = ", ".join(CONTAINER_SUFFIXES)
        raise UsageError(f"{target} is no container with chapters", hint=f"end its name in {names}")
    if any(target.exists() and _is_same(target, item.path) for item in inputs.files):
        raise UsageError(f"{target} is the video itself", hint="name another file")
    if target.exists() and not keeping.overwrite:
        raise UsageError(f"{target} is there already", hint="--overwrite replaces it")
    if target.is_dir() or not os.access(target.absolute().parent, os.W_OK):
        raise UsageError(f"cannot write {target}", hint="name a file in a folder you may write")

    def copy(document: Document) -> None:
        _write_copy(document, target, telling, overwrite=keeping.overwrite)

    return copy


def _write_copy(document: Document, target: Path, telling: Telling, *, overwrite: bool) -> None:
    from vidcli.core.media import Chapter
    from vidcli.core.time import Span
    from vidcli.media.chapters import write_chapters

    marks = [
        Chapter(
            Span(_exact(chapter["start_s"]), _exact(chapter["end_s"])),
            chapter["title"],
        )
        for chapter in document["chapters"]
    ]
    notes = write_chapters(document["video"]["path"], target, marks, overwrite=overwrite)
    for note in notes:
        telling.notes.warn(f"{target}: {note}")
    telling.notes.tell(f"{target} is written, with {count(len(marks), 'chapter mark')}")


def _exact(seconds: float) -> Fraction:
    return Fraction(seconds).limit_denominator(1_000_000)


def _is_same(path: Path, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False
