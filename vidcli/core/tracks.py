"""Things that were followed through a video: what they are, and where they were when."""

import itertools
from dataclasses import dataclass

from vidcli.core.time import Span, Timestamp


@dataclass(frozen=True, slots=True)
class Box:
    """Where a thing is in one frame, in shares of the frame's width and height.

    Attributes:
        time: PTS of the frame.
        x: Left edge; 0 is the frame's own.
        y: Upper edge.
        width: Above 0.
        height: Above 0.
        score: How sure the detector is, 0 to 1.
    """

    time: Timestamp
    x: float
    y: float
    width: float
    height: float
    score: float = 1.0

    def __post_init__(self) -> None:
        if not (self.width > 0 and self.height > 0):
            raise ValueError(f"a box has a size, not {self.width}×{self.height}")
        if not 0 <= self.score <= 1:
            raise ValueError(f"a score lies between 0 and 1, not at {self.score}")


@dataclass(frozen=True, slots=True)
class Track:
    """One thing in consecutive frames.

    Attributes:
        label: What it is, in the words of whoever found it; never empty.
        score: How sure that is, 0 to 1.
        boxes: At least one, times strictly increasing.
        appearance: Numbers that are alike for pictures that look alike, such as a histogram of
            colours, and of one length for all tracks of a video; empty where none were taken.
    """

    label: str
    score: float
    boxes: tuple[Box, ...]
    appearance: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.label:
            raise ValueError("a track has a label")
        if not self.boxes:
            raise ValueError("a track holds at least one box")
        if not 0 <= self.score <= 1:
            raise ValueError(f"a score lies between 0 and 1, not at {self.score}")
        times = [box.time.seconds for box in self.boxes]
        if any(later <= sooner for sooner, later in itertools.pairwise(times)):
            raise ValueError("times of a track must be strictly increasing")

    @property
    def span(self) -> Span:
        """From its first frame up to one tick after its last."""
        last = self.boxes[-1].time
        return Span(self.boxes[0].time.seconds, last.seconds + last.time_base)
