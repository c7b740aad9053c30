"""A3.6: an adapter for another model is refused from its header, before llama.cpp sees it."""

from pathlib import Path

import numpy as np
import pytest

from vidcli.errors import ModelError
from vidcli.models.adapter import check_adapter
from vidcli.models.gguf import read_facts
from vidcli.models.pair import resolve_files
from vidcli.models.writer import Key, Tensor, write_gguf

Q = "blk.0.attn_q.weight"


def write_adapter(path: Path, shapes: dict[str, tuple[int, int]], **keys: object) -> Path:
    """An adapter of random numbers."""
    given = {
        "general.architecture": "llama",
        "general.type": "adapter",
        "adapter.type": "lora",
        "adapter.lora.alpha": 8.0,
        **{name.replace("__", "."): value for name, value in keys.items()},
    }
    rng = np.random.default_rng(0)
    arrays = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    tensors = [
        Tensor(name, values.shape, values.dtype, "F32", lambda v=values: v)
        for name, values in arrays.items()
    ]
    write_gguf(path, [Key(name, value) for name, value in given.items()], tensors)
    return path


def lora(name: str, *, rows: int = 128, columns: int = 128) -> dict[str, tuple[int, int]]:
    return {f"{name}.lora_a": (4, columns), f"{name}.lora_b": (rows, 4)}


@pytest.fixture
def weights(pairs) -> Path:
    return pairs("tiny-idefics3")[0]


def test_an_adapter_of_the_model_is_taken(weights, tmp_path):
    path = write_adapter(tmp_path / "a.gguf", lora(Q))
    check_adapter(read_facts(weights), read_facts(path))
    files = resolve_files(weights, adapter=path, lora_scale=0.5)
    assert files.adapter == path
    assert len(files.adapter_sha256) == 64
    assert files.adapter_key == f"{files.adapter_sha256} x0.5"


@pytest.mark.parametrize(
    ("shapes", "keys", "reason"),
    [
        (lora(Q), {"general__architecture": "qwen2"}, "is for a qwen2 model"),
        (lora(Q, rows=64, columns=64), {}, "for a model of another size"),
        (lora("blk.7.attn_q.weight"), {}, "which tiny-idefics3-f32.gguf lacks"),
        ({f"{Q}.lora_a": (4, 128)}, {}, "lacks one of its two matrices"),
        ({f"{Q}.lora_a": (4, 128), f"{Q}.lora_b": (128, 8)}, {}, "lacks one of its two matrices"),
        ({"x": (4, 4)}, {}, "holds no LoRA matrices"),
        (lora(Q), {"adapter__type": "other"}, "not a LoRA adapter"),
    ],
)
def test_a3_6_an_adapter_of_another_model_is_refused(shapes, keys, reason, weights, tmp_path):
    """A3.6: an adapter of another architecture or hidden size is refused before loading."""
    path = write_adapter(tmp_path / "a.gguf", shapes, **keys)
    with pytest.raises(ModelError, match=reason):
        resolve_files(weights, adapter=path)


def test_what_is_no_adapter_is_refused(weights):
    with pytest.raises(ModelError, match="is a language model, not a LoRA adapter"):
        resolve_files(weights, adapter=weights)
