"""The file format of the visual-token cache: one file per video and settings.

    8 bytes   magic
    12 bytes  version, header length, CRC-32 of the header (little-endian uint32 each)
    header    JSON: key, label, warnings, and for every entry its facts, offset, size and CRC-32
    payloads  tokens (float16 or float32), then positions (int32), one entry after the other

Reading is lazy: opening parses the header, each entry is read and checked when asked for. Reads go
by `pread`, not by mapping, so that a file cut short under us is a short read and never a SIGBUS.
Not here: when files are written, and which are kept (`token_cache`).
"""

import json
import os
import struct
import weakref
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np

from vidcli.core.prompt import VisualTokens
from vidcli.core.time import Timestamp

MAGIC = b"vidcliVT"
VERSION = 1
PREAMBLE = struct.Struct("<8sIII")  # magic, version, header length, CRC-32 of the header
MAX_HEADER_BYTES = 256 * 1024**2  # a length beyond this is damage, not a header

Wanted = tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class EncodedEntry:
    """Visual tokens ready to be written: facts for the header, numbers for the payload."""

    facts: Mapping[str, Any]
    payload: bytes

    @property
    def crc(self) -> int:
        """CRC-32 of the payload."""
        return zlib.crc32(self.payload)


def encode_entry(times: tuple[Timestamp, ...], tokens: VisualTokens) -> EncodedEntry:
    """Turn tokens into bytes; `decode_entry` gives equal ones back."""
    data = np.ascontiguousarray(tokens.data)
    payload = data.astype(data.dtype.newbyteorder("<"), copy=False).tobytes()
    if tokens.positions is not None:
        payload += np.ascontiguousarray(tokens.positions, dtype="<i4").tobytes()
    facts = {
        "times": [[time.pts, str(time.time_base)] for time in times],
        "dtype": str(data.dtype),
        "shape": list(data.shape),
        "n_pos": tokens.n_pos,
        "has_positions": tokens.positions is not None,
        "grid": tokens.grid,
        "causal": tokens.causal,
        "opening": tokens.opening,
        "closing": tokens.closing,
        "splits": tokens.splits,
    }
    return EncodedEntry(facts, payload)


def decode_entry(entry: EncodedEntry) -> tuple[tuple[Timestamp, ...], VisualTokens]:
    """Rebuild what `encode_entry` was given; the arrays are read-only.

    Raises:
        ValueError: Facts and payload do not agree.
        KeyError: A fact is missing.
        TypeError: A fact has the wrong type.
    """
    facts = entry.facts
    if facts["dtype"] not in ("float16", "float32"):
        raise ValueError(f"visual tokens of type {facts['dtype']}")
    n_tokens, n_embd = (int(side) for side in facts["shape"])
    data_type = np.dtype(facts["dtype"]).newbyteorder("<")
    data_bytes = n_tokens * n_embd * data_type.itemsize
    position_bytes = 4 * n_tokens * 4 if facts["has_positions"] else 0
    if min(n_tokens, n_embd) < 0 or len(entry.payload) != data_bytes + position_bytes:
        raise ValueError("payload size does not fit the shape")
    data = np.frombuffer(entry.payload[:data_bytes], data_type).reshape(n_tokens, n_embd)
    positions = None
    if position_bytes:
        positions = np.frombuffer(entry.payload[data_bytes:], "<i4").reshape(4, n_tokens)
        positions = positions.astype(np.int32, copy=False)
    tokens = VisualTokens(
        data=data.astype(np.dtype(facts["dtype"]), copy=False),
        n_pos=int(facts["n_pos"]),
        positions=positions,
        grid=None if facts["grid"] is None else (int(facts["grid"][0]), int(facts["grid"][1])),
        causal=bool(facts["causal"]),
        opening=tuple(int(token) for token in facts["opening"]),
        closing=tuple(int(token) for token in facts["closing"]),
        splits=tuple((int(at), tuple(int(token) for token in ids)) for at, ids in facts["splits"]),
    )
    return tuple(Timestamp(int(pts), Fraction(base)) for pts, base in facts["times"]), tokens


