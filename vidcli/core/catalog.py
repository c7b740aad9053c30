"""Models as things with names: what can be downloaded, and what is on this machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """What a model is for."""

    VISION = "vision"
    EMBEDDING = "embedding"
    ONNX = "onnx"
    SPEECH = "speech"

    @property
    def is_gguf(self) -> bool:
        """Whether llama.cpp runs it; the others are run by tools."""
        return self in (Kind.VISION, Kind.EMBEDDING)


class FileRole(StrEnum):
    """What a file is to its model."""

    WEIGHTS = "weights"
    MMPROJ = "mmproj"
    ADAPTER = "adapter"
    BESIDE = "beside"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model of the catalog.

    Attributes:
        name: What people type.
        kind: What it is for.
        title: What its makers call it.
        repo: `owner/name` on the hub.
        weights: Pattern of its weights' file names.
        mmproj: Pattern of its projectors' file names; empty where it has none.
        quants: Best first.
        size_class: tiny, small, medium or large.
        bytes: Download of the first quant, about.
        frame_tokens: Of one frame as one tile; 0 where the family takes pictures of any size.
        kv_numbers: Numbers in the KV cache for each cell; 0 where not confirmed.
        licence: As its model card says.
        strengths: What it is good at.
        beside: Patterns of the other files it needs, each of which must be there.
        audio: Whether it can hear.
        verified: Whether repo and file names were confirmed by a public page.
    """

    name: str
    kind: Kind
    title: str
    repo: str
    weights: str
    mmproj: str
    quants: tuple[str, ...]
    size_class: str
    bytes: int
    frame_tokens: int
    kv_numbers: int
    licence: str
    strengths: str
    beside: tuple[str, ...] = ()
    audio: bool = False
    verified: bool = True


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of an installed model.

    Attributes:
        role: What it is to the model.
        path: Where it is.
        size_bytes: Its size when it was installed.
        sha256: Hex digest of its content when it was installed.
    """

    role: FileRole
    path: Path
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model on this machine, under a name.

    Attributes:
        name: What people type.
        kind: What it is for.
        source: `hf:owner/repo`, or `local` for files that the user added.
        revision: Commit on the hub; empty for local files.
        quant: Of the weights, such as `Q4_K_M`; empty where unknown.
        licence: As the hub says; empty where unknown.
        files: Weights first, all parts in order, then the projector.
        added: When, in ISO 8601 with seconds, UTC.
    """

    name: str
    kind: Kind
    source: str
    revision: str
    quant: str
    licence: str
    files: tuple[StoredFile, ...]
    added: str

    @property
    def weights(self) -> Path:
        """The weights, or the first part of them."""
        return next(file.path for file in self.files if file.role is FileRole.WEIGHTS)

    @property
    def mmproj(self) -> Path | None:
        """The projector, where there is one."""
        return next((file.path for file in self.files if file.role is FileRole.MMPROJ), None)

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(file.size_bytes for file in self.files)

    @property
    def missing(self) -> Sequence[Path]:
        """Files that are no longer where they were."""
        return [file.path for file in self.files if not file.path.is_file()]


@dataclass(frozen=True, slots=True)
class MemoryBill:
    """Bytes a model takes once it is loaded, as far as sizes tell before it is downloaded.

    Attributes:
        weights: Files of the language model.
        mmproj: File of the projector.
        kv_cache: Keys and values of every cell of the context.
        margin: Working memory, and this process.
        n_ctx: Cells that the KV cache was reckoned for.
        is_kv_known: Whether the shape of the KV cache is known, or assumed.
    """

    weights: int
    mmproj: int
    kv_cache: int
    margin: int
    n_ctx: int
    is_kv_known: bool = True

    @property
    def total(self) -> int:
        """Bytes in all."""
        return self.weights + self.mmproj + self.kv_cache + self.margin
