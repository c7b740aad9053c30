"""Where words and answers look is taught, by labels that are those of the world."""

from dataclasses import replace

import pytest

pytest.importorskip("peft", reason="needs the extra 'train'")

import torch

from vidcli.train.world import looks
from vidcli.train.world.language import Lessons, TokenHeads, language_loss
from vidcli.train.world.learner import Learner
from vidcli.train.world.lessons import IGNORED
from vidcli.train.world.looks import Looks, Names, WordHeads
from vidcli.train.world.settings import LanguageConfig
from vidcli.train.world.start import start_model
from vidcli.train.world.vision import PatchHeads
from vidcli.world import COLOURS, KINDS

pytestmark = pytest.mark.train

CONFIG = LanguageConfig(
    steps=1, clips=2, frames=3, tap=1, short=8, long=2, vision="joint", looks_weight=0.3
)


@pytest.fixture
def deep(sizes):
    return replace(sizes, layers=3)


@pytest.fixture
def lessons(deep, blank):
    source = Lessons(CONFIG, deep, weights=blank[0], mmproj=blank[1])
    yield source
    source.close()


@pytest.fixture
def names(deep, lessons):
    return Names(lessons.writer, start_model(deep, seed=0).embedding.num_embeddings)


def test_one_and_many_have_the_same_name(names, lessons):
    ids = {word: lessons.writer.ids_of(f" {word}") for word in ("ball", "balls", "red")}
    assert [len(found) for found in ids.values()] == [1, 1, 1]
    assert names.kinds[ids["ball"][0]] == names.kinds[ids["balls"][0]] == KINDS.index("ball")
    assert names.colours[ids["red"][0]] == list(COLOURS).index("red")
    assert names.kinds[ids["red"][0]] == names.colours[ids["ball"][0]] == looks.UNNAMED


def test_the_attention_that_is_taught_is_the_attention_of_the_layer(deep, lessons):
    model, batch = start_model(deep, seed=0), lessons(0)
    asked = looks._Asked.of(batch)
    x = torch.randn(2, asked.turns.cells, deep.width)
    cells = torch.tensor([0, 7, asked.ids.shape[1] - 1])
    clips = torch.tensor([0, 1, 1])
    shares = looks._log_shares(model, x, asked, clips, cells, layer=1).exp()
    block = model.blocks[1]
    _, _, masks = model._tables_of(asked.turns, x.dtype)
    cosine, sine, _ = model._tables_of(asked.turns, x.dtype)
    normed = block.norm1(x)
    value = block.qkv(normed).view(2, asked.turns.cells, -1, block.size)
    value = value[:, :, block.heads + block.kv_heads]  # of the first head
    seen = block._attend(normed, asked.turns, (cosine, sine), masks)[..., : block.size]
    expected = seen[clips, asked.turns.prefix + cells]
    assert torch.allclose(torch.einsum("mc,mcd->md", shares, value[clips]), expected, atol=1e-5)


def test_words_and_answers_learn_where_to_look(deep, lessons, names):
    torch.manual_seed(0)
    model, words = start_model(deep, seed=0), WordHeads(deep)
    heads, patch_heads = TokenHeads(deep), PatchHeads(deep)
    batch = lessons(0)
    learner = Learner({"model": model, "words": words}, lr=5e-3, weight_decay=0.0, clip=1.0)
    records = []
    for _ in range(80):
        loss, hits = language_loss(model, heads, patch_heads, batch, CONFIG, Looks(words, names))
        loss.backward()
        learner.step(1.0)
        records.append(hits)
    assert records[0]["look_named"] < 0.3
    assert records[0]["look_asked"] < 0.3
    assert records[-1]["look_named"] > 0.9
    assert records[-1]["look_asked"] > 0.9
    assert records[-1]["word_colour"] > 0.9
    assert records[-1]["word_kind"] > 0.9


def test_what_a_word_tells_is_what_all_its_tokens_have_in_common():
    values = torch.tensor([[3, 3, 5], [3, 4, 5], [3, 4, 5]])
    where = torch.tensor([[True, True, False], [True, True, False], [False, False, False]])
    assert looks._only_value(values, where=where).tolist() == [3, IGNORED, 0]
