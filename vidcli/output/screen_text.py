"""The document `screen-text`: text that a video shows, with times."""

from vidcli.core.screen import ScreenLine, ScreenReport
from vidcli.output.documents import (
    Document,
    coverage_entry,
    head,
    seconds,
    span_entry,
    video_entry,
)
from vidcli.output.plain import count


def screen_document(report: ScreenReport) -> Document:
    """The document `screen-text`."""
    return {
        "schema": head("screen-text"),
        "video": video_entry(report.video),
        "texts": [
            {
                **span_entry(text.span),
                "text": text.text,
                "lines": [_line(line) for line in text.lines],
            }
            for text in report.texts
        ],
        "coverage": coverage_entry(report.coverage),
        "step_s": seconds(report.step),
        "read": report.n_read,
        "left_out": report.n_left_out,
        "reader": report.reader,
        "warnings": list(report.warnings),
    }


def say_screen(document: Document) -> str:
    """How a video was read, in one line."""
    looks = count(document["coverage"]["frames"], "look")
    left = document["left_out"]
    dropped = f"; {count(left, 'short or unsure line')} left out" if left else ""
    every = f"{looks}, every {document['step_s']:g} s, {document['read']} of them read"
    return f"{count(len(document['texts']), 'text')} in {every}{dropped}; {document['reader']}"


def _line(line: ScreenLine) -> Document:
    names = ("left", "top", "right", "bottom")
    sides = (round(float(side), 1) for side in line.place.box)
    return {
        "text": line.text,
        "confidence": round(line.confidence, 4),
        "box": dict(zip(names, sides, strict=True)),
    }
