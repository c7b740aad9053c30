"""IG-VLM's picture: frames in rows and columns of one image, shown as a single picture.

The frames are put together before the vision encoder sees them, so any model that sees can be asked
this way, and the whole video costs one encode.

Source: IG-VLM (arXiv:2403.18406) and the repository imagegridworth/IG-VLM: six frames at equal
steps from the first, three rows of two, white where there are too few.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from vidcli.core.media import FramePlan, VideoInfo
from vidcli.core.profile import FamilyProfile
from vidcli.core.prompt import VisualTokens
from vidcli.core.protocols import Encoder, Session
from vidcli.core.time import Span
from vidcli.errors import ResourceError
from vidcli.methods.arrange import Arranger
from vidcli.methods.arranged import plan_indices
from vidcli.methods.recipe import Options, Recipe, Room
from vidcli.methods.watch import MAX_HALVINGS, Fit

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "grid"
WHITE = 255
INTRO = (
    "The picture shows frames of one video in a grid, in the order of time: from left to right, "
    "then from top to bottom.\n"
)


@dataclass(frozen=True, slots=True)
class GridFit(Fit):
    """A fit with the size of the whole picture.

    Attributes:
        canvas: (width, height) that the vision encoder is given.
    """

    canvas: tuple[int, int] = (0, 0)


def choose_steps(total: int, wanted: int) -> list[int]:
    """Frame numbers at equal steps from the first; all of them where there are too few."""
    step = max(1, total // wanted)
    return [number * step for number in range(min(wanted, total))]


def choose_shape(frames: int) -> tuple[int, int]:
    """Rows and columns for so many frames: six make three rows of two."""
    columns = max(1, round(frames**0.5))
    return -(-frames // columns), columns


def draw_grid(
    images: "Sequence[NDArray[np.uint8]]", *, shape: tuple[int, int], canvas: tuple[int, int]
) -> "NDArray[np.uint8]":
    """Lay frames out row by row on white.

    Args:
        images: uint8 RGB (height, width, 3), all of one size; no more than the shape holds.
        shape: Rows and columns.
        canvas: (width, height) of the picture, at least that of all cells.

    Returns:
        uint8 RGB (height, width, 3).
    """
    picture = np.full((canvas[1], canvas[0], 3), WHITE, np.uint8)
    height, width, _ = images[0].shape
    for number, image in enumerate(images):
        row, column = divmod(number, shape[1])
        top, left = row * height, column * width
        picture[top : top + height, left : left + width] = image
    return picture


@dataclass(frozen=True, slots=True)
class GridEncoder:
    """Makes one picture of a group of frames; a `core.protocols.Encoder`."""

    session: Session
    frames: int
    canvas: tuple[int, int]

    @property
    def profile(self) -> FamilyProfile:
        """All frames are one group."""
        return replace(self.session.profile, group=self.frames)

    @property
    def native_s(self) -> float:
        """Wall seconds spent inside the native library so far."""
        return self.session.native_s

    def encode(self, images: "Sequence[NDArray[np.uint8]]") -> VisualTokens:
        """Encode the picture of all frames."""
        shape = choose_shape(self.frames)
        return self.session.encode([draw_grid(images, shape=shape, canvas=self.canvas)])


class Grid(Recipe):
    """The recipe of `grid`."""

    name = NAME
    intro = INTRO
    one_by_one = False

    def __init__(self, frames: int) -> None:
        self.frames = frames
        rows, columns = choose_shape(frames)
        self.store_name = f"grid {rows}x{columns}"

    def plan(self, info: VideoInfo, span: Span) -> FramePlan:
        """Frames at equal steps from the first."""
        return plan_indices(info, span, choose_steps, frames=self.frames, rule=NAME)

    def fit(self, plan: FramePlan, session: Session, room: Room) -> GridFit:
        """The largest picture of all frames that the context holds."""
        rows, columns = choose_shape(self.frames)
        width, height = room.display_size
        free = session.n_ctx - room.question_cells - room.reserve - 1
        for halvings in range(MAX_HALVINGS + 1):
            canvas = session.frame_size((columns * width, rows * height), halvings=halvings)
            like = session.measure(canvas)
            if like.n_cells <= free:
                break
        else:
            raise ResourceError(
                f"a context of {session.n_ctx} cells does not hold the picture: it takes "
                f"{like.n_cells}, the question {room.question_cells} and the answer {room.reserve}",
                hint="give more cells with --n-ctx",
            )
        warnings = () if not halvings else (
            f"the picture is looked at as {canvas[0]}x{canvas[1]}, to fit the context",
        )  # fmt: skip
        return GridFit(
            plan,
            (max(1, canvas[0] // columns), max(1, canvas[1] // rows)),
            like.n_cells,
            1,
            free - like.n_cells,
            warnings,
            shown_tokens=like.n_tokens,
            like=like,
            canvas=canvas,
        )

    def encoder(self, session: Session, fit: Fit) -> Encoder:
        """Puts the frames together."""
        assert isinstance(fit, GridFit)
        return GridEncoder(session, self.frames, fit.canvas)

    def arranger(self, fit: Fit) -> Arranger | None:
        """Leaves the picture as it is."""
        return Arranger(NAME, None, intro=INTRO)


def make_grid(options: Options) -> Grid:
    """The recipe with these parameters."""
    return Grid(int(options["frames"]))
