"""Text that a video shows: where it stands in a picture, and from when to when.

Places are pixels of the picture they were found in, x to the right and y down.
"""

from dataclasses import dataclass
from fractions import Fraction

from vidcli.core.media import Coverage
from vidcli.core.results import VideoReport
from vidcli.core.time import Span

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class TextPlace:
    """Where a line of text stands: its corners, clockwise from its own upper left."""

    corners: tuple[Point, Point, Point, Point]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The upright rectangle around it: left, top, right, bottom."""
        xs, ys = zip(*self.corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    def scaled(self, factor: Fraction | float) -> "TextPlace":
        """The same place in a picture so many times as large."""
        scale = float(factor)
        a, b, c, d = ((x * scale, y * scale) for x, y in self.corners)
        return TextPlace((a, b, c, d))


@dataclass(frozen=True, slots=True)
class Reading:
    """What a line of text says, and how sure the reader is, 0 to 1."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class ScreenLine:
    """One line of text on the screen.

    Attributes:
        text: As it was read last or best; never empty.
        place: In pixels of the video as it is displayed.
        confidence: Of the reader, 0 to 1.
    """

    text: str
    place: TextPlace
    confidence: float


@dataclass(frozen=True, slots=True)
class ScreenText:
    """Lines that come and go together.

    Attributes:
        span: From when they are first seen to when they are gone.
        lines: In reading order, at least one.
    """

    span: Span
    lines: tuple[ScreenLine, ...]

    @property
    def text(self) -> str:
        """All lines, one below the other."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class ScreenReport:
    """The text that a video shows.

    Attributes:
        video: Which.
        texts: In order of their start, then from top to bottom.
        step: Seconds from one look to the next.
        coverage: Of the looks.
        n_read: Looks at which something had changed, so that the picture was read.
        n_left_out: Lines that were too short, or not read surely enough.
        reader: Which program and weights read it.
        warnings: What a reader of the result must know.
    """

    video: VideoReport
    texts: tuple[ScreenText, ...]
    step: Fraction
    coverage: Coverage
    n_read: int
    n_left_out: int
    reader: str
    warnings: tuple[str, ...]
