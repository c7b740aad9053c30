"""GGUF pair to torch and back: the files that `ask` runs are the files that training starts from.

So what is learnt is learnt on the very weights it will be used with, quantised ones included.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vidcli.core.model import GgufFacts
from vidcli.errors import ModelError
from vidcli.models.gguf import read_facts
from vidcli.models.tensors import choose_type, pack_tensor, read_tensors
from vidcli.models.writer import Key, write_gguf
from vidcli.train.model import VideoModel
from vidcli.train.names import Layout, from_gguf, qwen2vl_layout, smolvlm_layout, to_gguf

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRAINABLE = {"idefics3": ("llama", "smolvlm"), "qwen2vl_merger": ("qwen2vl", "qwen2vl")}
FILE_TYPES = {"F32": 0, "F16": 1, "Q8_0": 7, "BF16": 32}


def load_pair(weights: Path, mmproj: Path) -> VideoModel:
    """Build the torch model of a GGUF pair, float32, in eval mode, frozen.

    Args:
        weights: Language model.
        mmproj: Vision encoder and connector.

    Raises:
        ModelError: The family cannot be trained here, or a file is damaged.
    """
    facts = read_facts(weights), read_facts(mmproj)
    layout = read_layout(*facts)
    tensors = {**read_tensors(weights), **read_tensors(mmproj)}
    state = from_gguf(tensors, layout)
    config = _smolvlm_config(*facts) if layout.family == "smolvlm" else _qwen2vl_config(*facts)
    hf = _build(layout.family, config)
    given = {name: torch.from_numpy(values) for name, values in state.items()}
    missing, unexpected = hf.load_state_dict(given, strict=False, assign=True)
    lost = [name for name in missing if name != "lm_head.weight" or not config["tied"]]
    if lost or unexpected:
        name = (lost or unexpected)[0]
        raise ModelError(f"{weights.name} and {mmproj.name} do not make up a model: {name}")
    hf.tie_weights()
    hf.requires_grad_(False)
    return VideoModel(hf.eval(), layout)


def read_layout(weights: GgufFacts, mmproj: GgufFacts) -> Layout:
    """Where the parts of a pair are in transformers.

    Raises:
        ModelError: It is of a family that cannot be trained here.
    """
    architecture, family = TRAINABLE.get(mmproj.projector, ("", ""))
    if weights.architecture != architecture:
        raise ModelError(
            f"{weights.path.name} ({weights.architecture}) with a {mmproj.projector or 'nameless'}"
            " projector cannot be trained here",
            hint="SmolVLM, Idefics3 and Qwen2-VL can",
        )
    make = smolvlm_layout if family == "smolvlm" else qwen2vl_layout
    keys = weights.keys
    heads = int(keys[f"{architecture}.attention.head_count"])
    return make(
        n_layers=int(keys[f"{architecture}.block_count"]),
        n_heads=heads,
        n_kv_heads=int(keys.get(f"{architecture}.attention.head_count_kv", heads)),
        n_vision=int(mmproj.keys["clip.vision.block_count"]),
    )


def _text_config(facts: GgufFacts) -> dict[str, Any]:
    arch, keys = facts.architecture, facts.keys
    heads = int(keys[f"{arch}.attention.head_count"])
    width = int(keys[f"{arch}.embedding_length"])
    return {
        "hidden_size": width,
        "num_hidden_layers": int(keys[f"{arch}.block_count"]),
        "num_attention_heads": heads,
        "num_key_value_heads": int(keys.get(f"{arch}.attention.head_count_kv", heads)),
        "head_dim": int(keys.get(f"{arch}.attention.key_length", width // heads)),
        "intermediate_size": int(keys[f"{arch}.feed_forward_length"]),
        "vocab_size": facts.tensors["token_embd.weight"][0],
        "rms_norm_eps": float(keys[f"{arch}.attention.layer_norm_rms_epsilon"]),
        "max_position_embeddings": int(keys.get(f"{arch}.context_length", 8192)),
        "tie_word_embeddings": "output.weight" not in facts.tensors,
        "bos_token_id": None,
        "eos_token_id": None,
        "pad_token_id": None,
    }


def _smolvlm_config(weights: GgufFacts, mmproj: GgufFacts) -> dict[str, Any]:
    text, keys = _text_config(weights), mmproj.keys
    theta = float(weights.keys.get("llama.rope.freq_base", 10000.0))
    return {
        "tied": text["tie_word_embeddings"],
        "text_config": {
            "model_type": "llama",
            **text,
            "rope_parameters": {"rope_type": "default", "rope_theta": theta},
        },
        "vision_config": {
            "hidden_size": int(keys["clip.vision.embedding_length"]),
            "num_hidden_layers": int(keys["clip.vision.block_count"]),
            "num_attention_heads": int(keys["clip.vision.attention.head_count"]),
            "intermediate_size": int(keys["clip.vision.feed_forward_length"]),
            "image_size": int(keys["clip.vision.image_size"]),
            "patch_size": int(keys["clip.vision.patch_size"]),
            "layer_norm_eps": float(keys["clip.vision.attention.layer_norm_epsilon"]),
        },
        "scale_factor": int(keys["clip.vision.projector.scale_factor"]),
    }


def _qwen2vl_config(weights: GgufFacts, mmproj: GgufFacts) -> dict[str, Any]:
    text, keys = _text_config(weights), mmproj.keys
    text.pop("head_dim")
    width = int(keys["clip.vision.embedding_length"])
    sections = _mrope_sections(weights.path)
    theta = float(weights.keys.get("qwen2vl.rope.freq_base", 1e6))
    rope = {"rope_type": "default", "rope_theta": theta, "mrope_section": sections}
    return {
        "tied": text["tie_word_embeddings"],
        "text_config": {**text, "rope_parameters": rope},
        "vision_config": {
            "depth": int(keys["clip.vision.block_count"]),
            "embed_dim": width,
            "hidden_size": text["hidden_size"],
            "num_heads": int(keys["clip.vision.attention.head_count"]),
            "mlp_ratio": int(keys["clip.vision.feed_forward_length"]) // width,
            "patch_size": int(keys["clip.vision.patch_size"]),
        },
    }


def _mrope_sections(path: Path) -> list[int]:
    from vidcli.models.tensors import read_keys

    found = {key.name: key.value for key in read_keys(path)}
    return [int(n) for n in found["qwen2vl.rope.dimension_sections"] if int(n)]


def _build(family: str, config: Mapping[str, Any]) -> Any:
    import transformers

    given = {name: value for name, value in config.items() if name != "tied"}
    if family == "smolvlm":
        made = transformers.SmolVLMConfig(
            **given, pad_token_id=0, tie_word_embeddings=config["tied"]
        )
        return transformers.SmolVLMForConditionalGeneration(made)
    made = transformers.Qwen2VLConfig(**given, tie_word_embeddings=config["tied"])
    return transformers.Qwen2VLForConditionalGeneration(made)


def write_pair(
    state: "Mapping[str, NDArray[np.float32]]",
    layout: Layout,
    *,
    keys: tuple[Mapping[str, Any], Mapping[str, Any]],
    paths: tuple[Path, Path],
    kind: str,
) -> None:
    """Write a transformers state as a GGUF pair.

    Args:
        state: The whole model.
        layout: Of the model.
        keys: Of the weights (vocabulary included), and of the projector.
        paths: Of the weights, and of the projector.
        kind: Type of the matrices: `F32`, `F16`, `BF16`, `Q8_0`.
    """
    tensors = to_gguf(state, layout)
    for is_mmproj, (own, path) in enumerate(zip(keys, paths, strict=True)):
        mine = {
            name: values
            for name, values in tensors.items()
            if name.startswith(("v.", "mm.")) == bool(is_mmproj)
        }
        packed = [
            pack_tensor(
                name, values.shape, choose_type(name, values.shape, kind), partial(_same, values)
            )
            for name, values in mine.items()
        ]
        all_keys = {**own, "general.file_type": FILE_TYPES[kind]}
        write_gguf(path, [Key(name, value) for name, value in all_keys.items()], packed)


def _same(values: "NDArray[np.float32]") -> "NDArray[np.float32]":
    return values


def state_of(model: VideoModel, names: "Mapping[str, Any] | None" = None) -> "dict[str, Any]":
    """The model's state as float32 arrays: all of it, or only these names; tied ones once."""
    own = dict(model.hf.named_parameters())
    return {
        name: parameter.detach().float().cpu().numpy()
        for name, parameter in own.items()
        if names is None or name in names
    }
