"""The loop: data → model → loss → step → eval, resumable between any two steps.

A library of its own: `batches(step)` gives the micro-batches of a step, so that the data of every
step is known without having run the steps before it; a folder takes the checkpoint and the metrics.
"""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vidcli.core.protocols import Progress
from vidcli.errors import EngineError
from vidcli.train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from vidcli.train.model import Batch, VideoModel

METRICS = "metrics.jsonl"
Batches = Callable[[int], Sequence[Batch]]
Loss = Callable[[VideoModel, Batch], Tensor]
Evaluate = Callable[[], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """How to step.

    Attributes:
        steps: In all.
        lr: Peak learning rate by part (`connector`, `vision`, `text`).
        warmup: Steps of linear rise; then a cosine falls to `floor` of the peak.
        floor: Share of the peak at the last step.
        weight_decay: Of matrices; vectors have none.
        clip: Largest norm of the gradient; 0 for any.
        checkpoint_s: Seconds between checkpoints; there is one at the end always.
        checkpoint_steps: Steps between checkpoints; 0 goes by seconds alone.
        eval_steps: Steps between evaluations; 0 for none.
    """

    steps: int
    lr: Mapping[str, float]
    warmup: int = 0
    floor: float = 0.0
    weight_decay: float = 0.01
    clip: float = 1.0
    checkpoint_s: float = 60.0
    checkpoint_steps: int = 0
    eval_steps: int = 0


@dataclass(slots=True)
class LoopResult:
    """How it went.

    Attributes:
        step: Steps done in all, those of earlier starts included.
        resumed_at: Steps that were done when this start began.
        losses: Of the steps of this start.
        seconds: Of this start.
    """

    step: int = 0
    resumed_at: int = 0
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0


def mean_loss(model: VideoModel, batch: Batch) -> Tensor:
    """Cross-entropy of what is to be said."""
    return model.loss(batch)


def run_loop(
    model: VideoModel,
    batches: Batches,
    config: LoopConfig,
    *,
    folder: Path,
    digest: str,
    notes: dict[str, Any] | None = None,
    loss: Loss = mean_loss,
    evaluate: Evaluate | None = None,
    progress: Progress | None = None,
) -> LoopResult:
    """Train what is unfrozen, from the folder's checkpoint where it has one.

    Args:
        model: With `requires_grad` set on what learns.
        batches: The micro-batches of a step, the same for the same step.
        config: How to step.
        folder: Of the run; exists.
        digest: Names the run's settings; a checkpoint of others is refused.
        notes: Kept in the checkpoint.
        loss: Of one micro-batch, mean over its labels.
        evaluate: Held-out numbers for the metrics.
        progress: Told after every step.

    Raises:
        EngineError: The loss is no longer a number.
        UsageError: The folder holds another run.
    """
    optimizer = make_optimizer(model, config)
    result = LoopResult()
    found = load_checkpoint(folder, digest=digest)
    if found is not None:
        _restore(model, optimizer, found)
        result.step = result.resumed_at = found.step
    metrics = Metrics(folder / METRICS, upto=result.step)
    started = saved = time.monotonic()
    while result.step < config.steps:
        model.train()
        value, n_labels = take_step(
            model, optimizer, batches(result.step), config, result.step, loss
        )
        result.step += 1
        result.losses.append(value)
        record: dict[str, Any] = {
            "step": result.step,
            "loss": value,
            "lr": schedule(config, result.step - 1),
            "labels": n_labels,
            "seconds": round(time.monotonic() - started, 3),
        }
        if evaluate and config.eval_steps and result.step % config.eval_steps == 0:
            model.train(False)
            record.update(evaluate())
        metrics.write(record)
        if progress:
            progress("train", result.step, config.steps)
        due = time.monotonic() - saved >= config.checkpoint_s or (
            config.checkpoint_steps and result.step % config.checkpoint_steps == 0
        )
        if due or result.step == config.steps:
            _save(model, optimizer, result.step, folder, digest, notes)
            saved = time.monotonic()
    model.train(False)
    result.seconds = time.monotonic() - started
    return result


def take_step(
    model: VideoModel,
    optimizer: torch.optim.Optimizer,
    micro: Sequence[Batch],
    config: LoopConfig,
    step: int,
    loss: Loss,
) -> tuple[float, int]:
    """One update from micro-batches that count by their labels; the mean loss and the labels."""
    total = sum(batch.n_labels for batch in micro)
    optimizer.zero_grad(set_to_none=True)
    value = 0.0
    for batch in micro:
        with autocast(model.device):
            part = loss(model, batch) * (batch.n_labels / max(1, total))
        part.backward()
        value += float(part.detach())
    if not math.isfinite(value):
        raise EngineError(
            f"the loss is {value} at step {step + 1}: training has come apart",
            hint="start again with a smaller --lr",
        )
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * schedule(config, step)
    if config.clip:
        torch.nn.utils.clip_grad_norm_(list(model.trainable().values()), config.clip)
    optimizer.step()
    return value, total


def schedule(config: LoopConfig, step: int) -> float:
    """Share of the peak learning rate at a step counted from 0: linear rise, then a cosine."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    done = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.floor + (1 - config.floor) * (1 + math.cos(math.pi * min(1.0, done))) / 2


def make_optimizer(model: VideoModel, config: LoopConfig) -> torch.optim.Optimizer:
    """AdamW over what learns: a learning rate for each part, no decay of vectors."""
    groups: dict[tuple[float, float], list[Any]] = {}
    for name, parameter in model.trainable().items():
        decay = config.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((config.lr[model.layout.part_of(name)], decay), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "lr": peak, "peak": peak, "weight_decay": decay}
            for (peak, decay), parameters in groups.items()
        ]
    )


def autocast(device: torch.device) -> Any:
    """bfloat16 arithmetic on CUDA; full precision elsewhere."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


def _restore(model: VideoModel, optimizer: torch.optim.Optimizer, found: Checkpoint) -> None:
    with torch.no_grad():
        for name, parameter in model.trainable().items():
            parameter.copy_(found.weights[name])
    optimizer.load_state_dict(found.optimizer)


def _save(
    model: VideoModel,
    optimizer: torch.optim.Optimizer,
    step: int,
    folder: Path,
    digest: str,
    notes: dict[str, Any] | None,
) -> None:
    weights = {name: parameter.data for name, parameter in model.trainable().items()}
    state = Checkpoint(step, weights, optimizer.state_dict(), notes or {})
    save_checkpoint(folder, state, digest=digest)


class Metrics:
    """A JSON line for every step; lines of steps that will be done again are taken off.

    Args:
        path: The file.
        upto: Last step to keep.
    """

    def __init__(self, path: Path, *, upto: int = 0) -> None:
        self._path = path
        kept = [line for line in read_metrics(path) if line["step"] <= upto]
        text = "".join(json.dumps(line) + "\n" for line in kept)
        path.write_text(text, "utf-8")

    def write(self, record: Mapping[str, Any]) -> None:
        """Append a line."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Every whole line of a metrics file; none where there is no file."""
    if not path.exists():
        return []
    lines = []
    for line in path.read_text("utf-8").splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            continue  # cut by a kill
    return lines
