"""Progress of downloads: a bar for each file on a terminal, silence elsewhere."""

import sys
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Self

from vidcli.output.plain import printable
from vidcli.output.progress import NoProgress

if TYPE_CHECKING:
    from rich.progress import TaskID

FIGURES_WIDTH = 50  # columns of bar, size, speed and time
LEAST_NAME = 12


class DownloadBars:
    """A bar with size, speed and time left for each file; a `vidcli.core.protocols.Progress`.

    A context manager: the bars stay as they are when the block ends.

    Args:
        stream: A terminal.
        color: Whether colour codes may be written.
    """

    def __init__(self, stream: IO[str], *, color: bool) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )
        from rich.table import Column

        console = Console(file=stream, force_terminal=True, no_color=not color, highlight=False)
        self._bars: Progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            DownloadColumn(binary_units=True, table_column=Column(no_wrap=True)),
            TransferSpeedColumn(table_column=Column(no_wrap=True)),
            TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True)),
            console=console,
        )
        self._name_width = max(console.width - FIGURES_WIDTH, LEAST_NAME)
        self._tasks: dict[str, TaskID] = {}
        self._stack = ExitStack()

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Report that `done` of `total` bytes of a file are there; a total of 0 is unknown."""
        size = total or None
        if phase not in self._tasks:
            # `done` at the first report is what was there before: no part of the speed.
            name = shorten(printable(phase), self._name_width)
            self._tasks[phase] = self._bars.add_task(name, total=size, completed=done)
        self._bars.update(self._tasks[phase], completed=done, total=size)

    def __enter__(self) -> Self:
        self._stack.enter_context(self._bars)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stack.close()


def shorten(name: str, width: int) -> str:
    """A name of at most `width` letters; both ends stay, where series and quant stand."""
    if len(name) <= width:
        return name
    end = (width - 1) * 2 // 3
    return f"{name[: width - 1 - end]}…{name[len(name) - end :]}"


AnyBars = DownloadBars | NoProgress


def open_bars(*, quiet: bool, color: bool) -> AnyBars:
    """Bars on stderr where it is a terminal, else silence."""
    stream = sys.stderr
    if quiet or stream.closed or not stream.isatty():
        return NoProgress()
    return DownloadBars(stream, color=color)
