"""JSON documents: one versioned object for each result; `vidcli schema NAME` describes them.

Seconds are numbers rounded to the microsecond. What is not known is null.
"""

import json
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

from vidcli.core.camera import ShotDetails
from vidcli.core.media import Coverage, Frame, Shot, VideoInfo
from vidcli.core.model import ModelReport
from vidcli.core.prompt import SeenFrame
from vidcli.core.results import (
    Answer,
    Approach,
    Choice,
    Evidence,
    Timings,
    Usage,
    VideoReport,
)
from vidcli.core.time import Span
from vidcli.errors import VidcliError

if TYPE_CHECKING:
    from vidcli.core.route import Route
    from vidcli.core.tool_text import Mixture
    from vidcli.library.journal_care import JournalFacts

VERSION = 1

Document = dict[str, Any]


def write_json(document: Document, *, indent: bool = False, ascii_only: bool = False) -> str:
    r"""Write a document as JSON, ended by a newline.

    Bytes of file names that are not text are written `\udcXX`, as Python's `os.fsencode` reads
    them back.

    Args:
        document: From one of the functions below.
        indent: Over several lines, for people; else one line.
        ascii_only: Escape whatever is not ASCII, for streams that cannot carry it.
    """
    text = json.dumps(
        document, ensure_ascii=ascii_only, indent=2 if indent else None, allow_nan=False
    )
    return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"


def answer_document(answer: Answer) -> Document:
    """The document `answer`."""
    return {
        "schema": head("answer"),
        "video": video_entry(answer.video),
        "question": answer.question,
        "answer": answer.text,
        "finish": answer.finish.value,
        "evidence": [_evidence(entry) for entry in answer.evidence],
        "citations_dropped": answer.citations_dropped,
        "choices": [choice_entry(choice) for choice in answer.choices],
        **account_entries(answer),
    }


def caption_document(answer: Answer) -> Document:
    """The document `caption`: the answer to "describe this video"."""
    return {
        "schema": head("caption"),
        "video": video_entry(answer.video),
        "caption": answer.text,
        "finish": answer.finish.value,
        **account_entries(answer),
    }


def check_document(answer: Answer, *, probability: float, threshold: float) -> Document:
    """The document `check`.

    Args:
        answer: Its question is the statement.
        probability: Of yes, 0 to 1.
        threshold: The statement holds from this probability on.
    """
    return {
        "schema": head("check"),
        "video": video_entry(answer.video),
        "statement": answer.question,
        "holds": probability >= threshold,
        "probability": probability,
        "threshold": threshold,
        **account_entries(answer),
    }


def info_document(info: VideoInfo) -> Document:
    """The document `info`."""
    return {
        "schema": head("info"),
        "path": info.path,
        "container": info.container,
        "size_bytes": info.size_bytes,
        "duration": _optional_seconds(info.duration),
        "title": info.title,
        "created": info.created,
        "video": _stream(info),
        "audio": [
            {
                "index": stream.index,
                "codec": stream.codec,
                "sample_rate": stream.sample_rate,
                "channels": stream.channels,
                "language": stream.language,
            }
            for stream in info.audio
        ],
        "subtitles": [
            {
                "index": stream.index,
                "codec": stream.codec,
                "language": stream.language,
                "is_text": stream.is_text,
            }
            for stream in info.subtitles
        ],
        "chapters": [
            {**span_entry(chapter.span), "title": chapter.title} for chapter in info.chapters
        ],
        "warnings": list(info.warnings),
    }


def shots_document(
    info: VideoInfo,
    shots: Sequence[Shot],
    warnings: Sequence[str],
    details: Sequence[ShotDetails] | None = None,
) -> Document:
    """The document `shots`; `details` are those of each shot, where they were looked at."""
    looks: Sequence[ShotDetails | None] = details or [None] * len(shots)
    return {
        "schema": head("shots"),
        "path": info.path,
        "duration": _optional_seconds(info.duration),
        "shots": [
            {
                "number": number,
                **span_entry(shot.span),
                "length_s": seconds(shot.span.length),
                "transition": shot.transition.value,
                "details": look and details_entry(look),
            }
            for number, (shot, look) in enumerate(zip(shots, looks, strict=True), start=1)
        ],
        "warnings": list(warnings),
    }


def details_entry(details: ShotDetails) -> Document:
    """How one shot of the document `shots` looks."""
    pan = details.pan
    return {
        "camera": details.camera.value,
        "pan": None if pan is None else {"x": round(pan[0], 6), "y": round(pan[1], 6)},
        "zoom": _optional_share(details.zoom),
        "motion": _optional_share(details.motion),
        "brightness": _optional_share(details.brightness),
        "faces": details.faces,
        "frames": details.frames,
    }


