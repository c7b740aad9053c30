"""Pictures to visual tokens: the vision encoder and projector of one mmproj file.

One tile a frame, which is the families' own video recipe: stock tiling of a 16:9 frame costs
SmolVLM 13 encodes and 832 tokens where its video training used one and 64. Tiles are for
`--detail high` alone.
"""

import ctypes
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from llama_cpp import llama_cpp as llama
from llama_cpp import mtmd_cpp as mtmd

from vidcli.core.model import Detail
from vidcli.core.profile import FamilyProfile
from vidcli.core.prompt import VisualTokens
from vidcli.engine import native
from vidcli.engine.owned import Owned
from vidcli.engine.weights import Weights
from vidcli.errors import EngineError, ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MARKER = b"<__media__>"
FLOAT16_MAX = 65504.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """One mtmd chunk: text ids, or a pointer to image tokens that lives as long as its list."""

    ids: tuple[int, ...] = ()
    image: Any = None


class VisionEncoder(Owned):
    """Owns an `mtmd_context`.

    Args:
        path: Projector GGUF (the derived one, where there is one).
        weights: The language model it feeds; must outlive this.
        profile: The family's video recipe.
        detail: HIGH allows tiles, of pictures that are not one tile already.
        threads: Processor threads.
        gpu: Whether the encoder may run on the GPU.
        one_tile_tokens: Tokens of one tile, for families that would otherwise cut a frame into
            tiles; 0 leaves the family's own limit.
        tile_side: Pixels a side of one tile; 0 where the encoder takes any size.

    Raises:
        ModelError: The projector cannot be loaded, belongs to another model, or is audio only.
    """

    def __init__(
        self,
        path: Path,
        weights: Weights,
        profile: FamilyProfile,
        *,
        detail: Detail,
        threads: int,
        gpu: bool,
        one_tile_tokens: int = 0,
        tile_side: int = 0,
    ) -> None:
        self._stack = ExitStack()
        self._weights = weights
        self._profile = profile
        self._detail = detail
        self._tile = (tile_side, tile_side)
        _require_tokens(weights, profile)
        params = mtmd.mtmd_context_params_default()
        params.use_gpu = gpu
        params.print_timings = False
        params.warmup = False
        params.n_threads = threads
        if one_tile_tokens and detail is not Detail.HIGH:
            params.image_max_tokens = one_tile_tokens
        native.forget_log()
        with native.interruptible():
            self.pointer = mtmd.mtmd_init_from_file(os.fsencode(path), weights.pointer, params)
        if not self.pointer:
            raise ModelError(
                f"cannot load projector {path.name}: {native.explain_failure()}",
                hint="use the mmproj that belongs to this model",
            )
        self._stack.callback(mtmd.mtmd_free, self.pointer)
        if not mtmd.mtmd_support_vision(self.pointer):
            raise ModelError(
                f"projector {path.name} hears but does not see",
                hint="use an mmproj with a vision encoder",
            )

    def measure(self, size: tuple[int, int]) -> VisualTokens:
        """What a frame (or group) of this (width, height) will take, without encoding it.

        Returns:
            Tokens whose `data` is all zeros.
        """
        blank = np.zeros((size[1], size[0], 3), np.uint8)
        with self._tokenized([blank] * self._profile.group) as chunks:
            return self._collect(chunks, encode=False, tiles=self._has_tiles(size))

    def encode(self, images: "Sequence[NDArray[np.uint8]]") -> VisualTokens:
        """Encode one frame, or one group of neighbours that the encoder merges.

        Args:
            images: uint8 RGB (height, width, 3), all of one size.

        Returns:
            Tokens float16 where every value fits it, float32 elsewhere.

        Raises:
            ModelError: The encoder's output is not finite: its weights are corrupt.
            EngineError: llama.cpp refused the picture.
        """
        height, width, _ = images[0].shape
        with self._tokenized(images) as chunks:
            return self._collect(chunks, encode=True, tiles=self._has_tiles((width, height)))

    def _has_tiles(self, size: tuple[int, int]) -> bool:
        """Whether a picture is looked at in tiles; one of a tile's own size would gain nothing."""
        return self._detail is Detail.HIGH and size != self._tile

    @contextmanager
    def _tokenized(self, images: "Sequence[NDArray[np.uint8]]") -> Iterator[list[Chunk]]:
        with ExitStack() as stack:
            bitmaps = []
            for image in images:
                pixels = np.ascontiguousarray(image, np.uint8)
                height, width, _ = pixels.shape
                data = pixels.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
                bitmap = mtmd.mtmd_bitmap_init(width, height, data)  # copies the pixels
                stack.callback(mtmd.mtmd_bitmap_free, bitmap)
                mtmd.mtmd_bitmap_set_mergeable(bitmap, len(images) > 1)
                bitmaps.append(bitmap)
            owner = mtmd.mtmd_input_chunks_init()
            stack.callback(mtmd.mtmd_input_chunks_free, owner)
            text = MARKER * len(bitmaps)
            request = mtmd.mtmd_input_text(text, len(text), False, True)
            array = (mtmd.mtmd_bitmap_p_ctypes * len(bitmaps))(*bitmaps)
            native.forget_log()
            with native.interruptible():
                code = mtmd.mtmd_tokenize(
                    self.pointer, owner, ctypes.byref(request), array, len(bitmaps)
                )
            if code:
                raise EngineError(f"llama.cpp refused a frame: {native.explain_failure()}")
            yield list(read_chunks(owner))

    def _collect(self, chunks: list[Chunk], *, encode: bool, tiles: bool = False) -> VisualTokens:
        chosen, opening, closing = self._choose(chunks, tiles=tiles)
        arrays, splits, offset = [], [], 0
        for chunk in chosen:
            if chunk.image is None:
                splits.append((offset, chunk.ids))
                continue
            arrays.append(self._encode_chunk(chunk.image, run=encode))
            offset += len(arrays[-1])
        images = [chunk.image for chunk in chosen if chunk.image is not None]
        if len(images) > 1 and self._weights.is_mrope:
            raise ModelError("tiles of M-RoPE models have no tested positions", hint="--detail low")
        data = np.concatenate(arrays)
        first = images[0]
        return VisualTokens(
            data=as_float16(data),
            n_pos=sum(int(mtmd.mtmd_input_chunk_get_n_pos(image)) for image in images),
            positions=_read_positions(first) if self._weights.is_mrope else None,
            grid=_read_grid(first) if len(images) == 1 else None,
            causal=not mtmd.mtmd_decode_use_non_causal(self.pointer, first),
            opening=opening,
            closing=closing,
            splits=tuple(splits),
        )

    def _choose(
        self, chunks: list[Chunk], *, tiles: bool = False
    ) -> tuple[list[Chunk], tuple[int, ...], tuple[int, ...]]:
        """Pick the chunks that stand for the frame, and the text ids before and after them."""
        at = [i for i, chunk in enumerate(chunks) if chunk.image is not None]
        if not at:
            raise EngineError("llama.cpp made no visual tokens of a frame")
        if len(at) > 1 and not tiles:
            only = at[-1] if self._profile.overview_last else at[0]
            picked = [chunks[only]]
        else:
            picked = chunks[at[0] : at[-1] + 1]
        before = tuple(t for chunk in chunks[: at[0]] for t in chunk.ids)
        after = tuple(t for chunk in chunks[at[-1] + 1 :] for t in chunk.ids)
        if len(picked) == 1:
            before = self._wrapper(self._profile.frame_opening, before)
            after = self._wrapper(self._profile.frame_closing, after)
        return picked, before, after

    def _wrapper(self, text: str | None, otherwise: tuple[int, ...]) -> tuple[int, ...]:
        if text is None:
            return otherwise
        return tuple(self._weights.tokenize(text, special=True))

    def _encode_chunk(self, chunk: Any, *, run: bool) -> "NDArray[np.float32]":
        shape = (int(mtmd.mtmd_input_chunk_get_n_tokens(chunk)), self._weights.n_embd_inp)
        if not run:
            return np.zeros(shape, np.float32)
        native.forget_log()
        with native.interruptible():  # each tile by itself, so that Ctrl-C waits for one at most
            code = mtmd.mtmd_encode_chunk(self.pointer, chunk)
        if code:
            raise EngineError(f"the vision encoder failed: {native.explain_failure()}")
        # The library reuses this buffer for the next picture.
        found = np.ctypeslib.as_array(mtmd.mtmd_get_output_embd(self.pointer), shape).copy()
        if not np.isfinite(found).all():
            raise ModelError(
                "the vision encoder's output is not finite: the mmproj is corrupt",
                hint="download the mmproj again and compare its sha256",
            )
        return found


