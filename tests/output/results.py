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
from vidcli.core.prompt import SeenFrame
from vidcli.core.results import (
    Answer,
    CacheUse,
    Choice,
    Evidence,
    FinishReason,
    ModelReport,
    Timings,
    Usage,
    VideoReport,
)
from vidcli.core.time import Span, Timestamp
from vidcli.output.accounts import Rehearsal

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
        video=STREAM,
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
