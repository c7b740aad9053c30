"""How a shot looks as a whole: what the camera does, how much moves, how bright it is."""

from dataclasses import dataclass
from enum import StrEnum


class CameraMove(StrEnum):
    """What the camera does during a shot. A pan is named by where the camera turns to."""

    STILL = "still"
    LEFT = "pan left"
    RIGHT = "pan right"
    UP = "pan up"
    DOWN = "pan down"
    ZOOM_IN = "zoom in"
    ZOOM_OUT = "zoom out"
    UNSTEADY = "unsteady"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class ShotDetails:
    """How one shot looks.

    Attributes:
        camera: UNCLEAR where too little in the picture can be followed.
        pan: To the right and down, in frame widths and heights a second; None where unclear.
        zoom: Magnification a second: 1.1 is a tenth larger every second; None where unclear.
        motion: Share of the picture that changes by more than the camera's movement, 0 to 1; None
            where the shot has no two frames.
        brightness: Mean, 0 (black) to 1 (white).
        faces: Most in any frame looked at; None where no face detector is there.
        frames: How many were looked at.
    """

    camera: CameraMove
    pan: tuple[float, float] | None
    zoom: float | None
    motion: float | None
    brightness: float | None
    faces: int | None
    frames: int
