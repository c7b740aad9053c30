"""The same weights, pixels and ids give transformers' next-token logits through vidcli's engine."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("transformers", reason="needs the extra 'parity'")

import torch

from tests.parity.build import ParityPair, build_pair
from vidcli.core.model import LoadOptions, ModelFiles
from vidcli.core.prompt import ImagePart, Part, Prompt, SeenFrame, TextPart
from vidcli.core.time import Timestamp
from vidcli.engine.load import load_session
from vidcli.engine.session import LlamaSession
from vidcli.models.gguf import read_facts

pytestmark = pytest.mark.parity

TOLERANCE = 2e-2  # of logits whose deviation is about 1: the KV cache is float16
CLIP_MEAN = np.array([0.48145466, 0.4578275, 0.40821073])
CLIP_STD = np.array([0.26862954, 0.26130258, 0.27577711])
BEFORE = "<|im_start|>user\nthe frames of a video:"
AFTER = "\nwhat happens? no words."


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory):
    return tmp_path_factory.mktemp("parity")


@pytest.fixture(scope="module")
def smolvlm(directory) -> Iterator[tuple[ParityPair, LlamaSession]]:
    yield from opened(build_pair("smolvlm", directory))


@pytest.fixture(scope="module")
def qwen2vl(directory) -> Iterator[tuple[ParityPair, LlamaSession]]:
    yield from opened(build_pair("qwen2vl", directory))


def opened(pair: ParityPair) -> Iterator[tuple[ParityPair, LlamaSession]]:
    session = load_session(
        ModelFiles(pair.weights, pair.mmproj, "0" * 64, "1" * 64, "parity"),
        weights_facts=read_facts(pair.weights),
        mmproj_facts=read_facts(pair.mmproj),
        options=LoadOptions(n_ctx=1024, threads=1, gpu_layers=0, mmproj_gpu=False),
    )
    yield pair, session
    session.close()


def picture(seed: int, *, width: int, height: int) -> np.ndarray:
    """Blocks of colour under some noise, uint8 RGB."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 4, 3))
    rows, columns = np.arange(height) * 4 // height, np.arange(width) * 4 // width
    noisy = coarse[rows][:, columns] + rng.integers(-9, 10, (height, width, 3))
    return noisy.clip(0, 255).astype(np.uint8)


def ours(
    session: LlamaSession, groups: list[list[np.ndarray]], image: int
) -> tuple[np.ndarray, list[int]]:
    """Next-token logits of text, pictures and text by the engine, and the ids it decoded.

    Visual tokens stand in the ids as `image`.
    """
    parts: list[Part] = [TextPart(BEFORE, special=True)]
    for number, group in enumerate(groups):
        time = Timestamp(number, Fraction(1))
        frame = SeenFrame(number + 1, time, time.seconds, "uniform")
        parts.append(ImagePart((frame,), session.encode(group)))
    prompt = Prompt((*parts, TextPart(AFTER)))
    ids: list[int] = []
    for part, traced in zip(prompt.parts, session.trace(prompt), strict=True):
        if isinstance(part, TextPart):
            ids += traced.token_ids
        else:
            tokens = part.tokens
            ids += [*tokens.opening, *[image] * tokens.n_tokens, *tokens.closing]
    return session.prefill(prompt).logits, ids


def theirs(pair: ParityPair, ids: list[int], **vision: torch.Tensor) -> np.ndarray:
    """Next-token logits by transformers."""
    inputs = torch.tensor([ids])
    if "image_grid_thw" in vision:  # M-RoPE wants to be told which ids are pictures
        vision["mm_token_type_ids"] = (inputs == pair.image).long()
    with torch.no_grad():
        out = pair.model(input_ids=inputs, attention_mask=torch.ones_like(inputs), **vision)
    return out.logits[0, -1].numpy()


def assert_same(got: np.ndarray, expected: np.ndarray) -> None:
    assert expected.std() > 0.5  # else any two models would agree
    assert np.abs(got - expected).max() < TOLERANCE
    assert got.argmax() == expected.argmax()


@pytest.mark.parametrize("n_frames", [1, 3])
def test_smolvlm_next_token_logits_are_those_of_transformers(smolvlm, n_frames):
    pair, session = smolvlm
    frames = [picture(n, width=128, height=128) for n in range(n_frames)]
    got, ids = ours(session, [[frame] for frame in frames], pair.image)
    assert ids.count(pair.image) == 16 * n_frames
    pixels = (np.stack(frames).astype(np.float32) / 255 - 0.5) / 0.5
    expected = theirs(
        pair, ids, pixel_values=torch.from_numpy(pixels.transpose(0, 3, 1, 2)[None].copy())
    )
    assert_same(got, expected)


def qwen_patches(frames: list[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Flattened patches in merge order and their grid, of one frame or a pair (t, y, x)."""
    both = np.stack([frames[0], frames[-1]]).astype(np.float64) / 255  # a still counts twice
    both = ((both - CLIP_MEAN) / CLIP_STD).transpose(0, 3, 1, 2)  # [2, 3, height, width]
    rows, columns = both.shape[2] // 28, both.shape[3] // 28
    cut = both.reshape(2, 3, rows, 2, 14, columns, 2, 14)
    patches = cut.transpose(2, 5, 3, 6, 1, 0, 4, 7).reshape(rows * columns * 4, -1)
    grid = torch.tensor([[1, rows * 2, columns * 2]])
    return torch.from_numpy(patches.astype(np.float32)), grid


@pytest.mark.parametrize("n_frames", [1, 2])
@pytest.mark.parametrize("n_groups", [1, 2])
def test_qwen2vl_next_token_logits_are_those_of_transformers(qwen2vl, n_frames, n_groups):
    pair, session = qwen2vl
    groups = [
        [picture(2 * group + n, width=168, height=112) for n in range(n_frames)]
        for group in range(n_groups)
    ]
    got, ids = ours(session, groups, pair.image)
    assert ids.count(pair.image) == 4 * 6 * n_groups
    patches, grids = zip(*(qwen_patches(group) for group in groups), strict=True)
    expected = theirs(pair, ids, pixel_values=torch.cat(patches), image_grid_thw=torch.cat(grids))
    assert_same(got, expected)


def test_a_wrong_picture_is_noticed(smolvlm):
    pair, session = smolvlm
    got, ids = ours(session, [[picture(0, width=128, height=128)]], pair.image)
    wrong = np.zeros((1, 1, 3, 128, 128), np.float32)
    expected = theirs(pair, ids, pixel_values=torch.from_numpy(wrong))
    assert np.abs(got - expected).max() > 10 * TOLERANCE
