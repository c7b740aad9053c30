"""What happens in a video, and when: timed events, and what is said beside them."""

from dataclasses import dataclass
from enum import StrEnum

from vidcli.core.media import Coverage
from vidcli.core.model import ModelReport
from vidcli.core.prompt import SeenFrame
from vidcli.core.results import Timings, Usage, VideoReport
from vidcli.core.speech import SpeechKind
from vidcli.core.time import Span


class By(StrEnum):
    """How events come about.

    SEGMENTS: shots are captioned one by one, and neighbours that say the same are joined.
    TOKENS: the model writes times and sentences of the whole video at once.
    """

    SEGMENTS = "segments"
    TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class Event:
    """A sentence about a part of a video; spans of events may overlap."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class SpeechEvents:
    """What is said, as events.

    Attributes:
        kind: Where it was read, or who heard it.
        name: Of the file, the stream or the listener.
        language: As told there; None where it is not.
        events: In order.
        words: In all.
        words_left_out: Of them, those that did not fit the prompts.
    """

    kind: SpeechKind
    name: str
    language: str | None
    events: tuple[Event, ...]
    words: int
    words_left_out: int


@dataclass(frozen=True, slots=True)
class Dense:
    """The events of one video, with everything they rest on.

    Attributes:
        span: The part of the video that was looked at.
        by: How they came about.
        events: In order of their start.
        speech: None where it was not asked for, or there is none.
    """

    video: VideoReport
    span: Span
    by: By
    events: tuple[Event, ...]
    speech: SpeechEvents | None
    frames: tuple[SeenFrame, ...]
    frame_tokens: tuple[int, ...]
    coverage: Coverage
    method: str
    model: ModelReport
    usage: Usage
    timings: Timings
    warnings: tuple[str, ...]
