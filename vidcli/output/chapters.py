"""The chapters of a summary by themselves, in the forms that players and sites read."""

from enum import StrEnum

from vidcli.core.ffmetadata import TICKS, write_ffmetadata
from vidcli.core.time import format_time
from vidcli.output.documents import Document
from vidcli.output.plain import printable


class ChapterForm(StrEnum):
    """How chapters alone are written."""

    FFMETADATA = "ffmetadata"
    VTT = "vtt"
    MD = "md"

    @property
    def suffix(self) -> str:
        """Of a file in this form."""
        return ".ffmetadata" if self is ChapterForm.FFMETADATA else f".chapters.{self.value}"

    @property
    def is_json(self) -> bool:
        """Chapters alone are no JSON document."""
        return False

    @property
    def is_whole_file(self) -> bool:
        """Whether one after another they would be no file of this form."""
        return self is not ChapterForm.MD


def write_chapter_file(document: Document, form: ChapterForm) -> str:
    """The chapters of a document `summary` as the whole content of a file."""
    chapters = document["chapters"]
    if form is ChapterForm.FFMETADATA:
        return write_ffmetadata(
            (round(c["start_s"] * TICKS), round(c["end_s"] * TICKS), c["title"]) for c in chapters
        )
    if form is ChapterForm.VTT:
        cues = (
            f"{vtt_clock(c['start_s'])} --> {vtt_clock(c['end_s'])}\n{escape_vtt(_title(c))}\n"
            for c in chapters
        )
        return "WEBVTT\n\n" + "\n".join(cues)
    lines = [f"## {printable(document['video']['path'])}", ""]
    return "\n".join([*lines, *(f"- {line}" for line in list_chapters(document)), ""])


def list_chapters(document: Document) -> list[str]:
    """A line for each chapter, as video sites read them: `1:05 What it is about`."""
    chapters = document["chapters"]
    times = [format_time(chapter["start_s"]) for chapter in chapters]
    width = max((len(time) for time in times), default=0)
    return [
        f"{time.rjust(width)} {_title(chapter)}"
        for time, chapter in zip(times, chapters, strict=True)
    ]


def _title(chapter: Document) -> str:
    return printable(" ".join(chapter["title"].split()))


def vtt_clock(seconds: float, point: str = ".") -> str:
    """Seconds as `01:02:03.004`."""
    thousandths = round(seconds * 1000)
    whole, rest = divmod(thousandths, 1000)
    minutes, secs = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{secs:02d}{point}{rest:03d}"


def escape_vtt(text: str) -> str:
    """Text as WebVTT wants it in a cue."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
