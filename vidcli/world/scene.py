"""What a clip shows, as values: shots, their backgrounds and cameras, objects and words.

Positions are shares of the frame's side: x to the right, y down, the frame is the unit square.
Times are seconds of the clip.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vidcli.world.vocabulary import Motion, Split

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Path:
    """A way through the frame: straight lines between points, at given times.

    Attributes:
        times: Seconds, increasing; before the first and after the last the object rests.
        xs: Centre at those times.
        ys: Centre at those times.
        wrap: None, or how far outside the frame the object vanishes, to come back on the other
            side. With it a straight motion passes through the frame again and again, so that its
            place in any single frame tells nothing of its direction.
    """

    times: tuple[float, ...]
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    wrap: float | None = None

    def at(self, times: Floats) -> Floats:
        """Centres at `times`: (n, 2)."""
        if len(self.times) == 1:
            return np.tile([self.xs[0], self.ys[0]], (len(times), 1))
        places = np.stack(
            [np.interp(times, self.times, self.xs), np.interp(times, self.times, self.ys)], axis=1
        )
        if self.wrap is None:
            return places
        wrapped: Floats = (places + self.wrap) % (1 + 2 * self.wrap) - self.wrap
        return wrapped


@dataclass(frozen=True, slots=True)
class Actor:
    """An object: which drawing in which colour, how big, when it is there and how it moves.

    Attributes:
        group: Actors of one number are spoken of together ("three red balls").
        size: Width and height, share of the frame's side.
        stretch: Width over height of the drawing, about 1.
        tilt: Degrees it is turned by.
        shade: Added to the colour's brightness, -20 to 20.
    """

    group: int
    kind: str
    colour: str
    variant: int
    size: float
    motion: Motion
    path: Path
    appears: float
    vanishes: float
    mirrored: bool = False
    stretch: float = 1.0
    tilt: float = 0.0
    shade: int = 0

    @property
    def name(self) -> str:
        """Colour and kind."""
        return f"{self.colour} {self.kind}"


@dataclass(frozen=True, slots=True)
class Writing:
    """A word or digit on the screen, while its shot lasts.

    Attributes:
        x: Centre.
        y: Centre.
        height: Of a capital letter, share of the frame's side.
        font: Number of the font in `vidcli.world.lettering`.
        is_dark: Dark letters on a pale plate, or pale ones on a dark plate.
    """

    text: str
    x: float
    y: float
    height: float
    font: int
    is_dark: bool


@dataclass(frozen=True, slots=True)
class Background:
    """What is behind the objects: a style with two or three muted colours and its own seed."""

    style: str
    colours: tuple[tuple[int, int, int], ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Camera:
    """The part of the scene that is seen, moving evenly from the shot's start to its end.

    Attributes:
        move: What is said of it: `left` and kin for a pan, `in` or `out` for a zoom, or None.
        start: Centre x, centre y and magnification.
        end: The same, at the end.
    """

    move: str | None = None
    start: tuple[float, float, float] = (0.5, 0.5, 1.0)
    end: tuple[float, float, float] = (0.5, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Shot:
    """What is seen between two cuts, half-open in time."""

    start: float
    end: float
    background: Background
    actors: tuple[Actor, ...]
    camera: Camera = field(default_factory=Camera)
    writing: Writing | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """How the picture is spoilt: noise (standard deviation, grey levels), outlines around objects.

    Attributes:
        crf: Constant rate factor of the file's H.264: 20 is fine, 32 is coarse.
    """

    noise: float
    is_outlined: bool
    crf: int


@dataclass(frozen=True, slots=True)
class Scene:
    """A clip, wholly described; equal for equal seed, index, split and options.

    Attributes:
        genre: Which composition made it; `vidcli.world.compose.GENRES` lists them.
        duration: Seconds.
    """

    seed: int
    index: int
    split: Split
    genre: str
    duration: float
    shots: tuple[Shot, ...]
    look: Look

    def shot_at(self, time: float) -> Shot:
        """The shot that is seen at `time`; the last one after its end."""
        return next((shot for shot in self.shots if time < shot.end), self.shots[-1])

    def sample_times(self, count: int) -> Floats:
        """Middles of `count` equal parts of the clip, as vidcli samples frames: (count,)."""
        middles: Floats = (np.arange(count, dtype=np.float64) + 0.5) * (self.duration / count)
        return middles
