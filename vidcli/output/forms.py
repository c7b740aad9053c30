"""Answers in the forms that files carry: text, JSON, CSV, subtitles, Markdown.

Everything is made from JSON documents (`documents`), so that a result of an earlier run comes out
in any form without the model.
"""

import csv
import io
from enum import StrEnum
from typing import Any

from vidcli.core.time import format_time
from vidcli.output.documents import Document, write_json
from vidcli.output.plain import printable

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


def render_file(document: Document, form: Form) -> bytes:
    """A result as the whole content of a file.

    Args:
        document: `answer`, `caption` or `check`.
        form: JSON comes indented, JSONL on one line.
    """
    if form.is_json:
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
    """The answer itself: a text, or `yes 0.912`."""
    if document["schema"]["name"] == "check":
        return f"{'yes' if document['holds'] else 'no'} {document['probability']:.3f}"
    text = document.get("answer", document.get("caption", ""))
    return printable(str(text), keep="\n\t")


def _question(document: Document) -> str:
    return str(document.get("question", document.get("statement", "")))


def csv_row(document: Document) -> str:
    """A result as a row under `CSV_COLUMNS`; a document `error` has little more than its error."""
    if document["schema"]["name"] == "error":
        return write_csv_row([document["path"], *[""] * (len(CSV_COLUMNS) - 2), document["error"]])
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


def write_csv_row(cells: "list[str] | tuple[str, ...]") -> str:
    """One line of CSV (RFC 4180 apart from its line end)."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _cues(document: Document) -> list[tuple[float, float, str]]:
    """(start, end, text): what was cited at its times, else the whole answer over what was seen."""
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
        f"{number}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{_one_block(text)}\n"
        for number, (start, end, text) in enumerate(_cues(document), start=1)
    )


def write_vtt(document: Document) -> str:
    """A result as WebVTT."""
    cues = "\n".join(
        f"{_clock(start, '.')} --> {_clock(end, '.')}\n{_escape_vtt(_one_block(text))}\n"
        for start, end, text in _cues(document)
    )
    return f"WEBVTT\n\n{cues}"


def _clock(seconds: float, point: str) -> str:
    thousandths = round(seconds * 1000)
    whole, rest = divmod(thousandths, 1000)
    minutes, secs = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{secs:02d}{point}{rest:03d}"


def _one_block(text: str) -> str:
    """Text without the empty lines that would end a cue."""
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


def _escape_vtt(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def write_markdown(document: Document) -> str:
    """A result to be read: the file, the question, the answer, and what it rests on."""
    coverage = document["coverage"]
    gap = coverage["largest_gap"]["length_s"]
    lines = [f"## {printable(document['video']['path'])}", ""]
    if _question(document):
        lines += [f"**{printable(_question(document))}**", ""]
    lines += [say_result(document), ""]
    for entry in document.get("evidence", ()):
        if entry["quote"]:
            start, end = (_say_time(entry[name]) for name in ("start_s", "end_s"))
            lines.append(f"- {start}–{end}: {printable(entry['quote'])}")
    lines += [""] if lines[-1] else []
    lines += [
        f"*{coverage['frames']} frames seen from {_say_time(coverage['start_s'])} to "
        f"{_say_time(coverage['end_s'])}, largest unseen gap {gap:.1f} s; "
        f"{printable(document['model']['name'])}*",
        "",
    ]
    lines += [f"> {printable(warning)}" for warning in document["warnings"]]
    return "\n".join([*lines, ""] if document["warnings"] else lines)


def _say_time(seconds: float) -> str:
    return format_time(seconds, decimals=1)
