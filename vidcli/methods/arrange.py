"""Frames as fewer tokens than frame by frame: what stands between encoding and the prompt.

`pool` is Video-ChatGPT's: a token for each instant, then a token for each place. It acts on the
projector's output; for a linear projector (SmolVLM, Idefics3) that is exactly the projector of
pooled features, as there, since a mean and a matrix commute; for others it is an approximation.
`qformer` is Video-LLaMA's idea, run in numpy from weights trained for a model (`methods.qformer`).

Source: Video-ChatGPT (arXiv:2306.05424) section 3.1. Here no zero frames are put in to reach a
fixed length, unless `t_max` asks for it.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from vidcli.core.profile import FamilyProfile
from vidcli.core.prompt import ImagePart, Part, VisualTokens
from vidcli.errors import ModelError
from vidcli.methods.compose import compose_video

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAMES, POOL, QFORMER = "frames", "pool", "qformer"
KINDS = (FRAMES, POOL, QFORMER)
QUERIES = 32  # tokens that a Video Q-Former makes of any number of frames
LINEAR = frozenset(("idefics3",))  # projectors that are one matrix, by `clip.projector_type`


def pool_tokens(tokens: "NDArray[np.float32]", *, t_max: int = 0) -> "NDArray[np.float32]":
    """Means over space, then means over time.

    Args:
        tokens: [frames, places, width].
        t_max: Fill the first block with zeros up to so many; 0 fills nothing.

    Returns:
        [max(frames, t_max) + places, width].
    """
    over_space, over_time = tokens.mean(axis=1), tokens.mean(axis=0)
    filler = np.zeros((max(0, t_max - len(tokens)), tokens.shape[2]), tokens.dtype)
    return np.concatenate([over_space, filler, over_time])


def note_pooling(projector: str) -> tuple[str, ...]:
    """What a user of pooled tokens should know: empty where pooling is what Video-ChatGPT does.

    Args:
        projector: `clip.projector_type` of the model.
    """
    if projector in LINEAR:
        return ()
    return (
        f"pooling is an approximation with this model: its projector ({projector}) is not linear,"
        " and Video-ChatGPT pools before the projector",
    )


def count_tokens(kind: str, *, frames: int, places: int) -> int:
    """Tokens that an arrangement makes of so many frames of so many tokens."""
    return {FRAMES: frames * places, POOL: frames + places, QFORMER: QUERIES}[kind]


@dataclass(slots=True)
class Arranger:
    """Turns a video's frames into one run of tokens; the latest result is kept.

    Attributes:
        kind: `pool`, `qformer`, or a method.
        transform: From [frames, places, width] to [tokens, width]; None where the images are what
            is shown, and only have no labels of their own.
        schedule: Instants that the frames stand for, some perhaps twice; empty for each frame once.
        intro: Opens the video in place of the family's own words; None leaves those.
    """

    kind: str
    transform: "Callable[[Any], NDArray[Any]] | None"
    schedule: tuple[Fraction, ...] = ()
    intro: str | None = None
    _latest: "tuple[str, tuple[ImagePart, ...]]" = field(default=("", ()))

    def __call__(self, images: Sequence[ImagePart]) -> tuple[ImagePart, ...]:
        """One part of all frames.

        `transform` is given floats of 32 bits.

        Raises:
            ModelError: The model places visual tokens by row and column, or the frames differ in
                size.
        """
        if self.transform is None:
            return tuple(images)
        key = " ".join(f"{image.tokens.digest} {image.frames}" for image in images)
        if key != self._latest[0]:
            self._latest = key, (self._arrange(images, self.transform),)
        return self._latest[1]

    def _arrange(
        self, images: Sequence[ImagePart], transform: "Callable[[Any], NDArray[Any]]"
    ) -> ImagePart:
        first = images[0].tokens
        check_arrangeable(first)
        if any(image.tokens.data.shape != first.data.shape for image in images):
            raise ModelError(f"frames of different sizes cannot be arranged as {self.kind}")
        shown = [image.tokens.data for image in follow_schedule(images, self.schedule)]
        data = as_stored(transform(np.stack(shown, dtype=np.float32)))
        frames = tuple(frame for image in images for frame in image.frames)
        return ImagePart(frames, arranged_tokens(first, data))


def follow_schedule(
    images: Sequence[ImagePart], schedule: Sequence[Fraction]
) -> Sequence[ImagePart]:
    """The image on screen at each instant of a schedule; the images themselves without one.

    An instant whose own frame is lost, or looks like the one before, takes the latest before it.
    """
    if not schedule:
        return images
    wanted = [image.frames[0].wanted for image in images]
    return [images[max(0, bisect_right(wanted, instant) - 1)] for instant in schedule]


def as_stored(data: "NDArray[Any]") -> "NDArray[np.float16] | NDArray[np.float32]":
    """Tokens as 16-bit floats, as fresh ones are; as 32-bit floats where a value is too large."""
    fits = float(np.abs(data).max(initial=0)) < np.finfo(np.float16).max
    return data.astype(np.float16) if fits else data.astype(np.float32)


def compose_arranged(
    profile: FamilyProfile,
    images: Sequence[ImagePart],
    arranger: Arranger | None,
    *,
    duration: Fraction | None,
    numbered: bool = False,
) -> tuple[Part, ...]:
    """Write a video; frames that were arranged together have no label of their own.

    Args:
        profile: The family's recipe.
        images: Frames or groups, in the order shown.
        arranger: Makes fewer tokens of them; None shows them one by one.
        duration: Of the video, where it is known.
        numbered: Put the frames' ids before them.
    """
    if arranger is not None:
        intro = profile.intro if arranger.intro is None else arranger.intro
        profile, images = replace(profile, label="", intro=intro), arranger(images)
    return compose_video(profile, images, duration=duration, numbered=numbered)


def check_arrangeable(tokens: VisualTokens) -> None:
    """Refuse models whose visual tokens have positions in rows and columns.

    Raises:
        ModelError: This is one.
    """
    if tokens.positions is not None or not tokens.causal or tokens.splits:
        raise ModelError(
            "this model places visual tokens by row and column: they cannot be pooled or queried",
            hint="SmolVLM, Idefics3 and LLaVA models can; or look at frames one by one",
        )


def arranged_tokens(
    like: VisualTokens, data: "NDArray[np.float16] | NDArray[np.float32]"
) -> VisualTokens:
    """Arranged data as visual tokens with the wrappers of a frame."""
    return replace(like, data=data, n_pos=len(data), grid=None)
