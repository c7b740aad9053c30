"""A bundle's retrieval heads over a loaded model: videos and texts as vectors that can be compared.

What `vidcli search` needs of a trained model. Vectors are of unit length: their product is how well
a video and a text belong together.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from vidcli.core.prompt import ImagePart
from vidcli.core.search import Scored
from vidcli.core.time import Span
from vidcli.errors import ModelError
from vidcli.methods.dual import DualHeads, load_heads
from vidcli.methods.sliding import WindowGrid, images_between
from vidcli.models.bundle import Bundle
from vidcli.models.tensors import read_tensors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

TABLE = "token_embd.weight"


class Tokenizer(Protocol):
    """What turns a text into ids: a session has it."""

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Token ids of a text."""
        ...


class DualEncoder:
    """Embeds what a bundle's model sees and says.

    Args:
        heads: Of the bundle.
        table: Embeddings of the model's tokens [vocabulary, width].
        tokenizer: Of the model.
    """

    def __init__(self, heads: DualHeads, table: "Array", tokenizer: Tokenizer) -> None:
        self._heads = heads
        self._table = table
        self._tokenizer = tokenizer

    def embed_text(self, text: str) -> "Array":
        """A text as a unit vector [dim].

        Raises:
            ValueError: It is empty.
        """
        ids = self._tokenizer.tokenize(f" {text.strip()}", special=False)
        if not text.strip() or not ids:
            raise ValueError("an empty text has no embedding")
        return self._heads.embed_text(self._table[ids])

    def embed_video(self, images: Sequence[ImagePart]) -> "Array":
        """A video's frames, in order, as a unit vector [dim].

        Args:
            images: At least one, all of one size, as `methods.watch` gives them.
        """
        stacked = np.stack([image.tokens.data.astype(np.float32) for image in images])
        return self._heads.embed_video(stacked)


def score_windows(
    encoder: DualEncoder, words: "Array", images: Sequence[ImagePart], grid: WindowGrid
) -> Iterator[tuple[Span, float]]:
    """Each window of a video with its cosine to a text.

    Args:
        encoder: Of the model that made the tokens.
        words: Of the text, from `DualEncoder.embed_text`.
        images: Of the whole grid, as `methods.watch` gives them.
        grid: What they were planned by.
    """
    for number in range(len(grid.windows)):
        span = grid.window(number)
        shown = images_between(images, span.start, span.end)
        yield span, float(encoder.embed_video(shown) @ words)


def pick_hits(scored: Sequence[Scored], *, threshold: float | None) -> list[Scored]:
    """The best parts, best first; of those of one video that meet, the best one.

    Args:
        scored: Windows of any number of videos.
        threshold: A hit scores as much at least; None takes all.
    """
    hits: list[Scored] = []
    for one in sorted(scored, key=lambda one: -one.score):
        if threshold is not None and one.score < threshold:
            break
        if not any(one.path == hit.path and _meet(one.span, hit.span) for hit in hits):
            hits.append(one)
    return hits


def _meet(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def open_encoder(bundle: Bundle, tokenizer: Tokenizer) -> DualEncoder:
    """Load the heads that `train pretrain --objective contrast` put into a bundle.

    Args:
        bundle: From `models.bundle.read_bundle`.
        tokenizer: The session of this very bundle.

    Raises:
        ModelError: It has no heads, or they belong to another model.
    """
    if bundle.heads is None:
        raise ModelError(
            f"{bundle.name} has no retrieval heads",
            hint="'vidcli train pretrain --objective contrast' trains them",
        )
    heads = load_heads(bundle.heads)
    for role in ("weights", "mmproj"):
        if heads.meta.get(f"{role}_sha256") != bundle.sha256[role]:
            raise ModelError(
                f"{bundle.heads.name} was trained for another model than {bundle.name}",
                hint="train heads for this one",
            )
    table = read_tensors(bundle.weights, TABLE.__eq__)
    return DualEncoder(heads, table[TABLE], tokenizer)
