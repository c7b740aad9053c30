"""Random-weight GGUF pairs of true architectures: the real engine runs on them, offline, at once.

A shape is a small JSON file in `shapes/`: metadata, tensor names and tensor shapes of the weights
and of the projector. `make_pair` fills it with random numbers from a seed. Such a model costs what
the real one of that shape costs and knows nothing. Not here: models that were trained.
"""

import json
import zlib
from collections.abc import Iterator
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidcli.errors import ModelError
from vidcli.models.vocabulary import Vocabulary, build_vocabulary
from vidcli.models.writer import Key, Tensor, write_gguf

if TYPE_CHECKING:
    from numpy.typing import NDArray

Q8_BLOCK = 32  # weights that share one scale in Q8_0
Q8_BYTES = 2 + Q8_BLOCK  # a float16 scale, then int8 weights
FILE_TYPES = {"F32": 0, "F16": 1, "Q8_0": 7}  # general.file_type
DTYPES = {"F32": np.float32, "F16": np.float16, "Q8_0": np.uint8}
ALWAYS_F32 = ("v.position_embd.weight", "a.position_embd.weight")  # as llama.cpp converts them
HEARING = ("tiny-ultravox",)  # shapes that hear and see nothing


def list_shapes() -> tuple[str, ...]:
    """Shapes that see, sorted; `make_pair` takes those of `HEARING` too."""
    folder = files("vidcli.models") / "shapes"
    names = (entry.name.removesuffix(".json") for entry in folder.iterdir())
    left_out = ("vocabularies", *HEARING)
    return tuple(sorted(n for n in names if not n.endswith(".jinja") and n not in left_out))


def make_pair(shape: str, directory: Path, *, seed: int = 0) -> tuple[Path, Path]:
    """Write a random-weight GGUF pair of a true architecture.

    The same shape and seed give the same bytes. Tensors are made and written one at a time, so
    memory is bounded by the largest of them.

    Args:
        shape: One of `list_shapes()`.
        directory: Made if missing; files of the same name are replaced.
        seed: Of the random weights.

    Returns:
        Paths of the weights and of the projector.

    Raises:
        ModelError: There is no such shape.
        OSError: The directory cannot be written or is full; no partial file is left.
    """
    spec = read_shape(shape)
    vocabulary = build_vocabulary(**spec["vocabulary"])
    directory.mkdir(parents=True, exist_ok=True)
    weights = directory / f"{shape}-{spec['weights']['type'].lower()}.gguf"
    mmproj = directory / f"mmproj-{shape}-{spec['mmproj']['type'].lower()}.gguf"
    _write(weights, spec["weights"], seed=seed, vocabulary=vocabulary)
    _write(mmproj, spec["mmproj"], seed=seed + 1, vocabulary=None)
    return weights, mmproj


def read_shape(shape: str) -> dict[str, Any]:
    """A shape as its file has it: `vocabulary`, `weights` and `mmproj`.

    Raises:
        ModelError: There is no such shape.
    """
    if shape not in (*list_shapes(), *HEARING):
        raise ModelError(
            f"there is no model shape {shape!r}", hint=f"choose one of {', '.join(list_shapes())}"
        )
    text = (files("vidcli.models") / "shapes" / f"{shape}.json").read_text("utf-8")
    spec: dict[str, Any] = json.loads(text)
    return spec


def _write(path: Path, part: dict[str, Any], *, seed: int, vocabulary: Vocabulary | None) -> None:
    metadata = {**part["metadata"], "general.file_type": FILE_TYPES[part["type"]]}
    metadata |= vocabulary.keys if vocabulary else {}
    tensors = [
        Tensor(
            name=name,
            shape=_stored_shape(shape, kind),
            dtype=np.dtype(DTYPES[kind]),
            kind=kind,
            load=partial(random_tensor, name, shape, kind, seed=seed),
        )
        for name, shape, kind in list_tensors(part)
    ]
    write_gguf(path, [Key(name, value) for name, value in metadata.items()], tensors)


def list_tensors(part: dict[str, Any]) -> Iterator[tuple[str, tuple[int, ...], str]]:
    """Name, shape and stored type of every tensor of `weights` or `mmproj`, layers written out.

    One-dimensional ones, biases and position tables are float32 whatever the file's type.
    """
    named = dict(part["tensors"])
    layers = part["layers"]
    for layer in range(layers["count"]):
        for suffix, shape in layers["tensors"].items():
            named[f"{layers['prefix']}{layer}.{suffix}"] = shape
    for name, shape in named.items():
        small = len(shape) == 1 or name.endswith(".bias") or name in ALWAYS_F32
        yield name, tuple(shape), "F32" if small else part["type"]


def _stored_shape(shape: tuple[int, ...], kind: str) -> tuple[int, ...]:
    if kind != "Q8_0":
        return shape
    return (*shape[:-1], shape[-1] // Q8_BLOCK * Q8_BYTES)


def random_tensor(
    name: str, shape: tuple[int, ...], kind: str, *, seed: int
) -> "NDArray[np.generic]":
    """Random weights that keep activations near unit size, so that logits are finite and varied.

    Matrices are normal with a standard deviation of 1/sqrt(inputs), norms are 1, biases are small.
    Q8_0 blocks are drawn directly (uniform int8 under one scale), not quantised: same cost to run.

    Args:
        name: Decides the rule, and with `seed` the numbers.
        shape: Outermost dimension first.
        kind: ggml type: `F32`, `F16` or `Q8_0`.
        seed: Of the generator.

    Returns:
        The array as stored: float32, float16, or uint8 rows of Q8_0 blocks.
    """
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    if len(shape) == 1 and name.endswith(".weight"):
        return np.ones(shape, np.float32)
    if len(shape) == 1 or name.endswith(".bias"):
        return (0.02 * rng.standard_normal(shape, np.float32)).astype(np.float32)
    fan_in = int(np.prod(shape[1:]))
    if kind == "Q8_0":
        return _random_q8(rng, shape, std=fan_in**-0.5)
    std = 0.2 if "position_embd" in name else fan_in**-0.5
    values = rng.standard_normal(shape, np.float32)
    values *= np.float32(std)
    return values if kind == "F32" else values.astype(np.float16)


def _random_q8(
    rng: np.random.Generator, shape: tuple[int, ...], *, std: float
) -> "NDArray[np.uint8]":
    """Q8_0 blocks `[rows, columns / 32 * 34]` whose weights are uniform with deviation `std`."""
    rows, columns = shape
    blocks = np.empty((rows * columns // Q8_BLOCK, Q8_BYTES), np.uint8)
    scale = np.float16(std * 3**0.5 / 127)
    blocks[:, :2] = np.frombuffer(scale.tobytes(), np.uint8)
    levels = rng.integers(-127, 128, size=(len(blocks), Q8_BLOCK), dtype=np.int8)
    blocks[:, 2:] = levels.view(np.uint8)
    return blocks.reshape(rows, -1)
