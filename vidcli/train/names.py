"""One model under two sets of names: transformers' state and llama.cpp's tensors, both ways.

Only what differs beyond the name is arithmetic here: the interleaved rotary order of llama's query
and key rows, and Qwen2-VL's joint attention matrix and two-frame patch kernel.

Source: llama.cpp `convert_hf_to_gguf.py` (names), checked by parity of the logits in the tests.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidcli.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays = Mapping[str, "NDArray[np.float32]"]

TEXT = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
SIGLIP = {
    "layer_norm1": "ln1",
    "layer_norm2": "ln2",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.out_proj": "attn_out",
    "mlp.fc1": "ffn_up",
    "mlp.fc2": "ffn_down",
}
QWEN_VISION = {
    "norm1": "ln1",
    "norm2": "ln2",
    "attn.proj": "attn_out",
    "mlp.fc1": "ffn_up",
    "mlp.fc2": "ffn_down",
}
QKV = ("attn_q", "attn_k", "attn_v")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a family keeps its parts in transformers, and the sizes that names depend on.

    Attributes:
        family: `smolvlm` or `qwen2vl`.
        architecture: llama.cpp's name of the language model.
        text: Prefix of the language model.
        vision: Prefix of the vision encoder.
        connector: Prefix of what is between them.
        n_layers: Of the language model.
        n_heads: Query heads.
        n_kv_heads: Key heads.
        n_vision_layers: Of the vision encoder.
    """

    family: str
    architecture: str
    text: str
    vision: str
    connector: str
    n_layers: int
    n_heads: int
    n_kv_heads: int
    n_vision_layers: int

    @property
    def is_permuted(self) -> bool:
        """Whether query and key rows are in llama's rotary order in the GGUF file."""
        return self.architecture == "llama"

    def part_of(self, name: str) -> str:
        """`vision`, `connector`, `text` or `qformer`, of a parameter by its name."""
        if name.startswith("video_qformer."):
            return "qformer"
        if name.startswith(self.connector):
            return "connector"
        return "vision" if name.startswith(self.vision) else "text"


def smolvlm_layout(*, n_layers: int, n_heads: int, n_kv_heads: int, n_vision: int) -> Layout:
    """SmolVLM and Idefics3: SigLIP, pixel shuffle and one matrix, llama."""
    return Layout(
        family="smolvlm",
        architecture="llama",
        text="model.text_model.",
        vision="model.vision_model.",
        connector="model.connector.",
        n_layers=n_layers,
        n_heads=n_heads,
        n_kv_heads=n_kv_heads,
        n_vision_layers=n_vision,
    )


def qwen2vl_layout(*, n_layers: int, n_heads: int, n_kv_heads: int, n_vision: int) -> Layout:
    """Qwen2-VL: any size of picture, pairs of frames, M-RoPE."""
    return Layout(
        family="qwen2vl",
        architecture="qwen2vl",
        text="model.language_model.",
        vision="model.visual.",
        connector="model.visual.merger.",
        n_layers=n_layers,
        n_heads=n_heads,
        n_kv_heads=n_kv_heads,
        n_vision_layers=n_vision,
    )


def name_pairs(layout: Layout) -> Iterator[tuple[str, str]]:
    """(transformers, GGUF) module names of everything that only changes its name."""
    for n in range(layout.n_layers):
        for theirs, ours in TEXT.items():
            yield f"{layout.text}layers.{n}.{theirs}", f"blk.{n}.{ours}"
    yield f"{layout.text}embed_tokens", "token_embd"
    yield f"{layout.text}norm", "output_norm"
    yield "lm_head", "output"
    if layout.family == "smolvlm":
        for n in range(layout.n_vision_layers):
            for theirs, ours in SIGLIP.items():
                yield f"{layout.vision}encoder.layers.{n}.{theirs}", f"v.blk.{n}.{ours}"
        yield f"{layout.vision}embeddings.patch_embedding", "v.patch_embd"
        yield f"{layout.vision}embeddings.position_embedding", "v.position_embd"
        yield f"{layout.vision}post_layernorm", "v.post_ln"
        yield f"{layout.connector}modality_projection.proj", "mm.model.fc"
        return
    for n in range(layout.n_vision_layers):
        for theirs, ours in QWEN_VISION.items():
            yield f"{layout.vision}blocks.{n}.{theirs}", f"v.blk.{n}.{ours}"
    yield f"{layout.connector}ln_q", "v.post_ln"
    yield f"{layout.connector}mlp.0", "mm.0"
    yield f"{layout.connector}mlp.2", "mm.2"


