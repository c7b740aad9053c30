"""Video and text in one space: two linear heads over what the model already computes, in numpy.

A video is the mean of its visual tokens and how that mean changes from its first half to its
second; a text is the mean of its tokens' embeddings. The heads are trained for one model by
`vidcli train pretrain --objective contrast`, so that a matching pair is close.

Source: LaViLa (arXiv:2212.04501) section 3.4 (dual encoder, InfoNCE); there both encoders are
trained whole, here they are frozen and a head is put on each.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from vidcli.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

VERSION = 1
NAMES = ("video.weight", "video.bias", "text.weight", "text.bias")


@dataclass(frozen=True, eq=False)
class DualHeads:
    """Two linear maps into one space.

    Attributes:
        weights: By name: `video.weight` [dim, 2 width], `text.weight` [dim, width], biases [dim].
        meta: `weights_sha256` and `mmproj_sha256` of the model they belong to.
    """

    weights: "dict[str, Array]"
    meta: dict[str, Any]

    def embed_video(self, tokens: "Array") -> "Array":
        """A unit vector [dim] of visual tokens [frames, places, width]."""
        return self._embed("video", summarize_video(tokens))

    def embed_text(self, embeddings: "Array") -> "Array":
        """A unit vector [dim] of the embeddings of a text's tokens [tokens, width]."""
        return self._embed("text", embeddings.mean(axis=0))

    def _embed(self, name: str, summary: "Array") -> "Array":
        made = self.weights[f"{name}.weight"] @ summary + self.weights[f"{name}.bias"]
        unit: Array = made / np.linalg.norm(made)
        return unit


def summarize_video(tokens: "Array") -> "Array":
    """The mean over everything, and the second half's mean less the first's: [2 width].

    A single frame has no halves: its change is 0.
    """
    frames = tokens.mean(axis=1)
    half = len(frames) // 2
    change = frames[-half:].mean(axis=0) - frames[:half].mean(axis=0) if half else frames[0] * 0
    return np.concatenate([frames.mean(axis=0), change])


def rank_texts(video: "Array", texts: Sequence["Array"]) -> list[int]:
    """Numbers of the texts, best first, by cosine."""
    scores = np.stack(list(texts)) @ video
    return [int(n) for n in np.argsort(-scores, kind="stable")]


def save_heads(path: Path, heads: DualHeads) -> None:
    """Write heads to a `.npz` file."""
    from vidcli.core.files import atomic_write

    arrays: dict[str, Any] = {
        "meta": np.array(json.dumps({"version": VERSION, **heads.meta})),
        **heads.weights,
    }
    with atomic_write(path) as file:
        np.savez(file, **arrays)


def load_heads(path: Path) -> DualHeads:
    """Read what `save_heads` wrote.

    Raises:
        ModelError: It is missing, damaged, or of a newer vidcli.
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            meta = json.loads(str(file["meta"]))
            weights = {name: file[name].astype(np.float32) for name in NAMES}
        if meta["version"] > VERSION:
            raise ModelError(f"{path.name} was written by a newer vidcli", hint="upgrade vidcli")
    except (OSError, ValueError, KeyError, EOFError, TypeError, BadZipFile) as error:
        raise ModelError(f"{path.name} holds no retrieval heads: {error}") from error
    return DualHeads(weights, meta)
