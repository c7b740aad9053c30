"""Documents about summaries: the result, what it would take, what the model was shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vidcli.core.media import measure_coverage
from vidcli.core.model import ModelReport
from vidcli.core.results import VideoReport
from vidcli.core.speech import Transcript
from vidcli.core.summary import ChapterOrigin, SpeechReport, Summary, SummaryPlan, TracedStep
from vidcli.core.time import format_time
from vidcli.output.accounts import say_seconds, traced_entry
from vidcli.output.documents import (
    Document,
    coverage_entry,
    head,
    model_entry,
    seconds,
    seen_entry,
    span_entry,
    timings_entry,
    usage_entry,
    video_entry,
)
from vidcli.output.plain import count, format_size, printable
from vidcli.output.tables import say_coverage


def summary_document(summary: Summary) -> Document:
    """The document `summary`."""
    return {
        "schema": head("summary"),
        "video": video_entry(summary.video),
        "title": summary.title,
        "summary": summary.text,
        **_chapter_entries(summary),
    }


def chapters_document(summary: Summary) -> Document:
    """The document `chapters`: those of a summary, without what was made of the whole."""
    return {
        "schema": head("chapters"),
        "video": video_entry(summary.video),
        **_chapter_entries(summary),
    }


def _chapter_entries(summary: Summary) -> Document:
    """Chapters, what they rest on, and how that was come by."""
    return {
        "chapters": [
            {
                "number": number,
                **span_entry(chapter.span),
                "title": chapter.title,
                "first_segment": chapter.first,
                "last_segment": chapter.last,
            }
            for number, chapter in enumerate(summary.chapters, start=1)
        ],
        "chapters_from": summary.origin.value,
        "file_chapters": [{**span_entry(mark.span), "title": mark.title} for mark in summary.marks],
        "segments": [
            {
                "number": segment.number,
                **span_entry(segment.span),
                "caption": segment.caption,
                "finish": segment.finish.value,
                "frames": [
                    seen_entry(frame, n)
                    for frame, n in zip(segment.frames, segment.frame_tokens, strict=True)
                ],
                "words": segment.words,
                "words_left_out": segment.words_left_out,
                "from_cache": segment.is_kept,
            }
            for segment in summary.segments
        ],
        "speech": _speech(summary.speech),
        "steps": summary.steps,
        "coverage": coverage_entry(summary.coverage),
        "model": model_entry(summary.model),
        "method": summary.method,
        "usage": usage_entry(summary.usage),
        "timings_s": timings_entry(summary.timings),
        "warnings": list(summary.warnings),
    }


def _speech(speech: SpeechReport | None) -> Document | None:
    if speech is None:
        return None
    return {
        "source": speech.kind.value,
        "name": speech.name,
        "language": speech.language,
        "words": speech.words,
        "words_left_out": speech.words_left_out,
        "words_shortened": speech.words_shortened,
    }


def say_speech(speech: Document) -> str:
    """Where speech came from and what of it was used, from a document `summary`."""
    where = {"sidecar": "beside the video", "stream": "in the video", "file": "given"}
    where |= {"whisper": "hearing the sound", "model": "hearing the sound"}
    language = f", {speech['language']}" if speech["language"] else ""
    text = f"speech: {count(speech['words'], 'word')} of {speech['name']}"
    text += f" ({where[speech['source']]}{language})"
    if speech["words_left_out"]:
        text += f", {speech['words_left_out']} left out of the prompts of their segments"
    if speech["words_shortened"]:
        text += f", {speech['words_shortened']} left out where captions were put together"
    return text


def say_summary(summary: Summary) -> str:
    """What a summary rests on, on one line."""
    if not summary.segments:
        return f"{count(len(summary.chapters), 'chapter')}, the file's own"
    kept = sum(segment.is_kept for segment in summary.segments)
    text = f"{count(len(summary.segments), 'segment')}"
    text += f" ({kept} of an earlier run)" if kept else ""
    text += f", {say_coverage(summary.coverage)}"
    text += "; chapters are the file's own" if summary.origin is ChapterOrigin.FILE else ""
    speech = _speech(summary.speech)
    return f"{text}; {say_speech(speech) if speech else 'no subtitles'}"


@dataclass(frozen=True, slots=True)
class SummaryRehearsal:
    """What summarizing one video would take.

    Attributes:
        video: Facts about it.
        plan: The segments and their frames, inside the context.
        speech: What is said; None where nothing is known of that.
        frame_size: (width, height) frames would be decoded at.
        tokens_per_frame: Visual tokens of one frame, or of one group of them.
        visual_tokens: Of all frames.
        prompt_cells: Context cells of all prompts of segments together.
        caption_tokens: Longest caption.
        steps: Replies that put captions together, were all captions as long as may be.
        step_cells: Context cells of all their prompts together.
        reply_tokens: Longest of them.
        n_ctx: Context cells in all.
        kept: Segments that an earlier run captioned.
        seconds: Expected, by phase; segments that are captioned already left out.
        memory_bytes: Most the process would hold.
        model: Which model would write.
        warnings: What has to give way to fit.
    """

    video: VideoReport
    plan: SummaryPlan
    speech: Transcript | None
    frame_size: tuple[int, int]
    tokens_per_frame: int
    visual_tokens: int
    prompt_cells: int
    caption_tokens: int
    steps: int
    step_cells: int
    reply_tokens: int
    n_ctx: int
    kept: int
    seconds: Mapping[str, float]
    memory_bytes: int
    model: ModelReport
    warnings: tuple[str, ...]

    @property
    def n_frames(self) -> int:
        """Frames that would be looked at."""
        return sum(len(segment.frames.frames) for segment in self.plan.segments)


def summary_plan_document(rehearsal: SummaryRehearsal) -> Document:
    """The document `summary-plan`."""
    width, height = rehearsal.frame_size
    plan, speech = rehearsal.plan, rehearsal.speech
    times = [frame.time for segment in plan.segments for frame in segment.frames.frames]
    return {
        "schema": head("summary-plan"),
        "video": video_entry(rehearsal.video),
        "rule": plan.rule,
        "segments": [
            {
                "number": number,
                **span_entry(segment.span),
                "frames": [
                    {"time_s": seconds(frame.time), "reason": frame.reason}
                    for frame in segment.frames.frames
                ],
            }
            for number, segment in enumerate(plan.segments, start=1)
        ],
        "segments_from_cache": rehearsal.kept,
        "file_chapters": [{**span_entry(mark.span), "title": mark.title} for mark in plan.marks],
        "speech": None
        if speech is None
        else {"source": speech.kind.value, "name": speech.name, "language": speech.language},
        "frame_size": {"width": width, "height": height},
        "coverage": coverage_entry(measure_coverage(plan.span, times)),
        "tokens": {
            "per_frame": rehearsal.tokens_per_frame,
            "visual": rehearsal.visual_tokens,
            "prompts": rehearsal.prompt_cells,
            "caption": rehearsal.caption_tokens,
            "reduction_steps": rehearsal.steps,
            "reduction_prompts": rehearsal.step_cells,
            "reply": rehearsal.reply_tokens,
            "context": rehearsal.n_ctx,
        },
        "seconds": {phase: round(value, 6) for phase, value in rehearsal.seconds.items()},
        "memory_bytes": rehearsal.memory_bytes,
        "model": model_entry(rehearsal.model),
        "warnings": list(rehearsal.warnings),
    }


def summary_plan_rows(rehearsal: SummaryRehearsal) -> list[tuple[str, str]]:
    """The same for people, as (name, value)."""
    width, height = rehearsal.frame_size
    plan, spent = rehearsal.plan, rehearsal.seconds
    times = [frame.time for segment in plan.segments for frame in segment.frames.frames]
    starts = [format_time(segment.span.start) for segment in plan.segments]
    starts = [*starts[:5], "…", *starts[-2:]] if len(starts) > 8 else starts
    phases = ("decode", "encode", "prefill", "generate", "reduce")
    kept = f", {rehearsal.kept} of them captioned already" if rehearsal.kept else ""
    speech = "none" if rehearsal.speech is None else printable(rehearsal.speech.name)
    return [
        ("video", printable(rehearsal.video.path)),
        ("segments", f"{len(plan.segments)}, by {plan.rule}{kept}"),
        ("from", ", ".join(starts)),
        ("frames", say_coverage(measure_coverage(plan.span, times))),
        ("size", f"{width}×{height}, {rehearsal.tokens_per_frame} visual tokens each"),
        ("speech", speech),
        (
            "tokens",
            f"{rehearsal.prompt_cells} in the prompts of segments, {rehearsal.visual_tokens} of "
            f"them visual; captions of at most {rehearsal.caption_tokens}",
        ),
        (
            "put together",
            f"about {count(rehearsal.steps, 'step')}, {rehearsal.step_cells} tokens, replies of "
            f"at most {rehearsal.reply_tokens}",
        ),
        (
            "time",
            f"at most {say_seconds(spent['total'])}: "
            + ", ".join(f"{phase} {say_seconds(spent[phase])}" for phase in phases),
        ),
        ("memory", f"at most {format_size(rehearsal.memory_bytes)}"),
        ("model", f"{rehearsal.model.name} {rehearsal.model.quant} on {rehearsal.model.backend}"),
    ]


def summary_trace_document(
    video: VideoReport, model: ModelReport, steps: Sequence[TracedStep]
) -> Document:
    """The document `summary-trace`."""
    return {
        "schema": head("summary-trace"),
        "video": video_entry(video),
        "model": model_entry(model),
        "steps": [
            {
                "name": step.name,
                "from_cache": step.is_kept,
                "parts": [traced_entry(part) for part in step.parts],
                "reply": step.reply,
            }
            for step in steps
        ],
    }
