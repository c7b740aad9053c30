"""The numbers of a GGUF file, and copies of a file with some of them replaced."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidcli.errors import ModelError
from vidcli.models.header import HeaderError, TensorInfo, read_header
from vidcli.models.writer import Key, Tensor, write_gguf

if TYPE_CHECKING:
    from numpy.typing import NDArray

Weights = Mapping[str, "NDArray[np.float32]"]
PLAIN = {"F32": np.float32, "F16": np.float16}
FALLBACK = "F16"  # for types that can be read here and not written
FILE_TYPES = {"F32": 0, "F16": 1, "Q8_0": 7, "BF16": 32}  # general.file_type
BLOCK = {"Q8_0": 32}


def read_tensors(
    path: Path, wanted: Callable[[str], bool] = lambda name: True
) -> "dict[str, NDArray[np.float32]]":
    """Read tensors as float32, whatever they are stored as.

    Args:
        path: One whole GGUF file.
        wanted: Which, by name.

    Returns:
        By name, outermost dimension first.

    Raises:
        ModelError: It is damaged, or holds a type that cannot be read.
    """
    try:
        header = read_header(path)
    except (HeaderError, OSError) as error:
        raise ModelError(f"{path.name} cannot be read: {error}") from error
    data = np.memmap(path, np.uint8, "r")
    return {
        name: _dequantize(path, name, data, info, header.data_start)
        for name, info in header.tensors.items()
        if wanted(name)
    }


def tensor_types(path: Path) -> dict[str, str]:
    """The ggml type of every tensor, such as `Q8_0`."""
    try:
        return {name: info.dtype for name, info in read_header(path).tensors.items()}
    except (HeaderError, OSError) as error:
        raise ModelError(f"{path.name} cannot be read: {error}") from error


def _dequantize(
    path: Path, name: str, data: "NDArray[np.uint8]", info: TensorInfo, start: int
) -> "NDArray[np.float32]":
    from gguf import GGMLQuantizationType
    from gguf.quants import dequantize

    raw = data[start + info.offset :][: info.size_bytes]
    if info.dtype in PLAIN:
        return raw.view(PLAIN[info.dtype]).reshape(info.shape).astype(np.float32)
    rows = raw.reshape(*info.shape[:-1], -1)
    try:
        found = dequantize(rows, GGMLQuantizationType[info.dtype])
    except (KeyError, NotImplementedError) as error:
        raise ModelError(
            f"{path.name} stores {name} as {info.dtype}, which cannot be turned into numbers here",
            hint="take the model as F16, BF16 or Q8_0",
        ) from error
    return np.ascontiguousarray(found, np.float32).reshape(info.shape)


def read_keys(path: Path) -> list[Key]:
    """Every key of a file with its value, arrays included, in their own types.

    Raises:
        ModelError: The file is damaged.
    """
    from gguf import GGUFReader

    try:
        return [
            Key(name, field.contents(), tuple(field.types[:2]))
            for name, field in GGUFReader(path).fields.items()
            if not name.startswith("GGUF.")
        ]
    except (ValueError, LookupError, TypeError, OverflowError) as error:
        raise ModelError(f"{path.name} is damaged: {error}", hint="download it again") from error


def copy_gguf(
    source: Path,
    target: Path,
    replaced: Weights,
    *,
    keys: Mapping[str, Any] | None = None,
    kind: str = "",
) -> None:
    """Copy a GGUF file, some tensors replaced, every key and all else as it was.

    Args:
        source: The original.
        target: Its directory must exist.
        replaced: New numbers by tensor name; each keeps the type that the original stores it in,
            where that type can be written here, else becomes F16.
        keys: Keys to add or change.
        kind: Stores all matrices in this type (`F32`, `F16`, `BF16`, `Q8_0`); empty keeps each.

    Raises:
        ModelError: A name or a shape is not the original's, or the original is damaged.
        OSError: The target cannot be written.
    """
    types = tensor_types(source)
    unknown = sorted(set(replaced) - set(types))
    if unknown:
        raise ModelError(f"{source.name} has no tensor {unknown[0]}")
    old = {key.name: key for key in read_keys(source)}
    new = {**old, **{name: Key(name, value) for name, value in (keys or {}).items()}}
    if kind:
        file_type = old.get("general.file_type")
        types_of = file_type.types if file_type else ()
        new["general.file_type"] = Key("general.file_type", FILE_TYPES[kind], types_of)
    write_gguf(target, new.values(), list(_copies(source, types, replaced, kind)))


def _copies(
    source: Path, types: Mapping[str, str], replaced: Weights, kind: str
) -> Iterator[Tensor]:
    header = read_header(source)
    data = np.memmap(source, np.uint8, "r")
    for name, info in header.tensors.items():
        wanted = choose_type(name, info.shape, kind) if kind else types[name]
        if name in replaced and tuple(replaced[name].shape) != info.shape:
            raise ModelError(
                f"{name} is {replaced[name].shape}, not {info.shape}, in {source.name}"
            )
        if name in replaced or wanted != types[name]:
            load = partial(_numbers, source, name, data, info, header.data_start, replaced)
            yield pack_tensor(name, info.shape, wanted, load)
        else:
            yield _as_stored(name, info, data, header.data_start)


def _numbers(
    path: Path,
    name: str,
    data: "NDArray[np.uint8]",
    info: TensorInfo,
    start: int,
    replaced: Weights,
) -> "NDArray[np.float32]":
    return replaced[name] if name in replaced else _dequantize(path, name, data, info, start)


def _as_stored(name: str, info: TensorInfo, data: "NDArray[np.uint8]", start: int) -> Tensor:
    raw = data[start + info.offset :][: info.size_bytes]
    if info.dtype in PLAIN:
        values = raw.view(PLAIN[info.dtype]).reshape(info.shape)
        return Tensor(name, info.shape, values.dtype, info.dtype, lambda: values)
    rows = raw.reshape(*info.shape[:-1], -1)
    return Tensor(name, rows.shape, rows.dtype, info.dtype, lambda: rows)


def choose_type(name: str, shape: tuple[int, ...], kind: str) -> str:
    """The type to store a tensor in: vectors, positions and kernels stay exact enough.

    Args:
        name: Position tables are float32 always, as llama.cpp's own conversion keeps them.
        shape: Vectors are float32 always; rows that fill no block are F16.
        kind: What matrices become.
    """
    if len(shape) == 1 or "position_embd" in name:
        return "F32"
    if len(shape) > 2:  # a convolution's kernel: llama.cpp wants plain numbers there
        return "F32" if kind == "F32" else "F16"
    return FALLBACK if shape[-1] % BLOCK.get(kind, 1) else kind


def pack_tensor(
    name: str, shape: tuple[int, ...], kind: str, load: "Callable[[], NDArray[np.float32]]"
) -> Tensor:
    """A tensor to be written in a type, its numbers made when they are.

    Args:
        name: Of the tensor.
        shape: In numbers, not in bytes.
        kind: ggml type; F16 takes the place of one that cannot be written here.
        load: Makes the numbers.
    """
    from gguf import GGMLQuantizationType
    from gguf.quants import quant_shape_to_byte_shape, quantize

    if kind in PLAIN:
        dtype = np.dtype(PLAIN[kind])
        return Tensor(name, shape, dtype, kind, lambda: np.ascontiguousarray(load(), dtype))
    quant = GGMLQuantizationType[kind]
    try:
        quantize(np.zeros((1, shape[-1]), np.float32), quant)
    except NotImplementedError:
        return pack_tensor(name, shape, FALLBACK, load)
    stored = quant_shape_to_byte_shape(shape, quant)

    def packed() -> "NDArray[np.uint8]":
        values = np.ascontiguousarray(load(), np.float32)
        return np.asarray(quantize(values, quant)).view(np.uint8).reshape(stored)

    return Tensor(name, stored, np.dtype(np.uint8), kind, packed)
