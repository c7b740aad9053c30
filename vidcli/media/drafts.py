"""Files that ffmpeg writes: under another name until they are whole."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vidcli.errors import ResourceError

DRAFT_PREFIX = ".vidcli-draft-"
STALE_S = 3600.0  # no file in work goes so long without a write


@contextmanager
def draft_beside(target: Path) -> Iterator[Path]:
    """A name beside `target` with its suffix, gone after the block."""
    folder, suffix = target.absolute().parent, f".tmp{target.suffix.lower()}"
    try:
        _remove_leftovers(folder, suffix)
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=DRAFT_PREFIX, suffix=suffix)
    except OSError as error:
        raise ResourceError(f"cannot write {target}: {error.strerror}") from error
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _remove_leftovers(folder: Path, suffix: str) -> None:
    """Remove what runs that were killed while they wrote a copy here have left."""
    for path in folder.glob(f"{DRAFT_PREFIX}*{suffix}"):
        with suppress(OSError):
            if path.stat().st_mtime < time.time() - STALE_S:
                path.unlink()


def publish(draft: Path, target: Path, *, overwrite: bool) -> None:
    """Give the finished copy its name; no other file of this name is lost unasked."""
    try:
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(draft, 0o666 & ~umask)
        if overwrite:
            os.replace(draft, target)
        else:
            os.link(draft, target)
    except FileExistsError as error:
        raise ResourceError(f"{target} is there already", hint="--overwrite replaces it") from error
    except OSError as error:
        raise ResourceError(f"cannot write {target}: {error.strerror}") from error
