"""A tiny model of the synthetic world that has learnt nothing, as files."""

from dataclasses import replace

import pytest

WORDS_OF = 60  # clips of each split that the vocabulary is read from


@pytest.fixture(scope="session")
def vocabulary():
    from vidcli.train.world.words import world_vocabulary

    return world_vocabulary(clips=WORDS_OF)


@pytest.fixture(scope="session")
def sizes(vocabulary):
    from vidcli.train.scratch import ScratchConfig

    small = ScratchConfig(
        image_size=48, patch_size=12, vision_width=32, vision_layers=2, vision_heads=2,
        vision_inner=64, scale_factor=2, width=32, layers=2, heads=2, kv_heads=2, inner=64,
    )  # fmt: skip
    return replace(small, vocabulary=len(vocabulary.tokens))


@pytest.fixture(scope="session")
def blank(vocabulary, sizes, tmp_path_factory):
    """Weights and projector."""
    from vidcli.train.world.convert import write_small
    from vidcli.train.world.start import start_model

    model = start_model(sizes, seed=5)
    return write_small(model, vocabulary, folder=tmp_path_factory.mktemp("blank"), name="blank")
