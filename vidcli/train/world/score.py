"""Answers right on held-out clips by kind of question, beside those without frames and reversed.

Greedy, and strict: every token of the answer and the token that ends it. Not here: the measure that
counts, `vidcli eval`, on video files and through llama.cpp.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from torch import Tensor

from vidcli.methods.ask import CAPTION_QUESTION
from vidcli.train.world.lessons import IGNORED, pack_turns
from vidcli.train.world.modules import SmallModel
from vidcli.train.world.settings import LanguageConfig
from vidcli.train.world.writer import TurnWriter
from vidcli.world import Scene, ask_questions, make_scene, render, write_captions

CONTROLS = ("seen", "blind", "reversed")
CHUNK = 16  # clips at once
CAPTION = "caption"


@dataclass(slots=True)
class Score:
    """Answers right, of those asked for."""

    right: int = 0
    asked: int = 0

    @property
    def share(self) -> float:
        """Right ones; 0 of none."""
        return self.right / self.asked if self.asked else 0.0


ByKind = dict[str, Score]


@dataclass(frozen=True, slots=True)
class Scores:
    """By kind of question: as usual, without frames, and reversed against the reversed truth."""

    seen: ByKind = field(default_factory=dict)
    blind: ByKind = field(default_factory=dict)
    reversed: ByKind = field(default_factory=dict)

    def document(self) -> dict[str, dict[str, dict[str, float]]]:
        """For a report."""
        return {
            control: {
                kind: {**asdict(score), "share": round(score.share, 4)}
                for kind, score in sorted(getattr(self, control).items())
            }
            for control in CONTROLS
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """Some clips as the model reads them: own cells, slots, features [clips, tokens, width]."""

    scenes: tuple[Scene, ...]
    clips: Tensor
    slots: Tensor
    features: Tensor


def score_model(
    model: SmallModel,
    writer: TurnWriter,
    config: LanguageConfig,
    *,
    controls: Sequence[str] = CONTROLS,
) -> Scores:
    """Put held-out questions about held-out clips.

    Args:
        model: To ask.
        writer: Its ids.
        config: Which clips.
        controls: Of `CONTROLS`; captions are written where there are all.
    """
    scores = Scores()
    with torch.no_grad():
        for shown in _show(model, writer, config):
            for control in controls:
                _ask(model, writer, shown, control, getattr(scores, control))
            if tuple(controls) == CONTROLS:
                _caption(model, writer, shown, config, scores.seen.setdefault(CAPTION, Score()))
    return scores


def _show(model: SmallModel, writer: TurnWriter, config: LanguageConfig) -> Iterator[_Shown]:
    for first in range(0, config.eval_clips, CHUNK):
        indices = range(first, min(first + CHUNK, config.eval_clips))
        scenes = tuple(make_scene(config.eval_seed, index, "eval") for index in indices)
        times = [scene.sample_times(config.frames) for scene in scenes]
        frames = np.concatenate(
            [
                render(scene, at, model.sizes.image_size, compressed=True)
                for scene, at in zip(scenes, times, strict=True)
            ]
        )
        written = [writer.clip(at, scene.duration) for scene, at in zip(scenes, times, strict=True)]
        features = model.see(torch.from_numpy(frames))
        yield _Shown(
            scenes,
            torch.tensor([ids for ids, _ in written]),
            torch.tensor(written[0][1]),
            features.reshape(len(scenes), -1, features.shape[-1]),
        )


def _ask(
    model: SmallModel, writer: TurnWriter, shown: _Shown, control: str, scores: ByKind
) -> None:
    questions = [ask_questions(scene) for scene in shown.scenes]
    turns = [
        [
            writer.turn(q.text, q.reversed_answer if control == "reversed" else q.answer)
            for q in asked
        ]
        for asked in questions
    ]
    most = max(map(len, turns))
    cells = max(len(asked) + len(said) for clip in turns for asked, said in clip)
    packed = [pack_turns(clip, most, cells, filler=writer.end) for clip in turns]
    targets = torch.from_numpy(np.stack([group.targets for group in packed]))
    hidden, _ = model.read(
        shown.clips,
        shown.slots,
        _spoil(shown, control),
        [torch.from_numpy(np.stack([group.ids for group in packed]))],
    )
    found = model.logits(hidden[0]).argmax(-1)
    right = ((found == targets) | (targets == IGNORED)).all(-1)
    for row, asked in enumerate(questions):
        for column, question in enumerate(asked):
            score = scores.setdefault(question.kind, Score())
            score.asked += 1
            score.right += int(right[row, column])


def _spoil(shown: _Shown, control: str) -> Tensor:
    """Features as they are, nothing in place of them, or the frames in reverse."""
    if control == "blind":
        return torch.zeros_like(shown.features)
    if control == "reversed":
        frames = len(shown.slots) // _tokens_of(shown.slots)
        parts = shown.features.view(len(shown.scenes), frames, -1, shown.features.shape[-1])
        return parts.flip(1).reshape(shown.features.shape)
    return shown.features


def _tokens_of(slots: Tensor) -> int:
    """Visual tokens of a frame: slots that follow each other without a gap."""
    gaps = (slots.diff() > 1).nonzero()
    return int(gaps[0]) + 1 if len(gaps) else len(slots)


def _caption(
    model: SmallModel, writer: TurnWriter, shown: _Shown, config: LanguageConfig, score: Score
) -> None:
    """Let it write captions; right is one that the world would give."""
    asked, _ = writer.turn(CAPTION_QUESTION, "")
    written = torch.tensor([asked] * len(shown.scenes))
    for _ in range(config.caption_cells - len(asked)):
        hidden, _ = model.read(shown.clips, shown.slots, shown.features, [written[:, None]])
        best = model.logits(hidden[0][:, 0, -1]).argmax(-1)
        written = torch.cat([written, best[:, None]], 1)
        if bool((written[:, len(asked) :] == writer.end).any(1).all()):
            break
    for scene, ids in zip(shown.scenes, written[:, len(asked) :].tolist(), strict=True):
        said = ids[: ids.index(writer.end)] if writer.end in ids else ids
        score.asked += 1
        score.right += writer.text_of(said) in write_captions(scene)
