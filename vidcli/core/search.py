"""What a search over videos found: parts of them, each with how well it fits the words."""

from dataclasses import dataclass

from vidcli.core.time import Span


@dataclass(frozen=True, slots=True)
class Scored:
    """A part of a video that was compared with the words.

    Attributes:
        path: Of the video, as it was named.
        fingerprint: Names its content.
        span: Half-open.
        score: Cosine of the part's vector and that of the words, -1 to 1.
    """

    path: str
    fingerprint: str
    span: Span
    score: float


@dataclass(slots=True)
class Searched:
    """How much was looked through.

    Attributes:
        videos: That could be read.
        windows: Parts that were compared.
        frames: That they show.
        encoded: Pictures that no cache held.
    """

    videos: int = 0
    windows: int = 0
    frames: int = 0
    encoded: int = 0
