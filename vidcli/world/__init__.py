"""A small synthetic video world: everyday objects that move, with all the truth about them.

    scene = make_scene(seed=7, index=12, split="train")   # a description; pure and quick
    times = scene.sample_times(6)                         # seconds, as vidcli samples frames
    frames = render(scene, times, 96, compressed=True)    # uint8 RGB, (6, 96, 96, 3)
    write_captions(scene); ask_questions(scene)           # text to learn from
    dense_labels(scene, times, grid=6)                    # what covers each patch, and where it is

Clip i of a set depends on the seed and i alone, so any number of processes can share a set. What
is kept from training (combinations, wordings, drawings, fonts) never appears in the split `train`.

vocabulary                       kinds, colours, motions, words; which combinations are held out
shapes, drawings, gallery        vector parts, the drawings made of them, a picture of all
scene, stage, compose            scenes as values, who is cast and where, making them up
backgrounds, lettering, render   drawing frames
groups, captions, questions, wordings, labels   the truth, in words and in numbers
rows, synth                      sets of clips as files
"""

from vidcli.world.captions import (
    HELD_OUT_PROMPTS,
    PROMPTS,
    Event,
    Fact,
    list_events,
    list_facts,
    write_captions,
)  # fmt: skip
from vidcli.world.compose import GENRES, make_scene
from vidcli.world.drawings import KINDS
from vidcli.world.labels import DenseLabels, Track, dense_labels, track_objects
from vidcli.world.lettering import LETTERS
from vidcli.world.questions import QUESTION_KINDS, Question, ask_questions
from vidcli.world.render import render
from vidcli.world.scene import Scene
from vidcli.world.vocabulary import COLOURS, DIGITS, WORDS, Split

__all__ = [
    "COLOURS", "DIGITS", "GENRES", "HELD_OUT_PROMPTS", "KINDS", "LETTERS", "PROMPTS",
    "QUESTION_KINDS", "WORDS", "DenseLabels", "Event", "Fact", "Question", "Scene", "Split",
    "Track", "ask_questions", "dense_labels", "list_events", "list_facts", "make_scene", "render",
    "track_objects", "write_captions",
]  # fmt: skip
