"""The document `transcript`: what is said in a video, with times."""

from collections.abc import Sequence

from vidcli.core.results import VideoReport
from vidcli.core.speech import Cue, Transcript
from vidcli.core.time import Span
from vidcli.output.documents import Document, head, span_entry, video_entry
from vidcli.output.plain import count, printable

SOURCES = {
    "sidecar": "subtitles beside the video,",
    "stream": "subtitles in the video,",
    "file": "the file",
    "whisper": "sound, heard by",
    "model": "sound, heard by",
}


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


def _segment(cue: Cue) -> Document:
    words = [
        {**span_entry(word.span), "text": word.text, "probability": word.probability}
        for word in cue.words
    ]
    return {**span_entry(cue.span), "text": cue.text, "words": words or None}
