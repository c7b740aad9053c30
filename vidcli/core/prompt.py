"""What the model is shown, in order: text and visual tokens.

Parts are plain values: equal content, equal digest. Arranging (pooling, merging, reordering visual
tokens) and composing (writing a family's video prompt) are pure functions from parts to parts.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from vidcli.core.time import Timestamp

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """A frame the model is shown.

    Attributes:
        id: 1-based number in the order shown; what the model and the user cite.
        time: The PTS the frame really has.
        wanted: The planned instant it answers.
        reason: The rule that chose it.
    """

    id: int
    time: Timestamp
    wanted: Fraction
    reason: str


@dataclass(frozen=True, eq=False)
class VisualTokens:
    """One frame (or one merged group) in the language model's input space.

    Attributes:
        data: float16 or float32 `[n_tokens, n_embd_inp]`; float16 wherever the values fit it, so
            that a fresh encode and a cached one are the same numbers.
        n_pos: Positions it advances the sequence by; `n_tokens` except under M-RoPE.
        positions: int32 `[4, n_tokens]`, rows t, y, x, z relative to the first position (M-RoPE);
            None where positions are simply consecutive.
        grid: Rows and columns the tokens form, None where they form no rectangle.
        causal: False where the tokens of one frame see each other both ways (Gemma 3).
        opening: Token ids the family writes before it.
        closing: Token ids the family writes after it.
        splits: Token ids between the tiles of a frame in high detail: (offset, ids) writes `ids`
            before token `offset`; offsets rise.
    """

    data: "NDArray[np.float16] | NDArray[np.float32]"
    n_pos: int
    positions: "NDArray[np.int32] | None" = None
    grid: tuple[int, int] | None = None
    causal: bool = True
    opening: tuple[int, ...] = ()
    closing: tuple[int, ...] = ()
    splits: tuple[tuple[int, tuple[int, ...]], ...] = ()

    @property
    def n_tokens(self) -> int:
        """Context cells the tokens take, wrappers not counted."""
        return int(self.data.shape[0])

    @property
    def n_cells(self) -> int:
        """Context cells with the text ids around and between them."""
        text = sum(len(ids) for _, ids in self.splits) + len(self.opening) + len(self.closing)
        return text + self.n_tokens

    @cached_property
    def digest(self) -> str:
        """Hex digest of everything the model would notice."""
        positions = b"" if self.positions is None else self.positions.tobytes()
        head = repr(
            (
                self.data.shape,
                str(self.data.dtype),
                self.n_pos,
                self.causal,
                self.opening,
                self.closing,
                self.splits,
            )
        )
        return hashlib.sha256(head.encode() + positions + self.data.tobytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text; control tokens written in it are parsed only where `special` is set.

    Text of the chat template and the family profile is special. What users, videos and models
    wrote is not, so that nobody closes a turn by typing `<|im_end|>`.
    """

    text: str
    special: bool = False


@dataclass(frozen=True, slots=True)
class ImagePart:
    """Visual tokens of the named frames: one frame, or a group the family merges."""

    frames: tuple[SeenFrame, ...]
    tokens: VisualTokens


Part = TextPart | ImagePart


@dataclass(frozen=True, slots=True)
class Prompt:
    """Everything the model is shown before it answers.

    Attributes:
        parts: In order.
        n_shared: How many leading parts belong to the video and not to the question: the prefix
            that is worth a snapshot. 0 where there is none.
        label: What a person calls the video; shown in the cache and no part of the content.
    """

    parts: tuple[Part, ...]
    n_shared: int = 0
    label: str = ""

    @property
    def frames(self) -> tuple[SeenFrame, ...]:
        """Frames shown, in order."""
        return tuple(f for part in self.parts if isinstance(part, ImagePart) for f in part.frames)

    @property
    def n_visual_tokens(self) -> int:
        """Visual tokens in all."""
        return sum(part.tokens.n_tokens for part in self.parts if isinstance(part, ImagePart))


@dataclass(frozen=True, slots=True)
class TracedPart:
    """One part of a prompt as the model is given it.

    Attributes:
        text: As written; empty for frames.
        token_ids: Text ids; for frames those around and between their visual tokens.
        frames: Frames whose visual tokens these are; empty for text.
        visual_tokens: How many of the cells are visual tokens.
        cell: First context cell.
        position: First position; behind `cell` under M-RoPE.
    """

    text: str
    token_ids: tuple[int, ...]
    frames: tuple[SeenFrame, ...]
    visual_tokens: int
    cell: int
    position: int


def digest_parts(parts: Sequence[Part]) -> str:
    """Hex digest of parts: equal content, equal value."""
    state = hashlib.sha256()
    for part in parts:
        if isinstance(part, TextPart):
            state.update(f"T{int(part.special)}{len(part.text)}:".encode() + part.text.encode())
        else:
            state.update(f"V{part.tokens.digest}".encode())
    return state.hexdigest()
