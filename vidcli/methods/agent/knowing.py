"""Tools that look at nothing new: what is said, where shots begin, what the object memory holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from vidcli.core.agent import NOTE, Told
from vidcli.core.media import Shot
from vidcli.core.screen import ScreenReport
from vidcli.core.speech import Transcript
from vidcli.core.time import Span
from vidcli.methods.agent.seeing import Parameters, read_span, time_parameter

CUES_MAX = 40
TEXTS_MAX = 40
TOLD_MAX = 40
VOCABULARY_CHARS = 400
SHOTS_MAX = 40
ROWS_MAX = 20
SQL_MAX = 400


@dataclass(frozen=True, slots=True)
class ReadTranscript:
    """What is said in a part."""

    transcript: Transcript
    span: Span
    name = "transcript"
    purpose = f"what is said from second start to second end, at most {CUES_MAX} lines"

    @property
    def parameters(self) -> Parameters:
        """Where."""
        return {"start": time_parameter(self.span), "end": time_parameter(self.span)}

    def __call__(self, arguments: Mapping[str, Any]) -> list[Told]:
        """Read.

        Raises:
            UsageError: The part is outside the clip.
        """
        part = read_span(arguments, self.span)
        cues = [cue for cue in self.transcript.cues if cue.span.clamp(part) is not None]
        told = []
        for cue in cues[:CUES_MAX]:
            inside = cue.span.clamp(self.span)
            told.append(Told("said", " ".join(cue.text.split()), inside))
        if len(cues) > CUES_MAX:
            told.append(Told(NOTE, f"{len(cues) - CUES_MAX} more lines: ask for a shorter part"))
        return told


@dataclass(slots=True)
class ListShots:
    """Where shots begin and end; found when first asked for."""

    find: Callable[[], Sequence[Shot]]
    name = "shots"
    purpose = f"where the pictures are cut, at most {SHOTS_MAX} shots"
    _shots: Sequence[Shot] | None = None

    @property
    def parameters(self) -> Parameters:
        """None."""
        return {}

    def __call__(self, arguments: Mapping[str, Any]) -> list[Told]:
        """Find them.

        Raises:
            MediaError: The video cannot be read through.
        """
        if self._shots is None:
            self._shots = self.find()
        shots = self._shots[:SHOTS_MAX]
        told = [
            Told("shot", f"shot {number}, begins with {shot.transition.value}", shot.span)
            for number, shot in enumerate(shots, start=1)
        ]
        if len(self._shots) > SHOTS_MAX:
            told.append(Told(NOTE, f"{len(self._shots) - SHOTS_MAX} more shots"))
        return told


@dataclass(frozen=True, slots=True)
class ReadScreen:
    """What is written on the screen in a part."""

    read: Callable[[Span], ScreenReport]
    span: Span
    scanned: Callable[[int], None]
    name = "on_screen_text"
    purpose = f"what is written on the screen from second start to second end, {TEXTS_MAX} at most"

    @property
    def parameters(self) -> Parameters:
        """Where."""
        return {"start": time_parameter(self.span), "end": time_parameter(self.span)}

    def __call__(self, arguments: Mapping[str, Any]) -> list[Told]:
        """Read.

        Raises:
            UsageError: The part is outside the clip.
            MediaError: It cannot be decoded.
        """
        report = self.read(read_span(arguments, self.span))
        self.scanned(report.coverage.frames)
        told = [
            Told("written", " / ".join(line.text for line in text.lines), text.span)
            for text in report.texts[:TEXTS_MAX]
        ]
        if len(report.texts) > TEXTS_MAX:
            told.append(Told(NOTE, f"{len(report.texts) - TEXTS_MAX} more: ask for a shorter part"))
        return told


@dataclass(frozen=True, slots=True)
class Sense:
    """Something that tells of a part of the video.

    Attributes:
        name: Of the tool.
        purpose: What it tells, in one sentence for the planner; a closed vocabulary is named in it.
        look: From a part to what is in it, and how many frames that took.
    """

    name: str
    purpose: str
    look: Callable[[Span], tuple[Sequence[Told], int]]


@dataclass(frozen=True, slots=True)
class AskSense:
    """What a sense tells of a part."""

    sense: Sense
    span: Span
    scanned: Callable[[int], None]

    @property
    def name(self) -> str:
        """Of the sense."""
        return self.sense.name

    @property
    def purpose(self) -> str:
        """Of the sense."""
        return self.sense.purpose

    @property
    def parameters(self) -> Parameters:
        """Where."""
        return {"start": time_parameter(self.span), "end": time_parameter(self.span)}

    def __call__(self, arguments: Mapping[str, Any]) -> list[Told]:
        """Look.

        Raises:
            UsageError: The part is outside the clip.
            MediaError: It cannot be decoded.
            EngineError: The network cannot be run.
        """
        told, n_frames = self.sense.look(read_span(arguments, self.span))
        self.scanned(n_frames)
        if len(told) <= TOLD_MAX:
            return list(told)
        return [*told[:TOLD_MAX], Told(NOTE, f"{len(told) - TOLD_MAX} more: ask for less")]


def name_some(labels: Sequence[str], *, chars: int = VOCABULARY_CHARS) -> str:
    """A closed vocabulary in words, as much of it as so many letters hold."""
    named = list(labels)
    while named and len(", ".join(named)) > chars:
        named.pop()
    left = len(labels) - len(named)
    return ", ".join(named) + (f" and {left} more" if left else "")


class ObjectRows(Protocol):
    """An object memory that answers SQL."""

    def query(self, sql: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]], bool]:
        """Column names, rows, and whether there were more than are given.

        Raises:
            UsageError: It is no SELECT that can be answered.
        """


@dataclass(frozen=True, slots=True)
class ObjectMemoryQuerying:
    """Rows of the object memory.

    Source: VideoAgent (YueFan1014/VideoAgent, arXiv:2403.11481) section 3.2. There an agent of its
    own writes the SQL; here the planner does.
    """

    rows: ObjectRows
    name = "object_memory_querying"
    purpose = (
        "one SQL SELECT on tables objects(id, category, score, start_s, end_s), "
        "segments(id, start_s, end_s, caption), objects_segments(object_id, segment_id); what is "
        "one object is told by association by overlap and appearance histogram"
    )

    @property
    def parameters(self) -> Parameters:
        """What is asked of the database."""
        return {"sql": {"type": "string", "minLength": 1, "maxLength": SQL_MAX}}

    def __call__(self, arguments: Mapping[str, Any]) -> list[Told]:
        """Ask.

        Raises:
            UsageError: It is no SELECT that can be answered.
        """
        columns, rows, has_more = self.rows.query(arguments["sql"])
        told = [
            Told("row", ", ".join(f"{n}: {v}" for n, v in zip(columns, row, strict=True)))
            for row in rows[:ROWS_MAX]
        ]
        if has_more or len(rows) > ROWS_MAX:
            told.append(Told(NOTE, f"there are more than {ROWS_MAX} rows"))
        return told or [Told("row", "no rows")]
