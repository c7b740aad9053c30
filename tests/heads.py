"""A bundle with retrieval heads of random weights on a random pair: it knows nothing."""

from pathlib import Path

import numpy as np

from tests.pairs import Pair
from vidcli.methods.dual import DualHeads, save_heads
from vidcli.models.bundle import Bundle, place_file, write_bundle
from vidcli.models.digest import digest_model
from vidcli.models.gguf import read_facts

DIM = 16


def make_heads(width: int, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights of both heads by name, for tokens of this width."""
    rng = np.random.default_rng(seed)
    shapes = {
        "video.weight": (DIM, 2 * width),
        "video.bias": (DIM,),
        "text.weight": (DIM, width),
        "text.bias": (DIM,),
    }
    return {
        name: (rng.standard_normal(shape) * shape[-1] ** -0.5).astype(np.float32)
        for name, shape in shapes.items()
    }


def save_seeker(pair: Pair, folder: Path, *, seed: int = 0, frames: int = 2) -> Path:
    """Write such a bundle."""
    folder.mkdir()
    weights = place_file(pair.weights, folder / pair.weights.name)
    mmproj = place_file(pair.mmproj, folder / pair.mmproj.name)
    digests = {"weights": digest_model(weights), "mmproj": digest_model(mmproj)}
    width = int(read_facts(weights).keys["llama.embedding_length"])
    heads = folder / "heads-seeker.npz"
    meta = {f"{role}_sha256": digest for role, digest in digests.items()}
    save_heads(heads, DualHeads(make_heads(width, seed=seed), meta))
    write_bundle(
        Bundle(
            folder=folder,
            name="seeker",
            weights=weights,
            mmproj=mmproj,
            adapter=None,
            sha256={**digests, "heads": "0" * 64},
            base={"source": "random", "upstream": ""},
            prompt="idefics3/2",
            frames=frames,
            heads=heads,
        )
    )
    return folder
