"""What is said, shown or done in a video, with times: `transcript`, `screen-text`, `dense`.

Their documents hold entries with a start, an end and a text each. Here they become a table, rows,
and cues for subtitles. The text is the video's: whatever it is, it is printed as visible letters.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vidcli.core.results import VideoReport
from vidcli.core.screen import ScreenLine, ScreenReport
from vidcli.core.speech import Cue, Transcript
from vidcli.core.time import Span, format_range, format_time
from vidcli.output.documents import (
    Document,
    coverage_entry,
    head,
    seconds,
    span_entry,
    video_entry,
)
from vidcli.output.plain import count, printable

ENTRIES: Mapping[str, str] = {
    "transcript": "segments",
    "screen-text": "texts",
    "dense": "events",
}
"""Documents of this kind, and the field that holds their entries."""
ROWS = {"transcript": "speech", "screen-text": "text", "dense": "event"}
SOURCES = {
    "sidecar": "subtitles beside the video,",
    "stream": "subtitles in the video,",
    "file": "the file",
    "whisper": "sound, heard by",
    "model": "sound, heard by",
}
MADE_BY = {"transcript": "source", "screen-text": "reader", "dense": "model"}


def is_timed(document: Document) -> bool:
    """Whether a document is one of these."""
    return document["schema"]["name"] in ENTRIES


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


def transcript_document(
    video: VideoReport,
    transcript: Transcript | None,
    span: Span,
    *,
    reason: str,
    warnings: Sequence[str],
) -> Document:
    """The document `transcript`.

    Args:
        video: Which.
        transcript: What is said; None where there is nothing to read or hear.
        span: Of the video that was asked for.
        reason: Why there is none; empty where there is one.
        warnings: What a reader of it must know.
    """
    return {
        "schema": head("transcript"),
        "video": video_entry(video),
        **span_entry(span),
        "source": transcript and {"kind": transcript.kind.value, "name": transcript.name},
        "language": transcript and transcript.language,
        "language_probability": transcript and transcript.language_probability,
        "segments": [_segment(cue) for cue in transcript.cues] if transcript else [],
        "reason": reason or None,
        "warnings": list(warnings),
    }


def say_transcript(document: Document) -> str:
    """Where words come from and how many there are, in one line."""
    if document["source"] is None:
        return f"nothing is said: {document['reason']}"
    segments = count(len(document["segments"]), "segment")
    sure = document["language_probability"]
    how_sure = f", {sure:.0%} sure" if sure is not None else ""
    language = f", language {document['language']}{how_sure}" if document["language"] else ""
    kind = SOURCES[document["source"]["kind"]]
    return printable(f"{segments} from {kind} {document['source']['name']}{language}")


def list_cues(document: Document) -> list[tuple[float, float, str]]:
    """(start, end, text) of every entry, lines as they stand."""
    return [
        (entry["start_s"], entry["end_s"], printable(entry["text"], keep="\n"))
        for entry in document[ENTRIES[document["schema"]["name"]]]
        if entry["text"].strip()
    ]


def say_timed(document: Document) -> str:
    """A table: when it begins, when it ends, and the text."""
    times = [(_clock(start), _clock(end)) for start, end, _ in list_cues(document)]
    width = max((len(time) for pair in times for time in pair), default=0)
    rows = []
    for (start, end), (_, _, text) in zip(times, list_cues(document), strict=True):
        margin = f"{start:>{width}}  {end:>{width}}  "
        first, *others = text.split("\n")
        rows += [f"{margin}{first}", *(f"{'':{len(margin)}}{other}" for other in others)]
    return "\n".join(rows)


def timed_rows(document: Document) -> Iterator[list[str]]:
    """The cells of a row for each entry, in the columns of results (`forms.CSV_COLUMNS`)."""
    name = document["schema"]["name"]
    for number, (start, end, text) in enumerate(list_cues(document)):
        yield [
            document["video"]["path"],
            ROWS[name],
            text,
            "",
            f"{start:.3f}",
            f"{end:.3f}",
            "",
            "",
            document["video"]["fingerprint"],
            say_maker(document),
            "; ".join(document["warnings"]) if not number else "",
            "",
        ]


def timed_markdown(document: Document) -> str:
    """A list to be read: the file, then every entry with its times."""
    lines = [f"## {printable(document['video']['path'])}", ""]
    for start, end, text in list_cues(document):
        lines.append(f"- {format_range(start, end)}: {text.replace(chr(10), ' / ')}")
    lines += [""] if lines[-1] else []
    lines += [f"*{printable(say_maker(document))}*", ""]
    lines += [f"> {printable(warning)}" for warning in document["warnings"]]
    return "\n".join([*lines, ""] if document["warnings"] else lines)


def say_maker(document: Document) -> str:
    """What read or heard it."""
    maker: Any = document[MADE_BY[document["schema"]["name"]]]
    return str(maker if isinstance(maker, str) else maker["name"] if maker else "")


def _segment(cue: Cue) -> Document:
    words = [
        {**span_entry(word.span), "text": word.text, "probability": word.probability}
        for word in cue.words
    ]
    return {**span_entry(cue.span), "text": cue.text, "words": words or None}


def _line(line: ScreenLine) -> Document:
    names = ("left", "top", "right", "bottom")
    sides = (round(float(side), 1) for side in line.place.box)
    return {
        "text": line.text,
        "confidence": round(line.confidence, 4),
        "box": dict(zip(names, sides, strict=True)),
    }


def _clock(time: float) -> str:
    return format_time(time, decimals=1)
