"""The second stage begins with a connector that says in words what the encoder knows."""

from dataclasses import replace

import pytest

pytest.importorskip("peft", reason="needs the extra 'train'")

import numpy as np
import torch

from vidcli.errors import UsageError
from vidcli.train.world import seed as seeding
from vidcli.train.world.language import Lessons
from vidcli.train.world.modules import Turns, rotate
from vidcli.train.world.seed import CODE, COLOUR, KIND, PLACE, TEXT, code_tokens, seed_language
from vidcli.train.world.settings import LanguageConfig
from vidcli.train.world.start import start_model
from vidcli.train.world.views import TEXTS, label_patches
from vidcli.train.world.vision import PatchHeads
from vidcli.world import COLOURS, KINDS, make_scene

pytestmark = pytest.mark.train

CONFIG = LanguageConfig(steps=1, frames=3, seeded=24)


@pytest.fixture
def wide(sizes):
    return replace(sizes, width=256, heads=4, kv_heads=4)


@pytest.fixture
def lessons(sizes, blank):
    source = Lessons(CONFIG, sizes, weights=blank[0], mmproj=blank[1])
    yield source
    source.close()


def test_a_code_says_what_a_token_shows():
    scene = make_scene(6, 0, genres=("one",))
    actor = scene.shots[0].actors[0]
    codes = code_tokens(label_patches(scene, scene.sample_times(1), 8), 2)
    assert codes.shape == (16, CODE)
    shown = codes[:, KIND + KINDS.index(actor.kind)] > 0.5
    assert shown.any()
    assert (codes[shown, COLOUR + list(COLOURS).index(actor.colour)] > 0.5).all()
    place = actor.path.at(scene.sample_times(1))[0]
    whole = shown & (codes[:, KIND:COLOUR].max(1) > 0.99)
    assert np.allclose(codes[whole, PLACE : PLACE + 2] / 2 + 0.5, place, atol=1e-4)
    word = make_scene(6, 0, genres=("word",))
    codes = code_tokens(label_patches(word, word.sample_times(1), 8), 2)
    assert codes[:, TEXT + TEXTS[word.shots[0].writing.text] - 1].max() == 1


def test_the_connector_is_the_nearest_one_to_the_code(wide, lessons):
    model, heads = start_model(wide, seed=1), PatchHeads(wide)
    features, codes = seeding._look(model, CONFIG)
    before = (model.connector(features)[:, :CODE] - codes).square().mean()
    seed_language(model, heads, lessons.writer, CONFIG)
    moved, codes = seeding._look(model, CONFIG)
    after = (model.connector(moved)[:, :CODE] - codes).square().mean()
    assert after < 0.5 * before
    assert moved.mean().abs() < 1e-4


def test_the_heads_of_patches_tell_what_they_told(wide, lessons):
    model, heads = start_model(wide, seed=1), PatchHeads(wide)
    frames = torch.randint(0, 255, (2, 48, 48, 3), dtype=torch.uint8)
    with torch.no_grad():
        before = heads(model.vision(frames))
        seed_language(model, heads, lessons.writer, CONFIG)
        assert (heads(model.vision(frames)) - before).abs().max() < 1e-4


def test_words_hold_the_code_of_what_they_mean(wide, lessons):
    model = start_model(wide, seed=1)
    seed_language(model, PatchHeads(wide), lessons.writer, CONFIG)
    table = model.embedding.weight
    for number, kind in ((KIND + KINDS.index("ball"), "ball"), (COLOUR, "red")):
        row = table[lessons.writer.ids_of(f" {kind}")[-1]]
        assert int(row.argmax()) == number


@pytest.mark.parametrize("back", [1, 2])
def test_heads_look_at_the_same_object_in_the_frames_before(back, wide, lessons):
    model = start_model(wide, seed=1)
    seed_language(model, PatchHeads(wide), lessons.writer, CONFIG)
    cells = seeding._frame_cells(lessons.writer, CONFIG)
    frames, tokens = 6, 4
    x = torch.zeros(1, frames * cells, wide.width)
    rng = np.random.default_rng(0)
    spots = rng.integers(0, tokens, (2, frames))  # of two objects, on tokens of their own
    spots[1] = (spots[0] + 1 + rng.integers(0, tokens - 1, frames)) % tokens
    for frame in range(frames):
        for thing in range(2):
            cell = frame * cells + 2 + spots[thing, frame]
            x[0, cell, [KIND + thing, COLOUR + thing, seeding.IS_OBJECT]] = 1
    block, size = model.blocks[0], wide.width // wide.heads
    split = block.qkv(block.norm1(x)).view(1, frames * cells, -1, size)
    turns = Turns(frames * cells, ())
    cosine, sine, masks = model._tables_of(turns, x.dtype)
    turned = rotate(split[:, :, : 2 * wide.heads], cosine, sine)
    head = wide.heads - back
    query, key = turned[0, :, head] * size**-0.5, turned[0, :, wide.heads + head]
    shares = (query @ key.T + masks[0]).softmax(-1)
    for frame in range(back, frames):
        for thing in range(2):
            looks = shares[frame * cells + 2 + spots[thing, frame]]
            wanted = (frame - back) * cells + 2 + spots[thing, frame - back]
            assert int(looks.argmax()) == wanted


def test_the_same_settings_give_the_same_beginning(wide, lessons):
    made = []
    for _ in range(2):
        model = start_model(wide, seed=1)
        seed_language(model, PatchHeads(wide), lessons.writer, CONFIG)
        made.append(model.state_dict())
    for name, value in made[0].items():
        assert torch.equal(value, made[1][name]), name


def test_a_model_too_narrow_for_the_code_is_refused(sizes, lessons):
    with pytest.raises(UsageError, match="width of at least"):
        seed_language(start_model(sizes, seed=1), PatchHeads(sizes), lessons.writer, CONFIG)
