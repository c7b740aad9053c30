"""What a run will take, told before it starts: a frame and a step are timed, the rest counted."""

import time
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import torch

from vidcli import settings
from vidcli.core.time import format_time
from vidcli.core.units import format_size
from vidcli.engine.scribe import Scribe
from vidcli.train.batches import collate
from vidcli.train.checkpoint import random_state, restore_random
from vidcli.train.config import RunConfig
from vidcli.train.corpus import encode_clip, make_item
from vidcli.train.dataset import Dataset
from vidcli.train.features import Level
from vidcli.train.frames import make_clip
from vidcli.train.loop import autocast
from vidcli.train.model import VideoModel
from vidcli.train.prompts import write_row

USUAL_SIZE = (1280, 720)
SMALL = (200, 1000)  # samples that move a format, and a domain


@dataclass(frozen=True, slots=True)
class Estimate:
    """Cost of a run.

    Attributes:
        samples: To learn from.
        videos: Distinct ones, held-out ones included.
        frames: Of each, where the count is auto the most it can be.
        cells: Of one sample, about.
        trainable: Numbers that learn.
        encode_s: To encode all videos once, where nothing is cached.
        step_s: One update.
        steps: Updates.
        cache_bytes: Features on disk.
        memory_bytes: Weights, gradients and optimizer; what a batch needs comes on top.
        epochs: How often each sample is seen.
    """

    samples: int
    videos: int
    frames: int
    cells: int
    trainable: int
    encode_s: float
    step_s: float
    steps: int
    cache_bytes: int
    memory_bytes: int
    epochs: float

    @property
    def total_s(self) -> float:
        """Seconds in all, evaluation aside."""
        return self.encode_s + self.steps * self.step_s

    def sentences(self) -> list[str]:
        """For a person to read before the run starts."""
        said = [
            f"{self.samples} samples of {self.videos} videos, {self.frames} frames each, about"
            f" {self.cells} cells a sample; {self.trainable:,} numbers learn",
            f"encoding about {format_time(self.encode_s)} once, {format_size(self.cache_bytes)} of"
            f" features; {self.steps} steps ({self.epochs:.1f} epochs) of {self.step_s:.2f} s;"
            f" about {format_time(self.total_s)} in all, {format_size(self.memory_bytes)} of memory"
            " for weights and optimizer",
        ]
        if self.samples < SMALL[0]:
            said.append(
                f"{self.samples} samples are few: about {SMALL[0]} move a format, {SMALL[1]} and"
                " more a domain"
            )
        return said


def estimate_run(
    model: VideoModel, scribe: Scribe, dataset: Dataset, config: RunConfig, level: Level
) -> Estimate:
    """Time one frame and one batch on blank pictures, and count the rest.

    Random states and weights are left as they were.
    """
    before = random_state()
    frames = config.frames or settings.MAX_FRAMES
    size = scribe.frame_size(USUAL_SIZE)
    blank = np.zeros((frames, size[1], size[0], 3), np.uint8)
    times = [Fraction(n) for n in range(frames)]
    group = scribe.profile.group
    clip = make_clip(blank, times, duration=Fraction(frames), group=group)
    one = make_clip(blank[:group], times[:group], duration=Fraction(frames), group=group)
    started = time.perf_counter()
    kept = encode_clip(one, model, level)
    frame_s = time.perf_counter() - started
    said = make_item(dataset.train[0], clip, objective=config.objective).said
    row = write_row(scribe, clip, said, arrangement=model.arrangement)
    features = torch.from_numpy(np.repeat(kept, clip.n_groups, axis=0))
    features = model.encode(features) if level is Level.PIXELS else features.float()
    model.train()
    rows = [row] * config.batch
    batch = collate(rows, [features] * config.batch, device=model.device)
    batch = replace(batch, connected=level is Level.TOKENS)
    started = time.perf_counter()
    with autocast(model.device):
        loss = model.loss(batch)
    loss.backward()
    step_s = (time.perf_counter() - started) * config.accumulate
    if level is Level.PIXELS:
        step_s += frame_s * clip.n_groups * config.batch * config.accumulate
    for parameter in model.hf.parameters():
        parameter.grad = None
    model.train(False)
    restore_random(before)
    videos = {sample.video for sample in (*dataset.train, *dataset.held_out)}
    trainable = sum(p.numel() for p in model.trainable().values())
    everything = sum(p.numel() for p in model.hf.parameters())
    return Estimate(
        samples=len(dataset.train),
        videos=len(videos),
        frames=frames,
        cells=row.n_cells,
        trainable=trainable,
        encode_s=0.0 if level is Level.PIXELS else frame_s * clip.n_groups * len(videos),
        step_s=step_s,
        steps=config.steps,
        cache_bytes=kept.nbytes * clip.n_groups * len(videos),
        memory_bytes=4 * everything + 12 * trainable,
        epochs=config.steps * config.batch * config.accumulate / len(dataset.train),
    )
