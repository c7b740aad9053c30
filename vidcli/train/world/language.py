"""The second stage: the language model learns to answer from the vision encoder's tokens.

Every clip comes with many separate questions and a caption, read together (`modules.Turns`). From
the hidden states of the visual tokens in a middle layer further heads tell what a clip is asked
about: how each object moves, which came first, how many there are. So the model learns to compare
frames by labels at every token, and not only by the few words of the answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from vidcli.core.model import ModelFiles
from vidcli.core.protocols import Progress
from vidcli.engine.scribe import Scribe
from vidcli.models.gguf import read_facts
from vidcli.train.scratch import ScratchConfig
from vidcli.train.world.kept import KeptRun, share_of_peak
from vidcli.train.world.learner import Learner
from vidcli.train.world.lessons import IGNORED, LanguageBatch, make_lessons
from vidcli.train.world.modules import SmallModel, shuffle_pixels
from vidcli.train.world.motion import CAMERAS, COUNTS, RANKS, TokenLabels
from vidcli.train.world.score import Scores, score_model
from vidcli.train.world.seed import seed_language
from vidcli.train.world.settings import LanguageConfig
from vidcli.train.world.stream import stream_batches
from vidcli.train.world.views import TEXTS
from vidcli.train.world.vision import (
    PatchHeads,
    cross_entropy,
    dense_loss,
    near,
    share,
    to_tensors,
)
from vidcli.train.world.writer import TurnWriter
from vidcli.world import COLOURS, KINDS
from vidcli.world.vocabulary import MOTIONS

PARTS = (
    len(KINDS) + 1, len(COLOURS) + 1, 2, len(MOTIONS) + 1, 2, RANKS, COUNTS, len(CAMERAS) + 1,
    len(TEXTS) + 1,
)  # fmt: skip
STATE, PLACE, SHIFT = 0.4, 0.2, 0.1  # sizes of the normed state, and of numbers told from it
MOVED_FROM = 2  # the frame from which on a motion can be told with some certainty


class TokenHeads(nn.Linear):
    """What the hidden state of a visual token tells of its object and its clip.

    The state is normed first, and what is a number is told small: on the state as it is, a step of
    the optimizer moves a shift by as much as objects move, and nothing of time is learnt.
    """

    def __init__(self, sizes: ScratchConfig) -> None:
        super().__init__(sizes.width, sum(PARTS))

    def forward(self, x: Tensor) -> Tensor:
        """[..., width] to [..., sum of PARTS]."""
        normed = nn.functional.rms_norm(x, x.shape[-1:]) * STATE
        return super().forward(normed)


class Lessons:
    """The source of the second stage's batches; opens the vocabulary where it is used.

    Args:
        config: Of the stage.
        sizes: Of the model.
        weights: Language model whose vocabulary and template write the prompts.
        mmproj: Its projector.
    """

    def __init__(
        self, config: LanguageConfig, sizes: ScratchConfig, *, weights: Path, mmproj: Path
    ) -> None:
        self.config, self.sizes = config, sizes
        self.files = ModelFiles(weights, mmproj, "", "", weights.stem)
        self._opened: tuple[Scribe, TurnWriter] | None = None

    @property
    def writer(self) -> TurnWriter:
        """Writes ids."""
        if self._opened is None:
            facts = read_facts(self.files.weights), read_facts(self.files.mmproj)
            scribe = Scribe(self.files, weights_facts=facts[0], mmproj_facts=facts[1])
            side = self.sizes.image_size
            self._opened = scribe, TurnWriter(scribe, frames=self.config.frames, side=side)
        return self._opened[1]

    def __call__(self, step: int) -> LanguageBatch:
        """The clips of a step with what is asked about them."""
        patches = self.sizes.image_size // self.sizes.patch_size
        return make_lessons(
            self.config,
            step,
            self.writer,
            side=self.sizes.image_size,
            patch_grid=patches,
            grid=patches // self.sizes.scale_factor,
        )

    def close(self) -> None:
        """Close the vocabulary."""
        if self._opened is not None:
            self._opened[0].close()
            self._opened = None

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_opened": None}


@dataclass(frozen=True, slots=True)
class LanguageResult:
    """How it went: steps done before this start, and answers right on held-out clips."""

    resumed_at: int
    scores: Scores


def train_language(
    model: SmallModel,
    patch_heads: PatchHeads,
    lessons: Lessons,
    folder: Path,
    *,
    begins: str,
    progress: Progress | None = None,
) -> LanguageResult:
    """Train a model to answer, or go on where an earlier start was stopped.

    Args:
        model: Learns in place, and ends as float32; its vision encoder where `joint` says so.
        patch_heads: Of the first stage; they learn on with the vision encoder.
        lessons: Settings and source of the batches.
        folder: Of the run.
        begins: Names the weights it begins with.
        progress: Of the steps.

    Raises:
        UsageError: The folder holds another run.
        EngineError: Training has come apart.
    """
    # 1. What learns
    config, dtype = lessons.config, getattr(torch, lessons.config.dtype)
    if config.seeded:
        seed_language(model, patch_heads, lessons.writer, config)
    torch.manual_seed(config.seed)
    heads = TokenHeads(model.sizes)
    language = {**language_of(model), "heads": heads}
    learners = {"language": _learner(config, language, config.lr)}
    learns_to_see = config.vision != "frozen"
    if learns_to_see:
        seeing: dict[str, nn.Module] = {"vision": model.vision, "heads": patch_heads}
        learners["vision"] = _learner(config, seeing, config.vision_lr)
    model.vision.requires_grad_(learns_to_see)
    seeing_as_it_was = {name: value.clone() for name, value in model.vision.state_dict().items()}
    for module in (model, heads, patch_heads):
        module.to(dtype)
    if config.compiled:
        model.compile_blocks()
    kept = KeptRun(folder, config, config.digest(begins), learners)
    start = kept.begin()
    # 2. What it learns from
    for step, batch in stream_batches(lessons, start=start, steps=config.steps, ahead=config.ahead):
        # 3. Loss
        loss, record = language_loss(model, heads, patch_heads, batch, config)
        # 4. Step
        loss.backward()
        for learner in learners.values():
            learner.step(share_of_peak(config, step))
        # 5. Look at held-out clips
        if config.eval_steps and (step + 1) % config.eval_steps == 0:
            seen = score_model(model, lessons.writer, config, controls=("seen",)).seen
            record |= {f"right_{kind}": score.share for kind, score in seen.items()}
        kept.keep(step + 1, record, phase="language", progress=progress)
    for learner in learners.values():
        learner.settle()
    model.float()
    if not learns_to_see:
        model.vision.load_state_dict(seeing_as_it_was)
    return LanguageResult(kept.resumed_at, score_model(model, lessons.writer, config))


def language_of(model: SmallModel) -> dict[str, nn.Module]:
    """What of a model is not its vision encoder."""
    return {
        "connector": model.connector,
        "embedding": model.embedding,
        "blocks": model.blocks,
        "norm": model.norm,
    }


def _learner(config: LanguageConfig, modules: Mapping[str, nn.Module], lr: float) -> Learner:
    return Learner(modules, lr=lr, weight_decay=config.weight_decay, clip=config.clip)


def language_loss(
    model: SmallModel,
    heads: TokenHeads,
    patch_heads: PatchHeads,
    batch: LanguageBatch,
    config: LanguageConfig,
) -> tuple[Tensor, dict[str, float]]:
    """Loss of answers, of what visual tokens tell, and of patches where they learn."""
    clips = len(batch.clips)
    record: dict[str, float] = {}
    with torch.set_grad_enabled(config.joint):
        patches = model.vision(torch.from_numpy(batch.frames))  # [clips * frames, patches, width]
        features = shuffle_pixels(patches, model.sizes.scale_factor)
    slots = torch.from_numpy(batch.slots)
    hidden, states = model.read(
        torch.from_numpy(batch.clips),
        slots,
        features.reshape(clips, len(batch.slots), -1),
        [torch.from_numpy(group.ids) for group in batch.groups],
        taps=(config.tap,),
    )
    weights = (1.0,) * (len(hidden) - 1) + (config.caption_weight,)
    targets = [torch.from_numpy(group.targets) for group in batch.groups]
    answers = answer_loss(model, hidden, targets, weights)
    seen_there = heads(states[config.tap][:, slots])
    tokens, hits = token_loss(seen_there, batch.tokens, frames=config.frames)
    loss = answers + config.tokens_weight * tokens
    record |= {"loss": float(answers.detach()), "tokens_loss": float(tokens.detach()), **hits}
    if config.joint:
        assert batch.patches is not None, "joint batches have labels of patches"
        dense, seen = dense_loss(patch_heads(patches), to_tensors(batch.patches))
        loss = loss + config.vision_weight * dense
        record |= _of_patches(dense, seen)
    if batch.pictures is not None:
        told = patch_heads(model.vision(torch.from_numpy(batch.pictures.frames)))
        dense, seen = dense_loss(told, to_tensors(batch.pictures.labels))
        loss = loss + dense  # of other parameters than the answers: neither weighs on the other
        record |= _of_patches(dense, seen)
    return loss, record


def _of_patches(loss: Tensor, hits: Mapping[str, float]) -> dict[str, float]:
    return {
        "patches_loss": float(loss.detach()),
        **{f"patch_{name}": value for name, value in hits.items()},
    }


def answer_loss(
    model: SmallModel, hidden: Sequence[Tensor], targets: Sequence[Tensor], weights: Sequence[float]
) -> Tensor:
    """Weighted mean cross-entropy of every answer's tokens."""
    states = torch.cat([part.flatten(0, 2) for part in hidden])
    wanted = torch.cat([part.flatten() for part in targets])
    counts = torch.cat(
        [torch.full((part.numel(),), w) for part, w in zip(targets, weights, strict=True)]
    )
    learnt = wanted != IGNORED
    told = model.logits(states[learnt]).float()
    errors = nn.functional.cross_entropy(told, wanted[learnt], reduction="none")
    return (errors * counts[learnt]).sum() / counts[learnt].sum()


