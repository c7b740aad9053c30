"""What training starts from: files that `ask` runs, and where they come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidcli.core.model import ModelFiles
from vidcli.engine.scribe import Scribe
from vidcli.errors import ModelError, UsageError
from vidcli.methods.arrange import FRAMES
from vidcli.models.bundle import read_bundle
from vidcli.models.digest import digest_model
from vidcli.models.gguf import read_facts
from vidcli.train.checkpoint_import import import_checkpoint
from vidcli.train.pair import read_layout

CARD = "README.md"


@dataclass(frozen=True, slots=True)
class Base:
    """A model to train.

    Attributes:
        files: Weights and projector.
        source: Where it comes from, for the history.
        upstream: Who pretrained it, where that was not here; empty where nobody is known to have.
        history: Stages of training so far.
        frames: How many frames it was shown; None where nothing is said.
        arrangement: What it makes of them.
        sidecar: Weights of its Q-Former; None where it has none.
        follows_instructions: Whether it does, before it is tuned.
    """

    files: ModelFiles
    source: str
    upstream: str = ""
    history: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    frames: int | None = None
    arrangement: str = FRAMES
    sidecar: Path | None = None
    follows_instructions: bool = True

    @property
    def is_pretrained(self) -> bool:
        """Whether it can see: pretrained here, or by its makers."""
        return bool(self.upstream) or any(s["stage"] == "pretrain" for s in self.history)

    @property
    def origin(self) -> dict[str, str]:
        """Source and digests, for a bundle."""
        return {
            "source": self.source,
            "upstream": self.upstream,
            "weights_sha256": self.files.weights_sha256,
            "mmproj_sha256": self.files.mmproj_sha256,
        }

    def open_scribe(self) -> Scribe:
        """What writes its prompts; the caller closes it."""
        facts = read_facts(self.files.weights), read_facts(self.files.mmproj)
        return Scribe(self.files, weights_facts=facts[0], mmproj_facts=facts[1])


def open_checkpoint_folder(folder: Path, target: Path, *, upstream: str = "") -> Base:
    """A transformers checkpoint as a base; its GGUF pair is written once, and found again.

    Its model card (`README.md`) is what tells that somebody pretrained it.

    Args:
        folder: The checkpoint.
        target: Where the pair is written.
        upstream: Who pretrained it, where it has no card.

    Raises:
        ModelError: It cannot be read, or is of an architecture that cannot be trained here.
    """
    found = sorted(target.glob("*.gguf")) if target.is_dir() else []
    if len(found) == 2:
        mmproj, weights = sorted(found, key=lambda path: not path.name.startswith("mmproj-"))
    else:
        weights, mmproj = import_checkpoint(folder, target)
    card = (folder / CARD).is_file()
    return Base(
        make_files(weights, mmproj, folder.resolve().name),
        source=f"checkpoint {folder.resolve().name}",
        upstream=upstream or (f"model card of {folder.resolve().name}" if card else ""),
    )


def open_bundle(folder: Path) -> Base:
    """A bundle as a base.

    Raises:
        ModelError: It is damaged.
        UsageError: It has an adapter, on which nothing can be trained.
    """
    bundle = read_bundle(folder)
    if bundle.adapter is not None:
        raise UsageError(
            f"{folder} has an adapter already, and another cannot be put on top of it",
            hint=f"merge it first: vidcli train export {folder} --merge --out NEW",
        )
    files = make_files(bundle.weights, bundle.mmproj, bundle.name)
    return Base(
        files,
        source=f"bundle {bundle.name}",
        upstream=bundle.base.get("upstream", ""),
        history=bundle.history,
        frames=bundle.frames,
        arrangement=bundle.arrangement,
        sidecar=bundle.sidecar,
        follows_instructions=bundle.follows_instructions,
    )


def make_files(weights: Path, mmproj: Path, name: str) -> ModelFiles:
    """A pair with its digests."""
    return ModelFiles(weights, mmproj, digest_model(weights), digest_model(mmproj), name)


def require_trainable(base: Base) -> None:
    """Refuse a family that cannot be trained, before anything is read.

    Raises:
        ModelError: It is one.
    """
    read_layout(read_facts(base.files.weights), read_facts(base.files.mmproj))


def require_pretrained(base: Base) -> None:
    """Refuse to tune what nobody has pretrained.

    Raises:
        ModelError: The history has no pretraining and no maker is known.
    """
    if base.is_pretrained:
        return
    raise ModelError(
        f"{base.files.name} was not pretrained: tuning is the second of two stages",
        hint="first 'vidcli train pretrain' teaches the connector what frames look like; or name"
        " who pretrained these files with --upstream",
    )
