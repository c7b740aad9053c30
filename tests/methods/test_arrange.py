"""Video-ChatGPT's pooling and the arranging of frames in general."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from vidcli.core.prompt import ImagePart, SeenFrame, VisualTokens
from vidcli.core.time import Timestamp
from vidcli.errors import ModelError
from vidcli.methods.arrange import POOL, Arranger, count_tokens, pool_tokens
from vidcli.methods.qformer import frame_positions, load_sidecar, save_sidecar


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def reference(tokens: np.ndarray, t_max: int) -> np.ndarray:
    """Token by token, in plain loops."""
    frames, places, width = tokens.shape
    rows = []
    for t in range(frames):
        rows.append([sum(tokens[t, n, d] for n in range(places)) / places for d in range(width)])
    rows += [[0.0] * width] * (t_max - frames)
    for n in range(places):
        rows.append([sum(tokens[t, n, d] for t in range(frames)) / frames for d in range(width)])
    return np.array(rows, np.float32)


@pytest.mark.parametrize(("frames", "t_max"), [(5, 0), (5, 8), (1, 3)])
def test_pooling_is_times_then_places_then_nothing_else(frames, t_max):
    """Video-ChatGPT: T + grid tokens, temporal first, zeros up to T_max, as the reference."""
    tokens = draw(frames, 4, 3)
    pooled = pool_tokens(tokens, t_max=t_max)
    assert np.allclose(pooled, reference(tokens, t_max), atol=1e-6)
    assert len(pooled) == max(frames, t_max) + 4


def test_100_frames_of_16_by_16_are_356_tokens():
    """Video-ChatGPT: 100 frames of 16×16 are 356 tokens."""
    assert pool_tokens(draw(100, 256, 8)).shape == (356, 8)
    assert count_tokens(POOL, frames=100, places=256) == 356


def test_pooling_commutes_with_a_linear_projector_and_with_no_other():
    """Video-ChatGPT: exact after a linear projector, an approximation after another."""
    features, matrix = draw(6, 9, 16), draw(16, 5, seed=1)
    before, after = pool_tokens(features) @ matrix, pool_tokens(features @ matrix)
    assert np.allclose(before, after, atol=1e-4)
    bent = pool_tokens(np.maximum(features @ matrix, 0))
    assert np.abs(bent - np.maximum(before, 0)).max() > 0.1


def images(n: int, *, seed: int = 0, **fields) -> list[ImagePart]:
    made = []
    for i in range(n):
        tokens = VisualTokens(
            draw(4, 8, seed=seed + i).astype(np.float16),
            4,
            grid=(2, 2),
            opening=(1,),
            closing=(2,),
            **fields,
        )
        time = Timestamp(i, Fraction(1))
        made.append(ImagePart((SeenFrame(i + 1, time, time.seconds, "uniform"),), tokens))
    return made


def test_arranged_frames_are_one_part_that_names_them_all():
    (part,) = Arranger(POOL, pool_tokens)(images(5))
    assert [frame.id for frame in part.frames] == [1, 2, 3, 4, 5]
    assert (part.tokens.n_tokens, part.tokens.n_pos) == (9, 9)
    assert (part.tokens.opening, part.tokens.closing) == ((1,), (2,))


def test_another_order_of_frames_is_another_arrangement():
    arrange = Arranger(POOL, pool_tokens)
    forward = arrange(images(5))[0].tokens.data
    backward = arrange(images(5)[::-1])[0].tokens.data
    assert np.array_equal(forward[:5], backward[:5][::-1])
    assert np.array_equal(arrange(images(5))[0].tokens.data, forward)


def test_models_with_positions_in_rows_and_columns_are_refused():
    positioned = images(2, positions=np.zeros((4, 4), np.int32))
    with pytest.raises(ModelError, match="by row and column"):
        Arranger(POOL, pool_tokens)(positioned)
    both_ways = [replace(i, tokens=replace(i.tokens, causal=False)) for i in images(2)]
    with pytest.raises(ModelError, match="by row and column"):
        Arranger(POOL, pool_tokens)(both_ways)


def test_every_frame_has_a_position_in_order():
    assert frame_positions(5, 32).tolist() == [0, 1, 2, 3, 4]
    spread = frame_positions(100, 32)
    assert (spread[0], spread[-1]) == (0, 31)
    assert (np.diff(spread) >= 0).all()


def test_a_sidecar_is_read_as_it_was_written(tmp_path):
    weights = {"queries": draw(32, 8), "layers.0.up.weight": draw(4, 8)}
    save_sidecar(tmp_path / "q.npz", weights, {"heads": 2, "mmproj_sha256": "a" * 64})
    again, meta = load_sidecar(tmp_path / "q.npz")
    assert all(np.array_equal(again[name], weights[name]) for name in weights)
    assert meta["heads"] == 2


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut"])
def test_a_damaged_sidecar_is_told(content, tmp_path):
    (tmp_path / "q.npz").write_bytes(content)
    with pytest.raises(ModelError, match="is no Video Q-Former"):
        load_sidecar(tmp_path / "q.npz")