def token_loss(
    told: Tensor, labels: TokenLabels, *, frames: int
) -> tuple[Tensor, dict[str, float]]:
    """Loss of what visual tokens tell, and shares that are right.

    Args:
        told: [clips, frames * tokens, sum of PARTS].
        labels: [clips, frames * tokens].
        frames: Of a clip.
    """
    kind, colour, place, motion, shift, rank, count, camera, word = told.float().split(PARTS, -1)
    truth = {name: torch.from_numpy(getattr(labels, name)) for name in TokenLabels.__slots__}
    place, shift = place * PLACE, shift * SHIFT
    covered, written = truth["kinds"] > 0, truth["words"] > 0
    number = torch.arange(told.shape[1]) // (told.shape[1] // frames)  # of the token's frame
    later, moved = (number >= 1).expand_as(covered), covered & (number >= MOVED_FROM)
    shifted = truth["is_shifted"] & covered
    loss = 0.5 * cross_entropy(kind[covered], truth["kinds"][covered])
    loss = loss + 0.3 * cross_entropy(colour[covered], truth["colours"][covered])
    loss = loss + 4 * near(place[covered], truth["places"][covered])
    loss = loss + cross_entropy(motion[moved], truth["motions"][moved])
    loss = loss + 10 * near(shift[shifted], truth["shifts"][shifted])
    loss = loss + 0.5 * cross_entropy(rank[covered], truth["ranks"][covered])
    loss = loss + 0.5 * cross_entropy(count[covered], truth["counts"][covered])
    loss = loss + 0.5 * cross_entropy(camera[later], truth["cameras"][later])
    loss = loss + 0.5 * cross_entropy(word[written], truth["words"][written])
    hits = {
        "token_kind": share((kind.argmax(-1) == truth["kinds"])[covered]),
        "token_motion": share((motion.argmax(-1) == truth["motions"])[moved]),
        "token_shift": share((shift - truth["shifts"]).abs()[shifted]),
        "token_rank": share((rank.argmax(-1) == truth["ranks"])[covered]),
        "token_count": share((count.argmax(-1) == truth["counts"])[covered]),
        "token_word": share((word.argmax(-1) == truth["words"])[written]),
    }
    return loss, {name: value for name, value in hits.items() if value is not None}
