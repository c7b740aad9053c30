"""Memory that two processes share, cut into slots of one frame each.

It is a file without a name: gone when both sides are, however they end. A slot belongs to the
writer until it says so, then to the reader until it is handed back.
"""

import mmap
import os
import tempfile
from typing import Self

import numpy as np
from numpy.typing import NDArray

SLOTS = 4  # frames decoded ahead of their consumer
MIN_SLOTS = 2  # of frames so large that SLOTS of them would take more than RING_BYTES
RING_BYTES = 256 * 1024**2


def create_ring() -> int:
    """A descriptor of empty shareable memory; the caller closes it."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("vidcli-frames")
    with tempfile.TemporaryFile() as file:  # macOS has no anonymous files
        return os.dup(file.fileno())


def slots_for(frame_bytes: int) -> int:
    """How many frames of this size the ring holds."""
    return max(MIN_SLOTS, min(SLOTS, RING_BYTES // max(1, frame_bytes)))


class Ring:
    """One side's view of the slots.

    Args:
        descriptor: From `create_ring`; it stays open.
        slots: How many.
        slot_bytes: Size of each. The descriptor must be at least as large as all of them.
    """

    def __init__(self, descriptor: int, *, slots: int, slot_bytes: int) -> None:
        self._slot_bytes = slot_bytes
        self._memory = mmap.mmap(descriptor, slots * slot_bytes)

    def write(self, slot: int, image: NDArray[np.uint8]) -> None:
        """Put a C-contiguous image into a slot that is the writer's."""
        start = slot * self._slot_bytes
        self._memory[start : start + image.nbytes] = image.data.cast("B")

    def read(self, slot: int, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """A copy of the image of this shape in a slot that is the reader's."""
        count, start = int(np.prod(shape)), slot * self._slot_bytes
        flat = np.frombuffer(self._memory[start : start + count], np.uint8)
        return flat.reshape(shape).copy()

    def close(self) -> None:
        """Unmap the memory; idempotent."""
        self._memory.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
