"""LoRA on the language model, and only there: what llama.cpp can carry as an adapter file.

Source: LoRA (arXiv:2106.09685) section 4, by the library peft; names and rank as SmolVLM2's own
fine-tuning uses them, without DoRA and without the vision tower, which llama.cpp cannot load.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vidcli.train.model import VideoModel
from vidcli.train.names import Layout, interleave, name_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

TARGETS = (
    r".*\.(?:text_model|language_model)\.layers\.\d+"
    r"\.(?:self_attn\.[qkvo]|mlp\.(?:gate|up|down))_proj"
)
LETTERS = {"lora_A": "lora_a", "lora_B": "lora_b"}
_KEY = re.compile(r"(?P<module>.+)\.(?P<letter>lora_[AB])(?:\.\w+)?\.weight")


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """Size and strength of an adapter.

    Attributes:
        rank: Of the matrices.
        alpha: The update counts `alpha / rank`.
        dropout: Of what enters it, while training.
    """

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.05


def add_lora(model: VideoModel, settings: LoraSettings, *, seed: int) -> None:
    """Put an adapter beside every matrix of the language model's layers; only it learns then."""
    import torch
    from peft import LoraConfig, inject_adapter_in_model

    torch.manual_seed(seed)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=TARGETS,
        bias="none",
    )
    model.hf = inject_adapter_in_model(config, model.hf)
    for name, parameter in model.hf.named_parameters():
        parameter.requires_grad_("lora_" in name)


def lora_state(model: VideoModel) -> "dict[str, NDArray[np.float32]]":
    """The adapter's matrices by peft's names."""
    return {
        name: parameter.detach().float().cpu().numpy()
        for name, parameter in model.hf.named_parameters()
        if "lora_" in name
    }


def to_adapter(
    state: "Mapping[str, NDArray[np.float32]]", layout: Layout
) -> "dict[str, NDArray[np.float32]]":
    """llama.cpp's adapter tensors of peft's matrices.

    Rows of llama's query and key matrices are in another order in GGUF, and so are those of
    `lora_b`, which makes their outputs.

    Args:
        state: By peft's names, with or without its prefixes; nothing but LoRA pairs.
        layout: Of the base model.
    """
    modules = {theirs: ours for theirs, ours in name_pairs(layout) if ours.startswith("blk.")}
    out: dict[str, NDArray[np.float32]] = {}
    for key, values in state.items():
        found = _KEY.fullmatch(key)
        assert found is not None, f"{key} is no LoRA matrix"
        ours = modules[found["module"].removeprefix("base_model.model.")]
        if found["letter"] == "lora_B" and layout.is_permuted:
            values = _permute(ours, values, layout)
        out[f"{ours}.weight.{LETTERS[found['letter']]}"] = np.ascontiguousarray(values)
    return out


def _permute(ours: str, rows: "NDArray[np.float32]", layout: Layout) -> "NDArray[np.float32]":
    if ours.endswith(".attn_q"):
        return interleave(rows, layout.n_heads)
    return interleave(rows, layout.n_kv_heads) if ours.endswith(".attn_k") else rows


def adapter_keys(layout: Layout, *, alpha: float, name: str) -> dict[str, Any]:
    """GGUF keys of an adapter file."""
    return {
        "general.architecture": layout.architecture,
        "general.type": "adapter",
        "general.name": name,
        "adapter.type": "lora",
        "adapter.lora.alpha": float(alpha),
    }
