"""Changing the settings file: one key at a time, comments and order kept, or by an editor.

A file that is a link, as of a repository of such files, stays one: what it points to is replaced.
"""

import fcntl
import os
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vidcli import settings
from vidcli.core.files import atomic_write
from vidcli.core.setting import Written
from vidcli.core.toml_file import decode
from vidcli.errors import ResourceError, SetupError, UsageError

EDITORS = ("sensible-editor", "nano", "vi")  # where no variable names one
UNWRITABLE = "set VIDCLI_CONFIG_DIR to a folder that can be written"


def set_key(key: str, value: Written) -> None:
    """Write one key; a new one comes last.

    Raises:
        UsageError: The file is no TOML, so that nothing can be told apart in it.
        ResourceError: It cannot be written.
    """
    with _changing() as document:
        document[key] = value


def unset_key(key: str) -> bool:
    """Take one key out, whether it is a setting or not; returns whether it was there.

    Raises:
        UsageError: The file is no TOML.
        ResourceError: It cannot be written.
    """
    with _changing() as document:
        return document.pop(key, None) is not None


@contextmanager
def _changing() -> Iterator[MutableMapping[str, Any]]:
    """The file as a document, written back when the block ends; one process at a time."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    target = real_path()
    with _writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            before = target.read_bytes() if target.exists() else b""
            document = tomlkit.parse(decode(before))
            yield document
            after = tomlkit.dumps(document).encode()
            if after != before:
                replace_file(target, after)
        except (UnicodeDecodeError, TOMLKitError) as error:
            settings.read_config().require_whole()  # says it as every command does
            raise UsageError(f"{settings.config_path()} is no TOML: {error}") from error
        finally:
            os.close(folder)


def real_path() -> Path:
    """The file itself, where the settings file is a link to it.

    Raises:
        ResourceError: The link leads nowhere.
    """
    path = settings.config_path()
    try:
        return Path(os.path.realpath(path, strict=True)) if path.exists() else _link_end(path)
    except OSError as error:
        raise ResourceError(f"{path} cannot be followed: {error.strerror or error}") from error


def _link_end(path: Path) -> Path:
    """Where a file that is not there yet would be made."""
    if path.is_symlink() and os.path.realpath(path) == str(path):
        raise OSError(0, "it is a link to itself")
    return Path(os.path.realpath(path))


def replace_file(target: Path, content: bytes) -> None:
    """Write the file whole, with the permissions that it had.

    Raises:
        OSError: It cannot be written.
    """
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    with atomic_write(target) as file:
        file.write(content)
        if mode is not None:
            os.fchmod(file.fileno(), mode)


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ResourceError(
            f"cannot write {target}: {error.strerror or error}", hint=UNWRITABLE
        ) from error


def write_draft(content: bytes) -> Path:
    """A copy of the file beside it, to be edited.

    Raises:
        ResourceError: It cannot be written.
    """
    target = real_path()
    with _writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix="edited-", suffix=".toml")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    return Path(name)


def run_editor(path: Path) -> None:
    """Let the person edit a file, and wait until that is done; Ctrl-C is the editor's meanwhile.

    Raises:
        SetupError: There is no editor, or it cannot be started.
        UsageError: It failed.
    """
    command = _find_editor()
    before = signal.signal(signal.SIGINT, lambda *_: None)  # unlike SIG_IGN, not passed on to it
    try:
        code = subprocess.run([*command, str(path)], check=False).returncode
    except OSError as error:
        raise SetupError(
            f"the editor {command[0]} cannot be started: {error.strerror}",
            hint="set VISUAL or EDITOR to another one",
        ) from error
    finally:
        signal.signal(signal.SIGINT, before)
    if code:
        raise UsageError(f"the editor {command[0]} ended with code {code}; nothing is changed")


def _find_editor() -> list[str]:
    for variable in ("VISUAL", "EDITOR"):
        if words := shlex.split(os.environ.get(variable, "")):
            return words
    found = next((name for name in EDITORS if shutil.which(name)), None)
    if found is None:
        raise SetupError("no editor was found", hint="set EDITOR, as in EDITOR=nano")
    return [found]


def accept_draft(draft: Path, *, before: bytes | None) -> None:
    """Let an edited copy take the place of the file.

    Args:
        draft: From `write_draft`; removed.
        before: What the file held then; None where it was not there.

    Raises:
        UsageError: Something else has changed the file since.
        ResourceError: It cannot be written.
    """
    target = real_path()
    with _writing(target):
        if (target.read_bytes() if target.exists() else None) != before:
            raise UsageError(
                f"{target} was changed while it was edited; what you wrote is in {draft}",
                hint="'vidcli config edit' begins again from the file as it is now",
            )
        replace_file(target, draft.read_bytes())
        draft.unlink()
