"""Batches by step, made between the steps or by a second process that goes ahead of them.

A batch is a function of its step alone, so it does not matter where it is made, and a run that goes
on at a step needs none of the batches before it.
"""

import os
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import connection, get_context, parent_process
from typing import Any, Protocol, TypeVar

T_co = TypeVar("T_co", covariant=True)


class Source(Protocol[T_co]):
    """Makes the batch of a step; can be sent to another process."""

    def __call__(self, step: int) -> T_co:
        """The batch of a step counted from 0."""


T = TypeVar("T")


def stream_batches(
    source: Source[T], *, start: int, steps: int, ahead: int
) -> Iterator[tuple[int, T]]:
    """Steps from `start` on with their batches.

    Args:
        source: Makes them.
        start: First step.
        steps: Steps in all.
        ahead: Batches that a second process makes ahead; 0 makes each when it is wanted.
    """
    if not ahead:
        for step in range(start, steps):
            yield step, source(step)
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=_prepare, initargs=(source,)) as pool:
        first = range(start, min(start + ahead, steps))
        waiting = deque(pool.submit(_make, step) for step in first)
        for step in range(start, steps):
            batch: T = waiting.popleft().result()
            if step + ahead < steps:
                waiting.append(pool.submit(_make, step + ahead))
            yield step, batch


_sources: list[Source[object]] = []  # of the second process: one, which keeps what it has opened


def _make(step: int) -> Any:
    return _sources[0](step)


def _prepare(source: Source[object]) -> None:
    """One thread, and no life of its own: a killed run leaves no process behind."""
    import cv2

    _sources.append(source)
    cv2.setNumThreads(1)
    os.nice(1)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
