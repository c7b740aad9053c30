"""What a detector and a classifier of clips find: things in frames, actions in spans."""

from dataclasses import dataclass

from vidcli.core.time import Span
from vidcli.core.tracks import Box


@dataclass(frozen=True, slots=True)
class Detection:
    """A thing in one frame.

    Attributes:
        label: What it is, in the detector's words.
        box: Where, when, and how sure.
    """

    label: str
    box: Box


@dataclass(frozen=True, slots=True)
class Guess:
    """A label for a clip, and how likely it is, 0 to 1."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Window:
    """What was seen of a stretch of the video.

    Attributes:
        span: The stretch.
        guesses: The likeliest labels, best first.
    """

    span: Span
    guesses: tuple[Guess, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """A label that neighbouring windows agree on.

    Attributes:
        label: In the classifier's words.
        span: From the first of them to the last.
        probability: The mean of theirs, 0 to 1.
        windows: How many they are.
    """

    label: str
    span: Span
    probability: float
    windows: int
