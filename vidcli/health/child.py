"""Asking a native library about itself in a process of its own, which it may crash or hang.

A build for another processor ends the process with SIGILL, a broken installation in worse ways. The
child runs `main`: it writes a JSON object to its standard output.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from vidcli.core.child import child_command

TIMEOUT_S = 60


class LibraryError(Exception):
    """A library cannot be used; the message says how that shows.

    Attributes:
        missing: The module that is not there, where it is that.
    """

    def __init__(self, message: str, *, missing: str = "") -> None:
        super().__init__(message)
        self.missing = missing


def _engine() -> dict[str, Any]:
    from vidcli.engine.build import describe_build

    return describe_build()


def _libav() -> dict[str, Any]:
    from vidcli.media.features import describe_libav

    return describe_libav()


def _opencv() -> dict[str, Any]:
    from vidcli.media.features import describe_opencv

    return describe_opencv()


LIBRARIES: Sequence[Callable[[], dict[str, Any]]] = (_engine, _libav, _opencv)
ENGINE, LIBAV, OPENCV = range(len(LIBRARIES))


def ask_library(number: int) -> dict[str, Any]:
    """What a library says of itself.

    Args:
        number: ENGINE, LIBAV or OPENCV.

    Raises:
        LibraryError: It cannot be imported, or ends or hangs the process that does.
    """
    try:
        done = subprocess.run(
            child_command(__name__, number),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LibraryError(f"it gave no answer within {TIMEOUT_S} s") from None
    if done.returncode < 0:
        raise LibraryError(f"it ends the process with {signal.Signals(-done.returncode).name}")
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise LibraryError(words[-1] if words else f"it ends with code {done.returncode}")
    facts: dict[str, Any] = json.loads(done.stdout)
    if "failure" in facts:
        raise LibraryError(facts["failure"], missing=facts["missing"])
    return facts


def main(number: int) -> None:
    """Write what a library says of itself; what it prints by itself goes to standard error."""
    answer = os.dup(1)
    os.dup2(2, 1)
    try:
        facts = LIBRARIES[number]()
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        facts = {"failure": f"{type(error).__name__}: {error}", "missing": missing or ""}
    with os.fdopen(answer, "w") as file:
        json.dump(facts, file)
    sys.stdout.flush()
