"""Which rows of which data files are about which video.

Data sets name videos in many ways: by path, by name, by name without extension. The files are read
by `vidcli.train.data`.
"""

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vidcli.cli.terminal import Notes
from vidcli.errors import UsageError
from vidcli.output.plain import count

if TYPE_CHECKING:
    from vidcli.train.data.sample import Sample

SUBTITLES = (".srt", ".vtt")


class LabelFiles:
    """Rows of data files, found by video.

    Args:
        paths: Data files or folders of them.
        only: The one video of the run, which subtitles are about whatever they are called.

    Raises:
        UsageError: One cannot be read, or a row of it is wrong.
    """

    def __init__(self, paths: Sequence[Path], *, only: str | None = None) -> None:
        from vidcli.train.data.files import read_data

        self._rows: list[Sample] = []
        self._by_name: dict[str, list[int]] = defaultdict(list)
        self._of_the_one: list[Sample] = []
        self._taken: set[int] = set()
        for path in paths:
            if not path.exists():
                raise UsageError(f"there is no file {path}")
            for sample in read_data(path):
                if only is not None and path.suffix.lower() in SUBTITLES:
                    self._of_the_one.append(sample)
                else:
                    self._add(sample)

    def _add(self, sample: "Sample") -> None:
        for name in _names(sample.video):
            self._by_name[name].append(len(self._rows))
        self._rows.append(sample)

    def of(self, path: str) -> "list[Sample]":
        """Rows about the video at a path, in file order."""
        near = {number for name in _names(path) for number in self._by_name.get(name, ())}
        own = sorted(number for number in near if _is_end(self._rows[number].video, path))
        self._taken.update(own)
        return [*(self._rows[number] for number in own), *self._of_the_one]

    @property
    def left_over(self) -> list[str]:
        """Names of videos that rows are about, and nobody asked for."""
        rows = (row for number, row in enumerate(self._rows) if number not in self._taken)
        return sorted({row.video for row in rows})

    def warn_of_left_over(self, option: str, notes: Notes) -> None:
        """Say which videos the files speak of that are no inputs; a misspelt name is no silence.

        Args:
            option: That named the files, without dashes.
            notes: Where to say it.
        """
        names = self.left_over
        if names:
            shown = ", ".join(names[:3]) + ("…" if len(names) > 3 else "")
            notes.warn(
                f"--{option} speaks of {count(len(names), 'video')} not among the inputs: {shown}"
            )


def _names(path: str) -> set[str]:
    """A file's name, with its extension and without."""
    name = os.path.basename(path)
    return {name, os.path.splitext(name)[0]}


def _is_end(name: str, path: str) -> bool:
    """Whether a data file's name of a video is the end of this path, extension or not."""
    wanted = os.path.normpath(name).removeprefix(os.sep)
    while wanted.startswith(os.pardir + os.sep):
        wanted = wanted[len(os.pardir + os.sep) :]
    whole = os.path.abspath(path)
    return any(
        candidate.endswith(os.sep + wanted) for candidate in (whole, os.path.splitext(whole)[0])
    )
