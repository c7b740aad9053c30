"""Writing a GGUF file tensor by tensor: memory holds one of them, nobody sees half a file.

Not here: what goes into it (`models.shapes`, `models.derive`).
"""

import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Key:
    """One GGUF key.

    Attributes:
        name: Such as `llama.block_count`.
        value: bool, int, float, str, or a list of one of them.
        types: The value's `GGUFValueType`, and for an array that of its items; empty chooses by
            the Python type: uint32 for int, float32 for float.
    """

    name: str
    value: Any
    types: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor, its numbers made or read when they are written.

    Attributes:
        name: As llama.cpp looks it up.
        shape: As stored: of blocks of bytes where `dtype` is uint8.
        dtype: Of the array that `load` returns.
        kind: Name of its ggml type: `F32`, `BF16`, `Q8_0`…
        load: Returns the array.
    """

    name: str
    shape: tuple[int, ...]
    dtype: "np.dtype[Any]"
    kind: str
    load: Callable[[], "NDArray[Any]"]


def write_gguf(path: Path, keys: Iterable[Key], tensors: Iterable[Tensor]) -> None:
    """Write a GGUF file under a temporary name, then rename it over `path`.

    Args:
        path: Its directory must exist.
        keys: Must hold `general.architecture`.
        tensors: Written in this order.

    Raises:
        OSError: The directory cannot be written or is full; no partial file is left.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        unfinished = Path(folder) / path.name
        _write(unfinished, tuple(keys), tuple(tensors))
        os.replace(unfinished, path)


def _write(path: Path, keys: tuple[Key, ...], tensors: tuple[Tensor, ...]) -> None:
    from gguf import GGMLQuantizationType, GGUFWriter

    named = {key.name: key for key in keys}
    architecture = named.pop("general.architecture").value
    alignment = named.pop("general.alignment", None)
    with closing(GGUFWriter(path, architecture)) as writer:
        if alignment is not None:
            writer.add_custom_alignment(int(alignment.value))
        for key in named.values():
            _add_key(writer, key)
        for tensor in tensors:
            size = int(np.prod(tensor.shape)) * tensor.dtype.itemsize
            kind = GGMLQuantizationType[tensor.kind]
            writer.add_tensor_info(tensor.name, tensor.shape, tensor.dtype, size, kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for tensor in tensors:
            writer.write_tensor_data(tensor.load())


def _add_key(writer: Any, key: Key) -> None:
    value = key.value
    if key.types:
        writer.add_key_value(key.name, value, *key.types)
    elif isinstance(value, bool):
        writer.add_bool(key.name, value)
    elif isinstance(value, int):
        writer.add_uint32(key.name, value)
    elif isinstance(value, float):
        writer.add_float32(key.name, value)
    elif isinstance(value, str):
        writer.add_string(key.name, value)
    else:
        writer.add_array(key.name, value)