def write_token_file(
    file: IO[bytes],
    key: str,
    label: str,
    entries: Iterable[tuple[Wanted, EncodedEntry]],
    *,
    warnings: Sequence[str] = (),
) -> None:
    """Write a whole file.

    Args:
        file: Open for binary writing, at its start.
        key: What `TokenFile.open` must be given to read it back.
        label: What a person calls the video.
        entries: All of them; each planned instant tuple at most once.
        warnings: What decoding found wrong with the video.
    """
    records, payloads, offset = [], [], 0
    for wanted, entry in entries:
        place = {"offset": offset, "size": len(entry.payload), "crc": entry.crc}
        records.append({"wanted": [str(time) for time in wanted], **place, **entry.facts})
        payloads.append(entry.payload)
        offset += len(entry.payload)
    facts = {"key": key, "label": label, "warnings": list(warnings), "entries": records}
    header = json.dumps(facts).encode()
    file.write(PREAMBLE.pack(MAGIC, VERSION, len(header), zlib.crc32(header)))
    file.write(header)
    file.writelines(payloads)


class TokenFile:
    """One file opened for reading; what is damaged in it reads as absent.

    The file stays readable while it is open, even when another process replaces or removes it.

    Attributes:
        warnings: What decoding found wrong with the video.
    """

    def __init__(self, descriptor: int, header: Mapping[str, Any], payload_start: int) -> None:
        self._descriptor = descriptor
        self._payload_start = payload_start
        self._records: dict[Wanted, Mapping[str, Any]] = {
            tuple(Fraction(text) for text in record["wanted"]): record
            for record in header["entries"]
        }
        self.warnings = tuple(str(text) for text in header.get("warnings", ()))
        self._close = weakref.finalize(self, os.close, descriptor)

    @classmethod
    def open(cls, path: Path, key: str) -> "TokenFile | None":
        """Open a file, or None where it is missing, unreadable, damaged or has another key."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            header, payload_start = _read_header(descriptor)
            if header["key"] == key:
                return cls(descriptor, header, payload_start)
        except (OSError, ValueError, KeyError, TypeError, RecursionError, ZeroDivisionError):
            pass  # damaged: as good as missing
        os.close(descriptor)
        return None

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """Planned instants that the header lists, in the order written."""
        return tuple(self._records)

    def read(self, wanted: Wanted) -> EncodedEntry | None:
        """Read and check one entry; None where it is absent or damaged."""
        record = self._records.get(wanted)
        if record is None or not self._close.alive:
            return None
        try:
            start, size = self._payload_start + int(record["offset"]), int(record["size"])
            entry = EncodedEntry(_facts_of(record), os.pread(self._descriptor, size, start))
            return entry if entry.crc == record["crc"] else None
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            return None

    def close(self) -> None:
        """Close the file; idempotent."""
        self._close()


def read_label(path: Path) -> str:
    """Label of a token file; empty where the file cannot be read."""
    try:
        with path.open("rb") as file:
            header, _ = _read_header(file.fileno())
        return str(header["label"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""


def _facts_of(record: Mapping[str, Any]) -> dict[str, Any]:
    place = ("wanted", "offset", "size", "crc")
    return {name: value for name, value in record.items() if name not in place}


def _read_header(descriptor: int) -> tuple[Mapping[str, Any], int]:
    """Parse the header; returns it and where the payloads start.

    Raises:
        ValueError: Not a file of this version, or damaged.
    """
    preamble = os.pread(descriptor, PREAMBLE.size, 0)
    if len(preamble) != PREAMBLE.size:
        raise ValueError("too short")
    magic, version, length, crc = PREAMBLE.unpack(preamble)
    if magic != MAGIC or version != VERSION or length > MAX_HEADER_BYTES:
        raise ValueError("not a visual-token file of this version")
    text = os.pread(descriptor, length, PREAMBLE.size)
    if len(text) != length or zlib.crc32(text) != crc:
        raise ValueError("the header is damaged")
    header = json.loads(text)
    if not isinstance(header, dict):
        raise ValueError("the header is no object")
    return header, PREAMBLE.size + length
