"""What is known of a video in words: from data files, subtitles, and the model's own captions."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from vidcli.cli.footage import Footage
from vidcli.cli.labels import LabelFiles
from vidcli.errors import MediaError

if TYPE_CHECKING:
    from vidcli.core.speech import Cue
    from vidcli.library.journal import Journal
    from vidcli.methods.context import Kind, Note
    from vidcli.train.data.sample import Sample

AUTO, NONE = "auto", "none"
INSTANT_S = Fraction(1)  # shown around what has a time and no length


@dataclass(frozen=True, slots=True)
class Sources:
    """Where to look for words about videos.

    Attributes:
        captions: Rows about what is seen; timed speech among them stays speech.
        screen: Rows about what is written in the picture.
        speech: `auto`, `none` or a subtitle file.
        journal: Knows which subtitle files are results of ours: captions, and no speech.
    """

    captions: LabelFiles
    screen: LabelFiles
    speech: str
    journal: "Journal"

    def find(self, source: Footage, path: str) -> "tuple[list[Note], list[str]]":
        """What is known of a video, in no order, and what could not be used.

        Raises:
            MediaError: The subtitle file that was named cannot be read.
        """
        from vidcli.methods.context import Kind, Note

        notes = [note for row in self.captions.of(path) for note in _notes(row, Kind.CAPTION)]
        notes += [note for row in self.screen.of(path) for note in _notes(row, Kind.SCREEN)]
        cues, warnings = find_cues(source, self.speech, self.journal)
        notes += [Note(Kind.SPEECH, cue.text, cue.span) for cue in cues]
        return notes, warnings


def _notes(row: "Sample", kind: "Kind") -> "Iterator[Note]":
    from vidcli.methods.context import Kind, Note
    from vidcli.train.data.labels import to_labels

    kind = Kind.SPEECH if row.is_speech else kind
    if row.span is None and row.exchanges:
        for asked in row.exchanges:
            yield from (Note(kind, text) for text in (asked.answer, *asked.others))
        return
    for label in to_labels([row], whole=row.span, instant=INSTANT_S):
        yield from (Note(kind, text, label.span) for text in label.texts)


def find_cues(
    source: Footage, choice: str, journal: "Journal"
) -> "tuple[Sequence[Cue], list[str]]":
    """Subtitles of a video: of the file that is named, else beside it, else inside it.

    A file beside it that a run of ours wrote says what is seen and not what is said.

    Returns:
        Cues in order, and what could not be used.

    Raises:
        MediaError: The file that was named cannot be read.
    """
    from vidcli.media.subtitles import find_sidecars

    if choice == NONE:
        return (), []
    if choice != AUTO:
        return _read_file(source, choice, None), []
    path, call = source.info.path, source.worker.call
    tries: list[Callable[[], Sequence[Cue]]] = [
        partial(_read_file, source, sidecar.path, sidecar.language)
        for sidecar in find_sidecars(path)
        if not _is_result(sidecar.path, journal)
    ]
    tries += [
        partial(call, "subtitle_stream", path, index=stream.index)
        for stream in source.info.subtitles
        if stream.is_text
    ]
    warnings = []
    for read in tries:
        try:
            cues = read()
        except MediaError as error:
            warnings.append(f"{error}: not used")
            continue
        if cues:
            return cues, warnings
    return (), warnings


def _is_result(path: str, journal: "Journal") -> bool:
    """Whether a run wrote the file as it is now."""
    folder, name = os.path.split(os.path.abspath(path))
    written = journal.find_file(os.path.join(os.path.realpath(folder), name))
    if written is None:
        return False
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest().startswith(written.digest)
    except OSError:
        return False


def _read_file(source: Footage, path: str, language: str | None) -> "Sequence[Cue]":
    cues: Sequence[Cue]
    cues, _ = source.worker.call("subtitle_file", path, language=language)
    return cues
