"""The header of one GGUF file, read without touching its weights.

`gguf.GGUFReader` builds an object for every vocabulary entry: 7 to 10 s for 150 000 tokens and as
many merges. Vision models have such vocabularies and every command reads a header, so this one
seeks past arrays: 0.03 s for the same file. Everything read is bounds-checked: whatever the bytes
say, the result is a header or a `HeaderError`.

Not here: what the keys mean (`models.gguf`), and weights.
"""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vidcli.core.model import Scalar

MAGIC = b"GGUF"
VERSIONS = (2, 3)
DEFAULT_ALIGNMENT = 32
MAX_DIMENSIONS = 4
MAX_ENTRIES = 2**24  # of a string array; the largest vocabularies have 2**18
# GGUF value types by number; 8 is a string, 9 an array
_SCALARS = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_STRING, _ARRAY = 8, 9
_U32, _U64 = _SCALARS[4], _SCALARS[10]


class HeaderError(Exception):
    """The bytes are not a GGUF header; the message continues "FILE …"."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor: shape with the outermost dimension first, ggml type name, bytes it takes."""

    shape: tuple[int, ...]
    dtype: str
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Header:
    """A parsed header.

    Attributes:
        keys: Scalar keys; of an array only its length, under `key + '#'`.
        arrays: Where each array begins in the file, for `iterate_strings`.
        tensors: In file order.
        data_start: Where the weights begin.
    """

    keys: dict[str, Scalar]
    arrays: dict[str, int]
    tensors: dict[str, TensorInfo]
    data_start: int

    @property
    def end(self) -> int:
        """Bytes the file must have for every tensor to be whole."""
        ends = (info.offset + info.size_bytes for info in self.tensors.values())
        return self.data_start + max(ends, default=0)


class _Cursor:
    """A position in mapped bytes; every read is checked against their end."""

    def __init__(self, data: mmap.mmap, at: int = 0) -> None:
        self.data, self.at = data, at

    def number(self, form: struct.Struct) -> int | float | bool:
        self.need(form.size)
        (value,) = form.unpack_from(self.data, self.at)
        self.at += form.size
        number: int | float | bool = value
        return number

    def count(self, form: struct.Struct = _U64) -> int:
        return int(self.number(form))

    def string(self) -> bytes:
        length = self.count()
        self.need(length)
        self.at += length
        return self.data[self.at - length : self.at]

    def need(self, size: int) -> None:
        if self.at + size > len(self.data):
            raise HeaderError("is cut short: it ends inside its header")


def read_header(path: Path) -> Header:
    """Read the header of a GGUF file (of this part only, where the model is split).

    Raises:
        HeaderError: Not GGUF, of a version llama.cpp does not read, damaged or cut short.
        OSError: The file cannot be opened.
    """
    with path.open("rb") as file:
        if not file.read(1):
            raise HeaderError("is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _parse(data)


def iterate_strings(path: Path, header: Header, key: str) -> Iterator[bytes]:
    """Yield the entries of a string array, such as `tokenizer.ggml.tokens`; nothing if absent.

    Raises:
        HeaderError: The array is not of strings.
        OSError: The file cannot be opened.
    """
    if key not in header.arrays:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        cursor = _Cursor(data, header.arrays[key])
        if cursor.count(_U32) != _STRING:
            raise HeaderError(f"is damaged: {key} is not a list of texts")
        for _ in range(cursor.count()):
            yield cursor.string()


def _parse(data: mmap.mmap) -> Header:
    cursor = _Cursor(data)
    cursor.need(len(MAGIC))
    if data[: len(MAGIC)] != MAGIC:
        raise HeaderError("is not a GGUF file")
    cursor.at = len(MAGIC)
    version = cursor.count(_U32)
    if version not in VERSIONS:
        raise HeaderError(f"is GGUF version {version}, and llama.cpp reads versions 2 and 3")
    n_tensors, n_keys = cursor.count(), cursor.count()
    keys: dict[str, Scalar] = {}
    arrays: dict[str, int] = {}
    for _ in range(n_keys):
        name = _text(cursor.string())
        if name in keys or name in arrays:
            raise HeaderError(f"is damaged: the key {name!r} occurs twice")
        kind = cursor.count(_U32)
        if kind == _ARRAY:
            arrays[name] = cursor.at
            keys[f"{name}#"] = _skip_array(cursor)
        else:
            keys[name] = _scalar(cursor, kind)
    tensors: dict[str, TensorInfo] = {}
    for _ in range(n_tensors):
        name, info = _tensor(cursor)
        if name in tensors:
            raise HeaderError(f"is damaged: two of its tensors are named {name!r}")
        tensors[name] = info
    alignment = keys.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or alignment < 1:
        raise HeaderError(f"is damaged: its alignment is {alignment!r}")
    return Header(keys, arrays, tensors, -(-cursor.at // alignment) * alignment)


def _scalar(cursor: _Cursor, kind: int) -> Scalar:
    if kind == _STRING:
        return _text(cursor.string())
    if kind not in _SCALARS:
        raise HeaderError(f"is damaged: it holds a value of unknown type {kind}")
    return cursor.number(_SCALARS[kind])


def _skip_array(cursor: _Cursor) -> int:
    """Move past an array; returns its length."""
    kind, length = cursor.count(_U32), cursor.count()
    if kind == _STRING:
        if length > MAX_ENTRIES:
            raise HeaderError(f"is damaged: it holds an array of {length} texts")
        data, at, end = cursor.data, cursor.at, len(cursor.data)
        unpack = _U64.unpack_from
        for _ in range(length):  # hundreds of thousands: inlined
            if at + 8 > end:
                cursor.need(end)
            at += 8 + unpack(data, at)[0]
        cursor.at = at
        cursor.need(0)
    elif kind in _SCALARS:
        cursor.need(length * _SCALARS[kind].size)
        cursor.at += length * _SCALARS[kind].size
    else:
        raise HeaderError(f"is damaged: it holds an array of unknown type {kind}")
    return length


def _tensor(cursor: _Cursor) -> tuple[str, TensorInfo]:
    name = _text(cursor.string())
    n_dimensions = cursor.count(_U32)
    if n_dimensions > MAX_DIMENSIONS:
        raise HeaderError(f"is damaged: tensor {name} has {n_dimensions} dimensions")
    shape = tuple(cursor.count() for _ in range(n_dimensions))[::-1]
    kind, offset = cursor.count(_U32), cursor.count()
    dtype, block, block_bytes = _tensor_type(kind)
    elements = 1
    for size in shape:
        elements *= size
    if shape and shape[-1] % block:
        raise HeaderError(f"is damaged: rows of tensor {name} are not whole {dtype} blocks")
    return name, TensorInfo(shape, dtype, offset, elements // block * block_bytes)


def _tensor_type(kind: int) -> tuple[str, int, int]:
    """Name of a ggml type, weights in one of its blocks, bytes of a block."""
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    try:
        dtype = GGMLQuantizationType(kind)
    except ValueError:
        raise HeaderError(f"is damaged or too new: it holds a tensor of type {kind}") from None
    block, size = GGML_QUANT_SIZES[dtype]
    return dtype.name, block, size


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
