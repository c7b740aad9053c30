"""Every error vidcli raises on purpose, and the exit code each one ends in.

VidcliError
├── UsageError          2  the command line asks for something that makes no sense
├── MediaError          3  the video cannot be used
│   └── NoVideoStreamError
├── ModelError          4  the model cannot be used
├── ResourceError       5  it does not fit: context, memory, disk
├── EngineError         6  llama.cpp failed on input it should have taken
├── SetupError          7  ffmpeg or an optional extra is missing
└── PartialFailure      8  some inputs failed, the rest is done

Exit code 1 is no error: it is `check`'s "no", and "nothing found" as of grep. 70 is a bug of ours,
130 an interrupt.
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Process exit codes; a public contract, changed only in a major release."""

    OK = 0
    NEGATIVE = 1
    USAGE = 2
    MEDIA = 3
    MODEL = 4
    RESOURCE = 5
    ENGINE = 6
    SETUP = 7
    PARTIAL = 8
    BUG = 70
    INTERRUPTED = 130


class VidcliError(Exception):
    """Base of every expected failure: one sentence for the user, one optional next step.

    Args:
        message: What failed and why, naming the file or model, without a final full stop.
        hint: The next command to type, or what to change.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(VidcliError):
    """The command line asks for something that makes no sense."""

    exit_code = ExitCode.USAGE


class MediaError(VidcliError):
    """The video cannot be opened, probed or decoded."""

    exit_code = ExitCode.MEDIA


class NoVideoStreamError(MediaError):
    """The file is readable but holds no moving or still pictures."""


class ModelError(VidcliError):
    """The model is missing, broken, or not one that can see."""

    exit_code = ExitCode.MODEL


class ResourceError(VidcliError):
    """The work does not fit the context, the memory or the disk."""

    exit_code = ExitCode.RESOURCE


class EngineError(VidcliError):
    """llama.cpp failed on input that passed every check before it."""

    exit_code = ExitCode.ENGINE


class SetupError(VidcliError):
    """A program or an optional extra that this command needs is not installed."""

    exit_code = ExitCode.SETUP


class PartialFailure(VidcliError):
    """Some inputs failed; what could be done is done and reported."""

    exit_code = ExitCode.PARTIAL
