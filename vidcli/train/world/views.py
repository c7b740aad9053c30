"""Frames as the model gets them from files, and what is true of each of their patches."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.train.world.crowd import make_crowd
from vidcli.train.world.settings import VisionConfig
from vidcli.world import DIGITS, WORDS, Scene, dense_labels, make_scene, render
from vidcli.world.scene import Floats

Frames = NDArray[np.uint8]
TEXTS = {text: number for number, text in enumerate((*WORDS, *DIGITS), 1)}  # 0: no text
COMPRESSED = 0.6  # of the clips of training
RESCALED = 0.4  # of them
SIDES = (128, 112)  # pixels of those that are scaled down
SCALINGS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)
SPREAD = 8  # instants of a clip that its views are drawn from
WRITTEN_EVERY = 4  # every fourth clip shows a word


@dataclass(frozen=True, slots=True, eq=False)
class PatchLabels:
    """What covers each patch; the first axes are (frames, patches).

    Attributes:
        kinds: int64: 0 for background, else 1 + the index in `KINDS`.
        colours: int64: 0 for background, else 1 + the index in `COLOURS`.
        offsets: float32 (…, 2): from the patch's centre to the object's, shares of the frame.
        sizes: float32: width of the object, share of the frame.
        letters: int64: 0 for none, else 1 + the index in `LETTERS`.
        words: int64: of the text whose letter it is, 0 for none.
    """

    kinds: NDArray[np.int64]
    colours: NDArray[np.int64]
    offsets: NDArray[np.float32]
    sizes: NDArray[np.float32]
    letters: NDArray[np.int64]
    words: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class VisionBatch:
    """Frames, uint8 RGB [frames, side, side, 3], and their labels."""

    frames: Frames
    labels: PatchLabels


def make_views(config: VisionConfig, step: int, *, side: int, grid: int) -> VisionBatch:
    """The frames of a step of the first stage: crowds, and views of clips."""
    rng = random.Random(f"views/{config.seed}/{step}")
    seen: list[tuple[Frames, PatchLabels]] = []
    for number in range(config.crowds):
        scene = make_crowd(config.seed, step * config.crowds + number)
        seen.append(_view(scene, np.array([0.5]), rng, side=side, grid=grid))
    for number in range(config.scenes):
        index = step * config.scenes + number
        genres = ("word",) if index % WRITTEN_EVERY == 0 else None
        scene = make_scene(config.seed, index, genres=genres)
        instants = sorted(rng.sample(scene.sample_times(SPREAD).tolist(), config.views))
        seen.append(_view(scene, np.array(instants), rng, side=side, grid=grid))
    return join_views(seen)


def make_held_out(
    config: VisionConfig, split: str, clips: range, *, side: int, grid: int
) -> VisionBatch:
    """Held-out frames: as many a clip as in training, compressed as files are."""
    seen = []
    for index in clips:
        genres = ("word",) if index % WRITTEN_EVERY == 0 else None
        scene = make_scene(config.eval_seed, index, split, genres=genres)  # type: ignore[arg-type]
        times = scene.sample_times(config.views)
        seen.append(
            (render(scene, times, side, compressed=True), label_patches(scene, times, grid))
        )
    return join_views(seen)


def shoot(scene: Scene, times: Floats, rng: random.Random, *, side: int) -> Frames:
    """Frames of a clip of training: compressed or not, drawn at their size or scaled down to it."""
    compressed = rng.random() < COMPRESSED
    if rng.random() >= RESCALED:
        return render(scene, times, side, compressed=compressed)
    larger = round(rng.choice(SIDES) * side / 96 / 2) * 2
    scaling = rng.choice(SCALINGS)
    frames = render(scene, times, larger, compressed=compressed)
    return np.stack([cv2.resize(frame, (side, side), interpolation=scaling) for frame in frames])


def label_patches(scene: Scene, times: Floats, grid: int) -> PatchLabels:
    """What covers each of `grid` x `grid` patches at each instant."""
    found = dense_labels(scene, times, grid)
    writing = scene.shots[0].writing
    words = np.where(found.letters > 0, TEXTS[writing.text] if writing else 0, 0)
    count = len(times)
    return PatchLabels(
        kinds=found.kinds.reshape(count, -1).astype(np.int64),
        colours=found.colours.reshape(count, -1).astype(np.int64),
        offsets=found.offsets.reshape(count, -1, 2),
        sizes=found.sizes.reshape(count, -1),
        letters=found.letters.reshape(count, -1).astype(np.int64),
        words=words.reshape(count, -1).astype(np.int64),
    )


def join_views(seen: Sequence[tuple[Frames, PatchLabels]]) -> VisionBatch:
    """Several clips' frames in one batch."""
    joined = {
        field.name: np.concatenate([getattr(labels, field.name) for _, labels in seen])
        for field in fields(PatchLabels)
    }
    return VisionBatch(np.concatenate([frames for frames, _ in seen]), PatchLabels(**joined))


def _view(
    scene: Scene, times: Floats, rng: random.Random, *, side: int, grid: int
) -> tuple[Frames, PatchLabels]:
    return shoot(scene, times, rng, side=side), label_patches(scene, times, grid)
