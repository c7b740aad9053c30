"""A loaded model that hears: a language session with the audio encoder that feeds it.

Sound goes through mtmd's low-level calls, as pictures do: its chat handler refuses a projector that
has no eyes. What the encoder makes of a piece of sound is injected like visual tokens.
"""

import ctypes
import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from llama_cpp import mtmd_cpp as mtmd

from vidcli.core.model import GgufFacts, LoadOptions, ModelFiles, ModelReport
from vidcli.core.prompt import VisualTokens
from vidcli.core.sound import RATE
from vidcli.engine import native
from vidcli.engine.language import LanguageSession
from vidcli.engine.owned import Owned
from vidcli.engine.vision import MARKER, Chunk, as_float16, read_chunks
from vidcli.engine.weights import Weights
from vidcli.errors import EngineError, ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class AudioEncoder(Owned):
    """Owns an `mtmd_context` that hears.

    Args:
        path: Projector GGUF.
        weights: The language model it feeds; must outlive this.
        threads: Processor threads.
        gpu: Whether the encoder may run on the GPU.

    Raises:
        ModelError: The projector cannot be loaded, belongs to another model, or does not hear.
    """

    def __init__(self, path: Path, weights: Weights, *, threads: int, gpu: bool) -> None:
        self._stack = ExitStack()
        self._weights = weights
        params = mtmd.mtmd_context_params_default()
        params.use_gpu = gpu
        params.print_timings = False
        params.warmup = False
        params.n_threads = threads
        native.forget_log()
        with native.interruptible():
            self.pointer = mtmd.mtmd_init_from_file(os.fsencode(path), weights.pointer, params)
        if not self.pointer:
            raise ModelError(
                f"cannot load projector {path.name}: {native.explain_failure()}",
                hint="use the mmproj that belongs to this model",
            )
        self._stack.callback(mtmd.mtmd_free, self.pointer)
        if not mtmd.mtmd_support_audio(self.pointer):
            raise ModelError(
                f"projector {path.name} sees but does not hear",
                hint="use an mmproj with an audio encoder, or --by whisper",
            )
        rate = int(mtmd.mtmd_get_audio_sample_rate(self.pointer))
        if rate != RATE:
            raise ModelError(f"{path.name} wants sound at {rate} Hz, which vidcli does not make")

    def encode(self, samples: "NDArray[np.float32]") -> VisualTokens:
        """Encode a piece of sound.

        Args:
            samples: (n,), `RATE` a second, between -1 and 1; at most what the encoder takes at
                once, 30 s for most.

        Returns:
            Tokens float16 where every value fits it, float32 elsewhere.

        Raises:
            ModelError: The encoder's output is not finite: its weights are corrupt.
            EngineError: llama.cpp refused the sound.
        """
        with ExitStack() as stack:
            sound = np.ascontiguousarray(samples, np.float32)
            data = sound.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
            bitmap = mtmd.mtmd_bitmap_init_from_audio(len(sound), data)  # copies the samples
            stack.callback(mtmd.mtmd_bitmap_free, bitmap)
            owner = mtmd.mtmd_input_chunks_init()
            stack.callback(mtmd.mtmd_input_chunks_free, owner)
            request = mtmd.mtmd_input_text(MARKER, len(MARKER), False, True)
            array = (mtmd.mtmd_bitmap_p_ctypes * 1)(bitmap)
            native.forget_log()
            with native.interruptible():
                code = mtmd.mtmd_tokenize(self.pointer, owner, ctypes.byref(request), array, 1)
            if code:
                raise EngineError(f"llama.cpp refused a sound: {native.explain_failure()}")
            return self._collect(list(read_chunks(owner)))

    def _collect(self, chunks: list[Chunk]) -> VisualTokens:
        """The tokens of all audio chunks, with the text ids before, between and after them."""
        arrays: list[NDArray[np.float32]] = []
        texts: list[tuple[int, tuple[int, ...]]] = []
        offset = 0
        for chunk in chunks:
            if chunk.image is None:
                texts.append((offset, chunk.ids))
                continue
            arrays.append(self._encode_chunk(chunk.image))
            offset += len(arrays[-1])
        if not arrays:
            raise EngineError("llama.cpp made no tokens of a sound")
        data = np.concatenate(arrays)
        return VisualTokens(
            data=as_float16(data),
            n_pos=offset,
            positions=_in_a_row(offset) if self._weights.is_mrope else None,
            opening=tuple(i for at, ids in texts if at == 0 for i in ids),
            closing=tuple(i for at, ids in texts if at == offset for i in ids),
            splits=tuple((at, ids) for at, ids in texts if 0 < at < offset),
        )

    def _encode_chunk(self, chunk: Any) -> "NDArray[np.float32]":
        shape = (int(mtmd.mtmd_input_chunk_get_n_tokens(chunk)), self._weights.n_embd_inp)
        native.forget_log()
        with native.interruptible():
            code = mtmd.mtmd_encode_chunk(self.pointer, chunk)
        if code:
            raise EngineError(f"the audio encoder failed: {native.explain_failure()}")
        found = np.ctypeslib.as_array(mtmd.mtmd_get_output_embd(self.pointer), shape).copy()
        if not np.isfinite(found).all():
            raise ModelError(
                "the audio encoder's output is not finite: the mmproj is corrupt",
                hint="download the mmproj again and compare its sha256",
            )
        return found


def _in_a_row(count: int) -> "NDArray[np.int32]":
    """Positions of sound under M-RoPE: one after the other in time, in the first three rows."""
    row = np.arange(count, dtype=np.int32)
    return np.stack([row, row, row, np.zeros_like(row)])


class HearingSession(LanguageSession):
    """A model that hears, in this process; implements `core.protocols.HearingSession`.

    Args:
        files: Weights and projector.
        weights_facts: Header of the weights.
        mmproj_facts: Header of the projector.
        options: How to load.

    Raises:
        ModelError: The files are broken, do not belong together, or do not hear.
        ResourceError: No memory for the context.
    """

    def __init__(
        self,
        files: ModelFiles,
        *,
        weights_facts: GgufFacts,
        mmproj_facts: GgufFacts,
        options: LoadOptions,
    ) -> None:
        self._files = files
        self._mmproj_facts = mmproj_facts
        super().__init__(files.language, facts=weights_facts, options=options)

    def _open_vision(self, stack: ExitStack) -> int:
        self._audio = stack.enter_context(
            AudioEncoder(
                self._files.mmproj,
                self._weights,
                threads=max(1, self._options.threads),
                gpu=self._options.mmproj_gpu and native.supports_gpu(),
            )
        )
        return 0

    @property
    def report(self) -> ModelReport:
        """Which model runs, and where."""
        return replace(
            super().report,
            mmproj_sha256=self._files.mmproj_sha256,
            projector=self._mmproj_facts.projector,
        )

    def encode_sound(self, samples: "NDArray[np.float32]") -> VisualTokens:
        """Encode a piece of sound: (n,), 16 000 a second, between -1 and 1; 30 s at most."""
        return self._audio.encode(samples)
