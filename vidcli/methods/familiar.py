"""Whether footage looks like what a model was trained on, by the model's own visual tokens.

A small model answers about whatever it is shown, surely, seen before or not. Its vision encoder
tells most of the two apart: footage of its world lands where training footage landed. An empty sky
looks like a background of a drawn world to it, so this is a sign and no proof.

Source: a Mahalanobis distance of pooled features with a diagonal covariance, after Lee et al.
(arXiv:1807.03888) section 2.1; here of all classes together, and calibrated on held-out clips.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vidcli.core.model import Familiar
from vidcli.core.prompt import ImagePart

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALLEST = 1e-3  # deviation that counts as one
UNFAMILIAR = (
    "this footage is unlike what the model was trained on (distance {distance:.1f}, where"
    " {threshold:.1f} is the most it is used to): its words may mean nothing"
)


def describe_frames(frames: "Sequence[NDArray[Any]]") -> "NDArray[np.float64]":
    """The mean of the visual tokens of all frames: [n_embd].

    Args:
        frames: Visual tokens of each frame, [n_tokens, n_embd].
    """
    tokens = np.concatenate([np.asarray(frame, np.float64) for frame in frames])
    described: NDArray[np.float64] = tokens.mean(0)
    return described


def learn_familiar(
    known: "NDArray[np.float64]", held_out: "NDArray[np.float64]", *, percentile: float
) -> Familiar:
    """Learn what is familiar from descriptions of clips [clips, n_embd].

    Args:
        known: Of training footage.
        held_out: Of other clips like it, to calibrate with.
        percentile: Of their distances; the rest would be warned of.
    """
    mean, deviation = known.mean(0), np.maximum(known.std(0), SMALLEST)
    distances = np.sqrt((((held_out - mean) / deviation) ** 2).mean(1))
    threshold = float(np.percentile(distances, percentile))
    return Familiar(tuple(mean.tolist()), tuple(deviation.tolist()), threshold)


def measure_distance(familiar: Familiar, images: Sequence[ImagePart]) -> float:
    """How far the footage is from what the model knows; about 1 for what it knows well."""
    found = describe_frames([image.tokens.data for image in images])
    away = (found - np.array(familiar.mean)) / np.array(familiar.deviation)
    return float(np.sqrt((away**2).mean()))


def warn_unfamiliar(familiar: Familiar | None, images: Sequence[ImagePart]) -> tuple[str, ...]:
    """A warning where the footage is unlike what the model knows; nothing where it is like it."""
    if familiar is None:
        return ()
    distance = measure_distance(familiar, images)
    if distance <= familiar.threshold:
        return ()
    return (UNFAMILIAR.format(distance=distance, threshold=familiar.threshold),)
