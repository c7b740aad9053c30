"""Answers in the forms that files carry: text, JSON, CSV, subtitles, Markdown.

Everything is made from JSON documents (`documents`), so that a result of an earlier run comes out
in any form without the model.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

from vidcli.core.time import format_range
from vidcli.output.chapters import (
    ChapterForm,
    escape_vtt,
    list_chapters,
    vtt_clock,
    write_chapter_file,
)
from vidcli.output.documents import Document, write_json
from vidcli.output.plain import printable
from vidcli.output.rows import (
    Row,
    count_frames,
    is_table,
    list_rows,
    say_maker,
    say_rows,
    say_time,
)
from vidcli.output.summaries import say_speech

CSV_COLUMNS = (
    "file", "question", "answer", "finish", "start_s", "end_s", "frames", "probability",
    "fingerprint", "model", "warnings", "error",
)  # fmt: skip


class Form(StrEnum):
    """How results are written."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    SRT = "srt"
    VTT = "vtt"
    MD = "md"

    @property
    def suffix(self) -> str:
        """Of a file in this form."""
        return ".txt" if self is Form.TEXT else f".{self.value}"

    @property
    def is_json(self) -> bool:
        """Whether results are JSON documents."""
        return self in (Form.JSON, Form.JSONL)


AnyForm = Form | ChapterForm


def render_file(document: Document, form: AnyForm) -> bytes:
    """A result as the whole content of a file.

    Args:
        document: `answer`, `caption`, `check`, `summary`, `transcript`, `screen-text`, or one of
            rows.
        form: JSON comes indented, JSONL on one line; chapter forms are a summary's only.
    """
    if isinstance(form, ChapterForm):
        text = write_chapter_file(document, form)
    elif form.is_json:
        text = write_json(document, indent=form is Form.JSON)
    elif form is Form.CSV:
        text = write_csv_row(CSV_COLUMNS) + csv_row(document)
    elif form is Form.SRT:
        text = write_srt(document)
    elif form is Form.VTT:
        text = write_vtt(document)
    elif form is Form.MD:
        text = write_markdown(document)
    else:
        text = say_result(document) + "\n"
    return text.encode("utf-8", "surrogateescape")


def say_result(document: Document) -> str:
    """The answer itself: a text, `yes 0.912`, a line a row, title and chapters, or what is when."""
    rows = list_rows(document)
    if rows is not None:
        return say_rows(document, rows)
    if _is_summary(document):
        parts = [_plain(document["title"]), "", _plain(document["summary"]), ""]
        return "\n".join([*parts, *list_chapters(document)])
    if document["schema"]["name"] == "check":
        return f"{'yes' if document['holds'] else 'no'} {document['probability']:.3f}"
    text = document.get("answer", document.get("caption", ""))
    return printable(str(text), keep="\n\t")


def _is_summary(document: Document) -> bool:
    return bool(document["schema"]["name"] == "summary")


def _plain(text: str) -> str:
    return printable(" ".join(text.split()))


def _question(document: Document) -> str:
    return str(document.get("question", document.get("statement", "")))


def csv_row(document: Document) -> str:
    """A result as a row under `CSV_COLUMNS`; a document `error` has little more than its error."""
    if document["schema"]["name"] == "error":
        return write_csv_row([document["path"], *[""] * (len(CSV_COLUMNS) - 2), document["error"]])
    if _is_summary(document):
        return "".join(_summary_rows(document))
    rows = list_rows(document)
    if rows is not None:
        return "".join(_csv_rows(document, rows))
    coverage = document["coverage"]
    probability = document.get("probability")
    return write_csv_row(
        [
            document["video"]["path"],
            _question(document),
            say_result(document),
            document.get("finish", ""),
            f"{coverage['start_s']:.3f}",
            f"{coverage['end_s']:.3f}",
            str(coverage["frames"]),
            "" if probability is None else f"{probability:.6f}",
            document["video"]["fingerprint"],
            document["model"]["name"],
            "; ".join(document["warnings"]),
            "",
        ]
    )


def _csv_rows(document: Document, rows: Sequence[Row]) -> Iterator[str]:
    """A line for each row; what is to be known of all stands in the first."""
    for number, row in enumerate(rows):
        yield write_csv_row(
            [
                document["video"]["path"],
                row.question,
                row.answer,
                "",
                f"{row.span['start_s']:.3f}",
                f"{row.span['end_s']:.3f}",
                "" if row.frames is None else str(row.frames),
                "" if row.probability is None else f"{row.probability:.6f}",
                document["video"]["fingerprint"],
                say_maker(document),
                "" if number else "; ".join(document["warnings"]),
                "",
            ]
        )


