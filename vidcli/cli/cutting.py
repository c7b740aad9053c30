"""`--clip DIR`: the spans of a result, each cut out as a file."""

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidcli.core.time import Span, format_time
from vidcli.errors import UsageError
from vidcli.output.documents import Document

HIGHLIGHTS = "highlights"


class Cutter:
    """Cuts spans out of videos.

    Args:
        folder: Where the files go; made if need be.
        many: Whether there may be several videos; then names say which by their content too.
        overwrite: Cut again what is there already.
        spans: The field of a document that holds them.

    Raises:
        UsageError: The folder cannot be had.
    """

    def __init__(
        self, folder: Path, *, many: bool, overwrite: bool, spans: str = HIGHLIGHTS
    ) -> None:
        self._folder = folder
        self._many = many
        self._overwrite = overwrite
        self._spans = spans
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot make {folder}: {error.strerror}") from error
        if not os.access(folder, os.W_OK):
            raise UsageError(f"cannot write into {folder}", hint="name another folder")

    def name_clips(self, document: Document) -> Document:
        """A document whose spans say which file each is cut out as."""
        named = [
            {**span, "clip": str(self._folder / self._name(document, span))}
            for span in document[self._spans]
        ]
        return {**document, self._spans: named}

    def cut(self, document: Document) -> None:
        """Cut every span of a document out of its video; one that is there already is kept.

        Raises:
            MediaError: One cannot be cut.
            ResourceError: It cannot be written.
            SetupError: There is no ffmpeg program.
        """
        from vidcli.media.cut import cut_span

        for target, span in self._missing(document):
            cut_span(document["video"]["path"], target, span, overwrite=self._overwrite)

    def _missing(self, document: Document) -> Iterator[tuple[Path, Span]]:
        for entry in document[self._spans]:
            target = Path(entry["clip"])
            if self._overwrite or not target.exists():
                yield target, Span(_exact(entry["start_s"]), _exact(entry["end_s"]))

    def _name(self, document: Document, span: dict[str, Any]) -> str:
        video = document["video"]
        stem = Path(video["path"]).stem
        if self._many:
            stem += f"-{video['fingerprint'][:8]}"
        start, end = (_write_time(span[name]) for name in ("start_s", "end_s"))
        return f"{stem}-{start}-{end}.mp4"


def _write_time(seconds: float) -> str:
    """`0:01.5` as `0m01.5s`: a colon is no letter of a file name everywhere."""
    *whole, rest = format_time(seconds, decimals=1).split(":")
    units = "hm"[-len(whole) :]
    return "".join(f"{part}{unit}" for part, unit in zip(whole, units, strict=True)) + f"{rest}s"


def _exact(seconds: float) -> Fraction:
    return Fraction(seconds).limit_denominator(1_000_000)