def to_gguf(state: Arrays, layout: Layout) -> "dict[str, NDArray[np.float32]]":
    """llama.cpp's tensors of a transformers state, or of a part of one.

    Args:
        state: By name in transformers; those that llama.cpp has no use for are left out.
        layout: Of the model.
    """
    out: dict[str, NDArray[np.float32]] = {}
    for theirs, ours in name_pairs(layout):
        for kind in ("weight", "bias"):
            if f"{theirs}.{kind}" in state:
                out[f"{ours}.{kind}"] = _rows(ours, state[f"{theirs}.{kind}"], layout, interleave)
    if layout.family == "qwen2vl":
        out |= _split_qwen(state, layout)
    return out


def from_gguf(tensors: Arrays, layout: Layout) -> "dict[str, NDArray[np.float32]]":
    """The transformers state of llama.cpp's tensors.

    Raises:
        ModelError: A tensor has no place in this family.
    """
    out: dict[str, NDArray[np.float32]] = {}
    left = set(tensors)
    for theirs, ours in name_pairs(layout):
        for kind in ("weight", "bias"):
            if f"{ours}.{kind}" in tensors:
                rows = _rows(ours, tensors[f"{ours}.{kind}"], layout, deinterleave)
                out[f"{theirs}.{kind}"] = rows
                left.discard(f"{ours}.{kind}")
    if layout.family == "qwen2vl":
        joined, used = _join_qwen(tensors, layout)
        out |= joined
        left -= used
    if left:
        raise ModelError(f"a {layout.family} model has no place for {sorted(left)[0]}")
    return out


def _rows(ours: str, rows: "NDArray[np.float32]", layout: Layout, reorder: "Reorder") -> "Array":
    if not layout.is_permuted or not ours.startswith("blk."):
        return rows
    if ours.endswith(".attn_q"):
        return reorder(rows, layout.n_heads)
    return reorder(rows, layout.n_kv_heads) if ours.endswith(".attn_k") else rows


def interleave(rows: "NDArray[np.float32]", heads: int) -> "NDArray[np.float32]":
    """Rows of each head from transformers' rotary order (halves) to llama's (pairs)."""
    split = rows.reshape(heads, 2, len(rows) // heads // 2, -1)
    return np.ascontiguousarray(split.swapaxes(1, 2)).reshape(rows.shape)


def deinterleave(rows: "NDArray[np.float32]", heads: int) -> "NDArray[np.float32]":
    """The inverse of `interleave`."""
    split = rows.reshape(heads, len(rows) // heads // 2, 2, -1)
    return np.ascontiguousarray(split.swapaxes(1, 2)).reshape(rows.shape)


if TYPE_CHECKING:
    from collections.abc import Callable

    Array = NDArray[np.float32]
    Reorder = Callable[[Array, int], Array]


def _split_qwen(state: Arrays, layout: Layout) -> "dict[str, NDArray[np.float32]]":
    out: dict[str, NDArray[np.float32]] = {}
    for n in range(layout.n_vision_layers):
        for kind in ("weight", "bias"):
            joint = state.get(f"{layout.vision}blocks.{n}.attn.qkv.{kind}")
            if joint is not None:
                thirds = np.split(joint, 3)
                out |= {f"v.blk.{n}.{q}.{kind}": rows for q, rows in zip(QKV, thirds, strict=True)}
    kernel = state.get(f"{layout.vision}patch_embed.proj.weight")  # [dim, 3, 2 frames, 14, 14]
    if kernel is not None:
        out["v.patch_embd.weight"] = np.ascontiguousarray(kernel[:, :, 0])
        out["v.patch_embd.weight.1"] = np.ascontiguousarray(kernel[:, :, 1])
    return out


def _join_qwen(
    tensors: Arrays, layout: Layout
) -> "tuple[dict[str, NDArray[np.float32]], set[str]]":
    out: dict[str, NDArray[np.float32]] = {}
    used: set[str] = set()
    for n in range(layout.n_vision_layers):
        for kind in ("weight", "bias"):
            names = [f"v.blk.{n}.{q}.{kind}" for q in QKV]
            joint = f"v.blk.{n}.attn_qkv.{kind}"
            if names[0] in tensors:
                rows = np.concatenate([tensors[name] for name in names])
                used.update(names)
            elif joint in tensors:
                rows = tensors[joint]
                used.add(joint)
            else:
                continue
            out[f"{layout.vision}blocks.{n}.attn.qkv.{kind}"] = rows
    frames = ("v.patch_embd.weight", "v.patch_embd.weight.1")
    if frames[1] in tensors:
        kernel = np.stack([tensors[name] for name in frames], axis=2)
        out[f"{layout.vision}patch_embed.proj.weight"] = kernel
        used.update(frames)
    return out, used
