"""The real engine loads every tiny pair, and what it sees changes what it says."""

from fractions import Fraction

import numpy as np
import pytest

from vidcli.core.model import LoadOptions, ModelFiles
from vidcli.core.prompt import ImagePart, Prompt, SeenFrame, TextPart
from vidcli.core.time import Timestamp
from vidcli.engine.load import load_session
from vidcli.engine.session import LlamaSession
from vidcli.models.gguf import read_facts
from vidcli.models.shapes import list_shapes

TINY = tuple(name for name in list_shapes() if name.startswith("tiny-"))


def logits_for(session: LlamaSession, colour: int) -> np.ndarray:
    """Next-token logits after one picture of noise over a colour."""
    width, height = session.frame_size((160, 120))
    noise = np.random.default_rng(0).integers(0, 60, (height, width, 3), np.uint8)
    noise[..., colour] += 150
    tokens = session.encode([noise])
    assert np.isfinite(tokens.data).all()
    assert tokens.data.std(axis=0).mean() > 0.05  # tokens of one picture differ
    time = Timestamp(0, Fraction(1))
    part = ImagePart((SeenFrame(1, time, time.seconds, "uniform"),), tokens)
    return session.prefill(Prompt((TextPart("It shows"), part, TextPart(" What?")))).logits


@pytest.mark.parametrize("shape", TINY)
def test_pictures_become_finite_logits_that_depend_on_them(pairs, shape):
    weights, mmproj = pairs(shape)
    session = load_session(
        ModelFiles(weights, mmproj, "0" * 64, "1" * 64, shape),
        weights_facts=read_facts(weights),
        mmproj_facts=read_facts(mmproj),
        options=LoadOptions(n_ctx=512, threads=1, gpu_layers=0, mmproj_gpu=False),
    )
    try:
        red, blue = logits_for(session, 0), logits_for(session, 2)
    finally:
        session.close()
    for logits in (red, blue):
        assert np.isfinite(logits).all()
        assert logits.std() > 0.3
    assert np.abs(red - blue).max() > 0.1
