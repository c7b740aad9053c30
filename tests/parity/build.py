"""Tiny random models in transformers, and the same weights as a GGUF pair.

The sizes are those of the tiny shapes, so a tensor that either side lacks or shapes differently
fails here by name. The conversion is this project's own: names, the interleaved rotary order of
llama's query and key rows, Qwen's joint attention matrix and two-frame patch kernel.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    PreTrainedModel,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
)

from vidcli.models.shapes import list_tensors, read_shape
from vidcli.models.vocabulary import Vocabulary, build_vocabulary
from vidcli.models.writer import Key, Tensor, write_gguf

KINDS = {"smolvlm": "tiny-idefics3", "idefics3": "tiny-idefics3", "qwen2vl": "tiny-qwen2vl"}
IMAGE_TOKENS = {"smolvlm": "<image>", "idefics3": "<image>", "qwen2vl": "<|image_pad|>"}
SIGLIP = {
    "smolvlm": (SmolVLMConfig, SmolVLMForConditionalGeneration),
    "idefics3": (Idefics3Config, Idefics3ForConditionalGeneration),
}
Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class ParityPair:
    """One model twice.

    Attributes:
        model: transformers' module, float32, in eval mode.
        weights: The language model as GGUF, float32.
        mmproj: The vision encoder and projector as GGUF, float32.
        ids: Ids of the control tokens; transformers puts a visual token where it sees `image`.
        image: Id of that place-holder.
    """

    model: PreTrainedModel
    weights: Path
    mmproj: Path
    ids: dict[str, int]
    image: int


def build_pair(kind: str, directory: Path) -> ParityPair:
    """Make a random model (one of `KINDS`) and write it as a GGUF pair."""
    spec = read_shape(KINDS[kind])
    vocabulary = build_vocabulary(**spec["vocabulary"])
    image = vocabulary.id_of(IMAGE_TOKENS[kind])
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = _siglip(kind, spec, image) if kind in SIGLIP else _qwen2vl(spec, image)
    _randomize(model)
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    converted = dict(_convert_smolvlm(state) if kind in SIGLIP else _convert_qwen2vl(state))
    paths = directory / f"{kind}-f32.gguf", directory / f"mmproj-{kind}-f32.gguf"
    _write(paths[0], spec["weights"], converted, vocabulary)
    _write(paths[1], spec["mmproj"], converted, None)
    control = {text: n for n, text in enumerate(vocabulary.tokens) if text.startswith("<")}
    return ParityPair(model.eval(), *paths, control, image)


def _siglip(kind: str, spec: dict[str, Any], image: int) -> PreTrainedModel:
    make_config, make_model = SIGLIP[kind]
    config = make_config(
        text_config={"model_type": "llama", **_text_sizes(spec, "llama"), "rope_theta": 1e5},
        vision_config={
            "hidden_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 128,
            "image_size": 128,
            "patch_size": 16,
        },
        scale_factor=2,
        image_token_id=image,
        pad_token_id=0,
        tie_word_embeddings=False,
        attn_implementation="eager",
    )
    return make_model(config)


def _qwen2vl(spec: dict[str, Any], image: int) -> PreTrainedModel:
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [4, 6, 6]}
    config = Qwen2VLConfig(
        text_config={**_text_sizes(spec, "qwen2vl"), "rope_parameters": rope},
        vision_config={
            "depth": 2,
            "embed_dim": 64,
            "hidden_size": 128,
            "num_heads": 2,
            "mlp_ratio": 2,
            "patch_size": 14,
        },
        image_token_id=image,
        video_token_id=image + 1,
        tie_word_embeddings=False,
        attn_implementation="eager",
    )
    return Qwen2VLForConditionalGeneration(config)


def _text_sizes(spec: dict[str, Any], arch: str) -> dict[str, Any]:
    keys = spec["weights"]["metadata"]
    return {
        "hidden_size": keys[f"{arch}.embedding_length"],
        "num_hidden_layers": keys[f"{arch}.block_count"],
        "num_attention_heads": keys[f"{arch}.attention.head_count"],
        "num_key_value_heads": keys[f"{arch}.attention.head_count_kv"],
        "intermediate_size": keys[f"{arch}.feed_forward_length"],
        "vocab_size": keys[f"{arch}.vocab_size"],
        "rms_norm_eps": keys[f"{arch}.attention.layer_norm_rms_epsilon"],
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }


def _randomize(model: PreTrainedModel) -> None:
    """Weights that keep activations near unit size; norms and biases off their neutral values."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1:
                parameter.normal_(0.0, 0.1)
                parameter.add_(float(name.endswith("weight")))
            else:
                parameter.normal_(0.0, parameter[0].numel() ** -0.5)


