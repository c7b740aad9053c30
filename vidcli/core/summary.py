"""A summary of a video: what was looked at, what was made of it, and where the words came from."""

from dataclasses import dataclass
from enum import StrEnum

from vidcli.core.media import Chapter, Coverage, FramePlan
from vidcli.core.model import ModelReport
from vidcli.core.prompt import SeenFrame, TracedPart
from vidcli.core.results import FinishReason, Timings, Usage, VideoReport
from vidcli.core.speech import SpeechKind
from vidcli.core.time import Span


class ChapterOrigin(StrEnum):
    """Who parted a video into its chapters."""

    MODEL = "model"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class SegmentPlan:
    """A part of a video that is captioned at once.

    Attributes:
        span: Segments tile the span of their summary.
        frames: Which instants of it to look at.
    """

    span: Span
    frames: FramePlan


@dataclass(frozen=True, slots=True)
class SummaryPlan:
    """How a video is watched for a summary.

    Attributes:
        span: The part of the video that is summarized.
        segments: At least one, in order; each starts where the last ended.
        rule: What parted them and chose the frames: `shots`, `uniform`, `fps`, `keyframes`.
        marks: The author's chapters inside `span`, as far as they are to be kept.
        notes: What gave way.
    """

    span: Span
    segments: tuple[SegmentPlan, ...]
    rule: str
    marks: tuple[Chapter, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A captioned part of a video.

    Attributes:
        number: From 1.
        span: What it covers.
        frames: Those the model was shown, numbered through the whole summary.
        frame_tokens: Visual tokens of each.
        caption: What the model wrote; empty where nothing could be decoded.
        finish: Why it stopped writing.
        words: Words said in this part.
        words_left_out: Of them, those that did not fit its prompt.
        is_kept: Whether an earlier run had captioned it.
    """

    number: int
    span: Span
    frames: tuple[SeenFrame, ...]
    frame_tokens: tuple[int, ...]
    caption: str
    finish: FinishReason
    words: int = 0
    words_left_out: int = 0
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class SummaryChapter:
    """A chapter: whole segments, from `first` to `last`, counted from 1."""

    span: Span
    title: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class SpeechReport:
    """Where speech came from, and how much of it was used.

    Attributes:
        kind: Where it was.
        name: Of the file or the stream.
        language: As told there; None where it is not.
        words: Said in the span that was summarized.
        words_left_out: Of them, those left out of the prompts of their segments.
        words_shortened: Of them, those left out where captions were put together.
    """

    kind: SpeechKind
    name: str
    language: str | None
    words: int
    words_left_out: int
    words_shortened: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What a video is about, with everything that rests on.

    Attributes:
        title: Of the whole.
        text: One paragraph.
        chapters: At least one, tiling the span.
        origin: Who parted the chapters.
        marks: The author's chapters in the file, whether used or not.
        segments: In order.
        coverage: Frames seen, largest unseen gap.
        speech: None where there was none.
        steps: Replies that put captions together, the last two included.
        method: How segments and frames were chosen.
        warnings: What was trimmed, dropped or approximate.
    """

    video: VideoReport
    title: str
    text: str
    chapters: tuple[SummaryChapter, ...]
    origin: ChapterOrigin
    marks: tuple[Chapter, ...]
    segments: tuple[Segment, ...]
    coverage: Coverage
    speech: SpeechReport | None
    steps: int
    model: ModelReport
    method: str
    usage: Usage
    timings: Timings
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TracedStep:
    """One prompt of a summary and the reply to it.

    Attributes:
        name: Such as `segment 3`, `condense 1`, `chapters`, `summary`.
        parts: What the model was shown; empty where the reply is an earlier run's.
        reply: What it wrote.
        is_kept: Whether an earlier run made it.
    """

    name: str
    parts: tuple[TracedPart, ...]
    reply: str
    is_kept: bool
