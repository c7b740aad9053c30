"""Settings of the two stages on the synthetic world: what decides every number of a run."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from vidcli.world.compose import GENRES

# How often a kind of question is taken where a clip has more of them than there is room for.
QUESTION_WEIGHTS: Mapping[str, float] = {
    "object": 1.6, "colour": 0.8, "count": 1.6, "direction": 2.5, "motion": 0.7, "order": 2.0,
    "presence": 1.2, "word": 1.5, "entering": 1.2, "leaving": 1.2, "position": 0.8, "size": 0.8,
    "camera": 1.5,
}  # fmt: skip
SEEING = ("frozen", "joint", "beside")
UNDECIDED = ("ahead", "checkpoint_steps", "eval_steps")  # change no weight


@dataclass(frozen=True, slots=True, kw_only=True)
class StageConfig:
    """What both stages have.

    Attributes:
        seed: Of the clips, and of all else that is random.
        steps: Updates; they, not time, end a run.
        lr: Peak learning rate.
        warmup: Share of the steps in which it rises; then a cosine falls to `floor` of it.
        floor: Share of the peak at the last step.
        weight_decay: Of matrices.
        clip: Largest norm of the gradient.
        dtype: `bfloat16` computes in half the width; what learns is float32 always.
        compiled: Whether torch compiles the layers, which needs a C++ compiler.
        ahead: Batches that a second process renders ahead; 0 renders between steps.
        checkpoint_steps: Steps between checkpoints.
        eval_steps: Steps between looks at held-out clips; 0 for none before the end.
        eval_seed: Of the held-out clips.
        eval_clips: How many.
    """

    seed: int = 1
    steps: int
    lr: float = 2e-3
    warmup: float = 0.03
    floor: float = 0.01
    weight_decay: float = 0.05
    clip: float = 1.0
    dtype: str = "bfloat16"
    compiled: bool = False
    ahead: int = 0
    checkpoint_steps: int = 200
    eval_steps: int = 0
    eval_seed: int = 999
    eval_clips: int = 160

    def __post_init__(self) -> None:
        if self.dtype not in ("bfloat16", "float32"):
            raise ValueError(f"dtype is bfloat16 or float32, not {self.dtype!r}")
        if self.steps < 1 or self.checkpoint_steps < 1:
            raise ValueError("steps and checkpoint_steps are above 0")
        if self.eval_seed == self.seed:
            raise ValueError("held-out clips need a seed of their own")

    def digest(self, *facts: str) -> str:
        """Names what decides the weights: settings and where they begin."""
        own = {name: value for name, value in asdict(self).items() if name not in UNDECIDED}
        text = json.dumps([type(self).__name__, own, *facts], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionConfig(StageConfig):
    """The first stage: what covers each patch.

    Attributes:
        crowds: Pictures crowded with objects of a step.
        scenes: Clips of a step.
        views: Frames of each clip.
    """

    weight_decay: float = 0.02
    crowds: int = 48
    scenes: int = 24
    views: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageConfig(StageConfig):
    """The second stage: questions, captions, and what is true of every visual token.

    Attributes:
        clips: Of a step.
        frames: Of each clip.
        short: Questions of a clip with at most `short_cells` cells, answers included.
        short_cells: See there.
        long: Longer questions of a clip.
        long_cells: Most cells of one.
        caption_cells: Most cells of a caption with its prompt.
        caption_weight: How much a caption's token counts beside an answer's.
        tap: Layer whose visual tokens tell of motion, order and count.
        tokens_weight: How much that counts beside the answers.
        seeded: Pictures that the connector and the words begin from (`seed`); 0 begins at random.
        vision: What the vision encoder does: `frozen`; `joint` learns on from the answers and from
            the labels of the clips' patches; `beside` from pictures of its own as in the first
            stage, and not from the answers.
        vision_lr: Its peak learning rate, where it learns.
        vision_weight: How much labels of patches count beside the answers, where it is `joint`.
        vision_seed: Of the pictures of its own.
        crowds: Crowded pictures of a step of its own.
        scenes: Clips of a step of its own.
        views: Frames of each of them.
        question_weights: How often each kind of question is taken.
        genres: Shares of the clips' compositions; the usual ones where empty.
        backwards: Share of the clips that are shown from their end to their start. They have no
            caption: what comes in backwards is not told of as it happens.
    """

    clips: int = 16
    frames: int = 6
    short: int = 10
    short_cells: int = 18
    long: int = 2
    long_cells: int = 28
    caption_cells: int = 48
    caption_weight: float = 0.7
    tap: int = 3
    tokens_weight: float = 0.3
    seeded: int = 0
    vision: str = "frozen"
    vision_lr: float = 8e-4
    vision_weight: float = 0.3
    vision_seed: int = 500
    crowds: int = 8
    scenes: int = 4
    views: int = 2
    question_weights: Mapping[str, float] = field(default_factory=lambda: dict(QUESTION_WEIGHTS))
    genres: Mapping[str, float] = field(default_factory=dict)
    backwards: float = 0.0

    def __post_init__(self) -> None:
        StageConfig.__post_init__(self)
        if self.vision not in SEEING:
            raise ValueError(f"vision is one of {', '.join(SEEING)}, not {self.vision!r}")
        unknown = [*set(self.genres) - set(GENRES)]
        if unknown or any(share < 0 for share in self.genres.values()):
            raise ValueError(f"genres are shares of {', '.join(GENRES)}")
        if self.genres and not sum(self.genres.values()):
            raise ValueError("all genres have no share")
        if not 0 <= self.backwards <= 1:
            raise ValueError(f"backwards is a share, not {self.backwards}")
        missing = [*set(QUESTION_WEIGHTS) - set(self.question_weights)]
        if missing or any(weight <= 0 for weight in self.question_weights.values()):
            raise ValueError(f"question_weights are above 0, of {', '.join(QUESTION_WEIGHTS)}")

    @property
    def joint(self) -> bool:
        """Whether the answers teach the vision encoder."""
        return self.vision == "joint"

    @property
    def pictures(self) -> VisionConfig:
        """The pictures that the vision encoder learns from by itself, where it is `beside`."""
        return VisionConfig(
            seed=self.vision_seed,
            steps=self.steps,
            crowds=self.crowds,
            scenes=self.scenes,
            views=self.views,
            eval_seed=self.eval_seed,
        )

    @property
    def room(self) -> tuple[tuple[int, int], ...]:
        """Groups of questions: how many, and cells of each."""
        return (
            (self.short, self.short_cells),
            (self.long, self.long_cells),
            (1, self.caption_cells),
        )
