"""Replies on disk, one JSON line each, so that a killed run goes on where it stopped.

A reply is found by a key that names question, video, model, prompt and frames: what was said under
other settings is not taken for an answer. Lines are only ever added.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model replied.

    Attributes:
        key: Names all that shapes the reply.
        id: Of the question.
        reply: The text.
        seconds: Wall time, the model's loading aside.
        frames: How many were shown.
        visual_tokens: What they took.
        finish: Why the reply ended.
    """

    key: str
    id: str
    reply: str
    seconds: float
    frames: int
    visual_tokens: int
    finish: str


class Predictions:
    """A file of replies, open for adding.

    Args:
        path: Made if need be. A line that a killed run left half written is passed over.

    Raises:
        OSError: It cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._known: dict[str, Prediction] = {}
        text = path.read_bytes() if path.exists() else b""
        for line in text.splitlines():
            found = _read(line)
            if found is not None:
                self._known[found.key] = found
        self._file = path.open("ab")
        if text and not text.endswith(b"\n"):
            self._file.write(b"\n")

    def find(self, key: str) -> Prediction | None:
        """The reply given under these settings, if there is one."""
        return self._known.get(key)

    def add(self, prediction: Prediction) -> None:
        """Keep a reply; it is on disk when this returns."""
        self._file.write(json.dumps(asdict(prediction)).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._known[prediction.key] = prediction

    def close(self) -> None:
        """Let go of the file; idempotent. One without a line is removed."""
        if not self._file.closed:
            self._file.close()
            if not self._path.stat().st_size:
                self._path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: object, trace: TracebackType | None
    ) -> None:
        self.close()


def _read(line: bytes) -> Prediction | None:
    try:
        return Prediction(**json.loads(line))
    except (ValueError, TypeError):
        return None
