"""llama.cpp's own way with video, as a baseline: mtmd's default tiles in one prompt, no cache.

What `llama-mtmd-cli` and the stock chat handlers do with a list of frames. Used by `vidcli bench`
alone, in a process of its own: `python -m vidcli.engine.stock WEIGHTS MMPROJ FRAMES.npy THREADS`
prints one JSON object.
"""

import ctypes
import json
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from llama_cpp import llama_cpp as llama
from llama_cpp import mtmd_cpp as mtmd

from vidcli.core.model import LoadOptions
from vidcli.engine import native
from vidcli.engine.context import N_BATCH
from vidcli.engine.weights import Weights
from vidcli.errors import EngineError

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUESTION = "\nWhat happens?"
SPARE_CELLS = 64


@dataclass(frozen=True, slots=True)
class StockRun:
    """What one run of the stock path took.

    Attributes:
        encodes: Pictures the vision encoder was run on: tiles and overviews.
        visual_tokens: Cells the frames took.
        prompt_tokens: Cells of everything else.
        cpu_s: CPU seconds from tokenising to the first token's logits, model load aside.
    """

    encodes: int
    visual_tokens: int
    prompt_tokens: int
    cpu_s: float


def run_stock(
    weights_path: Path, mmproj: Path, images: "NDArray[np.uint8]", *, threads: int
) -> StockRun:
    """Show frames to the model the way llama.cpp does by itself.

    Args:
        weights_path: Language model GGUF.
        mmproj: Projector GGUF.
        images: uint8 RGB (frames, height, width, 3).
        threads: Processor threads.

    Raises:
        EngineError: llama.cpp refused the frames.
    """
    with ExitStack() as stack:
        weights = stack.enter_context(Weights(weights_path, LoadOptions()))
        params = mtmd.mtmd_context_params_default()
        params.n_threads, params.print_timings, params.warmup = threads, False, False
        vision = mtmd.mtmd_init_from_file(str(mmproj).encode(), weights.pointer, params)
        if not vision:
            raise EngineError(f"cannot load {mmproj.name}: {native.explain_failure()}")
        stack.callback(mtmd.mtmd_free, vision)
        started = time.process_time()
        chunks = mtmd.mtmd_input_chunks_init()
        stack.callback(mtmd.mtmd_input_chunks_free, chunks)
        _tokenize(vision, chunks, images)
        n_cells = int(mtmd.mtmd_helper_get_n_tokens(chunks))
        context_params = llama.llama_context_default_params()
        context_params.n_ctx = n_cells + SPARE_CELLS
        context_params.n_batch = N_BATCH
        context_params.n_threads = context_params.n_threads_batch = threads
        context = llama.llama_init_from_model(weights.pointer, context_params)
        stack.callback(llama.llama_free, context)
        position = llama.llama_pos(0)
        code = mtmd.mtmd_helper_eval_chunks(
            vision, context, chunks, 0, 0, N_BATCH, True, ctypes.byref(position)
        )
        if code:
            raise EngineError(f"llama.cpp failed with code {code}: {native.explain_failure()}")
        cpu_s = time.process_time() - started
        encodes, visual = _count_images(chunks)
        return StockRun(encodes, visual, n_cells - visual, cpu_s)


def _tokenize(vision: object, chunks: object, images: "NDArray[np.uint8]") -> None:
    marker = mtmd.mtmd_default_marker().decode()
    text = ("\n".join([marker] * len(images)) + QUESTION).encode()
    bitmaps = []
    for image in images:
        pixels = np.ascontiguousarray(image)
        data = pixels.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        bitmaps.append(mtmd.mtmd_bitmap_init(pixels.shape[1], pixels.shape[0], data))
    array = (mtmd.mtmd_bitmap_p_ctypes * len(bitmaps))(*bitmaps)
    request = mtmd.mtmd_input_text(text, len(text), True, True)
    code = mtmd.mtmd_tokenize(vision, chunks, ctypes.byref(request), array, len(bitmaps))
    for bitmap in bitmaps:
        mtmd.mtmd_bitmap_free(bitmap)
    if code:
        raise EngineError(f"llama.cpp refused the frames: {native.explain_failure()}")


def _count_images(chunks: object) -> tuple[int, int]:
    encodes = visual = 0
    for i in range(mtmd.mtmd_input_chunks_size(chunks)):
        chunk = mtmd.mtmd_input_chunks_get(chunks, i)
        if mtmd.mtmd_input_chunk_get_type(chunk) != mtmd.MTMD_INPUT_CHUNK_TYPE_TEXT:
            encodes += 1
            visual += int(mtmd.mtmd_input_chunk_get_n_tokens(chunk))
    return encodes, visual


def main() -> None:
    """Run once with the paths on the command line and print the result as JSON."""
    weights, mmproj, frames, threads = sys.argv[1:]
    images = np.load(frames)
    run = run_stock(Path(weights), Path(mmproj), images, threads=int(threads))
    json.dump(asdict(run), sys.stdout)


if __name__ == "__main__":
    main()
