"""What owns native memory frees it once, however its block ends."""

from contextlib import ExitStack
from typing import Self


class Owned:
    """A context manager with an idempotent `close`.

    Subclasses create `_stack` first thing and give it every native allocation.
    """

    _stack: ExitStack

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free what is owned; idempotent."""
        self._stack.close()
