"""What tools found in a video, in words, and how much of it a model was told."""

from dataclasses import dataclass
from enum import StrEnum

from vidcli.core.time import Span


class Mode(StrEnum):
    """What a model is shown of a video: the words of tools, visual tokens, or both.

    `transcript` is Video-LLaMA's order: what is said, then the frames. Its audio branch is words
    here, written down by a listener, and not tokens of sound.
    """

    TEXT = "text"
    EMBED = "embed"
    HYBRID = "hybrid"
    TRANSCRIPT = "transcript"

    @property
    def tells(self) -> bool:
        """Whether tools are asked."""
        return self is not Mode.EMBED

    @property
    def shows(self) -> bool:
        """Whether visual tokens are shown."""
        return self is not Mode.TEXT

    @property
    def speaks_first(self) -> bool:
        """Whether what is said, and that alone, is told, before any frame."""
        return self is Mode.TRANSCRIPT

    @property
    def order(self) -> tuple[str, ...]:
        """Of what a prompt is made, in its order."""
        told, shown = ("words",) * self.tells, ("frames",) * self.shows
        parts = told + shown if self.speaks_first else shown + told
        return (*parts, "question")


@dataclass(frozen=True, slots=True)
class ToolLine:
    """One thing that a tool found, and when; None for all of the video."""

    text: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class ToolSection:
    """What one tool found.

    Attributes:
        name: What it tells of: `caption`, `tags`, `dense`, `action`, `speech`, `screen`.
        tool: What really ran; empty where nothing did.
        lines: In order of time.
        absent: Why there is nothing; empty where there is something.
        notes: What a reader should know of how it was found.
    """

    name: str
    tool: str = ""
    lines: tuple[ToolLine, ...] = ()
    absent: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SectionUse:
    """How much of a section the model was told."""

    section: ToolSection
    lines: int
    words: int
    words_left_out: int


@dataclass(frozen=True, slots=True)
class Mixture:
    """What one answer rests on: words of tools, visual tokens, earlier turns.

    Attributes:
        mode: Which of them were wanted.
        sections: Of every tool, those that found nothing included; none without tools.
        visual_tokens: That were injected.
        sampling: The sentence that says when the frames were sampled; empty without frames.
        turns_left_out: Earlier turns that did not fit.
        history_words_left_out: Words of those.
    """

    mode: Mode
    sections: tuple[SectionUse, ...]
    visual_tokens: int
    sampling: str
    turns_left_out: int = 0
    history_words_left_out: int = 0

    @property
    def tool_words_left_out(self) -> int:
        """Words of tools that did not fit."""
        return sum(use.words_left_out for use in self.sections)
