"""The vocabulary of the synthetic world: every word of its texts is one token.

A model of few layers should not have to spell. Words it does not know are still read, by bytes.
"""

import re
from collections.abc import Iterator

from vidcli.core.sampling import Sampling
from vidcli.methods.ask import CAPTION_QUESTION, ask_check
from vidcli.methods.compose import ONES
from vidcli.models.vocabulary import CONTROL, Vocabulary, build_vocabulary, merge_words
from vidcli.train.vocabulary_texts import TURNS
from vidcli.world import (
    HELD_OUT_PROMPTS,
    KINDS,
    PROMPTS,
    WORDS,
    ask_questions,
    list_events,
    make_scene,
    write_captions,
)  # fmt: skip
from vidcli.world.vocabulary import COLOURS, SPLITS, plural

PIECE = re.compile(r" ?[A-Za-z]+| ?[^\sA-Za-z0-9]+")  # as llama.cpp's `smollm` splits text
FRAME_LABEL = "\nFrame from 00:"  # what the family writes before a frame of the first minute
SEED, CLIPS = 77, 1500  # of each split, read for their words
MULTIPLE = 32  # that the number of tokens is made to; Q8_0 has blocks of 32
SMALLEST = 1 << 20  # more tokens than there can be words
INTRO = (
    "You are provided the following series of frames from a [H:MM:SS] video. Answer with yes or no,"
    " zero; Frame: they them who which that this clip show shows see seen is are has have"
)


def world_vocabulary(*, clips: int = CLIPS) -> Vocabulary:
    """Make the vocabulary; it is the same everywhere.

    Args:
        clips: Of each split, read for their words.
    """
    merges = merge_words(list_words(clips=clips))
    room = build_vocabulary("smolvlm", SMALLEST, merges=merges)
    control = sum(kind == CONTROL for kind in room.types)
    least = 256 + len({merge.replace(" ", "") for merge in merges}) + control + 1
    size = -(-least // MULTIPLE) * MULTIPLE
    return build_vocabulary("smolvlm", size, merges=merges, whole=(FRAME_LABEL,))


def list_words(*, clips: int = CLIPS) -> list[str]:
    """Every word that gets a token, those with a space before them first."""
    found = {piece for text in _texts(clips) for piece in PIECE.findall(text)}
    found |= {f" {word}" for word in found if word[0].isalpha()}
    found |= {f" {word.lower()}" for word in found if word[0].isalpha() and not word.isupper()}
    found |= {f" {word}" for word in (*WORDS, *KINDS, *map(plural, KINDS), *COLOURS, *ONES)}
    found = {word for word in found if word[0] == " " or not word[0].islower()} | {"yes", "no"}
    return sorted((word for word in found if len(word) > 1), key=lambda w: (w[0] != " ", w))


def _texts(clips: int) -> Iterator[str]:
    """What the model reads and says."""
    yield from (*TURNS.split(), INTRO, CAPTION_QUESTION, *PROMPTS, *HELD_OUT_PROMPTS)
    yield ask_check("There is a thing.", Sampling()).instruction
    for split in SPLITS:
        for index in range(clips):
            scene = make_scene(SEED, index, split)
            yield from write_captions(scene)
            yield from (event.text for event in list_events(scene))
            for question in ask_questions(scene):
                yield question.text
                yield from (f" {text}" for text in (question.answer, *question.options))
