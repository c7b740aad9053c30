"""The first stage: the vision encoder learns what covers each patch of a picture.

The world gives these labels for nothing, and hundreds of them a picture. Without this stage a small
model answers what an object is hardly better than at random; with it the second stage has only to
learn the language.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidcli.core.protocols import Progress
from vidcli.train.scratch import ScratchConfig
from vidcli.train.world.kept import KeptRun, share_of_peak
from vidcli.train.world.learner import Learner
from vidcli.train.world.modules import SmallModel
from vidcli.train.world.settings import VisionConfig
from vidcli.train.world.stream import stream_batches
from vidcli.train.world.views import TEXTS, PatchLabels, VisionBatch, make_held_out, make_views
from vidcli.world import COLOURS, KINDS, LETTERS

SMOOTHING = 0.02  # of the kinds: some labels at edges are wrong
BETA = 0.05  # where the error of a place goes from square to straight
PARTS = (len(KINDS) + 1, len(COLOURS) + 1, 3, len(LETTERS) + 1, len(TEXTS) + 1)
HELD_OUT = ("eval", "eval-drawings")
CHUNK = 32  # frames measured at once


class PatchHeads(nn.Linear):
    """What the features of a patch tell: kind, colour, place and size, letter, word."""

    def __init__(self, sizes: ScratchConfig) -> None:
        super().__init__(sizes.vision_width, sum(PARTS))


@dataclass(frozen=True, slots=True)
class Views:
    """The source of the first stage's batches."""

    config: VisionConfig
    side: int
    grid: int

    def __call__(self, step: int) -> VisionBatch:
        """The frames of a step."""
        return make_views(self.config, step, side=self.side, grid=self.grid)


@dataclass(frozen=True, slots=True)
class VisionResult:
    """How it went: steps done before this start, and shares right on held-out clips by split."""

    resumed_at: int
    held_out: Mapping[str, Mapping[str, float]]


def train_vision(
    model: SmallModel,
    heads: PatchHeads,
    config: VisionConfig,
    folder: Path,
    *,
    begins: str,
    progress: Progress | None = None,
) -> VisionResult:
    """Train a model's vision encoder, or go on where an earlier start was stopped.

    Args:
        model: Its vision encoder learns in place, and ends as float32.
        heads: Likewise.
        config: Settings.
        folder: Of the run.
        begins: Names the weights it begins with.
        progress: Of the steps.

    Raises:
        UsageError: The folder holds another run.
        EngineError: Training has come apart.
    """
    # 1. What learns
    tower, dtype = model.vision, getattr(torch, config.dtype)
    learner = Learner(
        {"vision": tower, "heads": heads},
        lr=config.lr,
        weight_decay=config.weight_decay,
        clip=config.clip,
    )
    tower.to(dtype), heads.to(dtype)
    if config.compiled:
        model.compile_blocks()
    kept = KeptRun(folder, config, config.digest(begins), {"all": learner})
    start = kept.begin()
    # 2. What it learns from
    source = Views(config, model.sizes.image_size, tower.grid)
    batches = stream_batches(source, start=start, steps=config.steps, ahead=config.ahead)
    for step, batch in batches:
        # 3. Loss
        frames, labels = torch.from_numpy(batch.frames), to_tensors(batch.labels)
        loss, hits = dense_loss(heads(tower(frames)), labels)
        # 4. Step
        loss.backward()
        learner.step(share_of_peak(config, step))
        # 5. Look at held-out clips
        record = {"loss": float(loss.detach()), **hits}
        if config.eval_steps and (step + 1) % config.eval_steps == 0:
            record["val_loss"] = measure_vision(model, heads, config)["eval"]["loss"]
        kept.keep(step + 1, record, phase="vision", progress=progress)
    held_out = measure_vision(model, heads, config)
    learner.settle()
    return VisionResult(kept.resumed_at, held_out)


def dense_loss(told: Tensor, labels: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
    """Loss of what the heads tell of each patch, and shares that are right.

    Args:
        told: [frames, patches, sum of PARTS].
        labels: As `PatchLabels`.
    """
    kind, colour, place, letter, word = told.float().split(PARTS, -1)
    covered, written = labels["kinds"] > 0, labels["letters"] > 0
    errors = functional.cross_entropy(
        kind.flatten(0, 1), labels["kinds"].flatten(), reduction="none", label_smoothing=SMOOTHING
    ).view(covered.shape)
    loss = mean_of(errors[covered]) + 0.5 * mean_of(errors[~covered])
    loss = loss + 0.5 * cross_entropy(colour[covered], labels["colours"][covered])
    loss = loss + 5 * near(place[covered][:, :2], labels["offsets"][covered])
    loss = loss + 2 * near(place[covered][:, 2], labels["sizes"][covered])
    errors = functional.cross_entropy(
        letter.flatten(0, 1), labels["letters"].flatten(), reduction="none"
    ).view(written.shape)
    loss = loss + 0.3 * mean_of(errors[~written]) + 0.4 * mean_of(errors[written])
    loss = loss + 0.6 * cross_entropy(word[written], labels["words"][written])
    right = kind.argmax(-1) == labels["kinds"]
    hits = {
        "kind": share(right[covered]),
        "background": share(right[~covered]),
        "colour": share((colour.argmax(-1) == labels["colours"])[covered]),
        "offset": share((place[covered][:, :2] - labels["offsets"][covered]).abs()),
        "letter": share((letter.argmax(-1) == labels["letters"])[written]),
        "word": share((word.argmax(-1) == labels["words"])[written]),
    }
    return loss, {name: value for name, value in hits.items() if value is not None}


def measure_vision(
    model: SmallModel, heads: PatchHeads, config: VisionConfig
) -> dict[str, dict[str, float]]:
    """Loss and shares right on held-out clips, and on held-out drawings."""
    found = {}
    for split in HELD_OUT:
        batch = make_held_out(
            config,
            split,
            range(config.eval_clips),
            side=model.sizes.image_size,
            grid=model.vision.grid,
        )
        frames = torch.from_numpy(batch.frames)
        with torch.no_grad():
            told = torch.cat([heads(model.vision(part)) for part in frames.split(CHUNK)])
        loss, hits = dense_loss(told, to_tensors(batch.labels))
        found[split] = {"loss": float(loss), **hits}
    return found


def to_tensors(labels: PatchLabels) -> dict[str, Tensor]:
    """Labels by name."""
    return {f.name: torch.from_numpy(getattr(labels, f.name)) for f in fields(PatchLabels)}


def mean_of(values: Tensor) -> Tensor:
    """The mean; 0 of nothing."""
    return values.mean() if values.numel() else values.sum()


def cross_entropy(told: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy; 0 of nothing."""
    return functional.cross_entropy(told, labels) if len(labels) else told.sum()


def near(told: Tensor, truth: Tensor) -> Tensor:
    """Mean error of places; 0 of nothing."""
    return functional.smooth_l1_loss(told, truth, beta=BETA) if len(truth) else told.sum()


def share(values: Tensor) -> float | None:
    """Mean as a number; None of nothing."""
    return float(values.detach().float().mean()) if values.numel() else None
