"""Everything a run depends on besides its data: one dataclass, saved beside the checkpoint."""

import hashlib
import json
from dataclasses import asdict, dataclass

from vidcli.methods.arrange import FRAMES, QFORMER
from vidcli.train.loop import LoopConfig
from vidcli.train.lora import LoraSettings
from vidcli.train.objectives import Objective

MODEL_PARTS = ("vision", "connector", "text")
# Peak learning rates: a connector that begins anew, one that is adapted, a LoRA, full training.
LR_NEW_CONNECTOR = 1e-3  # TinyLLaVA stage 1
LR_CONNECTOR = 1e-4
LR_LORA = 1e-4
LR_VISION = 5e-6  # SmolVLM2's own
LR_TEXT = 2e-5
LR_SCRATCH = 1e-3  # of everything, where everything begins anew


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Settings of a run.

    Attributes:
        stage: `pretrain` or `tune`.
        parts: What learns of `connector`, `vision`, `text`; an adapter is not a part.
        reset: Whether the connector begins from random weights.
        lora: The adapter on the language model; None for none.
        frames: Of each video; 0 is auto.
        steps: Updates.
        batch: Samples run at once.
        accumulate: Batches that make one update.
        lr: Peak learning rates by part; an adapter's is that of `text`.
        objective: What is to be said.
        arrangement: What is made of the frames: `frames`, `pool`, `qformer`.
        crop: Share of the steps that show a random part of a video with timed events.
        warmup: Share of the steps in which the learning rate rises.
        weight_decay: Of matrices.
        clip: Largest norm of the gradient.
        seed: Of everything random.
        eval_samples: Held-out samples that the controls use, at most.
        eval_steps: Steps between held-out losses; 0 for none.
        checkpoint_s: Seconds between checkpoints.
        checkpoint_steps: Steps between checkpoints; 0 goes by seconds.
    """

    stage: str
    parts: tuple[str, ...]
    reset: bool
    lora: LoraSettings | None
    frames: int
    steps: int
    batch: int
    accumulate: int
    lr: dict[str, float]
    objective: Objective = Objective.CAPTION
    arrangement: str = FRAMES
    crop: float = 0.0
    warmup: float = 0.03
    weight_decay: float = 0.01
    clip: float = 1.0
    seed: int = 0
    eval_samples: int = 64
    eval_steps: int = 0
    checkpoint_s: float = 60.0
    checkpoint_steps: int = 0

    @property
    def loop(self) -> LoopConfig:
        """How the loop steps."""
        return LoopConfig(
            steps=self.steps,
            lr=self.lr,
            warmup=round(self.warmup * self.steps),
            weight_decay=self.weight_decay,
            clip=self.clip,
            checkpoint_s=self.checkpoint_s,
            checkpoint_steps=self.checkpoint_steps,
            eval_steps=self.eval_steps,
        )

    @property
    def learns(self) -> tuple[str, ...]:
        """Parts that learn, the adapter's own named."""
        return (*self.parts, *(("lora",) if self.lora else ()))

    @property
    def frozen(self) -> tuple[str, ...]:
        """Parts of the model that stay as they are."""
        there = (*MODEL_PARTS, *((QFORMER,) if self.arrangement == QFORMER else ()))
        return tuple(part for part in there if part not in self.parts)

    def digest(self, *facts: str) -> str:
        """Names what decides the weights: settings, data and base; not how often it is saved."""
        own = asdict(self)
        for name in ("checkpoint_s", "checkpoint_steps", "eval_steps"):
            own.pop(name)
        text = json.dumps([own, *facts], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def default_rates(
    *, parts: tuple[str, ...], reset: bool, lora: bool, scratch: bool
) -> dict[str, float]:
    """Learning rates by part where none is given."""
    if scratch:
        return dict.fromkeys(("connector", "vision", "text", "qformer"), LR_SCRATCH)
    return {
        "connector": LR_NEW_CONNECTOR if reset else LR_CONNECTOR,
        "vision": LR_VISION,
        "qformer": LR_CONNECTOR if lora else LR_NEW_CONNECTOR,
        "text": LR_LORA if lora and "text" not in parts else LR_TEXT,
    }
