"""Lines a person types, with editing and history; or lines from a pipe, as they are."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from vidcli.cli.terminal import is_terminal
from vidcli.settings import state_dir

KEPT_LINES = 1000


def is_attended() -> bool:
    """Whether a person types the input."""
    return is_terminal(sys.stdin)


def read_line(prompt: str) -> str | None:
    """The next line without its end; None when there are no more.

    The prompt is shown where a person types, and never goes into a pipe.
    """
    if is_attended() and is_terminal(sys.stdout):
        try:
            return input(prompt)  # the only way to line editing
        except EOFError:
            sys.stdout.write("\n")
            return None
        except KeyboardInterrupt:
            sys.stdout.write("\n")
            raise
    if is_attended():
        sys.stderr.write(prompt)
        sys.stderr.flush()
    line = sys.stdin.readline()
    return line.rstrip("\r\n") if line else None


@contextmanager
def line_editing(name: str) -> Iterator[None]:
    """Edit lines and recall earlier ones inside the block; the history is kept in a file.

    Without a person, or where Python has no readline, lines are simply read.

    Args:
        name: Of the history.
    """
    if not is_attended():
        yield
        return
    try:
        import readline
    except ImportError:
        yield
        return
    file = state_dir() / f"{name}_history"
    with suppress(OSError):
        readline.read_history_file(file)
    readline.set_history_length(KEPT_LINES)
    try:
        yield
    finally:
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
            readline.write_history_file(file)
