"""Signs of life: every packet loop calls `beat`, so that a watcher can tell slow from stuck.

Where nobody listens, a beat does nothing. The decoder's worker process listens: a beat tells the
parent that work goes on, and is where a cancelled piece of work stops.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction

Listener = Callable[[Fraction | None], None]

_listener: Listener | None = None


def beat(done: Fraction | None = None) -> None:
    """Say that work goes on.

    Args:
        done: Part of the work that is done, 0 to 1; None where it is not known.

    Raises:
        Exception: What the listener raises to stop the work; let it through.
    """
    if _listener is not None:
        _listener(done)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Let `listener` hear every beat inside the block. One listener at a time."""
    global _listener
    assert _listener is None, "two listeners at once"
    _listener = listener
    try:
        yield
    finally:
        _listener = None
