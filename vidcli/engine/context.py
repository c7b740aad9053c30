"""The KV memory of one sequence: decode tokens, inject visual tokens, take and load snapshots.

Cells and positions are different things here. A cell is a slot of the context; a position is what
rotary embeddings see. Under M-RoPE an image of 48 tokens takes 48 cells and 8 positions.

Not here: what the cells mean (session), which token comes next (sampler).
"""

import ctypes
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from llama_cpp import llama_cpp as llama

from vidcli.core.prompt import VisualTokens
from vidcli.engine import native
from vidcli.engine.owned import Owned
from vidcli.engine.weights import Weights
from vidcli.errors import EngineError, ModelError, ResourceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_BATCH = 2048  # most tokens of one llama_decode; more would abort the process
N_UBATCH = 512  # tokens of one compute graph
FLASH_ATTENTION_OFF, FLASH_ATTENTION_ON = 0, 1
MIN_CTX = 256
POSITION_ROWS = 4  # t, y, x, z
CODES = {1: "no free cells in the context", 2: "stopped", -1: "the batch is invalid"}


class KvContext(Owned):
    """Owns a `llama_context` holding one sequence.

    Args:
        weights: The loaded model; must outlive this.
        n_ctx: Cells wanted; rounded by llama.cpp to a multiple of 256.
        threads: Processor threads.
        widest: Most visual tokens that must be decoded at once (non-causal images); widens the
            compute graph where it is more than `N_UBATCH`.

    Raises:
        ResourceError: No memory for the context.
    """

    def __init__(self, weights: Weights, *, n_ctx: int, threads: int, widest: int = 0) -> None:
        self._stack = ExitStack()
        self.weights = weights
        params = llama.llama_context_default_params()
        params.n_ctx = max(n_ctx, MIN_CTX)
        params.n_batch = N_BATCH
        params.n_ubatch = max(N_UBATCH, widest)
        params.n_threads = params.n_threads_batch = threads
        # Pinned and not "auto": a snapshot taken with the one cannot be loaded with the other.
        self.flash_attention = weights.offloaded > 0
        params.flash_attn_type = FLASH_ATTENTION_ON if self.flash_attention else FLASH_ATTENTION_OFF
        params.swa_full = True  # a sliding-window cache could not be trimmed back to the video
        native.forget_log()
        with native.interruptible():
            self.pointer = llama.llama_init_from_model(weights.pointer, params)
        if not self.pointer:
            raise ResourceError(
                f"no memory for a context of {n_ctx} cells: {native.explain_failure()}",
                hint="give fewer cells with --n-ctx, or fewer frames with --frames",
            )
        self._stack.callback(llama.llama_free, self.pointer)
        self.n_ctx = int(llama.llama_n_ctx(self.pointer))
        self.n_batch = int(llama.llama_n_batch(self.pointer))
        self.n_ubatch = int(llama.llama_n_ubatch(self.pointer))
        self._memory = llama.llama_get_memory(self.pointer)

    @property
    def settings_key(self) -> str:
        """What a snapshot depends on besides the model and the prompt."""
        return f"fa={int(self.flash_attention)} kv=f16 ub={self.n_ubatch} b={self.n_batch}"

    # Filling the memory

    def decode(self, tokens: list[int], position: int) -> None:
        """Run text tokens at consecutive positions; the logits of the last are kept.

        Positions are written out, since llama.cpp's own continuation is wrong after an M-RoPE
        image.
        """
        for start in range(0, len(tokens), self.n_batch):
            part = tokens[start : start + self.n_batch]
            ids = np.asarray(part, np.int32)
            at = np.arange(position + start, position + start + len(part), dtype=np.int32)
            self._run(len(part), at, tokens=ids, wants_logits=start + len(part) == len(tokens))

    def inject(self, visual: VisualTokens, start: int, stop: int, position: int) -> None:
        """Put visual tokens `start:stop` into the memory; bit-identical to mtmd's own decode.

        Args:
            visual: Tokens of one frame or group.
            start: First row.
            stop: Row after the last.
            position: Position of the first token of this run.

        Raises:
            ModelError: The tokens are not as wide as the model's input.
        """
        width = self.weights.n_embd_inp
        if visual.data.shape[1] != width:
            raise ModelError(
                f"visual tokens are {visual.data.shape[1]} wide, the language model takes {width}",
                hint="use the mmproj that belongs to this model",
            )
        rows = np.ascontiguousarray(visual.data[start:stop], np.float32)
        positions = self._positions(visual, start, stop, position)
        step = self.n_batch if visual.causal else len(rows)
        if not visual.causal and len(rows) > self.n_ubatch:
            raise EngineError(
                f"a frame of {len(rows)} tokens must be decoded at once, the batch is "
                f"{self.n_ubatch}",
                hint="use --detail low",
            )
        if not visual.causal:
            llama.llama_set_causal_attn(self.pointer, False)
        try:
            for i in range(0, len(rows), step):
                at = np.ascontiguousarray(positions[..., i : i + step])
                self._run(len(rows[i : i + step]), at, embd=rows[i : i + step])
        finally:
            if not visual.causal:
                llama.llama_set_causal_attn(self.pointer, True)

    def _positions(
        self, visual: VisualTokens, start: int, stop: int, position: int
    ) -> "NDArray[np.int32]":
        n = stop - start
        linear = np.arange(position, position + n, dtype=np.int32)
        if not self.weights.is_mrope:
            return linear
        if visual.positions is None:
            return np.stack([linear, linear, linear, np.zeros_like(linear)])
        moved = visual.positions[:, start:stop].astype(np.int32, copy=True)
        moved[:3] += position  # rows t, y, x; z is absolute
        return moved

    def _run(
        self,
        n: int,
        positions: "NDArray[np.int32]",
        *,
        tokens: "NDArray[np.int32] | None" = None,
        embd: "NDArray[np.float32] | None" = None,
        wants_logits: bool = False,
    ) -> None:
        ints = ctypes.POINTER(ctypes.c_int32)
        positions = np.ascontiguousarray(positions, np.int32)
        n_seq = np.ones(n, np.int32)
        sequence = np.zeros(1, np.int32)
        sequences = (ints * n)(*[sequence.ctypes.data_as(ints)] * n)
        logits = np.zeros(n, np.int8)
        logits[-1] = wants_logits
        batch = llama.llama_batch(
            n_tokens=n,
            token=None if tokens is None else tokens.ctypes.data_as(ints),
            embd=None if embd is None else embd.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
            pos=positions.ctypes.data_as(ints),
            n_seq_id=n_seq.ctypes.data_as(ints),
            seq_id=sequences,
            logits=logits.ctypes.data_as(ctypes.POINTER(ctypes.c_int8)),
        )
        # A single token is over before anyone could interrupt it; the hook costs it some percent.
        with native.interruptible(self.pointer if n > 1 else None):
            code = llama.llama_decode(self.pointer, batch)
        if code:
            raise _decode_error(code)

    # Reading and trimming it

    def logits(self) -> "NDArray[np.float32]":
        """Logits float32 `[n_vocab]` of the last decoded token; the caller owns the copy.

        Raises:
            ModelError: They are not finite: the weights are corrupt.
        """
        found = llama.llama_get_logits_ith(self.pointer, -1)
        values = np.ctypeslib.as_array(found, (self.weights.n_vocab,)).copy()
        if not np.isfinite(values).all():
            raise ModelError(
                "the model's logits are not finite: its weights are corrupt",
                hint="download the model again and compare its sha256",
            )
        return values

    def trim(self, position: int) -> bool:
        """Forget all from `position` on; False where this memory cannot, and then it is empty."""
        if llama.llama_memory_seq_rm(self._memory, 0, position, -1):
            return True
        self.clear()
        return False

    def clear(self) -> None:
        """Forget everything."""
        llama.llama_memory_clear(self._memory, True)

    # Snapshots

    def save(self, path: Path) -> None:
        """Write the memory to `path`.

        Raises:
            OSError: It could not be written.
        """
        tokens = (llama.llama_token * 1)(0)
        native.forget_log()
        with native.interruptible():
            saved = llama.llama_state_seq_save_file(self.pointer, os.fsencode(path), 0, tokens, 1)
        if not saved:
            raise OSError(f"llama.cpp could not write a snapshot: {native.explain_failure()}")

    def load(self, path: Path) -> bool:
        """Replace the memory by the one in `path`; False where llama.cpp refuses it.

        Only a file whose checksum was verified may be given: llama.cpp aborts the process on a
        truncated one. Logits are not part of a snapshot: decode a token before reading any.
        """
        self.clear()
        tokens, n = (llama.llama_token * 8)(), ctypes.c_size_t()
        with native.interruptible():
            loaded = llama.llama_state_seq_load_file(
                self.pointer, os.fsencode(path), 0, tokens, 8, ctypes.byref(n)
            )
        if not loaded:
            self.clear()
        return bool(loaded)


def _decode_error(code: int) -> Exception:
    why = CODES.get(code, native.explain_failure())
    if code == 1:
        return ResourceError(f"the context is full: {why}", hint="give more cells with --n-ctx")
    return EngineError(f"llama_decode failed with code {code}: {why}")
