"""What is trained on is what `ask` sends: ids, and logits of the exported pair in llama.cpp."""

from fractions import Fraction

import pytest

pytest.importorskip("peft", reason="needs the extra 'train'")

import numpy as np
import torch

from tests.train.serving import scribe_of, served, their_logits
from vidcli.core.model import ModelFiles
from vidcli.core.sampling import Sampling
from vidcli.methods.ask import CAPTION_QUESTION, ask_check
from vidcli.train.frames import make_clip
from vidcli.train.prompts import Said, write_row
from vidcli.train.world.convert import load_small, read_sizes
from vidcli.train.world.writer import TurnWriter
from vidcli.world import ask_questions, make_scene, render, write_captions

pytestmark = pytest.mark.train

FRAMES, SIDE = 3, 48


@pytest.fixture(scope="module")
def scribe(blank):
    with scribe_of(*blank) as opened:
        yield opened


@pytest.fixture(scope="module")
def writer(scribe):
    return TurnWriter(scribe, frames=FRAMES, side=SIDE)


def clip_of(scene):
    times = scene.sample_times(FRAMES)
    seconds = [Fraction(float(time)) for time in times]
    frames = render(scene, times, SIDE, compressed=True)
    return make_clip(frames, seconds, duration=Fraction(float(scene.duration)))


def exchanges(scene):
    yield from ((q.text, q.answer) for q in ask_questions(scene))
    yield CAPTION_QUESTION, write_captions(scene)[0]
    yield ask_check("There is a red ball.", Sampling()).instruction, "no"


def test_ids_are_those_that_ask_sends(scribe, writer):
    for index in range(12):
        scene = make_scene(31, index, "eval")
        clip = clip_of(scene)
        own, slots = writer.clip(scene.sample_times(FRAMES), scene.duration)
        for question, answer in exchanges(scene):
            asked, said = writer.turn(question, answer)
            row = write_row(scribe, clip, [Said(question)])
            ids = np.array([*own, *asked])
            ids[list(slots)] = -1
            assert ids.tolist() == row.ids.tolist(), question
            told = write_row(scribe, clip, [Said(question, f" {answer}")])
            assert told.ids.tolist()[-len(said) - 1 :][: len(said)] == list(said), answer


def test_every_word_of_the_world_is_one_token(writer, vocabulary):
    for index in range(40):
        scene = make_scene(77, index, "train")
        for text in (*write_captions(scene), *(q.text for q in ask_questions(scene))):
            asked, _ = writer.turn(text, "yes")
            tail = len(writer.turn("?", "yes")[0]) - 1
            pieces = len(text.replace("?", " ?").replace(",", " ,").replace(".", " .").split())
            assert len(asked) - tail <= pieces + sum(c.isdigit() for c in text), text


def test_what_stands_between_question_and_answer_is_four_tokens(writer):
    assert len(writer.turn("", "yes")[0]) == 4  # end of turn, line break, Assistant, colon


def test_the_label_of_a_frame_is_one_token(writer):
    _, slots = writer.clip(np.array([0.5, 1.5, 3.5]), 4.0)
    assert len(slots) == FRAMES * 4
    gaps = np.diff(slots)[np.diff(slots) > 1] - 1
    assert gaps.tolist() == [7, 7]  # closing, label, two digits, colon, opening of two


def test_logits_are_those_of_llama_cpp(blank, scribe, writer):
    sizes = read_sizes(*blank)
    model = load_small(*blank, sizes).eval()
    files = ModelFiles(*blank, "0" * 64, "1" * 64, "blank")
    with served(files) as session:
        for index in range(3):
            scene = make_scene(32, index)
            clip, question = clip_of(scene), ask_questions(scene)[0].text
            own, slots = writer.clip(scene.sample_times(FRAMES), scene.duration)
            asked, _ = writer.turn(question, "yes")
            with torch.no_grad():
                features = model.see(torch.from_numpy(clip.pixels[:, 0])).flatten(0, 1)[None]
                hidden, _ = model.read(
                    torch.tensor([own]), torch.tensor(slots), features, [torch.tensor([[asked]])]
                )
                found = model.logits(hidden[0][0, 0, -1]).numpy()
            expected = their_logits(session, scribe, clip, [Said(question)])
            assert np.abs(found - expected).max() < 2e-2
            assert found.argmax() == expected.argmax()
