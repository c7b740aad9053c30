"""What every data file becomes: a video, and what is said about it."""

from dataclasses import dataclass, field
from fractions import Fraction

from vidcli.core.time import Span


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and the answer to be learnt.

    Attributes:
        question: What the user says.
        answer: What the model is to say.
        others: Other answers that are as good; each step draws one of them all (LaViLa).
    """

    question: str
    answer: str
    others: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.question.strip():
            raise ValueError("a question is empty")
        if not all(text.strip() for text in (self.answer, *self.others)):
            raise ValueError("an answer is empty")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens in a part of a video, in seconds from its start."""

    start: Fraction
    end: Fraction
    text: str

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"an event ends at {float(self.end):g} s, before it starts")


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of a data file.

    Attributes:
        video: As the file names it; a path once it is resolved.
        exchanges: In order; at least one, unless there are events.
        system: What a system turn says; empty for none.
        span: The part of the video it is about; None for all of it.
        events: Timed captions, in order of their start.
        is_speech: Whether the events are what was said, not what was seen.
        duration: Of the video in seconds, where the file says it.
        origin: File and row, for messages.
    """

    video: str
    exchanges: tuple[Exchange, ...] = ()
    system: str = ""
    span: Span | None = None
    events: tuple[Event, ...] = ()
    is_speech: bool = False
    duration: Fraction | None = None
    origin: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not self.video.strip():
            raise ValueError("the video's name is empty")
        if not self.exchanges and not self.events:
            raise ValueError("nothing is said about the video")
