"""Where a run stands, kept so that it can be killed at any moment and go on as if nothing were.

What is kept is all that the next step depends on: what learns, the optimizer, the random numbers,
the step. It is written to a temporary name and renamed: there is always one whole checkpoint.
"""

import pickle
import random
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vidcli.core.files import atomic_write
from vidcli.errors import ResourceError, UsageError

NAME = "checkpoint.pt"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A run between two steps.

    Attributes:
        step: Steps done.
        weights: What learns, by name.
        optimizer: Its state.
        notes: What the run wants to find again, such as the results before training.
    """

    step: int
    weights: dict[str, torch.Tensor]
    optimizer: dict[str, Any]
    notes: dict[str, Any]


def save_checkpoint(folder: Path, checkpoint: Checkpoint, *, digest: str) -> None:
    """Write a checkpoint in place of the one before.

    Args:
        folder: Of the run.
        checkpoint: What to keep; the random states are taken from here and now.
        digest: Names the run's settings: another run's checkpoint is not taken up.

    Raises:
        ResourceError: The disk is full or cannot be written.
    """
    state = {
        "version": VERSION,
        "digest": digest,
        "step": checkpoint.step,
        "weights": {name: value.detach().cpu() for name, value in checkpoint.weights.items()},
        "optimizer": checkpoint.optimizer,
        "notes": checkpoint.notes,
        "random": random_state(),
    }
    try:
        with atomic_write(folder / NAME) as file:
            torch.save(state, file)
    except OSError as error:
        raise ResourceError(
            f"a checkpoint cannot be written to {folder}: {error.strerror or error}",
            hint="the one before it is whole: free some space and start the same command again",
        ) from error


def load_checkpoint(folder: Path, *, digest: str) -> Checkpoint | None:
    """Read the checkpoint and put the random states back; None where there is none.

    Raises:
        UsageError: It is of a run with other settings, or damaged.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=False)
        if state["digest"] != digest:
            raise UsageError(
                f"{folder} holds a run with other settings or other data",
                hint="give another --out, or --restart to begin it anew",
            )
        restore_random(state["random"])
        return Checkpoint(state["step"], state["weights"], state["optimizer"], state["notes"])
    except (
        OSError,
        KeyError,
        RuntimeError,
        EOFError,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
    ) as error:
        raise UsageError(
            f"{path} is damaged: {error}", hint="--restart begins the run anew"
        ) from error


def random_state() -> dict[str, Any]:
    """Every random number generator that training draws from."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {
        "torch": torch.get_rng_state(),
        "cuda": cuda,
        "numpy": np.random.get_state(),
        "python": random.getstate(),
    }


def restore_random(state: Mapping[str, Any]) -> None:
    """Put every generator where it was."""
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
    np.random.set_state(state["numpy"])
    random.setstate(state["python"])
