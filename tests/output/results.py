"""Results with every field filled, for what writes them."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from vidcli.core.media import (
    AudioStream,
    Chapter,
    Coverage,
    FramePlan,
    PlannedFrame,
    SubtitleStream,
    VideoInfo,
    VideoStream,
)
from vidcli.core.model import ModelReport
from vidcli.core.prompt import SeenFrame
from vidcli.core.results import (
    Answer,
    CacheUse,
    Choice,
    Evidence,
    FinishReason,
    Timings,
    Usage,
    VideoReport,
)
from vidcli.core.route import Call, Caption, Round, Route
from vidcli.core.saliency import Curve, Measure, ScoredWindow
from vidcli.core.speech import SpeechKind, Transcript
from vidcli.core.summary import (
    ChapterOrigin,
    Segment,
    SegmentPlan,
    SpeechReport,
    Summary,
    SummaryChapter,
    SummaryPlan,
)
from vidcli.core.time import Span, Timestamp
from vidcli.output.accounts import Rehearsal
from vidcli.output.summaries import SummaryRehearsal

STREAM = VideoStream(
    index=0,
    codec="h264",
    time_base=Fraction(1, 12800),
    coded_size=(720, 576),
    display_size=(576, 1024),
    rotation=90,
    sample_aspect_ratio=Fraction(64, 45),
    average_rate=Fraction(30000, 1001),
    is_vfr=False,
    pixel_format="yuv420p",
    color_transfer="bt709",
    is_hdr=False,
    is_still=False,
    is_interlaced=None,
)


def make_info(**changes: Any) -> VideoInfo:
    info = VideoInfo(
        path="clip.mp4",
        container="mov,mp4,m4a,3gp,3g2,mj2",
        size_bytes=1536,
        duration=Fraction(90),
        picture=STREAM,
        audio=(AudioStream(1, "aac", 48000, 2, "eng"),),
        subtitles=(SubtitleStream(2, "mov_text", None, True),),
        chapters=(Chapter(Span(Fraction(0), Fraction(45)), "One\x1b[31m"),),
        title="A day",
        created=None,
        warnings=("file ends at 9.9 s of 20.0 s",),
    )
    return replace(info, **changes)


def make_answer(**changes: Any) -> Answer:
    frames = tuple(
        SeenFrame(
            number, Timestamp(number * 1000 - 500, Fraction(1, 1000)), Fraction(number), "fps"
        )
        for number in (1, 2)
    )
    answer = Answer(
        question="What happens?",
        text="A dog leaves.",
        finish=FinishReason.STOP,
        video=VideoReport("clip.mp4", "f" * 32, Fraction(2)),
        frames=frames,
        frame_tokens=(64, 65),
        coverage=Coverage(Span(Fraction(0), Fraction(2)), 2, Span(Fraction(1, 2), Fraction(3, 2))),
        evidence=(Evidence(Span(Fraction(1, 2), Fraction(2)), frames),),
        citations_dropped=0,
        choices=(Choice("yes", 0.75, -0.2), Choice("no", 0.25, -1.5)),
        method="uniform",
        model=ModelReport("m", "a" * 64, "b" * 64, "Q8_0", "llama", "idefics3", "CPU", 0),
        usage=Usage(129, 40, 5, CacheUse.HIT, CacheUse.MISS),
        timings=Timings(total=1.25),
        warnings=("one was trimmed",),
    )
    return replace(answer, **changes)


def make_rehearsal(n_frames: int = 3, **changes: Any) -> Rehearsal:
    span = Span(Fraction(0), Fraction(n_frames))
    times = [Fraction(2 * number + 1, 2) for number in range(n_frames)]
    answer = make_answer()
    rehearsal = Rehearsal(
        video=answer.video,
        question=answer.question,
        approach=answer.approach,
        plan=FramePlan(span, tuple(PlannedFrame(time, "uniform") for time in times), "uniform"),
        frame_size=(512, 512),
        tokens_per_frame=64,
        frames_per_group=1,
        visual_tokens=64 * n_frames,
        prompt_cells=64 * n_frames + 40,
        reserved_cells=256,
        n_ctx=8192,
        seconds={"decode": 0.5, "encode": 90, "prefill": 2, "generate": 3, "total": 95.5},
        memory_bytes=1 << 30,
        model=answer.model,
        warnings=(),
    )
    return replace(rehearsal, **changes)


def make_summary(**changes: Any) -> Summary:
    answer = make_answer()
    halves = [Span(Fraction(0), Fraction(65)), Span(Fraction(65), Fraction(130))]
    segments = tuple(
        Segment(
            number=number,
            span=span,
            frames=(answer.frames[number - 1],),
            frame_tokens=(64,),
            caption=f"A dog\nnumber {number} <left>.",
            finish=FinishReason.STOP,
            words=5,
            words_left_out=number - 1,
            is_kept=number == 1,
        )
        for number, span in enumerate(halves, start=1)
    )
    chapters = tuple(
        SummaryChapter(span, title, number, number)
        for number, (span, title) in enumerate(
            zip(halves, ["Day; one", "Night & <two>\x1b[31m"], strict=True), start=1
        )
    )
    summary = Summary(
        video=answer.video,
        title="A dog's day",
        text="It leaves. Then it rains.",
        chapters=chapters,
        origin=ChapterOrigin.MODEL,
        marks=(Chapter(halves[0], "theirs"),),
        segments=segments,
        coverage=Coverage(Span(Fraction(0), Fraction(130)), 2, Span(Fraction(2), Fraction(130))),
        speech=SpeechReport(SpeechKind.SIDECAR, "clip.en.srt", "en", 10, 1, 4),
        steps=3,
        model=answer.model,
        method="shots",
        usage=answer.usage,
        timings=answer.timings,
        warnings=("one was trimmed",),
    )
    return replace(summary, **changes)


def make_summary_rehearsal(**changes: Any) -> SummaryRehearsal:
    rehearsal, answer = make_rehearsal(), make_answer()
    spans = [Span(Fraction(n), Fraction(n + 1)) for n in range(12)]
    segments = tuple(
        SegmentPlan(span, FramePlan(span, (PlannedFrame(span.start, "opening"),), "shots"))
        for span in spans
    )
    plan = SummaryPlan(
        Span(Fraction(0), Fraction(12)), segments, "shots", (Chapter(spans[0], "theirs"),)
    )
    made = SummaryRehearsal(
        video=answer.video,
        plan=plan,
        speech=Transcript(SpeechKind.STREAM, "#2 subrip", "eng", ()),
        frame_size=(512, 512),
        tokens_per_frame=64,
        visual_tokens=768,
        prompt_cells=2000,
        caption_tokens=96,
        steps=3,
        step_cells=4000,
        reply_tokens=1536,
        n_ctx=8192,
        kept=2,
        seconds=dict(rehearsal.seconds) | {"reduce": 4.0},
        memory_bytes=1 << 30,
        model=answer.model,
        warnings=("x",),
    )
    return replace(made, **changes)


def make_curve() -> Curve:
    answer = make_answer()
    return Curve(
        video=answer.video,
        query="a cat",
        measure=Measure.QUERY,
        windows=(ScoredWindow(answer.coverage.span, 0.75),),
        frames=answer.frames,
        frame_tokens=answer.frame_tokens,
        coverage=answer.coverage,
        method="uniform",
        model=answer.model,
        usage=answer.usage,
        timings=answer.timings,
        warnings=("x",),
    )


def make_route() -> Route:
    answer = make_answer()
    return Route(
        captions=(Caption(answer.coverage.span, "A cat sits."),),
        captions_made=2,
        captions_kept=1,
        captions_left_out=3,
        words_left_out=4,
        frames_encoded=9,
        rounds=(Round(2, (1, 3)),),
        calls=(Call("relevance 2", 40, 6, "[1,3]", is_kept=True), Call("answer", 30, 2, "A cat.")),
        planner=answer.model,
    )
