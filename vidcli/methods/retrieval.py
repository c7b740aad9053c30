"""A bundle's retrieval heads over a loaded model: videos and texts as vectors that can be compared.

What `vidcli search` needs of a trained model. Vectors are of unit length: their product is how well
a video and a text belong together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from vidcli.core.media import FramePlan
from vidcli.core.prompt import ImagePart
from vidcli.core.protocols import Embedder, FrameSource, Session
from vidcli.core.results import Timings
from vidcli.core.search import Scored
from vidcli.core.time import Span
from vidcli.errors import ModelError
from vidcli.methods.dual import DualHeads, load_heads
from vidcli.methods.estimate import Estimate
from vidcli.methods.sliding import WindowGrid, images_between
from vidcli.methods.watch import watch
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


class DualEncoder:
    """Embeds what a bundle's model sees and says; an `Embedder`.

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


def embed_windows(
    embedder: Embedder, images: Sequence[ImagePart], grid: WindowGrid
) -> Iterator[tuple[Span, "Array"]]:
    """Each window of a video with its vector; the product with that of a text is their cosine.

    Args:
        embedder: Of the model that made the tokens.
        images: Of the whole grid, as `methods.watch` gives them.
        grid: What they were planned by.
    """
    for number in range(len(grid.windows)):
        span = grid.window(number)
        shown = images_between(images, span.start, span.end)
        yield span, embedder.embed_video(shown)


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


def estimate_encoding(
    source: FrameSource, session: Session, plan: FramePlan, *, size: tuple[int, int]
) -> Estimate:
    """What the vectors of a plan would cost: one frame or group is encoded, and multiplied.

    Nothing is put to the model: no cell of its context is taken.

    Args:
        source: The video.
        session: A loaded model.
        plan: Whole groups of frames.
        size: (width, height) to decode them at.

    Raises:
        MediaError: The probed frame cannot be decoded.
    """
    group, timings = session.profile.group, Timings()
    units = len(plan.frames) // group
    first = units // 2 * group
    probe = replace(plan, frames=plan.frames[first : first + group])
    watched = watch(source, session, probe, size=size, store=None, timings=timings)
    tokens = watched.images[0].tokens.n_tokens
    return Estimate(
        plan=plan,
        size=size,
        visual_tokens_per_frame=tokens,
        group=group,
        visual_tokens=tokens * units,
        prompt_cells=0,
        n_ctx=session.n_ctx,
        decode_s=timings.decode * units,
        encode_s=timings.encode * units,
        prefill_s=0.0,
        generate_s=0.0,
        warnings=(),
    )


def open_encoder(bundle: Bundle, session: Tokenizer) -> DualEncoder:
    """Load the heads that `train pretrain --objective contrast` put into a bundle.

    Args:
        bundle: From `models.bundle.read_bundle`.
        session: The loaded model, which must be the one that the heads were trained for.

    Raises:
        ModelError: It has no heads, or they belong to another model.
    """
    if bundle.heads is None:
        raise ModelError(
            f"{bundle.name} has no retrieval heads",
            hint="'vidcli train pretrain --objective contrast' trains them",
        )
    heads = load_heads(bundle.heads)
    known = {role: heads.meta.get(f"{role}_sha256") for role in ("weights", "mmproj")}
    if known != {role: bundle.sha256[role] for role in known}:
        raise ModelError(
            f"{bundle.heads.name} was trained for another model than {bundle.name}",
            hint="train heads for this one",
        )
    table = read_tensors(bundle.weights, TABLE.__eq__)
    return DualEncoder(heads, table[TABLE], session)
