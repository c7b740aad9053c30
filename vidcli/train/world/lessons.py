"""What is asked about a clip of training: many separate questions and a caption, packed as ids."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidcli.core.sampling import Sampling
from vidcli.methods.ask import CAPTION_QUESTION, ask_check
from vidcli.train.world.motion import TokenLabels, label_tokens, may_be_shown_backwards
from vidcli.train.world.settings import LanguageConfig
from vidcli.train.world.views import (
    Frames,
    PatchLabels,
    VisionBatch,
    join_views,
    label_patches,
    make_views,
    shoot,
)
from vidcli.train.world.writer import Ids, TurnWriter
from vidcli.world import PROMPTS, Question, Scene, ask_questions, make_scene, write_captions

IGNORED = -100
ROUNDS = 4  # of questions about a clip, of which those that are new are put
STATED = "Is there "  # opens questions that are also put as `check` does

Turn = tuple[Ids, Ids]  # question and answer


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Questions of one length.

    Attributes:
        ids: int64 [clips, count, cells].
        targets: int64, likewise: the id that is to follow, -100 where none is learnt.
    """

    ids: NDArray[np.int64]
    targets: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LanguageBatch:
    """A step of the second stage.

    Attributes:
        frames: uint8 RGB [clips * frames, side, side, 3].
        clips: int64 [clips, cells]: the clips' own cells.
        slots: int64 [tokens]: those that hold visual tokens.
        groups: What is asked.
        tokens: What is true of the visual tokens [clips, tokens].
        patches: What is true of the patches, where the vision encoder is `joint`.
        pictures: Frames of its own, where it learns `beside`.
    """

    frames: Frames
    clips: NDArray[np.int64]
    slots: NDArray[np.int64]
    groups: tuple[Group, ...]
    tokens: TokenLabels
    patches: PatchLabels | None = None
    pictures: VisionBatch | None = None


def make_lessons(
    config: LanguageConfig, step: int, writer: TurnWriter, *, side: int, patch_grid: int, grid: int
) -> LanguageBatch:
    """The clips of a step with all that is asked about them.

    Args:
        config: Of the stage.
        step: Counted from 0.
        writer: Of the model.
        side: Pixels a side of a frame.
        patch_grid: Patches a side.
        grid: Visual tokens a side.
    """
    rng = random.Random(f"lessons/{config.seed}/{step}")
    frames, own, groups, tokens, patches = [], [], [], [], []
    slots: Ids = ()
    for number in range(config.clips):
        scene = make_scene(config.seed, step * config.clips + number, genres=config.genres or None)
        times = scene.sample_times(config.frames)
        ids, slots = writer.clip(times, scene.duration)
        own.append(ids)
        backwards = (
            bool(config.backwards)
            and rng.random() < config.backwards
            and may_be_shown_backwards(scene)
        )
        shown = times[::-1] if backwards else times
        frames.append(shoot(scene, shown, rng, side=side))
        groups.append(_ask_all(scene, writer, config, rng, backwards=backwards))
        tokens.append(label_tokens(scene, shown, grid))
        if config.joint:
            patches.append(label_patches(scene, shown, patch_grid))
    names = TokenLabels.__slots__
    joined = join_views(list(zip(frames, patches, strict=True))) if patches else None
    return LanguageBatch(
        frames=np.concatenate(frames),
        clips=np.array(own),
        slots=np.array(slots),
        groups=tuple(
            Group(np.stack([g.ids for g in column]), np.stack([g.targets for g in column]))
            for column in zip(*groups, strict=True)
        ),
        tokens=TokenLabels(*(np.stack([getattr(t, name) for t in tokens]) for name in names)),
        patches=joined.labels if joined else None,
        pictures=make_views(config.pictures, step, side=side, grid=patch_grid)
        if config.vision == "beside"
        else None,
    )


def pack_turns(turns: Sequence[Turn], count: int, cells: int, *, filler: int) -> Group:
    """Up to `count` turns as ids and targets [count, cells].

    Raises:
        ValueError: One does not fit.
    """
    ids = np.full((count, cells), filler, np.int64)
    targets = np.full((count, cells), IGNORED, np.int64)
    for row, (asked, said) in enumerate(turns[:count]):
        both = (*asked, *said)
        if len(both) > cells:
            raise ValueError(f"a turn of {len(both)} cells does not fit into {cells}")
        ids[row, : len(both)] = both
        targets[row, len(asked) - 1 : len(both) - 1] = said
    return Group(ids, targets)


def _ask_all(
    scene: Scene,
    writer: TurnWriter,
    config: LanguageConfig,
    rng: random.Random,
    *,
    backwards: bool,
) -> list[Group]:
    """Short questions, long ones and a caption, which a clip shown backwards does not have."""
    short: list[Turn] = []
    long: list[Turn] = []
    for question in _choose(scene, config, rng):
        answer = question.reversed_answer if backwards else question.answer
        turn = writer.turn(question.text, answer)
        cells = len(turn[0]) + len(turn[1])
        if cells <= config.short_cells and len(short) < config.short:
            short.append(turn)
        elif cells <= config.long_cells and len(long) < config.long:
            long.append(turn)
    prompt = rng.choice((*PROMPTS, CAPTION_QUESTION))
    caption = writer.turn(prompt, rng.choice(write_captions(scene)))
    captions = [] if backwards else [caption]
    return [
        pack_turns(turns, *room, filler=writer.end)
        for turns, room in zip((short, long, captions), config.room, strict=True)
    ]


def _choose(scene: Scene, config: LanguageConfig, rng: random.Random) -> list[Question]:
    """Every distinct question of some rounds, at random, those of higher weight sooner."""
    first = rng.randrange(1, 1 << 30)
    found: dict[str, Question] = {}
    for round_ in range(ROUNDS):
        for question in ask_questions(scene, round=first + round_):
            found.setdefault(question.text, question)
    for question in list(found.values()):
        if question.text.startswith(STATED) and not question.text.endswith(" shown?"):
            stated = _state(question)
            found.setdefault(stated.text, stated)
    weights = config.question_weights
    keyed = [(-(rng.random() ** (1 / weights[q.kind])), text) for text, q in found.items()]
    return [found[text] for _, text in sorted(keyed)]


def _state(question: Question) -> Question:
    """A question whether something is there, as `check` puts it."""
    thing = question.text.removeprefix(STATED).removesuffix("?")
    asked = ask_check(f"There is {thing}.", Sampling()).instruction
    return Question("presence", asked, question.answer, question.options, question.reversed_answer)