def _summary_rows(document: Document) -> Iterator[str]:
    """A row for the whole, then one for each chapter."""
    path, fingerprint = document["video"]["path"], document["video"]["fingerprint"]
    whole = f"{_plain(document['title'])}: {_plain(document['summary'])}"
    n_frames = count_frames(document)
    rows = [("summary", whole, document["coverage"], document["coverage"]["frames"])]
    rows += [
        (
            f"chapter {chapter['number']}",
            _plain(chapter["title"]),
            chapter,
            n_frames[chapter["number"]],
        )
        for chapter in document["chapters"]
    ]
    for kind, text, span, frames in rows:
        warnings = "; ".join(document["warnings"]) if kind == "summary" else ""
        yield write_csv_row(
            [
                path,
                kind,
                text,
                "",
                f"{span['start_s']:.3f}",
                f"{span['end_s']:.3f}",
                str(frames),
                "",
                fingerprint,
                document["model"]["name"],
                warnings,
                "",
            ]
        )


def write_csv_row(cells: "list[str] | tuple[str, ...]") -> str:
    """One line of CSV (RFC 4180 apart from its line end)."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _cues(document: Document) -> list[tuple[float, float, str]]:
    """(start, end, text): what was cited at its times, else the whole answer over what was seen.

    Of a summary these are the captions of its segments; of rows that each have their own time, the
    rows.
    """
    rows = list_rows(document)
    if rows is not None and all(row.span is not document.get("coverage") for row in rows):
        cues = [(row.span["start_s"], row.span["end_s"], row.cue or row.answer) for row in rows]
        return sorted(cues, key=lambda cue: cue[0])
    if _is_summary(document):
        return [
            (segment["start_s"], segment["end_s"], _plain(segment["caption"]))
            for segment in document["segments"]
            if segment["caption"].strip()
        ]
    cited = [entry for entry in document.get("evidence", ()) if entry["quote"]]
    if cited:
        return [
            (entry["start_s"], entry["end_s"], printable(entry["quote"]))
            for entry in sorted(cited, key=lambda entry: entry["start_s"])
        ]
    coverage: dict[str, Any] = document["coverage"]
    return [(coverage["start_s"], coverage["end_s"], say_result(document))]


def write_srt(document: Document) -> str:
    """A result as SubRip subtitles."""
    return "\n".join(
        f"{number}\n{vtt_clock(start, ',')} --> {vtt_clock(end, ',')}\n{_one_block(text)}\n"
        for number, (start, end, text) in enumerate(_cues(document), start=1)
    )


def write_vtt(document: Document) -> str:
    """A result as WebVTT."""
    cues = "\n".join(
        f"{vtt_clock(start)} --> {vtt_clock(end)}\n{escape_vtt(_one_block(text))}\n"
        for start, end, text in _cues(document)
    )
    return f"WEBVTT\n\n{cues}"


def _one_block(text: str) -> str:
    """Text without the empty lines that would end a cue."""
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


def write_markdown(document: Document) -> str:
    """A result to be read: the file, the question, the answer, and what it rests on."""
    lines = [f"## {printable(document['video']['path'])}", ""]
    if _is_summary(document):
        lines += [f"### {_plain(document['title'])}", "", _plain(document["summary"]), ""]
        lines += [f"- {line}" for line in list_chapters(document)]
        if document["speech"] is not None:
            lines += ["", f"*{_plain(say_speech(document['speech']))}*"]
    elif _question(document):
        lines += [f"**{printable(_question(document))}**", ""]
    rows = list_rows(document)
    if rows is not None:
        lines += [f"- {row.line}" for row in rows]
    elif not _is_summary(document):
        lines += [say_result(document), ""]
    for entry in document.get("evidence", ()):
        if entry["quote"]:
            times = format_range(entry["start_s"], entry["end_s"])
            lines.append(f"- {times}: {printable(entry['quote'])}")
    lines += [""] if lines[-1] else []
    lines += [f"*{_say_ground(document)}*", ""]
    lines += [f"> {printable(warning)}" for warning in document["warnings"]]
    return "\n".join([*lines, ""] if document["warnings"] else lines)


def _say_ground(document: Document) -> str:
    """Who made an answer; of how much of the video, where that is not the answer's own times."""
    maker = printable(say_maker(document))
    if is_table(document):
        return maker
    coverage = document["coverage"]
    gap = coverage["largest_gap"]["length_s"]
    start, end = (say_time(coverage[name]) for name in ("start_s", "end_s"))
    frames = f"{coverage['frames']} frames seen from {start} to {end}"
    return f"{frames}, largest unseen gap {gap:.1f} s; {maker}"
