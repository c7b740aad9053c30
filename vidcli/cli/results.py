"""Where the results of a run go: to standard output as they finish, or into files."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from vidcli.cli.asking import streamed_answer
from vidcli.cli.groups import Telling
from vidcli.cli.listing import Input
from vidcli.cli.tasks import Task, Write
from vidcli.cli.terminal import ReaderGoneError, write_document, write_out, write_path
from vidcli.errors import VidcliError
from vidcli.output.documents import Document, error_document
from vidcli.output.forms import (
    CSV_COLUMNS,
    AnyForm,
    Form,
    csv_row,
    render_file,
    say_result,
    write_csv_row,
)
from vidcli.output.plain import printable
from vidcli.output.rows import is_table, list_rows

if TYPE_CHECKING:
    from vidcli.cli.sidecars import Sidecars


class Results:
    """Writes what a run finds.

    Args:
        task: What it asks.
        form: Of the results.
        many: Whether there may be more than one.
        sidecars: Writes files; None writes to standard output.
        telling: With files, `--json` has standard output carry JSON Lines besides.
    """

    def __init__(
        self,
        task: Task,
        form: AnyForm,
        *,
        many: bool,
        sidecars: "Sidecars | None",
        telling: Telling,
    ) -> None:
        self._task = task
        self._form = form
        self._many = many
        self._sidecars = sidecars
        self._lines_too = telling.json
        self._is_first = True

    @property
    def _streams(self) -> bool:
        """Whether words come out one by one; of many videos, whole lines do, for other programs."""
        is_text = self._form is Form.TEXT and self._task.streams
        return is_text and self._sidecars is None and not self._many

    def streaming(self) -> AbstractContextManager[Write]:
        """A way to write the text while the model makes it; silent where `write` writes it."""
        return streamed_answer(silent=not self._streams)

    def write(self, item: Input, document: Document, *, rendering: str, is_new: bool) -> None:
        """Write a result; what was streamed is written already.

        Args:
            item: The video.
            document: Finished.
            rendering: Names the content of its file.
            is_new: The model just made it.

        Raises:
            SidecarError: Its file cannot be written.
            OutputError: Nothing more can be written.
        """
        if self._sidecars is not None:
            path, is_written = self._sidecars.write(
                item,
                document["video"]["fingerprint"],
                rendering,
                lambda: render_file(document, self._form),
                is_new=is_new,
            )
            if self._lines_too:
                write_document(document)
            elif is_written:
                write_path(str(path))
        elif not (is_new and self._streams):
            try:
                self._print(item, document)
            except ReaderGoneError:
                if self._many or not self._task.has_verdict:
                    raise

    def write_error(self, item: Input, error: VidcliError) -> None:
        """Write a line for a video that failed, where standard output carries rows."""
        document = error_document(item.path, error)
        if self._lines_too or (self._form.is_json and self._sidecars is None):
            write_document(document)
        elif self._form is Form.CSV and self._sidecars is None:
            self._write_row(document)

    def _print(self, item: Input, document: Document) -> None:
        if self._form.is_json:
            write_document(document)
        elif self._form is Form.CSV:
            self._write_row(document)
        elif self._form is Form.TEXT:
            if is_table(document) and not say_result(document):
                return  # no table, and no name of a file above none
            self._print_text(item, document)
        else:
            text = render_file(document, self._form).decode("utf-8", "surrogateescape")
            write_out(text if self._is_first else f"\n{text}")
        self._is_first = False

    def _print_text(self, item: Input, document: Document) -> None:
        rows = None if is_table(document) else list_rows(document)
        if rows is not None:
            write_out("".join(f"{self._prefix(item, joint=row.joint)}{row.line}\n" for row in rows))
            return
        text = say_result(document)
        if is_table(document):
            gap = "" if self._is_first or not self._many else "\n"
            title = f"{printable(item.path)}:\n" if self._many else ""
            write_out(f"{gap}{title}{text}\n")
            return
        gap = "\n" if "\n" in text and self._many and not self._is_first else ""
        write_out(f"{gap}{self._prefix(item)}{text}\n")

    def _write_row(self, document: Document) -> None:
        write_out((write_csv_row(CSV_COLUMNS) if self._is_first else "") + csv_row(document))
        self._is_first = False

    def _prefix(self, item: Input, *, joint: str = ": ") -> str:
        return f"{printable(item.path)}{joint}" if self._many else ""
