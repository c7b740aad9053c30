"""A run on disk: metrics by step, checkpoints, and where an earlier start was stopped."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vidcli.core.protocols import Progress
from vidcli.errors import ResourceError
from vidcli.models.bundle import MANIFEST
from vidcli.train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from vidcli.train.loop import METRICS, Metrics, read_metrics
from vidcli.train.run import CONFIG, write_json
from vidcli.train.world.learner import Learner
from vidcli.train.world.settings import StageConfig

CHECKPOINT_S = 120.0  # seconds between checkpoints, besides those by steps


@dataclass(slots=True)
class KeptRun:
    """The folder of a run, from its start to its last step.

    Attributes:
        folder: Made if missing.
        config: Of the stage.
        digest: Names the run: a checkpoint of another is refused.
        learners: What learns, by name.
        resumed_at: Steps that were done before this start.
    """

    folder: Path
    config: StageConfig
    digest: str
    learners: Mapping[str, Learner]
    resumed_at: int = 0
    _metrics: Metrics = field(init=False)
    _saved: float = field(init=False)

    def begin(self) -> int:
        """Take up the folder's checkpoint where it has one; the step to go on with.

        Raises:
            UsageError: The folder holds another run.
            ResourceError: It cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / MANIFEST).unlink(missing_ok=True)
            found = load_checkpoint(self.folder, digest=self.digest)
            if found is not None:
                self.resumed_at = found.step
                for name, learner in self.learners.items():
                    weights = {
                        key.removeprefix(f"{name}/"): value
                        for key, value in found.weights.items()
                        if key.startswith(f"{name}/")
                    }
                    learner.restore(weights, found.optimizer[name])
            write_json(self.folder / CONFIG, {"digest": self.digest, "config": asdict(self.config)})
            self._metrics = Metrics(self.folder / METRICS, upto=self.resumed_at)
        except OSError as error:
            raise ResourceError(
                f"{self.folder} cannot be written: {error.strerror or error}"
            ) from error
        self._saved = time.monotonic()
        return self.resumed_at

    def keep(
        self, done: int, record: Mapping[str, float], *, phase: str, progress: Progress | None
    ) -> None:
        """Write down a step; a checkpoint too, where one is due.

        Args:
            done: Steps done.
            record: Its numbers.
            phase: For the progress.
            progress: Told of the step.
        """
        self._metrics.write({"step": done, **record})
        if progress:
            progress(phase, done, self.config.steps)
        is_due = done % self.config.checkpoint_steps == 0 or done == self.config.steps
        if is_due or time.monotonic() - self._saved >= CHECKPOINT_S:
            self._save(done)
            self._saved = time.monotonic()

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """Numbers of every step."""
        return read_metrics(self.folder / METRICS)

    def _save(self, done: int) -> None:
        weights = {
            f"{name}/{key}": value
            for name, learner in self.learners.items()
            for key, value in learner.masters.items()
        }
        optimizer = {name: learner.state() for name, learner in self.learners.items()}
        save_checkpoint(self.folder, Checkpoint(done, weights, optimizer, {}), digest=self.digest)


def share_of_peak(config: StageConfig, step: int) -> float:
    """Share of the peak learning rate at a step counted from 0."""
    from vidcli.train.loop import LoopConfig, schedule

    loop = LoopConfig(
        steps=config.steps, lr={}, warmup=round(config.warmup * config.steps), floor=config.floor
    )
    return schedule(loop, step)
