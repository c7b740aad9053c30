"""A transformers checkpoint on disk as a GGUF pair, tokenizer and chat template included."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidcli.errors import ModelError
from vidcli.train.model import VideoModel
from vidcli.train.names import Layout, qwen2vl_layout, smolvlm_layout
from vidcli.train.pair import state_of, write_pair
from vidcli.train.tokenizer import read_tokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping

CLASSES = {
    "smolvlm": "SmolVLMForConditionalGeneration",
    "idefics3": "Idefics3ForConditionalGeneration",
    "qwen2_vl": "Qwen2VLForConditionalGeneration",
}
KINDS = {"bfloat16": "BF16", "float16": "F16"}  # else F32
QWEN_MAX_SIDE = 560  # what llama.cpp's own conversion writes for an encoder of any size


def is_checkpoint(folder: Path) -> bool:
    """Whether a folder is a transformers checkpoint."""
    return (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))


def import_checkpoint(folder: Path, target: Path) -> tuple[Path, Path]:
    """Write a checkpoint as a GGUF pair of the same precision.

    Args:
        folder: With `config.json`, safetensors and `tokenizer.json`.
        target: Where the pair is written; made if missing.

    Returns:
        Weights and projector.

    Raises:
        ModelError: It is of another architecture, or broken.
    """
    config = read_config(folder)
    model = load_checkpoint(folder, config)
    name = folder.resolve().name
    kind = KINDS.get(str(config.get("dtype", config.get("torch_dtype", ""))), "F32")
    target.mkdir(parents=True, exist_ok=True)
    paths = target / f"{name}-{kind.lower()}.gguf", target / f"mmproj-{name}-{kind.lower()}.gguf"
    is_qwen = model.layout.family == "qwen2vl"
    hf = model.hf.config
    text = {
        **_text_keys(hf.text_config, model.layout.architecture, name),
        **read_tokenizer(
            folder,
            pre="qwen2" if is_qwen else "smollm",
            n_vocab=hf.text_config.vocab_size,
        ),
    }
    vision = _qwen_vision_keys(hf, name) if is_qwen else _siglip_keys(hf, name)
    write_pair(state_of(model), model.layout, keys=(text, vision), paths=paths, kind=kind)
    return paths


def read_config(folder: Path) -> dict[str, Any]:
    """A checkpoint's `config.json`.

    Raises:
        ModelError: It cannot be read, or is of an architecture that cannot be trained here.
    """
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        kind = config["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder} is no transformers checkpoint: {error}") from error
    if kind not in CLASSES:
        raise ModelError(
            f"{folder} is of architecture {kind}, which cannot be trained here",
            hint=f"{', '.join(CLASSES)} can",
        )
    assert isinstance(config, dict)
    return config


def load_checkpoint(folder: Path, config: "Mapping[str, Any]") -> VideoModel:
    """A checkpoint in torch, float32, in eval mode.

    Raises:
        ModelError: It is broken or incomplete.
    """
    import torch
    import transformers
    from safetensors import SafetensorError

    kind = config["model_type"]
    try:
        hf = getattr(transformers, CLASSES[kind]).from_pretrained(
            folder, dtype=torch.float32, local_files_only=True
        )
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise ModelError(f"{folder} cannot be loaded: {' '.join(str(error).split())}") from error
    return VideoModel(hf.eval(), _layout(hf.config, kind))


def _layout(config: Any, kind: str) -> Layout:
    text, vision = config.text_config, config.vision_config
    make = qwen2vl_layout if kind == "qwen2_vl" else smolvlm_layout
    return make(
        n_layers=text.num_hidden_layers,
        n_heads=text.num_attention_heads,
        n_kv_heads=text.num_key_value_heads,
        n_vision=vision.depth if kind == "qwen2_vl" else vision.num_hidden_layers,
    )


def _text_keys(text: Any, arch: str, name: str) -> dict[str, Any]:
    rope = text.rope_parameters
    keys: dict[str, Any] = {
        "general.architecture": arch,
        "general.type": "model",
        "general.name": name,
        f"{arch}.context_length": text.max_position_embeddings,
        f"{arch}.embedding_length": text.hidden_size,
        f"{arch}.block_count": text.num_hidden_layers,
        f"{arch}.feed_forward_length": text.intermediate_size,
        f"{arch}.attention.head_count": text.num_attention_heads,
        f"{arch}.attention.head_count_kv": text.num_key_value_heads,
        f"{arch}.attention.layer_norm_rms_epsilon": float(text.rms_norm_eps),
        f"{arch}.rope.freq_base": float(rope["rope_theta"]),
        f"{arch}.vocab_size": text.vocab_size,
    }
    if arch == "qwen2vl":
        keys[f"{arch}.rope.dimension_sections"] = [*rope["mrope_section"], 0]
        return keys
    if rope.get("rope_type", "default") != "default":
        raise ModelError(f"{name} scales its rotary positions ({rope['rope_type']}): not supported")
    head = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    return {**keys, f"{arch}.rope.dimension_count": head}


def _common_keys(name: str, projector: str, width: int) -> dict[str, Any]:
    return {
        "general.architecture": "clip",
        "general.type": "mmproj",
        "general.name": name,
        "clip.has_vision_encoder": True,
        "clip.projector_type": projector,
        "clip.vision.projection_dim": width,
    }


def _siglip_keys(config: Any, name: str) -> dict[str, Any]:
    vision = config.vision_config
    return {
        **_common_keys(name, "idefics3", config.text_config.hidden_size),
        "clip.vision.image_size": vision.image_size,
        "clip.vision.patch_size": vision.patch_size,
        "clip.vision.embedding_length": vision.hidden_size,
        "clip.vision.feed_forward_length": vision.intermediate_size,
        "clip.vision.block_count": vision.num_hidden_layers,
        "clip.vision.attention.head_count": vision.num_attention_heads,
        "clip.vision.attention.layer_norm_epsilon": float(vision.layer_norm_eps),
        "clip.vision.image_mean": [0.5, 0.5, 0.5],
        "clip.vision.image_std": [0.5, 0.5, 0.5],
        "clip.use_gelu": True,
        "clip.vision.projector.scale_factor": config.scale_factor,
        "clip.vision.preproc_image_size": vision.image_size * 4,
    }


def _qwen_vision_keys(config: Any, name: str) -> dict[str, Any]:
    from vidcli.train.model import CLIP_MEAN, CLIP_STD

    vision = config.vision_config
    return {
        **_common_keys(name, "qwen2vl_merger", config.text_config.hidden_size),
        "clip.vision.image_size": QWEN_MAX_SIDE,
        "clip.vision.patch_size": vision.patch_size,
        "clip.vision.embedding_length": vision.embed_dim,
        "clip.vision.feed_forward_length": int(vision.embed_dim * vision.mlp_ratio),
        "clip.vision.block_count": vision.depth,
        "clip.vision.attention.head_count": vision.num_heads,
        "clip.vision.attention.layer_norm_epsilon": 1e-6,
        "clip.vision.image_mean": list(CLIP_MEAN),
        "clip.vision.image_std": list(CLIP_STD),
        "clip.vision.spatial_merge_size": vision.spatial_merge_size,
    }
