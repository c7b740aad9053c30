"""What a page shows, whatever command it is of. Times are seconds on the video's clock."""

from dataclasses import dataclass
from enum import StrEnum

from vidcli.core.tracks import Box


class TrackKind(StrEnum):
    """What a row of the timeline holds; decides its colour and whether its texts are listed."""

    CHAPTERS = "chapters"
    EVENTS = "events"
    MOMENTS = "moments"
    SHOTS = "shots"
    SPEECH = "speech"
    SCREEN = "screen"
    THINGS = "things"
    FRAMES = "frames"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that lasts from `start_s` to `end_s`; equal times are an instant."""

    start_s: float
    end_s: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Track:
    """A row of the timeline.

    Attributes:
        kind: Decides how it looks.
        name: Of the row, and of the list of its texts.
        marks: In order.
        note: Where it comes from, or why there is nothing.
        language: Of its texts, as a tag such as `en`; empty where it is not known.
    """

    kind: TrackKind
    name: str
    marks: tuple[Mark, ...]
    note: str = ""
    language: str = ""

    @property
    def has_texts(self) -> bool:
        """Whether there is something to list."""
        is_told_elsewhere = self.kind in (TrackKind.FRAMES, TrackKind.MOMENTS)
        return not is_told_elsewhere and any(mark.text for mark in self.marks)


@dataclass(frozen=True, slots=True)
class Still:
    """A picture of the storyboard.

    Attributes:
        time_s: When it is on screen.
        note: Why it was looked at.
        image: The bytes of a WebP file; empty where it could not be decoded.
        size: (width, height) of it in pixels.
        text: What was said of it, for those who cannot see it.
        boxes: To be drawn into it: what to write at each, and where it is.
    """

    time_s: float
    note: str = ""
    image: bytes = b""
    size: tuple[int, int] = (0, 0)
    text: str = ""
    boxes: tuple[tuple[str, Box], ...] = ()


@dataclass(frozen=True, slots=True)
class Curve:
    """A score over time.

    Attributes:
        name: What the score says.
        times_s: Increasing.
        scores: One for each time.
        threshold: From which on it counts; None where there is none.
    """

    name: str
    times_s: tuple[float, ...]
    scores: tuple[float, ...]
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Clue:
    """A place in the video that the answer rests on.

    Attributes:
        start_s: Its start.
        end_s: Its end.
        text: What it carries.
        note: A score or the like.
    """

    start_s: float
    end_s: float
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """An answer among several, and how likely it is, 0 to 1."""

    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that an agent used.

    Attributes:
        id: As the answer cites it.
        tool: Its name.
        arguments: As they were given, in one line.
        observation: What came back.
        seconds: Wall time it took.
        times_s: Of the frames it looked at.
    """

    id: str
    tool: str
    arguments: str
    observation: str
    seconds: float
    times_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and a value, for those who want to know how the result came about."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything about one result for one video.

    Attributes:
        command: That made it.
        video: Name of the file, without its folder.
        address: URL of the video, relative to the page.
        start_s: Where the timeline begins.
        end_s: Where it ends, after its start.
        title: A question, or what the video is called.
        answer: The result in words.
        is_code: Whether the answer is JSON and no prose.
        stills: The storyboard, in order of time.
        stills_note: What of it was left out.
        tracks: Rows of the timeline, from the top.
        curve: Above them.
        clues: Places in the video the answer rests on.
        clues_name: What they are called.
        options: Of a closed question.
        calls: Of an agent, in order.
        warnings: What a reader must know.
        facts: Model, method, cost.
    """

    command: str
    video: str
    start_s: float
    end_s: float
    title: str
    answer: str
    address: str = ""
    is_code: bool = False
    stills: tuple[Still, ...] = ()
    stills_note: str = ""
    tracks: tuple[Track, ...] = ()
    curve: Curve | None = None
    clues: tuple[Clue, ...] = ()
    clues_name: str = "Evidence"
    options: tuple[Option, ...] = ()
    calls: tuple[Call, ...] = ()
    warnings: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()

    def __post_init__(self) -> None:
        if not self.end_s > self.start_s:
            raise ValueError(f"a timeline from {self.start_s} to {self.end_s} has no length")
        if self.curve is not None and len(self.curve.times_s) != len(self.curve.scores):
            raise ValueError("a curve needs one score for each time")
