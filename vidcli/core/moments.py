"""Where in a video an event is seen: scored windows, and the moments made of them."""

from dataclasses import dataclass
from enum import StrEnum

from vidcli.core.media import Coverage
from vidcli.core.model import ModelReport
from vidcli.core.prompt import SeenFrame
from vidcli.core.results import Timings, Usage, VideoReport
from vidcli.core.time import Span
from vidcli.core.tracks import Track


class PriorRule(StrEnum):
    """What a window's yes is compared with.

    AUTO: the blind window, where that says yes; then also the video's own median.
    BLIND: what the model says of grey pictures.
    MEDIAN: the video's own median.
    NONE: nothing.
    """

    AUTO = "auto"
    BLIND = "blind"
    MEDIAN = "median"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Prior:
    """What a model says without evidence, in log-odds of yes.

    Attributes:
        rule: That was asked for.
        blind: Of grey pictures; None where they were not asked about.
        median: Of all windows.
        log_odds: What is taken off every window.
    """

    rule: PriorRule
    blind: float | None
    median: float
    log_odds: float


@dataclass(frozen=True, slots=True)
class Judged:
    """A part of a video that was asked about alone.

    Attributes:
        span: Half-open.
        log_odds: Of yes, as the model said it.
    """

    span: Span
    log_odds: float


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch in which the event is seen.

    Attributes:
        span: Half-open.
        score: The highest probability in it, 0 to 1, the prior taken off.
        is_start_refined: Whether its start was looked at closely.
        is_end_refined: Whether its end was.
    """

    span: Span
    score: float
    is_start_refined: bool = False
    is_end_refined: bool = False


@dataclass(frozen=True, slots=True)
class Followed:
    """Things that were followed through one moment.

    Attributes:
        tracks: In the order in which they begin.
        frames: That the detector looked at.
        dropped: Boxes that nothing continued.
    """

    tracks: tuple[Track, ...]
    frames: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Things:
    """What a query names and a detector knows, followed through each moment.

    Attributes:
        detector: Name of its file.
        labels: That were looked for, in its words.
        score: Least score of a box that begins a track.
        moments: For each of the moments, in their order.
    """

    detector: str
    labels: tuple[str, ...]
    score: float
    moments: tuple[Followed, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The moments of one video, with everything they rest on.

    Attributes:
        query: What was looked for.
        moments: In order, none meeting another.
        windows: In order, overlapping.
        probabilities: Of each window, the prior taken off, smoothed.
        looks: Single pictures asked about near the edges, in order of time.
        threshold: Probability that a moment must reach.
        things: Followed through the moments; None where nothing was to be.
    """

    video: VideoReport
    query: str
    moments: tuple[Moment, ...]
    windows: tuple[Judged, ...]
    probabilities: tuple[float, ...]
    looks: tuple[Judged, ...]
    prior: Prior
    threshold: float
    frames: tuple[SeenFrame, ...]
    frame_tokens: tuple[int, ...]
    coverage: Coverage
    method: str
    model: ModelReport
    usage: Usage
    timings: Timings
    warnings: tuple[str, ...]
    things: Things | None = None
