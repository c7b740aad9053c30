"""What stands out in a video: windows with scores, and the highlights made of them."""

from dataclasses import dataclass
from enum import StrEnum

from vidcli.core.media import Coverage
from vidcli.core.model import ModelReport
from vidcli.core.prompt import SeenFrame
from vidcli.core.results import Timings, Usage, VideoReport
from vidcli.core.time import Span


class Measure(StrEnum):
    """What a score is.

    QUERY: the probability of yes, when a window alone is asked about.
    NOVELTY: how far a window looks from all others, as a cosine distance of visual tokens.
    """

    QUERY = "query"
    NOVELTY = "novelty"


@dataclass(frozen=True, slots=True)
class ScoredWindow:
    """A part of a video and how much it stands out; windows tile what was looked at."""

    span: Span
    score: float


@dataclass(frozen=True, slots=True)
class Curve:
    """How much each part of a video stands out.

    Attributes:
        query: What was looked for; empty for novelty.
        measure: What the scores are.
        windows: In order.
    """

    video: VideoReport
    query: str
    measure: Measure
    windows: tuple[ScoredWindow, ...]
    frames: tuple[SeenFrame, ...]
    frame_tokens: tuple[int, ...]
    coverage: Coverage
    method: str
    model: ModelReport
    usage: Usage
    timings: Timings
    warnings: tuple[str, ...]
