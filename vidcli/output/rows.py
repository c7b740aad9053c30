"""Documents whose answer is rows, each with its own words; most with its own times.

Labels, highlights, chapters and moments are lines that stand by themselves. What is said, shown or
done in a video is a table: its texts may have lines of their own, and stand below each other.
`forms` writes rows as either, as CSV, as cues or as a list.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vidcli.core.time import format_range, format_time
from vidcli.output.chapters import list_chapters
from vidcli.output.documents import Document
from vidcli.output.plain import printable
from vidcli.output.sightings import say_way


@dataclass(frozen=True, slots=True)
class Table:
    """A kind of document whose rows are a table.

    Attributes:
        entries: The field that holds them.
        kind: What each of them is, in a word.
        maker: The field that says who read, heard or wrote them.
    """

    entries: str
    kind: str
    maker: str


TABLES: Mapping[str, Table] = {
    "transcript": Table("segments", "speech", "source"),
    "screen-text": Table("texts", "text", "reader"),
    "dense": Table("events", "event", "model"),
}
"""By the name of the document."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an answer.

    Attributes:
        line: What a person reads of a row that stands by itself; printable.
        question: What it answers.
        answer: The same without its figures and times.
        span: Has `start_s` and `end_s`.
        frames: Seen for it; None where that is not known of each.
        probability: None where its figure is none.
        cue: What a subtitle says of it; empty for the answer.
        joint: Stands between a file's name and the line.
    """

    line: str
    question: str
    answer: str
    span: Document
    frames: int | None
    probability: float | None
    cue: str = ""
    joint: str = ": "


def is_table(document: Document) -> bool:
    """Whether the rows of a document are a table, and not lines that stand by themselves."""
    return document["schema"]["name"] in TABLES


def list_rows(document: Document) -> list[Row] | None:
    """The rows of a document; None where its answer is something else."""
    listing = {
        "classification": _labels,
        "chapters": _chapters,
        "highlights": _highlights,
        "moments": _moments,
        **dict.fromkeys(TABLES, _texts),
    }
    listed = listing.get(document["schema"]["name"])
    return None if listed is None else listed(document)


def say_rows(document: Document, rows: Sequence[Row]) -> str:
    """The rows as lines, or as a table: when it begins, when it ends, and the text."""
    if not is_table(document):
        return "\n".join(row.line for row in rows)
    times = [(say_time(row.span["start_s"]), say_time(row.span["end_s"])) for row in rows]
    width = max((len(time) for pair in times for time in pair), default=0)
    lines = []
    for (start, end), row in zip(times, rows, strict=True):
        margin = f"{start:>{width}}  {end:>{width}}  "
        first, *others = row.answer.split("\n")
        lines += [f"{margin}{first}", *(f"{'':{len(margin)}}{other}" for other in others)]
    return "\n".join(lines)


def say_maker(document: Document) -> str:
    """What made the rows of a document: a model, or what read or heard them."""
    table = TABLES.get(document["schema"]["name"])
    maker: Any = document["model" if table is None else table.maker]
    return str(maker if isinstance(maker, str) else maker["name"] if maker else "")


def _texts(document: Document) -> list[Row]:
    """Rows of a table; the text is the video's, and printed as visible letters whatever it is."""
    table = TABLES[document["schema"]["name"]]
    rows = []
    for entry in document[table.entries]:
        text = printable(entry["text"], keep="\n")
        times = format_range(entry["start_s"], entry["end_s"])
        line = f"{times}: {text.replace(chr(10), ' / ')}"
        if text.strip():
            rows.append(Row(line, table.kind, text, entry, frames=None, probability=None))
    return rows


def _labels(document: Document) -> list[Row]:
    coverage = document["coverage"]
    return [
        Row(
            line=f"{entry['probability']:.3f} {printable(entry['label'])}",
            question=document["question"],
            answer=printable(entry["label"]),
            span=coverage,
            frames=coverage["frames"],
            probability=entry["probability"],
        )
        for entry in document["labels"]
    ]


def _chapters(document: Document) -> list[Row]:
    n_frames = count_frames(document)
    return [
        Row(
            line=line,
            question=f"chapter {chapter['number']}",
            answer=printable(" ".join(chapter["title"].split())),
            span=chapter,
            frames=n_frames[chapter["number"]],
            probability=None,
        )
        for chapter, line in zip(document["chapters"], list_chapters(document), strict=True)
    ]


def _highlights(document: Document) -> list[Row]:
    is_asked = document["query"] is not None
    return [
        Row(
            line=f"{format_range(entry['start_s'], entry['end_s'])} {entry['score']:.3f}"
            + (f" {printable(entry['clip'])}" if entry["clip"] else ""),
            question=printable(document["query"]) if is_asked else document["measure"],
            answer=f"{entry['score']:.3f}",
            span=entry,
            frames=entry["frames"],
            probability=entry["score"] if is_asked else None,
        )
        for entry in document["highlights"]
    ]


def _moments(document: Document) -> list[Row]:
    """Lines that other programs take apart: `file@0:05.0–0:08.0 0.953`; then what is seen in it."""
    rows = []
    for entry in document["moments"]:
        rows.append(_moment(document, entry))
        rows += [_thing(track) for track in (entry["things"] or {"tracks": ()})["tracks"]]
    return rows


def _moment(document: Document, entry: Document) -> Row:
    return Row(
        line=f"{format_range(entry['start_s'], entry['end_s'])} {entry['score']:.3f}"
        + (f" {printable(entry['clip'])}" if entry["clip"] else ""),
        question=printable(document["query"]),
        answer=f"{entry['score']:.3f}",
        span=entry,
        frames=entry["frames"],
        probability=entry["score"],
        cue=printable(document["query"]),
        joint="@",
    )


def _thing(track: Document) -> Row:
    """A thing followed through a moment: `0:05.2–0:07.8 0.910 car: left to right`."""
    times = format_range(track["start_s"], track["end_s"])
    label, way = printable(track["label"]), say_way([box["box"] for box in track["boxes"]])
    return Row(
        line=f"{times} {track['score']:.3f} {label}: {way}",
        question=label,
        answer=way,
        span=track,
        frames=len(track["boxes"]),
        probability=track["score"],
        cue=label,
        joint="@",
    )


def count_frames(document: Document) -> "Counter[int]":
    """Frames seen in each chapter of a document `summary` or `chapters`, by its number."""
    return Counter(
        chapter["number"]
        for chapter in document["chapters"]
        for segment in document["segments"]
        if chapter["start_s"] <= segment["start_s"] < chapter["end_s"]
        for _ in segment["frames"]
    )


def say_time(seconds: Any) -> str:
    """Seconds as `0:01.5`."""
    return format_time(seconds, decimals=1)
