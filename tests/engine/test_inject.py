"""Visual tokens through our own path give the logits that mtmd's own decode gives."""

import ctypes
from pathlib import Path

import numpy as np
import pytest
from llama_cpp import llama_cpp as llama
from llama_cpp import mtmd_cpp as mtmd

from tests.pairs import FAMILIES, Pair, PairCache
from vidcli.core.model import Detail, LoadOptions
from vidcli.core.prompt import VisualTokens
from vidcli.engine.context import KvContext
from vidcli.engine.profiles import choose_profile
from vidcli.engine.vision import VisionEncoder
from vidcli.engine.weights import Weights
from vidcli.errors import ModelError
from vidcli.models.gguf import read_facts

SIDE = 128


def _picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (SIDE, SIDE, 3), np.uint8)


class Rig:
    """One model's parts without a session around them."""

    def __init__(self, pair: Pair, detail: Detail = Detail.NORMAL) -> None:
        self.profile = choose_profile(read_facts(pair.mmproj).projector)
        self.weights = Weights(pair.weights, LoadOptions())
        self.vision = VisionEncoder(
            pair.mmproj,
            self.weights,
            self.profile,
            detail=detail,
            threads=1,
            gpu=False,
            one_tile_tokens=16 if self.profile.overview_last else 0,
        )

    def context(self) -> KvContext:
        return KvContext(self.weights, n_ctx=512, threads=1, widest=64)

    def ids(self, text: str) -> list[int]:
        return self.weights.tokenize(text, special=True)


@pytest.fixture(scope="module", params=FAMILIES)
def rig(request: pytest.FixtureRequest, pairs: PairCache) -> Rig:
    return Rig(pairs.get(request.param))


def _stock_logits(rig: Rig, before: list[int], after: list[int]) -> tuple[np.ndarray, VisualTokens]:
    """Logits by `mtmd_helper_decode_image_chunk`, and the float32 tokens it was given."""
    images = [_picture(i) for i in range(rig.profile.group)]
    with rig.context() as context, rig.vision._tokenized(images) as chunks:
        picked, _, _ = rig.vision._choose(chunks)
        data = rig.vision._encode_chunk(picked[0].image, run=True)
        tokens = rig.vision._collect(chunks, encode=False)
        context.decode(before, 0)
        position = llama.llama_pos(len(before))
        code = mtmd.mtmd_helper_decode_image_chunk(
            rig.vision.pointer,
            context.pointer,
            picked[0].image,
            data.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
            len(before),
            0,
            context.n_batch,
            ctypes.byref(position),
            mtmd.mtmd_helper_post_decode_callback(),
            None,
        )
        assert code == 0
        context.decode(after, position.value)
        exact = VisualTokens(data, tokens.n_pos, tokens.positions, causal=tokens.causal)
        return context.logits(), exact


def test_injected_tokens_give_bit_identical_logits(rig: Rig) -> None:
    """A5.4: unpooled frames through our path give the logits of the stock mtmd path."""
    before, after = rig.ids("The video:\n"), rig.ids("\n\nWhat happens?")
    stock, tokens = _stock_logits(rig, before, after)
    with rig.context() as context:
        context.decode(before, 0)
        context.inject(tokens, 0, tokens.n_tokens, len(before))
        context.decode(after, len(before) + tokens.n_pos)
        ours = context.logits()
    assert np.array_equal(ours, stock)


def test_what_is_seen_changes_the_logits(rig: Rig) -> None:
    """Survey roles, text decoder: it receives the visual tokens, and what they are decides."""
    before, after = rig.ids("The video:\n"), rig.ids("\n\nWhat happens?")
    found = []
    for seed in (0, 7):
        tokens = rig.vision.encode([_picture(seed)] * rig.profile.group)
        with rig.context() as context:
            context.decode(before, 0)
            context.inject(tokens, 0, tokens.n_tokens, len(before))
            context.decode(after, len(before) + tokens.n_pos)
            found.append(context.logits())
    assert not np.allclose(found[0], found[1], atol=1e-4)


def test_a_measured_frame_takes_what_an_encoded_one_takes(rig: Rig) -> None:
    measured = rig.vision.measure((SIDE, SIDE))
    encoded = rig.vision.encode([_picture()] * rig.profile.group)
    assert (measured.n_tokens, measured.n_pos, measured.n_cells, measured.grid) == (
        encoded.n_tokens,
        encoded.n_pos,
        encoded.n_cells,
        encoded.grid,
    )
    assert encoded.data.dtype == np.float16
    assert encoded.grid is not None
    assert encoded.grid[0] * encoded.grid[1] == encoded.n_tokens


def test_an_mrope_image_takes_fewer_positions_than_cells(pairs: PairCache) -> None:
    rig = Rig(pairs.get("tiny-qwen2vl"))
    tokens = rig.vision.encode([_picture()] * 2)
    assert tokens.n_pos < tokens.n_tokens
    assert tokens.positions is not None
    assert tokens.positions.shape == (4, tokens.n_tokens)


def test_qwen_merges_two_frames_into_one_run_of_tokens(pairs: PairCache) -> None:
    rig = Rig(pairs.get("tiny-qwen2vl"))
    same = rig.vision.encode([_picture(0), _picture(0)])
    moved = rig.vision.encode([_picture(0), _picture(1)])
    assert same.n_tokens == moved.n_tokens
    assert not np.array_equal(same.data, moved.data)


def test_normal_detail_takes_one_tile_of_a_wide_frame_and_high_takes_several(
    pairs: PairCache,
) -> None:
    wide = np.zeros((360, 640, 3), np.uint8)
    pair = pairs.get("tiny-idefics3")
    one = Rig(pair).vision.encode([wide])
    many = Rig(pair, Detail.HIGH).vision.encode([wide])
    assert one.n_tokens == 16
    assert one.splits == ()
    assert many.n_tokens > one.n_tokens
    assert len(many.splits) == many.n_tokens // 16 - 1


def test_tokens_of_another_width_are_refused(pairs: PairCache) -> None:
    rig = Rig(pairs.get("tiny-qwen3vl"))
    assert rig.weights.n_embd_inp > 128  # deepstack streams are concatenated
    narrow = VisualTokens(np.zeros((4, 128), np.float16), 4)
    with rig.context() as context, pytest.raises(ModelError, match="128 wide"):
        context.inject(narrow, 0, 4, 0)


def test_a_run_longer_than_the_batch_is_split(pairs: PairCache) -> None:
    rig = Rig(pairs.get("tiny-idefics3"))
    with KvContext(rig.weights, n_ctx=6144, threads=1) as context:
        width = rig.weights.n_embd_inp
        n = context.n_batch + 100
        data = np.random.default_rng(0).normal(0, 0.5, (n, width)).astype(np.float16)
        context.inject(VisualTokens(data, n), 0, n, 0)
        context.decode(rig.ids("a")[:1] * (context.n_batch + 1), n)
        assert np.isfinite(context.logits()).all()


def test_a_snapshot_restores_the_same_logits(rig: Rig, tmp_path: Path) -> None:
    tokens = rig.vision.encode([_picture()] * rig.profile.group)
    before, after = rig.ids("The video:\n"), rig.ids("\n\nWhat happens?")
    with rig.context() as context:
        context.decode(before, 0)
        context.inject(tokens, 0, tokens.n_tokens, len(before))
        context.save(tmp_path / "state")
        context.decode(after, len(before) + tokens.n_pos)
        expected = context.logits()
    with rig.context() as context:
        assert context.load(tmp_path / "state")
        context.decode(after, len(before) + tokens.n_pos)
        assert np.array_equal(context.logits(), expected)
