"""A bundle: a folder with a trained model, and how it came to be.

`vidcli.json` names the files with their digests, how videos are to be shown, and every stage of
training with the digests of its data. It is written last: a folder without it is no bundle.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidcli.core.files import atomic_write
from vidcli.core.model import Familiar
from vidcli.errors import ModelError

MANIFEST = "vidcli.json"
VERSION = 1
ID_DIGITS = 12  # of a video's digest in a history: enough to find it again, no name is told
ROLES = ("weights", "mmproj", "adapter", "sidecar", "heads")


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle holds.

    Attributes:
        folder: Where it is.
        name: What to call the model.
        weights: Language model.
        mmproj: Vision projector.
        adapter: LoRA adapter; None where there is none.
        sha256: Digests of the files by role, from when they were written.
        base: Where the model came from: `source`, and digests of the files before training.
        prompt: The family profile its prompts were written with, as `idefics3/1`.
        frames: How many frames it was shown; 0 is auto.
        history: Stages of training, oldest first: each has `stage` and `data`.
        arrangement: What is made of a video's frames: `frames`, `pool`, `qformer`.
        sidecar: Weights of the Q-Former; None where there is none.
        heads: Heads for retrieval (`methods.dual`); None where there are none.
        familiar: How the footage that it knows looks to it; None where that was not measured.
        follows_instructions: Whether it was taught more than forms of question about pictures.
    """

    folder: Path
    name: str
    weights: Path
    mmproj: Path
    adapter: Path | None
    sha256: Mapping[str, str]
    base: Mapping[str, str]
    prompt: str
    frames: int
    history: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    arrangement: str = "frames"
    sidecar: Path | None = None
    heads: Path | None = None
    familiar: Familiar | None = None
    follows_instructions: bool = True

    @property
    def files(self) -> dict[str, Path]:
        """The files there are, by role."""
        found = (self.weights, self.mmproj, self.adapter, self.sidecar, self.heads)
        return {role: path for role, path in zip(ROLES, found, strict=True) if path is not None}


def digest_video(text: str) -> str:
    """How a history names a video: by its file's name without extension, or by its fingerprint."""
    return hashlib.sha256(text.encode()).hexdigest()[:ID_DIGITS]


def is_bundle(folder: Path) -> bool:
    """Whether a folder says that it is a bundle."""
    return (folder / MANIFEST).is_file()


def read_bundle(folder: Path) -> Bundle:
    """Read what a bundle says of itself; its files are checked when they are loaded.

    Raises:
        ModelError: It is damaged, incomplete, or of a newer vidcli.
    """
    path = folder / MANIFEST
    try:
        document = json.loads(path.read_text("utf-8"))
        if document["vidcli_bundle"] > VERSION:
            raise ModelError(f"{path} was written by a newer vidcli", hint="upgrade vidcli")
        files = document["files"]
        paths = {role: folder / str(files[role]["path"]) for role in ROLES if role in files}
        bundle = Bundle(
            folder=folder,
            name=str(document["name"]),
            weights=paths["weights"],
            mmproj=paths["mmproj"],
            adapter=paths.get("adapter"),
            sha256={role: str(files[role]["sha256"]) for role in paths},
            base=dict(document["base"]),
            prompt=str(document["prompt_style"]),
            frames=int(document["frames"]),
            history=tuple(document["history"]),
            arrangement=str(document.get("arrangement", "frames")),
            sidecar=paths.get("sidecar"),
            heads=paths.get("heads"),
            familiar=_read_familiar(document.get("familiar")),
            follows_instructions=bool(document.get("follows_instructions", True)),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} cannot be read: {error}", hint="export the model again"
        ) from error
    missing = [file for file in paths.values() if not file.is_file()]
    if missing:
        raise ModelError(
            f"the bundle {folder} is incomplete: {missing[0].name} is gone",
            hint="export it again, or copy the whole folder",
        )
    return bundle


def _read_familiar(given: Any) -> Familiar | None:
    if given is None:
        return None
    mean, deviation = (tuple(map(float, given[name])) for name in ("mean", "deviation"))
    if len(mean) != len(deviation) or min(deviation, default=0.0) <= 0:
        raise ValueError("what it is familiar with is damaged")
    return Familiar(mean, deviation, float(given["threshold"]))


def write_bundle(bundle: Bundle) -> None:
    """Write the manifest of files that are in the folder already.

    Raises:
        OSError: It cannot be written.
    """
    document: dict[str, Any] = {
        "vidcli_bundle": VERSION,
        "name": bundle.name,
        "files": {
            role: {
                "path": os.path.relpath(path, bundle.folder),
                "sha256": bundle.sha256[role],
            }
            for role, path in bundle.files.items()
        },
        "base": dict(bundle.base),
        "prompt_style": bundle.prompt,
        "frames": bundle.frames,
        "arrangement": bundle.arrangement,
        "follows_instructions": bundle.follows_instructions,
        "history": list(bundle.history),
    }
    if bundle.familiar is not None:
        document["familiar"] = {
            "mean": [round(value, 5) for value in bundle.familiar.mean],
            "deviation": [round(value, 5) for value in bundle.familiar.deviation],
            "threshold": round(bundle.familiar.threshold, 5),
        }
    with atomic_write(bundle.folder / MANIFEST) as file:
        file.write(json.dumps(document, indent=2).encode() + b"\n")


def place_file(source: Path, target: Path) -> Path:
    """Have a file under another name too: a second name for it where the disk can, else a copy.

    Raises:
        OSError: It cannot be written.
    """
    if target.exists() and target.samefile(source):
        return target
    target.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
    return target
