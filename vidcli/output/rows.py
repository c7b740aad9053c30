"""Documents whose answer is rows: labels, highlights, chapters; each row stands by itself.

`forms` writes rows as lines, CSV, cues or a list.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from vidcli.core.results import Answer
from vidcli.core.time import format_range, format_time
from vidcli.output.chapters import list_chapters
from vidcli.output.documents import Document, account_entries, choice_entry, head, video_entry
from vidcli.output.plain import printable


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an answer.

    Attributes:
        line: What a person reads; printable.
        question: What it answers.
        answer: The same without its figures.
        span: Has `start_s` and `end_s`.
        frames: Seen for it.
        probability: None where its figure is none.
        cue: What a subtitle says of it; empty for the answer.
        joint: Stands between a file's name and the line.
    """

    line: str
    question: str
    answer: str
    span: Document
    frames: int
    probability: float | None
    cue: str = ""
    joint: str = ": "


def classification_document(answer: Answer, *, multi: bool) -> Document:
    """The document `classification`, the likeliest label first.

    Args:
        answer: With a choice for each label.
        multi: Whether each label was judged by itself.
    """
    ranked = sorted(answer.choices, key=lambda choice: choice.probability, reverse=True)
    labels = [choice_entry(choice) for choice in ranked]
    return {
        "schema": head("classification"),
        "video": video_entry(answer.video),
        "question": answer.question,
        "multi": multi,
        "labels": [{"label": entry.pop("text"), **entry} for entry in labels],
        "labels_left_out": 0,
        **account_entries(answer),
    }


def keep_top(document: Document, top: int) -> Document:
    """A document `classification` with at most so many labels; it says how many it leaves out."""
    labels = document["labels"]
    left_out = document["labels_left_out"] + max(0, len(labels) - top)
    return {**document, "labels": labels[:top], "labels_left_out": left_out}


def list_rows(document: Document) -> list[Row] | None:
    """The rows of a document; None where its answer is something else."""
    listing = {
        "classification": _labels,
        "chapters": _chapters,
        "highlights": _highlights,
        "moments": _moments,
    }
    listed = listing.get(document["schema"]["name"])
    return None if listed is None else listed(document)


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
    """Lines that other programs take apart: `file@0:05.0–0:08.0 0.953`."""
    return [
        Row(
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
        for entry in document["moments"]
    ]


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
