"""The small model under transformers' names, both ways: so it goes to GGUF files and comes back.

Only joined matrices are split and joined here; `train.names` has the rest.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vidcli.errors import ModelError
from vidcli.models.gguf import read_facts
from vidcli.models.tensors import read_tensors
from vidcli.models.vocabulary import Vocabulary
from vidcli.train.names import Layout, from_gguf, smolvlm_layout
from vidcli.train.pair import write_pair
from vidcli.train.scratch import ScratchConfig, text_keys, vision_keys
from vidcli.train.world.modules import SmallModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays = Mapping[str, "NDArray[np.float32]"]
VISION_NAMES = {
    "norm1": "layer_norm1",
    "norm2": "layer_norm2",
    "out": "self_attn.out_proj",
    "up": "mlp.fc1",
    "down": "mlp.fc2",
}
TEXT_NAMES = {
    "norm1": "input_layernorm",
    "norm2": "post_attention_layernorm",
    "out": "self_attn.o_proj",
    "down": "mlp.down_proj",
}
QKV = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
GATE_UP = ("mlp.gate_proj", "mlp.up_proj")


def layout_of(sizes: ScratchConfig) -> Layout:
    """Where the parts of a model of these sizes are."""
    return smolvlm_layout(
        n_layers=sizes.layers,
        n_heads=sizes.heads,
        n_kv_heads=sizes.kv_heads,
        n_vision=sizes.vision_layers,
    )


def to_state(model: SmallModel) -> "dict[str, NDArray[np.float32]]":
    """Its weights by transformers' names, float32."""
    own = {name: value.detach().float().numpy() for name, value in model.state_dict().items()}
    out: dict[str, NDArray[np.float32]] = {}
    for ours, theirs, heights in _names(model.sizes):
        rows = np.split(own[ours], np.cumsum(heights)[:-1]) if heights else [own[ours]]
        out |= dict(zip(theirs, rows, strict=True))
    side = model.sizes.patch_size
    kernel = f"{layout_of(model.sizes).vision}embeddings.patch_embedding.weight"
    out[kernel] = out[kernel].reshape(-1, 3, side, side)
    return out


def load_state(model: SmallModel, state: Arrays) -> None:
    """Take weights over.

    Raises:
        ModelError: One is missing or of another shape.
    """
    own = model.state_dict()
    try:
        for ours, theirs, _ in _names(model.sizes):
            rows = np.concatenate([state[name] for name in theirs])
            own[ours].copy_(torch.from_numpy(np.array(rows)).reshape(own[ours].shape))
    except (KeyError, RuntimeError) as error:
        raise ModelError(f"these weights are not of a model of these sizes: {error}") from error


def load_small(weights: Path, mmproj: Path, sizes: ScratchConfig) -> SmallModel:
    """The model of a GGUF pair, float32.

    Raises:
        ModelError: The files are damaged, or of other sizes.
    """
    model = SmallModel(sizes)
    tensors = {**read_tensors(weights), **read_tensors(mmproj)}
    load_state(model, from_gguf(tensors, layout_of(sizes)))
    return model


def read_sizes(weights: Path, mmproj: Path) -> ScratchConfig:
    """The sizes of a GGUF pair.

    Raises:
        ModelError: It is no SmolVLM with tied embeddings.
    """
    text, vision = read_facts(weights), read_facts(mmproj)
    if vision.projector != "idefics3" or text.architecture != "llama":
        raise ModelError(f"{weights.name} is no SmolVLM, the only kind that is trained like this")
    if "output.weight" in text.tensors:
        raise ModelError(
            f"{weights.name} has an output matrix of its own; only tied ones are taken"
        )
    keys = {**text.keys, **vision.keys}
    named = {
        "image_size": "clip.vision.image_size",
        "patch_size": "clip.vision.patch_size",
        "vision_width": "clip.vision.embedding_length",
        "vision_layers": "clip.vision.block_count",
        "vision_heads": "clip.vision.attention.head_count",
        "vision_inner": "clip.vision.feed_forward_length",
        "scale_factor": "clip.vision.projector.scale_factor",
        "width": "llama.embedding_length",
        "layers": "llama.block_count",
        "heads": "llama.attention.head_count",
        "kv_heads": "llama.attention.head_count_kv",
        "inner": "llama.feed_forward_length",
        "context": "llama.context_length",
    }
    found: dict[str, Any] = {name: int(keys[key]) for name, key in named.items()}
    found["vocabulary"] = text.tensors["token_embd.weight"][0]
    found["rope_theta"] = float(keys.get("llama.rope.freq_base", 10000.0))
    return ScratchConfig(**found)


def _names(sizes: ScratchConfig) -> Iterator[tuple[str, tuple[str, ...], tuple[int, ...]]]:
    """(our name, theirs, rows of each of theirs where one of ours holds several)."""
    layout = layout_of(sizes)
    size = sizes.width // sizes.heads
    heights = (sizes.width, sizes.kv_heads * size, sizes.kv_heads * size)
    for n in range(sizes.vision_layers):
        ours, theirs = f"vision.blocks.{n}", f"{layout.vision}encoder.layers.{n}"
        for kind in ("weight", "bias"):
            joined = tuple(f"{theirs}.{name}.{kind}" for name in QKV)
            yield f"{ours}.qkv.{kind}", joined, (sizes.vision_width,) * 3
            for own, name in VISION_NAMES.items():
                yield f"{ours}.{own}.{kind}", (f"{theirs}.{name}.{kind}",), ()
    for kind in ("weight", "bias"):
        yield f"vision.patch.{kind}", (f"{layout.vision}embeddings.patch_embedding.{kind}",), ()
        yield f"vision.norm.{kind}", (f"{layout.vision}post_layernorm.{kind}",), ()
    yield "vision.places", (f"{layout.vision}embeddings.position_embedding.weight",), ()
    yield "connector.weight", (f"{layout.connector}modality_projection.proj.weight",), ()
    yield "embedding.weight", (f"{layout.text}embed_tokens.weight",), ()
    yield "norm.weight", (f"{layout.text}norm.weight",), ()
    for n in range(sizes.layers):
        ours, theirs = f"blocks.{n}", f"{layout.text}layers.{n}"
        yield f"{ours}.qkv.weight", tuple(f"{theirs}.{name}.weight" for name in QKV), heights
        joined = tuple(f"{theirs}.{name}.weight" for name in GATE_UP)
        yield f"{ours}.gate_up.weight", joined, (sizes.inner,) * 2
        for own, name in TEXT_NAMES.items():
            yield f"{ours}.{own}.weight", (f"{theirs}.{name}.weight",), ()


def write_small(
    model: SmallModel, vocabulary: Vocabulary, *, folder: Path, name: str
) -> tuple[Path, Path]:
    """Write a model with its vocabulary as a float32 GGUF pair.

    Args:
        model: To write.
        vocabulary: As many tokens as the model has.
        folder: Made if missing.
        name: What to call it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"{name}-f32.gguf", folder / f"mmproj-{name}-f32.gguf"
    sizes = model.sizes
    write_pair(
        to_state(model),
        layout_of(sizes),
        keys=(text_keys(sizes, vocabulary, name), vision_keys(sizes, name)),
        paths=paths,
        kind="F32",
    )
    return paths
