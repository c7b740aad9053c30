"""The standard streams: the answer goes to stdout, everything else to stderr.

Not here: what the texts say (`vidcli.output`).
"""

import codecs
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from shutil import get_terminal_size
from typing import IO, TYPE_CHECKING, Any

from vidcli.errors import ResourceError
from vidcli.output.plain import printable

if TYPE_CHECKING:
    from vidcli.output.documents import Document

DIM, RESET = "\x1b[2m", "\x1b[0m"


class ReaderGoneError(Exception):
    """Whoever was reading standard output has closed it, as `| head` does; no failure of ours."""


class OutputError(ResourceError):
    """Standard output cannot be written, as on a full disk; nothing more of it will be."""


def prepare_streams() -> None:
    """Make every text printable on whatever the streams are.

    A stream that the caller closed is replaced by the null device, so that no file that is opened
    later takes its number and receives what was meant for the terminal.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=RAW_OR_ESCAPED if number else "surrogateescape")


def _raw_or_escaped(error: UnicodeError) -> tuple[str | bytes, int]:
    """Bytes of a file name as they were, so that a pipe carries it; all else as an escape."""
    assert isinstance(error, UnicodeEncodeError)
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeEncodeError:
        return codecs.lookup_error("backslashreplace")(error)


RAW_OR_ESCAPED = "vidcli-raw-or-escaped"
codecs.register_error(RAW_OR_ESCAPED, _raw_or_escaped)


def write_out(text: str) -> None:
    """Write to standard output and flush.

    Raises:
        ReaderGoneError: The reader closed the pipe; standard output is the null device from then.
        OutputError: It cannot be written, as on a full disk.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError as error:
        silence_stdout()
        raise ReaderGoneError from error
    except OSError as error:
        silence_stdout()
        raise OutputError(f"cannot write to standard output: {error.strerror}") from error


def silence_stdout() -> None:
    """Point standard output at the null device, so that nothing more of it can fail."""
    try:
        number = sys.stdout.fileno()
    except (OSError, ValueError):  # not a real file, as under a test runner
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, number)
    os.close(null)


def is_terminal(stream: IO[Any] | None) -> bool:
    """Whether a person is looking at `stream`."""
    return stream is not None and not stream.closed and stream.isatty()


def has_color(stream: IO[Any]) -> bool:
    """Whether `stream` may be written colour codes: a terminal, not dumb, `NO_COLOR` unset."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return is_terminal(stream) and not plain


@dataclass(frozen=True, slots=True)
class Notes:
    """What is told beside the answer, on stderr.

    Attributes:
        quiet: Only warnings and errors.
        verbose: Details too.
    """

    quiet: bool = False
    verbose: bool = False

    def tell(self, text: str) -> None:
        """Say one line, dimmed where that is possible."""
        if not self.quiet:
            line = printable(text)
            _write_error(f"{DIM}{line}{RESET}" if has_color(sys.stderr) else line)

    def detail(self, text: str) -> None:
        """Say one line to those who asked for more."""
        if self.verbose and not self.quiet:
            self.tell(text)

    def warn(self, text: str) -> None:
        """Say what a reader of the result must know, even under `--quiet`."""
        _write_error(f"warning: {printable(text)}")


def write_document(document: "Document", *, indent: bool = False) -> None:
    """Write a JSON document to standard output, in what its encoding can carry."""
    from vidcli.output.documents import write_json

    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    write_out(write_json(document, indent=indent, ascii_only=encoding != "utf8"))


def write_table(
    rows: Sequence[Sequence[str]], *, columns: Sequence[str] = (), right: Sequence[int] = ()
) -> None:
    """Write a table to standard output: drawn on a terminal, plain columns elsewhere."""
    from vidcli.output import plain, tables

    if is_terminal(sys.stdout):
        width = get_terminal_size().columns
        color = has_color(sys.stdout)
        write_out(tables.draw_table(rows, columns=columns, right=right, color=color, width=width))
    else:
        write_out(plain.align([columns, *rows] if columns else rows, right=right))


def write_path(path: str) -> None:
    """Write a path on a line of its own: as it is into a pipe, safe to look at on a terminal."""
    write_out(f"{printable(path) if is_terminal(sys.stdout) else path}\n")


def report_error(message: str, hint: str | None = None) -> None:
    """Write an error and its hint, one line each."""
    _write_error(f"error: {printable(message)}")
    if hint:
        _write_error(f"hint: {printable(hint)}")


def report_interrupt() -> None:
    """Say that the user stopped the command; what was printed stands."""
    _write_error("interrupted")


def _write_error(line: str) -> None:
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except OSError:  # nobody is left to tell
        pass
