"""What an ONNX file says of itself before any library loads it: inputs, outputs, its own notes.

An ONNX file is one protocol-buffers message. Only the few fields named here are read; the weights
are stepped over, so that a file of gigabytes takes no time.
"""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

# Numbers of fields in onnx.proto (ONNX IR version 3 and later).
_GRAPH, _METADATA = 7, 14
_INITIALIZER, _INPUT, _OUTPUT = 5, 11, 12
_NAME, _TYPE, _TENSOR, _SHAPE, _DIM, _SIZE = 1, 2, 1, 2, 1, 1
_TENSOR_NAME = 8
_KEY, _VALUE = 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
FACE_PARTS = ("cls", "obj", "bbox", "kps")
FACE_STRIDES = (8, 16, 32)

Buffer = memoryview


class OnnxRole(StrEnum):
    """What the shape of a network's inputs and outputs says it is made for."""

    DETECTOR = "detector"
    FACES = "face detector"
    ACTIONS = "clip classifier"
    OTHER = "other network"


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a network.

    Attributes:
        name: As the file has it.
        shape: None where a side is free, or is told by a name only.
    """

    name: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        return f"{self.name} [{', '.join('?' if n is None else str(n) for n in self.shape)}]"


@dataclass(frozen=True, slots=True)
class OnnxHeader:
    """The header of an ONNX file.

    Attributes:
        inputs: Without the weights, which old files list too.
        outputs: In the file's order.
        notes: The file's own key and value pairs.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def role(self) -> OnnxRole:
        """What the network is made for, by the shapes of its ports."""
        names = {port.name for port in self.outputs}
        if names >= {f"{part}_{stride}" for part in FACE_PARTS for stride in FACE_STRIDES}:
            return OnnxRole.FACES
        if len(self.inputs) != 1 or not self.outputs:
            return OnnxRole.OTHER
        shape, told = self.inputs[0].shape, self.outputs[0].shape
        if len(shape) == 5 and shape[1] in (3, None) and len(told) == 2:
            return OnnxRole.ACTIONS
        if len(shape) == 4 and shape[1] in (3, None) and len(told) == 3:
            width = told[2]
            return OnnxRole.DETECTOR if width is None or width > 5 else OnnxRole.OTHER
        return OnnxRole.OTHER

    def describe(self) -> str:
        """Inputs and outputs on one line."""
        return f"in: {_say(self.inputs)}; out: {_say(self.outputs)}"


def read_onnx_header(path: Path) -> OnnxHeader:
    """Read the header of an ONNX file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no ONNX file, or is cut short.
    """
    with path.open("rb") as file:
        try:
            # Not closed here: while an error is on its way, its traceback holds slices of it.
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            return _read_model(memoryview(content))
        except ValueError as error:
            raise ValueError(f"{path.name} is no ONNX file, or is cut short") from error


def _read_model(content: Buffer) -> OnnxHeader:
    inputs: list[Port] = []
    outputs: list[Port] = []
    weights: set[str] = set()
    notes: dict[str, str] = {}
    has_graph = False
    for number, value in _fields(content):
        if number == _METADATA and isinstance(value, memoryview):
            entry = {key: text for key, text in _fields(value) if isinstance(text, memoryview)}
            notes[_text(entry.get(_KEY))] = _text(entry.get(_VALUE))
        if number != _GRAPH or not isinstance(value, memoryview):
            continue
        has_graph = True
        for part, inner in _fields(value):
            if not isinstance(inner, memoryview):
                continue
            if part == _INITIALIZER:
                weights.add(_text(_first(inner, _TENSOR_NAME)))
            elif part == _INPUT:
                inputs.append(_read_port(inner))
            elif part == _OUTPUT:
                outputs.append(_read_port(inner))
    if not has_graph or not outputs:
        raise ValueError("no graph")
    return OnnxHeader(
        tuple(port for port in inputs if port.name not in weights), tuple(outputs), notes
    )


def _read_port(content: Buffer) -> Port:
    tensor = _first(_first(content, _TYPE), _TENSOR)
    sizes = []
    for number, dim in _fields(_first(tensor, _SHAPE)):
        if number == _DIM and isinstance(dim, memoryview):
            told = [value for part, value in _fields(dim) if part == _SIZE]
            sizes.append(told[0] if told and isinstance(told[0], int) and told[0] > 0 else None)
    return Port(_text(_first(content, _NAME)), tuple(sizes))


def _first(content: Buffer, wanted: int) -> Buffer:
    """The first field of this number; nothing where there is none."""
    for number, value in _fields(content):
        if number == wanted and isinstance(value, memoryview):
            return value
    return memoryview(b"")


def _fields(content: Buffer) -> Iterator[tuple[int, int | Buffer]]:
    """The fields of a message: (number, value); numbers of fixed width are stepped over.

    Raises:
        ValueError: The message ends within a field, or is none.
    """
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise ValueError("field 0")
        if kind == _VARINT:
            value, at = _varint(content, at)
            yield number, value
            continue
        if kind == _BYTES:
            length, at = _varint(content, at)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if at + length > len(content):
            raise ValueError("cut short")
        if kind == _BYTES:
            yield number, content[at : at + length]
        at += length


def _varint(content: Buffer, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(content) or shift > 63:
            raise ValueError("cut short")
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _text(content: Buffer | None) -> str:
    return bytes(content or b"").decode("utf-8", "replace")


def _say(ports: tuple[Port, ...]) -> str:
    return ", ".join(map(str, ports)) or "nothing"