def _convert_smolvlm(state: Weights) -> Iterator[tuple[str, np.ndarray]]:
    text = {
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm",
        "self_attn.o_proj": "attn_output",
        "self_attn.v_proj": "attn_v",
    }
    yield from _convert_text(state, "model.text_model.", text)
    for layer in range(2):
        prefix = f"model.text_model.layers.{layer}.self_attn."
        for letter, heads in (("q", 4), ("k", 2)):
            rows = state[f"{prefix}{letter}_proj.weight"]
            yield f"blk.{layer}.attn_{letter}.weight", _interleave(rows, heads)
    vision = {
        "layer_norm1": "ln1",
        "layer_norm2": "ln2",
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.out_proj": "attn_out",
        "mlp.fc1": "ffn_up",
        "mlp.fc2": "ffn_down",
    }
    yield from _convert_layers(state, "model.vision_model.encoder.layers.", "v.blk.", vision)
    yield from _rename(
        state,
        {
            "model.vision_model.embeddings.patch_embedding": "v.patch_embd",
            "model.vision_model.embeddings.position_embedding": "v.position_embd",
            "model.vision_model.post_layernorm": "v.post_ln",
            "model.connector.modality_projection.proj": "mm.model.fc",
        },
    )


def _convert_qwen2vl(state: Weights) -> Iterator[tuple[str, np.ndarray]]:
    text = {
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm",
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
    }
    yield from _convert_text(state, "model.language_model.", text)
    vision = {
        "norm1": "ln1",
        "norm2": "ln2",
        "attn.proj": "attn_out",
        "mlp.fc1": "ffn_up",
        "mlp.fc2": "ffn_down",
    }
    yield from _convert_layers(state, "model.visual.blocks.", "v.blk.", vision)
    for layer in range(2):
        for kind in ("weight", "bias"):
            joint = state[f"model.visual.blocks.{layer}.attn.qkv.{kind}"]
            for letter, third in zip("qkv", np.split(joint, 3), strict=True):
                yield f"v.blk.{layer}.attn_{letter}.{kind}", third
    kernel = state["model.visual.patch_embed.proj.weight"]  # [64, 3, 2 frames, 14, 14]
    yield "v.patch_embd.weight", kernel[:, :, 0]
    yield "v.patch_embd.weight.1", kernel[:, :, 1]
    yield from _rename(
        state,
        {
            "model.visual.merger.ln_q": "v.post_ln",
            "model.visual.merger.mlp.0": "mm.0",
            "model.visual.merger.mlp.2": "mm.2",
        },
    )


def _convert_text(
    state: Weights, prefix: str, names: dict[str, str]
) -> Iterator[tuple[str, np.ndarray]]:
    feed_forward = {f"mlp.{way}_proj": f"ffn_{way}" for way in ("gate", "up", "down")}
    yield from _convert_layers(state, f"{prefix}layers.", "blk.", {**names, **feed_forward})
    outer = {f"{prefix}embed_tokens": "token_embd", f"{prefix}norm": "output_norm"}
    yield from _rename(state, {**outer, "lm_head": "output"})


def _convert_layers(
    state: Weights, old: str, new: str, names: dict[str, str]
) -> Iterator[tuple[str, np.ndarray]]:
    for layer in range(2):
        yield from _rename(
            state, {f"{old}{layer}.{a}": f"{new}{layer}.{b}" for a, b in names.items()}
        )


def _rename(state: Weights, names: dict[str, str]) -> Iterator[tuple[str, np.ndarray]]:
    for old, new in names.items():
        for kind in ("weight", "bias"):
            if f"{old}.{kind}" in state:
                yield f"{new}.{kind}", state[f"{old}.{kind}"]


def _interleave(rows: np.ndarray, heads: int) -> np.ndarray:
    """Rows of a head from transformers' rotary order (halves) to llama's (pairs)."""
    split = rows.reshape(heads, 2, len(rows) // heads // 2, rows.shape[1])
    return split.swapaxes(1, 2).reshape(rows.shape)


def _write(
    path: Path, part: dict[str, Any], converted: Weights, vocabulary: Vocabulary | None
) -> None:
    keys = {**part["metadata"], **(vocabulary.keys if vocabulary else {})}
    tensors = []
    for name, shape, kind in list_tensors(part):
        data = np.ascontiguousarray(converted[name], np.float32)
        assert data.shape == shape, f"{name}: {data.shape} is not {shape}"
        tensors.append(Tensor(name, shape, data.dtype, kind, lambda data=data: data))
    write_gguf(path, [Key(name, value) for name, value in keys.items()], tensors)
