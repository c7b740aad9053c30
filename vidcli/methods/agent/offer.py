"""Which tools an agent has: made for one video, or named with the reason why they are not there."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidcli.core.agent import Style, Told, ToolReport
from vidcli.core.media import Shot
from vidcli.core.protocols import Tool
from vidcli.core.screen import ScreenReport
from vidcli.core.speech import Transcript
from vidcli.core.time import Span
from vidcli.core.tracks import Track
from vidcli.errors import MediaError
from vidcli.library.objects import ObjectMemory, RememberedObject, write_memory
from vidcli.methods.agent import react
from vidcli.methods.agent.eyes import Eyes
from vidcli.methods.agent.knowing import ListShots, ObjectMemoryQuerying, ReadScreen, ReadTranscript
from vidcli.methods.agent.seeing import (
    CaptionRetrieval,
    Look,
    Retrieve,
    SegmentLocalization,
    VisualQuestionAnswering,
)
from vidcli.methods.agent.segments import TemporalMemory
from vidcli.tools.association import associate

BOTH, CONFIDENCE, REACT = tuple(Style), (Style.CONFIDENCE,), (Style.REACT,)
NO_SPEECH = "nothing is written down beside the video or inside it"
NO_READER = "nothing is there to read with"
NO_DETECTOR = "no detector is there to follow things"


@dataclass(frozen=True, slots=True, kw_only=True)
class Senses:
    """What a video can be asked besides looking at it with the model.

    Attributes:
        transcript: What is said; None where nothing is written down.
        find_shots: Finds where it is cut.
        read_screen: Reads what is written on the screen in a span; None where no reader is there.
        find_tracks: Finds and follows things in a span; None where no detector is there.
        others: Further tools for the planner.
        missing: Why tools that there could be are not there, by name.
    """

    transcript: Transcript | None = None
    find_shots: Callable[[], Sequence[Shot]] | None = None
    read_screen: Callable[[Span], ScreenReport] | None = None
    find_tracks: Callable[[Span], Sequence[Track]] | None = None
    others: Sequence[Tool] = ()
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_speech(self) -> bool:
        """Whether anything is written down."""
        return self.transcript is not None and bool(self.transcript.cues)


@dataclass(frozen=True, slots=True)
class Remember:
    """Fills the temporal memory, and the object memory where things can be followed."""

    memory: TemporalMemory
    span: Span
    length: Fraction
    path: Path
    senses: Senses
    name = react.REMEMBER
    purpose = "captions every short segment of the video, and notes which things are in it"

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """None."""
        return {}

    def __call__(self, arguments: Mapping[str, Any]) -> list[Told]:
        """Look at everything once.

        Raises:
            MediaError: Nothing could be decoded.
        """
        self.memory.remember(self.span, self.length)
        told = f"{len(self.memory.segments)} segments are remembered"
        if self.senses.find_tracks is None:
            return [Told("memory", told)]
        shots = self.senses.find_shots() if self.senses.find_shots is not None else ()
        groups = associate(
            self.senses.find_tracks(self.span), cuts=[shot.span.start for shot in shots]
        )
        write_memory(
            self.path,
            [RememberedObject(tuple(group)) for group in groups],
            [(segment.span, segment.caption) for segment in self.memory.segments],
        )
        return [Told("memory", f"{told}, and {len(groups)} objects")]


class LazyRows:
    """The object memory, opened when it is first asked: it is written after the tools are made."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self._path = path
        self._stack = stack
        self._opened: ObjectMemory | None = None

    def query(self, sql: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]], bool]:
        """See `ObjectMemory.query`.

        Raises:
            MediaError: Nothing is remembered.
            UsageError: It is no SELECT that can be answered.
        """
        if self._opened is None:
            if not self._path.exists():
                raise MediaError("the object memory is empty")
            self._opened = self._stack.enter_context(ObjectMemory(self._path))
        return self._opened.query(sql)


def make_confident(eyes: Eyes, span: Span, senses: Senses) -> list[Tool]:
    """The tools of the confidence loop."""
    tools: list[Tool] = [Look(eyes, span), Retrieve(eyes, span)]
    return tools + _speech(span, senses)


def make_react(
    memory: TemporalMemory,
    span: Span,
    senses: Senses,
    *,
    length: Fraction,
    path: Path,
    stack: ExitStack,
) -> list[Tool]:
    """The tools of the other loop.

    Args:
        memory: Empty.
        span: Of the video.
        senses: What else there is.
        length: Of a remembered segment, in seconds.
        path: Of the object memory, where there is no file yet.
        stack: Closes what tools open.
    """
    tools: list[Tool] = [
        Remember(memory, span, length, path, senses),
        CaptionRetrieval(memory, span),
        SegmentLocalization(memory),
        VisualQuestionAnswering(memory.eyes, span),
    ]
    if senses.find_tracks is not None:
        tools.append(ObjectMemoryQuerying(LazyRows(path, stack)))
    if senses.find_shots is not None:
        tools.append(ListShots(senses.find_shots))
    if senses.read_screen is not None:
        tools.append(ReadScreen(senses.read_screen, span, memory.eyes.note_scanned))
    return [*tools, *senses.others, *_speech(span, senses)]


def _speech(span: Span, senses: Senses) -> list[Tool]:
    if not senses.has_speech or senses.transcript is None:
        return []
    return [ReadTranscript(senses.transcript, span)]


def list_tools(senses: Senses) -> tuple[ToolReport, ...]:
    """All tools there are, and why some cannot be called."""
    missing = {
        "transcript": "" if senses.has_speech else NO_SPEECH,
        "object_memory_querying": "" if senses.find_tracks is not None else NO_DETECTOR,
        "shots": "" if senses.find_shots is not None else "nothing is there to find cuts",
        "on_screen_text": "" if senses.read_screen is not None else NO_READER,
        **senses.missing,
    }
    built_in: list[tuple[str, str, tuple[Style, ...]]] = [
        (Look.name, Look.purpose, CONFIDENCE),
        (Retrieve.name, Retrieve.purpose, CONFIDENCE),
        (Remember.name, Remember.purpose, REACT),
        (CaptionRetrieval.name, CaptionRetrieval.purpose, REACT),
        (SegmentLocalization.name, SegmentLocalization.purpose, REACT),
        (VisualQuestionAnswering.name, VisualQuestionAnswering.purpose, REACT),
        (ObjectMemoryQuerying.name, ObjectMemoryQuerying.purpose, REACT),
        (ListShots.name, ListShots.purpose, REACT),
        (ReadScreen.name, ReadScreen.purpose, REACT),
        (ReadTranscript.name, ReadTranscript.purpose, BOTH),
    ]
    built_in += [(tool.name, tool.purpose, REACT) for tool in senses.others]
    known = {name for name, _, _ in built_in}
    built_in += [(name, "", REACT) for name in senses.missing if name not in known]
    return tuple(
        ToolReport(name, purpose, styles, missing.get(name, ""))
        for name, purpose, styles in built_in
    )
