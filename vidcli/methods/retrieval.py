"""A bundle's retrieval heads over a loaded model: videos and texts as vectors that can be compared.

What a search over videos needs of a trained model; there is no command for it yet. Vectors are of
unit length: their product is how well a video and a text belong together.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from vidcli.core.prompt import ImagePart
from vidcli.errors import ModelError
from vidcli.methods.dual import DualHeads, load_heads
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