def frame_entry(frame: Frame, *, reason: str, file: str | None) -> Document:
    """One frame of the document `frames`; made while its picture is at hand."""
    height, width = frame.image.shape[:2]
    return {
        "file": file,
        "time_s": seconds(frame.time.seconds),
        "wanted_s": seconds(frame.wanted),
        "reason": reason,
        "is_keyframe": frame.is_keyframe,
        "width": int(width),
        "height": int(height),
    }


def frames_document(
    info: VideoInfo,
    entries: Sequence[Document],
    *,
    rule: str,
    sheet: str | None,
    coverage: Coverage,
    warnings: Sequence[str],
) -> Document:
    """The document `frames`; `entries` are from `frame_entry`."""
    return {
        "schema": head("frames"),
        "path": info.path,
        "duration": _optional_seconds(info.duration),
        "rule": rule,
        "frames": list(entries),
        "sheet": sheet,
        "coverage": coverage_entry(coverage),
        "warnings": list(warnings),
    }


def error_document(path: str, error: VidcliError) -> Document:
    """The document `error`: an input that failed while others were worked on."""
    return {
        "schema": head("error"),
        "path": path,
        "error": str(error),
        "hint": error.hint,
        "exit_code": int(error.exit_code),
    }


def cache_document(
    folder: str,
    parts: Sequence[tuple[str, int, int]],
    *,
    max_bytes: int,
    freed_bytes: int,
    journal: "JournalFacts | None",
    forgotten: int,
) -> Document:
    """The document `cache`; each part is (name, files, bytes)."""
    return {
        "schema": head("cache"),
        "folder": folder,
        "parts": [
            {"name": name, "files": n_files, "bytes": n_bytes} for name, n_files, n_bytes in parts
        ],
        "bytes": sum(n_bytes for _, _, n_bytes in parts),
        "max_bytes": max_bytes,
        "freed_bytes": freed_bytes,
        "journal": journal
        and {
            "path": str(journal.path),
            "bytes": journal.size_bytes,
            "results": journal.results,
            "failures": journal.failures,
            "files": journal.files,
            "damage": journal.damage or None,
        },
        "forgotten_results": forgotten,
    }


def synth_document(
    folder: str, *, split: str, seed: int, clips: int, made: int, questions: dict[str, int]
) -> Document:
    """The document `synth`."""
    return {
        "schema": head("synth"),
        "folder": folder,
        "split": split,
        "seed": seed,
        "clips": clips,
        "made": made,
        "questions": dict(sorted(questions.items())),
    }


class Comparison(Protocol):
    """A row of `vidcli bench`."""

    @property
    def name(self) -> str:
        """What was done."""

    @property
    def ours(self) -> float:
        """Our figure."""

    @property
    def baseline(self) -> float:
        """The other figure."""

    @property
    def unit(self) -> str:
        """Of both."""

    @property
    def ratio(self) -> float | None:
        """How many times cheaper ours is."""

    @property
    def note(self) -> str:
        """What the baseline is."""


def bench_document(rows: Sequence[Comparison], *, threads: int) -> Document:
    """The document `bench`."""
    return {
        "schema": head("bench"),
        "threads": threads,
        "comparisons": [
            {
                "name": row.name,
                "ours": row.ours,
                "baseline": row.baseline,
                "unit": row.unit,
                "ratio": row.ratio,
                "note": row.note,
            }
            for row in rows
        ],
    }


def seconds(value: Fraction) -> float:
    """Seconds as a JSON number, to the microsecond."""
    return round(float(value), 6)


def head(name: str) -> Document:
    """Name and version of a document, its field `schema`."""
    return {"name": name, "version": VERSION}


def _optional_seconds(value: Fraction | None) -> float | None:
    return None if value is None else seconds(value)


