"""The document `dense`: timed events of a video, and what is said in it, in one layout."""

from collections.abc import Sequence

from vidcli.core.dense import Dense, Event, SpeechEvents
from vidcli.evaluate.dense import DenseScore
from vidcli.output.documents import (
    Document,
    coverage_entry,
    head,
    model_entry,
    seen_entry,
    span_entry,
    timings_entry,
    usage_entry,
    video_entry,
)
from vidcli.output.plain import count
from vidcli.output.tables import say_coverage

Bins = tuple[int, int]


def dense_document(
    dense: Dense, *, bins: Sequence[Bins], sequence: str, spoken: Sequence[Bins], said: str
) -> Document:
    """The document `dense`.

    Args:
        dense: The events.
        bins: Time bins of each event.
        sequence: All events as one text of time tokens.
        spoken: Time bins of each line of speech.
        said: All speech as one text of time tokens.
    """
    return {
        "schema": head("dense"),
        "video": video_entry(dense.video),
        **span_entry(dense.span),
        "by": dense.by.value,
        "events": _events(dense.events, bins),
        "sequence": sequence,
        "speech": None if dense.speech is None else _speech(dense.speech, spoken, said),
        "frames": [
            seen_entry(frame, n) for frame, n in zip(dense.frames, dense.frame_tokens, strict=True)
        ],
        "coverage": coverage_entry(dense.coverage),
        "model": model_entry(dense.model),
        "method": dense.method,
        "usage": usage_entry(dense.usage),
        "timings_s": timings_entry(dense.timings),
        "warnings": list(dense.warnings),
    }


def _events(events: Sequence[Event], bins: Sequence[Bins]) -> list[Document]:
    return [
        {**span_entry(event.span), "bins": list(numbers), "text": event.text}
        for event, numbers in zip(events, bins, strict=True)
    ]


def _speech(speech: SpeechEvents, bins: Sequence[Bins], said: str) -> Document:
    return {
        "source": {"kind": speech.kind.value, "name": speech.name},
        "language": speech.language,
        "events": _events(speech.events, bins),
        "sequence": said,
        "words": speech.words,
        "words_left_out": speech.words_left_out,
    }


def say_dense(dense: Dense) -> str:
    """What events rest on, on one line."""
    line = f"{count(len(dense.events), 'event')} by {dense.by}"
    if dense.speech is not None:
        line += f", {count(dense.speech.words, 'word')} said"
    return f"{line}; {say_coverage(dense.coverage)}"


def result_entries(document: Document) -> list[Document]:
    """The events as programs that score dense captions read them."""
    return [
        {"sentence": event["text"], "timestamp": [event["start_s"], event["end_s"]]}
        for event in document["events"]
    ]


def say_score(score: DenseScore) -> str:
    """How well events fit what people wrote, on one line."""
    found = ", ".join(
        f"{limit:g}: {100 * score.precision[limit]:.1f}/{100 * score.recall[limit]:.1f}"
        for limit in score.precision
    )
    return (
        f"{count(score.videos, 'video')} against the truth: SODA_c {100 * score.soda_c:.1f} "
        f"(meteor_exact); precision/recall at overlap {found}"
    )
