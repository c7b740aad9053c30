"""Video-LLaMA's Video Q-Former in numpy: frames with positions to 32 tokens, whatever their number.

Learned queries attend to each other and to all tokens of all frames, to which a position of their
frame was added; two layers, then a linear map into the language model's space. It is trained in
torch (`vidcli.train.qformer`) for one model, and runs here between the encoder and the prompt.

Source: Video-LLaMA (arXiv:2306.02858) section 2.1.1. There 32 tokens a frame come from BLIP-2's
Q-Former and BERT's layers; here they are the model's own visual tokens and layers are normed first.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from vidcli.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

EPSILON = 1e-5
VERSION = 1


def frame_positions(n_frames: int, n_positions: int) -> "NDArray[np.int64]":
    """Which learned position each frame takes; more frames than positions share them in order."""
    if n_frames <= n_positions:
        return np.arange(n_frames)
    return np.arange(n_frames) * n_positions // n_frames


def run_qformer(weights: "Mapping[str, Array]", tokens: "Array", *, heads: int) -> "Array":
    """Turn the tokens of a video's frames into the query tokens.

    Args:
        weights: By the names of `vidcli.train.qformer.VideoQFormer`.
        tokens: float32 [frames, places, width].
        heads: Of the attention.

    Returns:
        float32 [queries, width].
    """
    frames, places, width = tokens.shape
    table = weights["positions"]
    placed = tokens + table[frame_positions(frames, len(table))][:, None]
    memory = _norm(placed.reshape(frames * places, width), weights, "memory_norm")
    state = weights["queries"]
    layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("layers."))
    for n in range(layers):
        prefix = f"layers.{n}."
        normed = _norm(state, weights, f"{prefix}self_norm")
        state = state + _attend(normed, normed, weights, f"{prefix}self", heads)
        normed = _norm(state, weights, f"{prefix}cross_norm")
        state = state + _attend(normed, memory, weights, f"{prefix}cross", heads)
        normed = _norm(state, weights, f"{prefix}inner_norm")
        hidden = _gelu(_linear(normed, weights, f"{prefix}up"))
        state = state + _linear(hidden, weights, f"{prefix}down")
    return _linear(_norm(state, weights, "out_norm"), weights, "out")


def save_sidecar(path: Path, weights: "Mapping[str, Array]", meta: Mapping[str, Any]) -> None:
    """Write the weights with what they belong to.

    Args:
        path: A `.npz` file.
        weights: Of the Q-Former.
        meta: `heads`, `width`, `mmproj_sha256`.
    """
    from vidcli.core.files import atomic_write

    document = json.dumps({"version": VERSION, **meta})
    with atomic_write(path) as file:
        arrays: dict[str, Any] = {"meta": np.array(document), **weights}
        np.savez(file, **arrays)


def load_sidecar(path: Path) -> "tuple[dict[str, Array], dict[str, Any]]":
    """Read what `save_sidecar` wrote.

    Raises:
        ModelError: It is missing, damaged, or of a newer vidcli.
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            meta = json.loads(str(file["meta"]))
            weights = {n: file[n].astype(np.float32) for n in file.files if n != "meta"}
        if meta["version"] > VERSION:
            raise ModelError(f"{path.name} was written by a newer vidcli", hint="upgrade vidcli")
    except (OSError, ValueError, KeyError, EOFError, TypeError, BadZipFile) as error:
        raise ModelError(f"{path.name} is no Video Q-Former: {error}") from error
    return weights, meta


def _attend(
    query: "Array", memory: "Array", weights: "Mapping[str, Array]", name: str, heads: int
) -> "Array":
    def split(x: "Array") -> "Array":
        return x.reshape(len(x), heads, -1).swapaxes(0, 1)

    q = split(_linear(query, weights, f"{name}_q"))
    k = split(_linear(memory, weights, f"{name}_k"))
    v = split(_linear(memory, weights, f"{name}_v"))
    scores = q @ k.swapaxes(1, 2) / np.float32(q.shape[-1] ** 0.5)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mixed = scores / scores.sum(axis=-1, keepdims=True) @ v
    return _linear(mixed.swapaxes(0, 1).reshape(len(query), -1), weights, f"{name}_o")


def _linear(x: "Array", weights: "Mapping[str, Array]", name: str) -> "Array":
    made: Array = x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
    return made


def _norm(x: "Array", weights: "Mapping[str, Array]", name: str) -> "Array":
    centred = x - x.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(EPSILON))
    made: Array = scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]
    return made


def _gelu(x: "Array") -> "Array":
    inner = np.float32((2 / np.pi) ** 0.5) * (x + np.float32(0.044715) * x**3)
    made: Array = np.float32(0.5) * x * (1 + np.tanh(inner))
    return made
