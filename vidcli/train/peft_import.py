"""A LoRA that peft saved, as far as llama.cpp can carry it; what it cannot is refused by name."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidcli.errors import ModelError
from vidcli.train.names import Layout, name_pairs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONFIG, TENSORS = "adapter_config.json", "adapter_model.safetensors"
PREFIX = "base_model.model."
NAMED = 5  # keys worth naming in a message
_PAIR = re.compile(r"(?P<module>.+)\.lora_[AB](?:\.\w+)?\.weight")


@dataclass(frozen=True, eq=False)
class PeftAdapter:
    """LoRA matrices by peft's names without its prefix, and how strongly they count.

    Attributes:
        state: The matrices.
        rank: Of them.
        alpha: Such that they count `alpha / rank`.
    """

    state: "dict[str, NDArray[np.float32]]"
    rank: int
    alpha: float


def read_peft(folder: Path, layout: Layout) -> PeftAdapter:
    """Read an adapter folder.

    Args:
        folder: With `adapter_config.json` and `adapter_model.safetensors`.
        layout: Of the model it is for.

    Raises:
        ModelError: It cannot be read, or holds what llama.cpp cannot carry; the keys are named.
    """
    from safetensors.numpy import load_file

    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        state = {k.removeprefix(PREFIX): v for k, v in load_file(folder / TENSORS).items()}
        rank, alpha = int(config["r"]), float(config["lora_alpha"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder} is no LoRA adapter of peft: {error}") from error
    refuse_settings(folder, config)
    refuse_keys(state, layout)
    if config.get("use_rslora"):
        alpha *= rank**0.5  # peft then counts alpha / sqrt(rank)
    return PeftAdapter({k: v.astype("float32") for k, v in state.items()}, rank, alpha)


def refuse_settings(folder: Path, config: dict[str, Any]) -> None:
    """Refuse settings that change what the matrices mean.

    Raises:
        ModelError: There is one.
    """
    wrong = [
        name
        for name in ("use_dora", "rank_pattern", "alpha_pattern", "modules_to_save")
        if config.get(name)
    ]
    if config.get("bias", "none") != "none":
        wrong.append("bias")
    if wrong:
        raise ModelError(
            f"{folder.name} uses {', '.join(wrong)}, which llama.cpp cannot load as an adapter",
            hint="merge it into the checkpoint with peft, and give that to --from",
        )


def refuse_keys(keys: Iterable[str], layout: Layout) -> None:
    """Refuse what is no LoRA pair on a matrix of the language model's layers.

    Raises:
        ModelError: There is such a key; the first few are named.
    """
    modules = {theirs for theirs, ours in name_pairs(layout) if ours.startswith("blk.")}
    wrong = []
    for key in keys:
        found = _PAIR.fullmatch(key)
        if found is None or found["module"] not in modules:
            wrong.append(key)
    if wrong:
        more = f" and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
        raise ModelError(
            f"llama.cpp cannot carry {', '.join(sorted(wrong)[:NAMED])}{more} in an adapter",
            hint="merge it into the checkpoint with peft, and give that to --from",
        )
