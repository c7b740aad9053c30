"""`--report`: a page for each video, made of its finished document and a fresh look at the file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from vidcli.cli.footage import OpenVideo, open_videos
from vidcli.cli.groups import Rehearsing, Telling
from vidcli.cli.illustrating import Illustrator, load_reader
from vidcli.cli.inputs import Inputs
from vidcli.cli.listing import Input
from vidcli.cli.sidecars import SidecarError
from vidcli.cli.tasks import Task
from vidcli.core.files import atomic_write
from vidcli.errors import MediaError, UsageError

if TYPE_CHECKING:
    from vidcli.output.documents import Document
    from vidcli.output.report.page import Page

SUFFIXES = (".html", ".htm")


@dataclass(frozen=True, slots=True)
class ReportPlace:
    """Where pages go.

    Attributes:
        path: A file for the page of one video, or a folder for those of many.
        is_folder: Which of the two.
        reads_text: Whether the text on the screen is read for them.
    """

    path: Path
    is_folder: bool
    reads_text: bool = False


def find_place(rehearsing: Rehearsing, *, many: bool) -> ReportPlace | None:
    """Where the command line wants pages, checked before any work; None where it wants none.

    Args:
        rehearsing: Holds what was typed.
        many: Whether there may be more than one video.

    Raises:
        UsageError: A page cannot be written there.
        SetupError: Text is to be read, and the extra 'ocr' is not installed.
    """
    text = rehearsing.report
    if text is None and rehearsing.report_text:
        raise UsageError("--report-text is about a report", hint="--report FILE.html asks for one")
    if text is None:
        return None
    if rehearsing.report_text:
        from vidcli.tools.ocr import name_reader

        name_reader()
    path = Path(text)
    is_folder = text.endswith(os.sep) or path.is_dir()
    if not is_folder and path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"--report {text} names no page", hint="end it in .html, or in / for a folder of pages"
        )
    if many and not is_folder:
        raise UsageError(
            f"--report {text} is a page about one video",
            hint=f"--report {path.with_suffix('')}/ writes a page for each, and an index",
        )
    _require_folder(path if is_folder else path.absolute().parent)
    if not is_folder:
        require_ours(path)
    return ReportPlace(path, is_folder, rehearsing.report_text)


def _require_folder(folder: Path) -> None:
    """Make a folder, and make sure that files can be written there.

    Raises:
        UsageError: It cannot be.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{folder} cannot be written", hint="name another place for --report")


def require_ours(path: Path) -> None:
    """Refuse to replace a file that is no page of ours.

    Raises:
        UsageError: It is there, and something else.
    """
    from vidcli.output.report.index import read_entry

    try:
        is_ours = not path.exists() or read_entry(path) is not None
    except OSError:
        is_ours = False
    if not is_ours:
        raise UsageError(f"{path} is there already and is no report", hint="name another file")


@contextmanager
def reporting(
    task: Task, inputs: Inputs, place: ReportPlace | None, telling: Telling
) -> Iterator[Task]:
    """The task for the block, its documents made into pages too; a folder gets an index at the end.

    Raises:
        UsageError: The index cannot be written.
    """
    if place is None:
        yield task
        return
    with open_videos() as open_video:
        reporter = Reporter(task, place, inputs, open_video, telling)
        try:
            yield replace(task, deliver=reporter.deliver)
        finally:
            reporter.finish()


class Reporter:
    """Writes pages.

    Args:
        task: Whose documents they are about.
        place: Where they go.
        inputs: The videos; pages in a folder lie as they do.
        open_video: Opens them.
        telling: What is said of it.
    """

    def __init__(
        self,
        task: Task,
        place: ReportPlace,
        inputs: Inputs,
        open_video: OpenVideo,
        telling: Telling,
    ) -> None:
        self._task = task
        self._place = place
        self._below = {item.path: item for item in inputs.files}
        self._many = inputs.many
        self._open_video = open_video
        self._telling = telling
        self._open_reader = cache(load_reader) if place.reads_text else None
        self._written: dict[Path, str] = {}  # page to video

    def deliver(self, document: "Document") -> None:
        """Write the page of a document.

        Raises:
            SidecarError: It cannot be written.
        """
        from vidcli.output.report.render import render_page

        self._task.deliver(document)
        video = document["video"]["path"]
        path = self._choose(video)
        page = self._look(document, path)
        try:
            with atomic_write(path) as file:
                file.write(render_page(page))
        except OSError as error:
            raise SidecarError(f"cannot write {path}: {error.strerror or error}") from error
        self._written[path] = video
        prefix = f"{video}: " if self._many else ""
        self._telling.notes.tell(f"{prefix}the report is {path}")

    def finish(self) -> None:
        """Write the index of a folder, of all pages that lie in it.

        Raises:
            UsageError: It cannot be written.
        """
        from vidcli.output.report.index import NAME, make_index

        if not self._place.is_folder or not self._written:
            return
        path = self._place.path / NAME
        try:
            with atomic_write(path) as file:
                file.write(make_index(self._place.path))
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
        self._telling.notes.tell(f"all reports are listed in {path}")

    # Names

    def _choose(self, video: str) -> Path:
        """The first name that is free, or holds a page about this very video.

        Raises:
            SidecarError: There is none.
        """
        if not self._place.is_folder:
            return self._place.path
        item = self._below.get(video) or Input(video, os.path.basename(video))
        stem, name = os.path.splitext(item.below)[0], item.below
        for plain in (f"{stem}.html", f"{name}.html"):
            path = self._place.path / plain
            if self._is_usable(path, video):
                return path
        raise SidecarError(f"{path} is there already and is no report about {video}")

    def _is_usable(self, path: Path, video: str) -> bool:
        from vidcli.output.report.address import address_of
        from vidcli.output.report.index import NAME, read_entry

        if path == self._place.path / NAME:
            return False
        if path in self._written or not path.exists():
            return self._written.get(path, video) == video
        try:
            entry = read_entry(path)
        except OSError:
            return False
        return entry is not None and entry.source == address_of(video, path)

    # What the video itself tells

    def _look(self, document: "Document", path: Path) -> "Page":
        from vidcli.output.progress import open_progress
        from vidcli.output.report.adapters import page_of
        from vidcli.output.report.address import address_of

        video = document["video"]["path"]
        page = page_of(document, command=self._task.name)
        page = replace(page, address=address_of(video, path))
        quiet = self._telling.quiet or self._many  # a run has a line of its own
        with open_progress(quiet=quiet) as progress:
            try:
                source = self._open_video(video)
                return Illustrator(
                    source,
                    speech=self._task.speech,
                    open_reader=self._open_reader,
                    progress=progress,
                ).illustrate(page)
            except MediaError as error:  # what was found out of it before stands
                return replace(page, warnings=(*page.warnings, f"no pictures: {error}"))
