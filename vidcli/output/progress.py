"""One line of progress on a terminal: what is going on, how far it is, how long it still takes."""

import sys
import time
from collections.abc import Callable
from shutil import get_terminal_size
from typing import IO, Self

from vidcli.core.time import format_time
from vidcli.output.plain import printable

REDRAW_S = 0.1
ESTIMATE_AFTER_S = 1.0  # a guess from less is noise
PERCENT_FROM = 10_000  # units from which a count is harder to read than a share
CLEAR_LINE = "\r\x1b[2K"


class ProgressLine:
    """Draws progress reports on one line; a `vidcli.core.protocols.Progress`.

    A context manager: the line is gone when the block ends, however it ends.

    Args:
        stream: A terminal; `open_progress` gives something silent for anything else.
        clock: Seconds from any start.
    """

    def __init__(self, stream: IO[str], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._phase = ""
        self._started = 0.0
        self._first = 0
        self._drawn = float("-inf")
        self._is_shown = False

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Report that `done` of `total` units of `phase` are over; a total of 0 is unknown."""
        now = self._clock()
        if phase != self._phase:
            self._phase, self._started, self._first = phase, now, done
            self._drawn = float("-inf")
        if now - self._drawn < REDRAW_S and done != total:
            return
        self._drawn = now
        self._draw(self._describe(done, total, now))

    def clear(self) -> None:
        """Take the line away, as before the first word of an answer."""
        if self._is_shown:
            self._write(CLEAR_LINE)
            self._is_shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.clear()

    def _describe(self, done: int, total: int, now: float) -> str:
        if total >= PERCENT_FROM:
            text = f"{self._phase} {100 * done // total} %"
        else:
            text = f"{self._phase} {done}/{total}" if total else f"{self._phase} {done}"
        spent, fresh = now - self._started, done - self._first
        if total > done and fresh > 0 and spent >= ESTIMATE_AFTER_S:
            left = spent / fresh * (total - done)
            text += f", {format_time(left)} left"
        return text

    def _draw(self, text: str) -> None:
        width = get_terminal_size().columns - 1  # the last column would wrap
        self._write(CLEAR_LINE + printable(text)[:width])
        self._is_shown = True

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:  # the terminal is gone; the work is not
            pass


class NoProgress:
    """Says nothing, for streams that nobody watches."""

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Ignore a report."""

    def clear(self) -> None:
        """There is no line to take away."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        pass


AnyProgress = ProgressLine | NoProgress


def open_progress(*, quiet: bool = False) -> AnyProgress:
    """Progress on stderr where it is a terminal, else silence."""
    stream = sys.stderr
    if quiet or stream.closed or not stream.isatty():
        return NoProgress()
    return ProgressLine(stream)
