"""How an answer that went through text was come by: captions, calls, rounds."""

from dataclasses import dataclass
from enum import StrEnum

from vidcli.core.model import ModelReport
from vidcli.core.time import Span


class Reading(StrEnum):
    """How captions are read.

    QA: the question beside the captions. SUMQ: a summary for the question, then the question beside
    that alone. COT: a reasoning about the question, then the question beside both.
    """

    QA = "qa"
    SUMQ = "sumq"
    COT = "cot"


@dataclass(frozen=True, slots=True)
class Call:
    """One prompt of text alone and the reply to it.

    Attributes:
        name: Such as `summary`, `relevance 8`, `answer`.
        prompt_tokens: Of it.
        completion_tokens: Of the reply; 0 where options were scored.
        reply: What was written.
        is_kept: Whether an earlier run made it.
    """

    name: str
    prompt_tokens: int
    completion_tokens: int
    reply: str
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """One look at how relevant clusters of frames are.

    Attributes:
        clusters: How many there were.
        relevance: Of each, from 1 (not) to 3 (very), in order of time.
    """

    clusters: int
    relevance: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Caption:
    """What was written of one part of a video."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Route:
    """How an answer that went through text was come by.

    Attributes:
        captions: What the answer rests on, in order of time.
        captions_made: By the model that sees, in all, those of earlier runs included.
        captions_kept: Of them, those of earlier runs.
        captions_left_out: Frames whose caption the budget did not allow.
        words_left_out: Words of captions that did not fit a prompt.
        frames_encoded: Frames that were looked at to choose those to caption.
        rounds: Of choosing; empty where every frame was captioned.
        calls: Prompts of text, in order; captions are not among them.
        planner: The model that answered them, where it is not the one that sees.
    """

    captions: tuple[Caption, ...]
    captions_made: int
    captions_kept: int
    captions_left_out: int
    words_left_out: int
    frames_encoded: int
    rounds: tuple[Round, ...]
    calls: tuple[Call, ...]
    planner: ModelReport | None
