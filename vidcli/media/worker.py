"""Decoding in a process of its own: what a broken file does to a decoder ends there.

A `DecoderWorker` hands files to a worker process and takes frames back through shared memory. A
process that crashes, hangs or outgrows its memory costs its file a `MediaError`; the next file
gets a fresh one. What runs over there is `worker_main`.
"""

import os
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, Self

from vidcli import settings
from vidcli.core.media import Frame, FramePlan, VideoInfo
from vidcli.errors import MediaError, ResourceError
from vidcli.media.jobs import CallJob, FrameJob
from vidcli.media.process import Lost, WorkerProcess
from vidcli.media.ring import Ring, slots_for

FRAME_BYTES_MAX = 1024**3


class DecoderWorker:
    """Runs probing, decoding and scanning in worker processes, started when first needed.

    One process serves any number of files one after another; work that overlaps gets another.
    Safe to use from several threads.

    Args:
        timeout_s: Seconds without a sign of life after which a process is stopped.
        memory_bytes: What the work on a file may take, above the process itself (Linux).
    """

    def __init__(
        self,
        *,
        timeout_s: float = settings.DECODE_TIMEOUT_S,
        memory_bytes: int = settings.DECODE_MEMORY_BYTES,
    ) -> None:
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._lock = threading.Lock()
        self._idle: list[WorkerProcess] = []
        self._busy: set[WorkerProcess] = set()

    def call(
        self,
        operation: str,
        path: str,
        *,
        progress: Callable[[Fraction], None] | None = None,
        **options: Any,
    ) -> Any:
        """Run an operation on a file in the worker and return its result.

        Args:
            operation: One of `vidcli.media.jobs.OPERATIONS`.
            path: The file.
            progress: Called with the part done, 0 to 1, where the operation tells.
            options: Keyword arguments of the operation.

        Raises:
            MediaError: The operation failed, or the process crashed, hung or ran out of memory.
        """
        with _Borrowed(self, path) as process:
            process.begin(CallJob(operation, path, options))
            while True:
                kind, content = process.receive()
                if kind == "result":
                    return content
                if kind in ("error", "fatal"):
                    raise content
                if kind == "alive" and content is not None and progress is not None:
                    progress(content)

    def frames(
        self,
        info: VideoInfo,
        plan: FramePlan,
        *,
        size: tuple[int, int] | None = None,
        warn: Callable[[str], None],
    ) -> Iterator[Frame]:
        """Decode a plan in the worker, a few frames ahead of whoever takes them.

        Closing the iterator early drops the rest. Arguments, frames and errors as `decode_plan`;
        also MediaError where the process crashed, hung or ran out of memory, and ResourceError
        where there is no memory to share with it.
        """
        width, height = size or info.video.display_size
        slot_bytes = width * height * 3
        if slot_bytes > FRAME_BYTES_MAX:
            raise MediaError(f"{info.path} shows {width} × {height} pixels, too many for one frame")
        slots = slots_for(slot_bytes)
        job = FrameJob(info, plan, (width, height), slots, slot_bytes)
        with (
            _Borrowed(self, info.path) as process,
            _open_ring(process, slots=slots, slot_bytes=slot_bytes) as ring,
        ):
            process.begin(job)
            yield from _take_frames(process, ring, warn)

    def close(self) -> None:
        """Stop every process; idempotent. Iterators still open end in a MediaError."""
        with self._lock:
            processes = [*self._idle, *self._busy]
            self._idle, self._busy = [], set()
        for process in processes:
            process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers there are."""
        with self._lock:
            return tuple(process.pid for process in (*self._idle, *self._busy))

    def _take(self) -> WorkerProcess:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                self._busy.add(process)
                if process.is_alive:
                    return process
                self._busy.discard(process)
                process.close()
        process = WorkerProcess(timeout_s=self._timeout_s, memory_bytes=self._memory_bytes)
        with self._lock:
            self._busy.add(process)
        return process

    def _give_back(self, process: WorkerProcess, *, usable: bool) -> None:
        with self._lock:
            was_ours = process in self._busy
            self._busy.discard(process)
            if usable and was_ours and process.is_alive:
                os.ftruncate(process.ring, 0)  # gives the memory back
                self._idle.append(process)
                return
        process.close()


class _Borrowed:
    """A process for one job on `path`: given back if it is fit for another, else replaced."""

    def __init__(self, worker: DecoderWorker, path: str) -> None:
        self._worker = worker
        self._path = path

    def __enter__(self) -> WorkerProcess:
        self._process = self._worker._take()
        return self._process

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: Any
    ) -> None:
        is_done = kind is None or issubclass(kind, MediaError | ResourceError)
        is_dropped = kind is GeneratorExit and self._process.cancel()
        is_usable = self._process.is_fit and (is_done or is_dropped)
        self._worker._give_back(self._process, usable=is_usable)
        if isinstance(error, Lost):
            raise MediaError(f"{self._path} {error}") from error


def _open_ring(process: WorkerProcess, *, slots: int, slot_bytes: int) -> Ring:
    try:
        os.ftruncate(process.ring, slots * slot_bytes)
        return Ring(process.ring, slots=slots, slot_bytes=slot_bytes)
    except (OSError, MemoryError) as error:
        raise ResourceError(
            f"no memory for {slots} frames of {slot_bytes:,} bytes: {error}",
            hint="'ulimit -a' shows what this shell allows",
        ) from error


def _take_frames(
    process: WorkerProcess, ring: Ring, warn: Callable[[str], None]
) -> Iterator[Frame]:
    while True:
        kind, content = process.receive()
        if kind == "frame":
            slot, shape, (time, wanted, is_keyframe) = content
            image = ring.read(slot, shape)
            process.send("free", slot)
            yield Frame(image, time, wanted, is_keyframe)
        elif kind == "warning":
            warn(content)
        elif kind in ("error", "fatal"):
            raise content
        elif kind == "result":
            return
