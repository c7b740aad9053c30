"""The standard streams: the answer goes to stdout, everything else to stderr.

Not here: what the texts say (`vidcli.output`).
"""

import os
import sys
from dataclasses import dataclass
from typing import IO, Any

from vidcli.errors import ResourceError
from vidcli.output.plain import printable

DIM, RESET = "\x1b[2m", "\x1b[0m"


class ReaderGoneError(Exception):
    """Whoever was reading standard output has closed it, as `| head` does; no failure of ours."""


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
        if number and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def write_out(text: str) -> None:
    """Write to standard output and flush.

    Raises:
        ReaderGoneError: The reader closed the pipe; standard output is the null device from then.
        ResourceError: It cannot be written, as on a full disk.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError as error:
        silence_stdout()
        raise ReaderGoneError from error
    except OSError as error:
        silence_stdout()
        raise ResourceError(f"cannot write to standard output: {error.strerror}") from error


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


def report_error(message: str, hint: str | None = None) -> None:
    """Write an error and its hint, one line each."""
    _write_error(f"error: {printable(message)}")
    if hint:
        _write_error(f"hint: {printable(hint)}")


def report_interrupt() -> None:
    """Say, on a line of its own, that the user stopped the command; what was printed stands."""
    _write_error("\ninterrupted" if is_terminal(sys.stdout) else "interrupted")


def _write_error(line: str) -> None:
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except OSError:  # nobody is left to tell
        pass
