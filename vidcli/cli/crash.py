"""The report kept when vidcli itself is at fault, so that the terminal shows one line."""

import os
import platform
import sys
import tempfile
import time
import traceback
from pathlib import Path

from vidcli import __version__
from vidcli.errors import UsageError
from vidcli.settings import state_dir

KEPT = 10  # reports; older ones are removed


def keep_report(error: BaseException) -> Path | None:
    """Write the traceback and what is known of the machine to a new file under the state directory.

    Returns:
        The file, or None where it cannot be written.
    """
    try:
        folder = state_dir() / "crashes"
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(
            dir=folder, prefix=time.strftime("%Y%m%d-%H%M%S-"), suffix=".txt"
        )
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(_describe(error))
        for old in sorted(folder.glob("*.txt"))[:-KEPT]:
            old.unlink(missing_ok=True)
    except (OSError, UsageError):  # a wrong settings file must not hide what is told here
        return None
    return Path(name)


def _describe(error: BaseException) -> str:
    return (
        f"vidcli {__version__}\n"
        f"command: {sys.argv!r}\n"
        f"python: {sys.version}\n"
        f"platform: {platform.platform()}\n\n" + "".join(traceback.format_exception(error))
    )
