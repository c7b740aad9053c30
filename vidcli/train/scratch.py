"""A small SmolVLM that has learnt nothing: true architecture, sizes of one's own, own tokenizer."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch

from vidcli.errors import UsageError
from vidcli.models.vocabulary import Vocabulary
from vidcli.train.model import VideoModel
from vidcli.train.names import smolvlm_layout
from vidcli.train.pair import state_of, write_pair
from vidcli.train.tokenizer import learn_vocabulary


@dataclass(frozen=True, slots=True)
class ScratchConfig:
    """Sizes of a SmolVLM to be made anew.

    Attributes:
        image_size: Pixels a side of a frame.
        patch_size: Pixels a side of a patch.
        vision_width: Of the vision encoder.
        vision_layers: Of the vision encoder.
        vision_heads: Of the vision encoder.
        vision_inner: Of its feed-forward part.
        scale_factor: Patches a side that become one token.
        width: Of the language model.
        layers: Of the language model.
        heads: Query heads.
        kv_heads: Key heads.
        inner: Of its feed-forward part.
        vocabulary: Tokens, control tokens included.
        context: Positions it is said to be trained for.
        rope_theta: Base of the rotary positions.
        tied: Whether the output matrix is the embedding table.
    """

    image_size: int = 96
    patch_size: int = 16
    vision_width: int = 128
    vision_layers: int = 4
    vision_heads: int = 4
    vision_inner: int = 512
    scale_factor: int = 2
    width: int = 192
    layers: int = 6
    heads: int = 6
    kv_heads: int = 6
    inner: int = 512
    vocabulary: int = 1024
    context: int = 2048
    rope_theta: float = 10000.0
    tied: bool = True

    def __post_init__(self) -> None:
        if any(value <= 0 for value in asdict(self).values() if not isinstance(value, bool)):
            raise ValueError("every size is above 0")
        for whole, part in (
            ("image_size", "patch_size"),
            ("width", "heads"),
            ("heads", "kv_heads"),
            ("vision_width", "vision_heads"),
        ):
            if getattr(self, whole) % getattr(self, part):
                raise ValueError(f"{whole} is no multiple of {part}")
        if self.image_size // self.patch_size % self.scale_factor:
            raise ValueError("patches a side are no multiple of scale_factor")
        if self.width // self.heads % 2:
            raise ValueError("the width of a head is odd")

    @property
    def frame_tokens(self) -> int:
        """Visual tokens of a frame."""
        return (self.image_size // self.patch_size // self.scale_factor) ** 2


def read_scratch(path: Path) -> ScratchConfig:
    """Read sizes from a JSON or TOML file; what it does not name keeps its default.

    Raises:
        UsageError: It cannot be read, names something unknown, or the sizes do not go together.
    """
    import tomllib

    try:
        text = path.read_text("utf-8")
        value = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    known = {field.name: field.type for field in fields(ScratchConfig)}
    if not isinstance(value, dict) or not value.keys() <= known.keys():
        unknown = sorted(set(value) - set(known)) if isinstance(value, dict) else ["no object"]
        raise UsageError(f"{path}: unknown {unknown[0]}", hint="known: " + ", ".join(known))
    try:
        return ScratchConfig(**value)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path}: {error}") from error


def make_scratch(
    config: ScratchConfig, texts: Iterable[str], *, folder: Path, name: str, seed: int = 0
) -> tuple[Path, Path]:
    """Make a model with random weights and a tokenizer learnt from texts, as a float32 GGUF pair.

    Args:
        config: Sizes.
        texts: What the model will read and say.
        folder: Where the pair is written.
        name: What to call it.
        seed: Of the weights.
    """
    vocabulary = learn_vocabulary(texts, size=config.vocabulary)
    model = random_model(config, seed=seed)
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"{name}-f32.gguf", folder / f"mmproj-{name}-f32.gguf"
    write_pair(
        state_of(model),
        model.layout,
        keys=(text_keys(config, vocabulary, name), vision_keys(config, name)),
        paths=paths,
        kind="F32",
    )
    return paths


def random_model(config: ScratchConfig, *, seed: int = 0) -> VideoModel:
    """A model of these sizes in torch, its weights drawn as transformers draws them."""
    from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration

    torch.manual_seed(seed)
    made = SmolVLMConfig(
        text_config={
            "model_type": "llama",
            "hidden_size": config.width,
            "num_hidden_layers": config.layers,
            "num_attention_heads": config.heads,
            "num_key_value_heads": config.kv_heads,
            "intermediate_size": config.inner,
            "vocab_size": config.vocabulary,
            "rms_norm_eps": 1e-5,
            "max_position_embeddings": config.context,
            "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_theta},
            "tie_word_embeddings": config.tied,
            "bos_token_id": None,
            "eos_token_id": None,
            "pad_token_id": None,
        },
        vision_config={
            "hidden_size": config.vision_width,
            "num_hidden_layers": config.vision_layers,
            "num_attention_heads": config.vision_heads,
            "intermediate_size": config.vision_inner,
            "image_size": config.image_size,
            "patch_size": config.patch_size,
        },
        scale_factor=config.scale_factor,
        pad_token_id=0,
        tie_word_embeddings=config.tied,
    )
    layout = smolvlm_layout(
        n_layers=config.layers,
        n_heads=config.heads,
        n_kv_heads=config.kv_heads,
        n_vision=config.vision_layers,
    )
    return VideoModel(SmolVLMForConditionalGeneration(made).eval(), layout)


def text_keys(config: ScratchConfig, vocabulary: Vocabulary, name: str) -> dict[str, Any]:
    """GGUF keys of the weights, vocabulary included."""
    return {
        "general.architecture": "llama",
        "general.type": "model",
        "general.name": name,
        "llama.context_length": config.context,
        "llama.embedding_length": config.width,
        "llama.block_count": config.layers,
        "llama.feed_forward_length": config.inner,
        "llama.attention.head_count": config.heads,
        "llama.attention.head_count_kv": config.kv_heads,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.freq_base": float(config.rope_theta),
        "llama.rope.dimension_count": config.width // config.heads,
        "llama.vocab_size": config.vocabulary,
        **vocabulary.keys,
    }


def vision_keys(config: ScratchConfig, name: str) -> dict[str, Any]:
    """GGUF keys of the projector."""
    return {
        "general.architecture": "clip",
        "general.type": "mmproj",
        "general.name": name,
        "clip.has_vision_encoder": True,
        "clip.projector_type": "idefics3",
        "clip.vision.projection_dim": config.width,
        "clip.vision.image_size": config.image_size,
        "clip.vision.patch_size": config.patch_size,
        "clip.vision.embedding_length": config.vision_width,
        "clip.vision.feed_forward_length": config.vision_inner,
        "clip.vision.block_count": config.vision_layers,
        "clip.vision.attention.head_count": config.vision_heads,
        "clip.vision.attention.layer_norm_epsilon": 1e-6,
        "clip.vision.image_mean": [0.5, 0.5, 0.5],
        "clip.vision.image_std": [0.5, 0.5, 0.5],
        "clip.use_gelu": True,
        "clip.vision.projector.scale_factor": config.scale_factor,
        "clip.vision.preproc_image_size": config.image_size,
    }
