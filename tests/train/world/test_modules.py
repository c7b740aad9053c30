"""Own modules against transformers', and questions that share a clip against each by itself."""

import pytest

pytest.importorskip("peft", reason="needs the extra 'train'")

import numpy as np
import torch

from vidcli.errors import ModelError
from vidcli.train.model import Batch
from vidcli.train.scratch import ScratchConfig, random_model
from vidcli.train.world.convert import load_state, to_state
from vidcli.train.world.modules import SmallModel
from vidcli.train.world.start import start_model

pytestmark = pytest.mark.train

SIZES = ScratchConfig(
    image_size=48, patch_size=8, vision_width=32, vision_layers=3, vision_heads=4,
    vision_inner=64, scale_factor=2, width=48, layers=2, heads=4, kv_heads=2, inner=64,
    vocabulary=400,
)  # fmt: skip
FRAMES, TOKENS = 3, 9
IGNORED = -100


def frames(n=FRAMES, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (n, 48, 48, 3), np.uint8))


@pytest.fixture(scope="module")
def pair():
    """The same numbers in transformers' modules and in ours."""
    theirs = random_model(SIZES, seed=3)
    torch.manual_seed(4)
    for parameter in theirs.hf.parameters():
        torch.nn.init.normal_(parameter, std=0.1 if parameter.ndim > 1 else 0.3)
    ours = SmallModel(SIZES)
    load_state(ours, {n: p.detach().numpy() for n, p in theirs.hf.named_parameters()})
    return theirs, ours


def layout():
    """A clip of three frames with text around each, and the cells of its visual tokens."""
    rng = np.random.default_rng(1)
    ids, slots = [], []
    for _ in range(FRAMES):
        ids += rng.integers(0, 400, 4).tolist()
        slots += range(len(ids), len(ids) + TOKENS)
        ids += [0] * TOKENS
    return torch.tensor([[*ids, 5, 6]]), torch.tensor(slots)


def questions():
    rng = np.random.default_rng(2)
    return [torch.from_numpy(rng.integers(0, 400, (1, n, m))) for n, m in ((3, 5), (1, 9))]


def test_features_are_those_of_transformers(pair):
    theirs, ours = pair
    with torch.no_grad():
        expected = theirs.connect(theirs.encode(frames()[:, None]))
        found = ours.connector(ours.see(frames()))
    assert (found - expected).abs().max() <= 1e-4


def test_every_question_is_answered_as_if_it_were_the_only_one(pair):
    theirs, ours = pair
    clip, slots = layout()
    asked = questions()
    with torch.no_grad():
        features = ours.see(frames())
        shown = features.view(1, FRAMES * TOKENS, -1)
        hidden, states = ours.read(clip, slots, shown, asked, taps=(1,))
        cells = clip.shape[1] + sum(group.shape[1] * group.shape[2] for group in asked)
        assert {layer: state.shape for layer, state in states.items()} == {1: (1, cells, 48)}
        for group, states in zip(asked, hidden, strict=True):
            for number in range(group.shape[1]):
                ids = torch.cat([clip, group[:, number]], 1)
                visual = torch.zeros_like(ids, dtype=torch.bool)
                visual[:, slots] = True
                labels = torch.full_like(ids, IGNORED)
                labels[:, clip.shape[1] + 1 :] = 0
                batch = Batch(
                    ids, labels, torch.ones_like(visual), visual, None,
                    [theirs.encode(frames()[:, None])],
                )  # fmt: skip
                expected, _ = theirs.logits(batch)
                found = ours.logits(states[0, number, :-1])
                assert (found - expected).abs().max() <= 1e-4


def test_weights_survive_the_way_there_and_back(pair):
    _, ours = pair
    other = SmallModel(SIZES)
    load_state(other, to_state(ours))
    for name, value in other.state_dict().items():
        assert torch.equal(value, ours.state_dict()[name]), name


def test_weights_of_another_size_are_refused(pair):
    state = to_state(pair[1])
    state.pop("model.text_model.norm.weight")
    with pytest.raises(ModelError, match="not of a model of these sizes"):
        load_state(SmallModel(SIZES), state)


def test_first_weights_depend_on_the_seed_alone():
    first, again, other = (to_state(start_model(SIZES, seed=seed)) for seed in (1, 1, 2))
    for name, values in first.items():
        assert np.array_equal(values, again[name]), name
    names = ("embed_tokens", "layers.1.self_attn.v_proj", "layers.2.mlp.fc1")
    for name in (n for n in first if any(part in n for part in names) and "weight" in n):
        assert not np.array_equal(first[name], other[name]), name


def test_first_layers_look_at_a_neighbour():
    """What moves in the patch that a head is pointed at reaches the patch; what is far does not."""
    model = start_model(SIZES, seed=0)
    block, tower = model.vision.blocks[0], model.vision
    with torch.no_grad():
        places = tower.places[None]
        split = block.qkv(places).view(1, 36, 3, 4, 8).permute(2, 0, 3, 1, 4)
        shares = ((split[0] * 8**-0.5) @ split[1].transpose(-1, -2)).softmax(-1)[0, 0]
    middle = 2 * 6 + 2
    assert shares[middle].argmax() == middle + 1  # head 0 of four looks one to the right
