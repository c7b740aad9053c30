"""How a run stands: what is done, skipped and failed, and how long the rest will take."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from vidcli.core.time import format_time
from vidcli.output.progress import AnyProgress, open_progress

ESTIMATE_AFTER = 2  # videos; the first one pays for loading the model


class Tally:
    """Counts the videos of a run.

    Args:
        clock: Seconds from any start.

    Attributes:
        total: Videos that belong to this part of the run.
        done: Answered by the model in this run.
        skipped: Done by an earlier run, or by another process meanwhile.
        failed: Could not be answered.
        has_negative: Whether the result of one of them means exit code 1.
        has_positive: Whether that of one of them does not.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._spent: list[float] = []
        self.total = self.done = self.skipped = self.failed = 0
        self.has_negative = self.has_positive = self._was_done = False

    def begin(self, count: int) -> None:
        """So many more videos are to be done."""
        self.total += count

    def finish(self, seconds: float) -> None:
        """One is done, after so many seconds."""
        self.done += 1
        self._was_done = True
        self._spent.append(seconds)

    def skip(self) -> None:
        """One was done before."""
        self.skipped += 1
        self._was_done = False

    def take_back(self) -> None:
        """The one counted last is neither: what came of it could not be written."""
        self.done -= self._was_done
        self.skipped -= not self._was_done

    def fail(self) -> None:
        """One failed."""
        self.failed += 1

    def leave(self) -> None:
        """One belongs to another part of the run."""
        self.total -= 1

    @property
    def current(self) -> int:
        """Number of the video in work, from 1."""
        return min(self.total, self.done + self.skipped + self.failed + 1)

    @property
    def left_s(self) -> float | None:
        """Seconds the rest will take if it is like what was done; None while that is a guess."""
        if len(self._spent) < ESTIMATE_AFTER:
            return None
        usual = self._spent[1:]  # without the model's loading
        rest = self.total - self.done - self.skipped - self.failed
        return sum(usual) / len(usual) * rest

    def say(self) -> str:
        """The summary: `done 12, skipped 3, failed 1; 6.4 s a video, 1:23 in all`."""
        text = f"done {self.done}, skipped {self.skipped}, failed {self.failed}"
        rest = self.total - self.done - self.skipped - self.failed
        text += f", not reached {rest}" if rest else ""
        whole = f"{format_time(self._clock() - self._started)} in all"
        if not self._spent:
            return f"{text}; {whole}"
        return f"{text}; {sum(self._spent) / len(self._spent):.1f} s a video, {whole}"


class RunProgress:
    """Progress of a run: which video, how long the rest takes, and what is done with this one.

    Args:
        tally: How the run stands.
        many: Whether there is more than one video to tell of.
        quiet: Say nothing.
    """

    def __init__(self, tally: Tally, *, many: bool, quiet: bool) -> None:
        self._tally = tally
        self._many = many
        self._line: AnyProgress = open_progress(quiet=quiet)
        self._head = ""

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Report how far one phase of the current video is."""
        self._line(self._head + phase, done, total)

    @contextmanager
    def video(self, number: int) -> Iterator[None]:
        """Tell of one video inside the block."""
        if self._many:
            left = self._tally.left_s
            rest = f", about {format_time(left)} left" if left is not None else ""
            self._head = f"video {number}/{self._tally.total}{rest}: "
        try:
            yield
        finally:
            self._line.clear()

    def clear(self) -> None:
        """Take the line away."""
        self._line.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.clear()