def _require_tokens(weights: Weights, profile: FamilyProfile) -> None:
    """Refuse a vocabulary without the projector's control tokens: llama.cpp would abort later."""
    missing = [text for text in profile.required_tokens if weights.find_token(text) is None]
    if missing:
        raise ModelError(
            f"this language model lacks the tokens {', '.join(missing)} that a "
            f"{profile.name} projector needs",
            hint="use the mmproj that belongs to this model",
        )


def read_chunks(owner: Any) -> Iterator[Chunk]:
    """What mtmd made of a text with media in it, in order."""
    for i in range(mtmd.mtmd_input_chunks_size(owner)):
        chunk = mtmd.mtmd_input_chunks_get(owner, i)
        if mtmd.mtmd_input_chunk_get_type(chunk) == mtmd.MTMD_INPUT_CHUNK_TYPE_TEXT:
            n = ctypes.c_size_t()
            ids = mtmd.mtmd_input_chunk_get_tokens_text(chunk, ctypes.byref(n))
            yield Chunk(ids=tuple(ids[: n.value]))
        else:
            yield Chunk(image=chunk)


def _read_positions(chunk: Any) -> "NDArray[np.int32]":
    """Positions int32 `[4, n_tokens]` (t, y, x, z) counted from the chunk's first position."""
    n = int(mtmd.mtmd_input_chunk_get_n_tokens(chunk))
    out = (mtmd.mtmd_decoder_pos * n)()
    image = mtmd.mtmd_input_chunk_get_tokens_image(chunk)
    mtmd.mtmd_helper_image_get_decoder_pos(image, llama.llama_pos(0), out)
    return np.array(
        [[p.t for p in out], [p.y for p in out], [p.x for p in out], [p.z for p in out]], np.int32
    )


def _read_grid(chunk: Any) -> tuple[int, int] | None:
    image = mtmd.mtmd_input_chunk_get_tokens_image(chunk)
    rows = int(mtmd.mtmd_image_tokens_get_ny(image))
    columns = int(mtmd.mtmd_image_tokens_get_nx(image))
    if rows > 1:
        return rows, columns
    side = math.isqrt(columns)  # families without 2-D positions report one row of all tokens
    return (side, side) if side * side == columns else None


def as_float16(data: "NDArray[np.float32]") -> "NDArray[np.float16] | NDArray[np.float32]":
    """Round to float16 so that a fresh encode equals a cached one; keep what would overflow it."""
    return data.astype(np.float16) if float(np.abs(data).max(initial=0)) < FLOAT16_MAX else data
