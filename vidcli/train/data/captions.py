"""Rows that describe a video: caption pairs, narrations with several candidates, timed events."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from vidcli.methods.ask import CAPTION_QUESTION
from vidcli.train.data.fields import (
    RowError,
    read_span,
    take_list,
    take_map,
    take_seconds,
    take_text,
)
from vidcli.train.data.sample import Event, Exchange, Sample

CAPTION_KEYS = ("caption", "text", "name")  # WebVid writes `name`
VIDEO_KEYS = ("video", "video_id", "videoid")


def read_caption(row: Mapping[str, Any]) -> Sample:
    """`{"video", "caption"}`, with `text` or WebVid's `videoid` and `name` in their place.

    WebVid's files lie in a folder of their own each: `page_dir/videoid`. What `vidcli caption
    --json` prints is such a row too; its `video` is an object with a path.
    """
    if isinstance(row.get("video"), Mapping):
        row = {**row, "video": take_text(take_map(row["video"]), "path")}
    video = take_text(row, next((key for key in VIDEO_KEYS if key in row), "video"))
    folder = row.get("page_dir")
    caption = take_text(row, next((key for key in CAPTION_KEYS if key in row), "caption"))
    exchange = Exchange(CAPTION_QUESTION, caption.strip())
    return Sample(f"{folder}/{video}" if folder else video, (exchange,), "", read_span(row))


def read_narration(row: Mapping[str, Any]) -> Sample:
    """`{"video", "start", "end", "texts": […], "scores": […]}`, as `data narrate` writes it."""
    texts = take_list(row, "texts")
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise RowError("'texts' holds something else than text")
    scores = row.get("scores")
    if scores is not None and (not isinstance(scores, list) or len(scores) != len(texts)):
        raise RowError("'scores' and 'texts' are not of one length")
    ranked = _best_first(texts, scores)
    exchange = Exchange(CAPTION_QUESTION, ranked[0], tuple(ranked[1:]))
    return Sample(take_text(row, "video"), (exchange,), "", read_span(row))


def _best_first(texts: Sequence[str], scores: Sequence[Any] | None) -> list[str]:
    if scores is None:
        return [text.strip() for text in texts]
    if not all(isinstance(score, int | float) for score in scores):
        raise RowError("'scores' holds something else than numbers")
    order = sorted(range(len(texts)), key=lambda n: -float(scores[n]))
    return [texts[n].strip() for n in order]


def read_dense(video: str, row: Mapping[str, Any]) -> Sample:
    """`{"duration", "timestamps": [[start, end]…], "sentences": […]}` of one video."""
    spans, sentences = take_list(row, "timestamps"), take_list(row, "sentences")
    if len(spans) != len(sentences):
        raise RowError(f"{len(spans)} timestamps and {len(sentences)} sentences")
    events = []
    for span, sentence in zip(spans, sentences, strict=True):
        if not isinstance(span, list) or len(span) != 2:
            raise RowError("a timestamp is not [start, end]")
        events.append(make_event(span[0], span[1], take_text({"sentence": sentence}, "sentence")))
    duration = take_seconds(row["duration"], "duration") if "duration" in row else None
    return Sample(video, events=_in_order(events), duration=duration)


def read_speech(video: str, row: Mapping[str, Any]) -> Sample:
    """`{"start": […], "end": […], "text": […]}`: what was said in one video."""
    columns = [take_list(row, key) for key in ("start", "end", "text")]
    if len({len(column) for column in columns}) != 1:
        raise RowError("'start', 'end' and 'text' are not of one length")
    events = [make_event(a, b, str(text)) for a, b, text in zip(*columns, strict=True)]
    return Sample(video, events=_in_order(events), is_speech=True)


def speech_of(video: str, events: Sequence[Event]) -> Sample:
    """What was said in one video, from subtitles."""
    return Sample(video, events=_in_order(events), is_speech=True)


def make_event(start: Any, end: Any, text: str) -> Event:
    """An event from times as a file has them.

    Raises:
        RowError: They are no times, or in the wrong order.
    """
    first, last = take_seconds(start, "start"), take_seconds(end, "end")
    if last < first:
        raise RowError(f"an event ends at {float(last):g} s, before it starts")
    return Event(Fraction(first), Fraction(last), text.strip())


def _in_order(events: Sequence[Event]) -> tuple[Event, ...]:
    return tuple(sorted(events, key=lambda event: (event.start, event.end)))


def is_dense(value: Any) -> bool:
    """Whether a JSON object maps videos to timed sentences."""
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(row, Mapping) and "timestamps" in row for row in value.values())
    )


def dense_rows(value: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """(video, row) of such an object."""
    return [(name, take_map(row)) for name, row in value.items()]