def _optional_share(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def span_entry(span: Span) -> Document:
    """Start and end of a span."""
    return {"start_s": seconds(span.start), "end_s": seconds(span.end)}


def video_entry(video: VideoReport) -> Document:
    """Facts about a video, as in every document about one."""
    return {
        "path": video.path,
        "fingerprint": video.fingerprint,
        "duration": _optional_seconds(video.duration),
    }


def account_entries(answer: Answer) -> Document:
    """What every answer to a video says of how it was come by."""
    return {
        "frames": [
            seen_entry(frame, n_tokens)
            for frame, n_tokens in zip(answer.frames, answer.frame_tokens, strict=True)
        ],
        "coverage": coverage_entry(answer.coverage),
        "model": model_entry(answer.model),
        "method": answer.method,
        "approach": approach_entry(answer.approach),
        "usage": usage_entry(answer.usage),
        "timings_s": timings_entry(answer.timings),
        "warnings": list(answer.warnings),
        **({} if answer.route is None else {"route": route_entry(answer.route)}),
        **({} if answer.mixture is None else {"mixture": mixture_entry(answer.mixture)}),
    }


def mixture_entry(mixture: "Mixture") -> Document:
    """Words of tools and visual tokens that an answer rests on."""
    return {
        "mode": mixture.mode.value,
        "order": list(mixture.mode.order),
        "visual_tokens": mixture.visual_tokens,
        "sampling": mixture.sampling or None,
        "sections": [
            {
                "name": use.section.name,
                "tool": use.section.tool or None,
                "absent": use.section.absent or None,
                "lines": use.lines,
                "words": use.words,
                "words_left_out": use.words_left_out,
            }
            for use in mixture.sections
        ],
        "tool_words_left_out": mixture.tool_words_left_out,
        "turns_left_out": mixture.turns_left_out,
        "history_words_left_out": mixture.history_words_left_out,
    }


def route_entry(route: "Route") -> Document:
    """How text was come by that an answer was read from."""
    return {
        "captions": [
            {
                "start_s": seconds(part.span.start),
                "end_s": seconds(part.span.end),
                "text": part.text,
            }
            for part in route.captions
        ],
        "captions_made": route.captions_made,
        "captions_from_cache": route.captions_kept,
        "captions_left_out": route.captions_left_out,
        "words_left_out": route.words_left_out,
        "frames_encoded": route.frames_encoded,
        "rounds": [
            {"clusters": look.clusters, "relevance": list(look.relevance)} for look in route.rounds
        ],
        "calls": [
            {
                "name": call.name,
                "prompt_tokens": call.prompt_tokens,
                "completion_tokens": call.completion_tokens,
                "reply": call.reply,
                "from_cache": call.is_kept,
            }
            for call in route.calls
        ],
        "planner": None if route.planner is None else model_entry(route.planner),
    }


def seen_entry(frame: SeenFrame, n_tokens: int) -> Document:
    """One frame the model was shown."""
    return {
        "id": frame.id,
        "time_s": seconds(frame.time.seconds),
        "reason": frame.reason,
        "visual_tokens": n_tokens,
    }


def _evidence(evidence: Evidence) -> Document:
    return {
        **span_entry(evidence.span),
        "frames": [frame.id for frame in evidence.frames],
        "quote": evidence.quote,
    }


def choice_entry(choice: Choice) -> Document:
    """One option of a closed question."""
    return {
        "text": choice.text,
        "probability": choice.probability,
        "log_probability": choice.log_probability,
    }


def coverage_entry(coverage: Coverage) -> Document:
    """How much of a span was seen."""
    gap = coverage.largest_gap
    return {
        **span_entry(coverage.span),
        "frames": coverage.frames,
        "largest_gap": {**span_entry(gap), "length_s": seconds(gap.length)},
    }


def model_entry(model: ModelReport) -> Document:
    """Which model ran, and where."""
    return {
        "name": model.name,
        "sha256": {"weights": model.weights_sha256, "mmproj": model.mmproj_sha256 or None},
        "quant": model.quant,
        "architecture": model.architecture,
        "projector": model.projector,
        "backend": model.backend,
        "gpu_layers": model.gpu_layers,
        "derivation": model.derivation,
        "adapter": {"sha256": model.adapter_sha256, "scale": model.lora_scale}
        if model.adapter_sha256
        else None,
    }


def approach_entry(approach: Approach) -> Document:
    """The method with its parameters, and why it was taken."""
    return {
        "method": approach.method,
        "asked": approach.asked,
        "why": approach.why or None,
        "options": dict(approach.options),
        "encoded": approach.encoded,
    }


def usage_entry(usage: Usage) -> Document:
    """Tokens spent."""
    return {
        "visual_tokens": usage.visual_tokens,
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "cache": {
            "visual_tokens": usage.visual_cache.value,
            "prefix": usage.prefix_cache.value,
        },
    }


def timings_entry(timings: Timings) -> Document:
    """Seconds spent."""
    names = ("load", "decode", "encode", "prefill", "generate", "native", "total")
    return {name: round(getattr(timings, name), 6) for name in names}


def _stream(info: VideoInfo) -> Document:
    stream = info.video
    ratio, base = stream.sample_aspect_ratio, stream.time_base
    return {
        "index": stream.index,
        "codec": stream.codec,
        "width": stream.display_size[0],
        "height": stream.display_size[1],
        "coded_width": stream.coded_size[0],
        "coded_height": stream.coded_size[1],
        "rotation": stream.rotation,
        "sample_aspect_ratio": f"{ratio.numerator}:{ratio.denominator}",
        "time_base": f"{base.numerator}/{base.denominator}",
        "average_rate": _optional_seconds(stream.average_rate),
        "is_vfr": stream.is_vfr,
        "pixel_format": stream.pixel_format,
        "color_transfer": stream.color_transfer,
        "is_hdr": stream.is_hdr,
        "is_still": stream.is_still,
        "is_interlaced": stream.is_interlaced,
    }
