"""Where training runs: the processor, CUDA or Metal."""

import os

import torch

from vidcli.errors import ResourceError

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str, *, threads: int = 0) -> torch.device:
    """The device of a name; `auto` takes CUDA, then Metal, then the processor.

    Args:
        name: One of `DEVICES`.
        threads: Of the processor; 0 leaves torch's own choice.

    Raises:
        ResourceError: There is no such device here.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(kind for kind, is_there in there.items() if is_there)
    if not there[name]:
        raise ResourceError(
            f"torch finds no {name} device here", hint="--device cpu works everywhere"
        )
    if threads:
        torch.set_num_threads(threads)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    return torch.device(name)
