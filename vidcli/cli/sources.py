"""What is known of a video in words: from data files, subtitles, and the model's own captions."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from vidcli.cli.footage import Footage
from vidcli.cli.labels import LabelFiles
from vidcli.cli.speech import find_speech

if TYPE_CHECKING:
    from vidcli.methods.context import Kind, Note
    from vidcli.train.data.sample import Sample

INSTANT_S = Fraction(1)  # shown around what has a time and no length


@dataclass(frozen=True, slots=True)
class Sources:
    """Where to look for words about videos.

    Attributes:
        captions: Rows about what is seen; timed speech among them stays speech.
        screen: Rows about what is written in the picture.
        speech: `auto`, `none` or a subtitle file.
    """

    captions: LabelFiles
    screen: LabelFiles
    speech: str

    def find(self, source: Footage, path: str) -> "tuple[list[Note], list[str]]":
        """What is known of a video, in no order, and what could not be used.

        Raises:
            MediaError: The subtitle file that was named cannot be read.
        """
        from vidcli.methods.context import Kind, Note

        notes = [note for row in self.captions.of(path) for note in _notes(row, Kind.CAPTION)]
        notes += [note for row in self.screen.of(path) for note in _notes(row, Kind.SCREEN)]
        heard = find_speech(source, self.speech)
        if heard.transcript is None:
            return notes, list(heard.notes)
        notes += [Note(Kind.SPEECH, cue.text, cue.span) for cue in heard.transcript.cues]
        return notes, [*heard.notes, *heard.transcript.notes]


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
