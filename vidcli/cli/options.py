"""Options that several commands share, and how their values are read.

A value that makes no sense is a usage error here, before any file is opened.
"""

from collections.abc import Callable
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer

from vidcli import settings
from vidcli.core.setting import MODEL as MODEL_KIND
from vidcli.core.setting import NUMBER, PATH, WHOLE, YES_NO, Value
from vidcli.core.time import parse_time
from vidcli.core.units import parse_size

LOOKING = "Looking"
MODEL = "Model"
WRITING = "Writing"
OUTPUT = "Output"
NATIVE = (WHOLE, NUMBER, YES_NO, PATH, MODEL_KIND)  # kinds that Typer reads by itself


class Selection(StrEnum):
    """Which rule chooses the frames."""

    UNIFORM = "uniform"
    FPS = "fps"
    KEYFRAMES = "keyframes"
    SHOTS = "shots"


class PromptStyle(StrEnum):
    """In whose words a question is put."""

    OWN = "own"
    PLAIN = "plain"
    SLOWFAST = "slowfast"
    MVBENCH = "mvbench"


def read_time(text: str | Fraction) -> Fraction:
    """A point in time on the command line.

    Raises:
        typer.BadParameter: It is none of the forms `parse_time` reads.
    """
    if isinstance(text, Fraction):
        return text
    try:
        return parse_time(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def read_positive_time(text: str | Fraction) -> Fraction:
    """A length of time on the command line, above 0.

    Raises:
        typer.BadParameter: It is 0 or no time.
    """
    value = read_time(text)
    if value <= 0:
        raise typer.BadParameter(f"{text!r} is not a length of time; write 30, 1:30 or 1m30s")
    return value


def read_size(text: str | int) -> int:
    """A size on disk as people write it: `500MB`, `2GB`, `1.5GiB`, `1000`; 1 GB is 10^9 bytes.

    Raises:
        typer.BadParameter: It is none of these.
    """
    try:
        return text if isinstance(text, int) else parse_size(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def read_age(text: str | int) -> int:
    """An age in seconds, written `90d`, `12w` or `36h`.

    Raises:
        typer.BadParameter: It is none of these.
    """
    if isinstance(text, int):
        return text
    cleaned = text.strip().lower()
    seconds = {"h": 3600, "d": 86_400, "w": 604_800}.get(cleaned[-1:])
    digits = cleaned[:-1].strip()
    if seconds is None or not (digits.isascii() and digits.isdigit()):
        raise typer.BadParameter(f"{text!r} is not an age; write 90d, 12w or 36h")
    return int(digits) * seconds


def kept(
    key: str,
    *names: str,
    panel: str | None,
    complete: Callable[[str], list[str]] | None = None,
) -> Any:
    """The option of a setting, with the help and bounds of the table; its variable comes with it.

    The default stands at the parameter; a test compares it with the table.

    Args:
        key: In `settings.TABLE`.
        names: Of the option, such as `--n-ctx`.
        panel: Of the help page.
        complete: Values for the shell, from what is typed so far.
    """
    setting = settings.TABLE[key]
    has_reader = not (setting.choices or setting.kind in NATIVE)

    def read(written: str | int | Fraction) -> Value:
        if not isinstance(written, str):
            return written  # a default
        try:
            return setting.read(written)
        except ValueError as error:
            raise typer.BadParameter(f"{written!r} {error}") from error

    return typer.Option(
        *names,
        envvar=setting.variable,
        help=setting.help,
        metavar=setting.metavar or None,
        parser=read if has_reader else None,
        min=None if has_reader else setting.least,
        max=None if has_reader else setting.most,
        show_default=setting.unset or (str(setting.default) if has_reader else True),
        rich_help_panel=panel,
        autocompletion=complete,
    )


def complete_method(incomplete: str) -> list[str]:
    """Names of methods, for the shell."""
    from vidcli.methods.registry import AUTO, METHODS

    return [name for name in (AUTO, *METHODS) if name.startswith(incomplete)]


VideoArgument = Annotated[
    str, typer.Argument(metavar="VIDEO", help="A video file.", show_default=False)
]
VideosArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="VIDEO...",
        help="Video files, directories or patterns; '-' for a list on standard input.",
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON object a video.", rich_help_panel=OUTPUT),
]
OneJsonOption = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one JSON object, of all videos together.", rich_help_panel=OUTPUT
    ),
]
QuietOption = Annotated[
    bool,
    typer.Option("--quiet", help="No progress, no notes.", rich_help_panel=OUTPUT),
]
VerboseOption = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Say what is done and where.", rich_help_panel=OUTPUT),
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Say what there is to do, with what, and how long it takes; do nothing.",
        rich_help_panel=OUTPUT,
    ),
]
OfflineOption = Annotated[bool, kept("offline", "--offline/--no-offline", panel=MODEL)]
LEFT_OUT = "What is left out"

RejectsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write what was left out there, with the reasons.",
        rich_help_panel=LEFT_OUT,
    ),
]

FramesOption = Annotated[int, kept("frames", "--frames", panel=LOOKING)]
FpsOption = Annotated[float | None, kept("fps", "--fps", panel=LOOKING)]
SelectOption = Annotated[Selection | None, kept("select", "--select", panel=LOOKING)]
FromOption = Annotated[
    Fraction | None,
    typer.Option(
        "--from",
        metavar="TIME",
        parser=read_time,
        help="Start of the part to look at, as 90, 1:30 or 1m30s.",
        rich_help_panel=LOOKING,
    ),
]
ToOption = Annotated[
    Fraction | None,
    typer.Option(
        "--to",
        metavar="TIME",
        parser=read_time,
        help="End of the part to look at.",
        rich_help_panel=LOOKING,
    ),
]
MaxGapOption = Annotated[Fraction | None, kept("max_gap", "--max-gap", panel=LOOKING)]
MethodOption = Annotated[str, kept("method", "--method", panel=LOOKING, complete=complete_method)]
AtOption = Annotated[
    Fraction | None,
    typer.Option(
        "--at",
        metavar="TIME",
        parser=read_time,
        help="Ask about this moment: its past is remembered, nothing later is seen.",
        rich_help_panel=LOOKING,
    ),
]
WindowOption = Annotated[
    Fraction | None,
    typer.Option(
        metavar="TIME",
        parser=read_positive_time,
        help="Length of the parts that are looked at.  [default: 1 s or more, by length]",
        rich_help_panel=LOOKING,
    ),
]
StepOption = Annotated[
    Fraction | None,
    typer.Option(
        metavar="TIME",
        parser=read_positive_time,
        help="From one part to the next.  [default: half of --window]",
        rich_help_panel=LOOKING,
    ),
]
PromptStyleOption = Annotated[
    PromptStyle,
    typer.Option(
        "--prompt-style",
        help="In whose words to ask; plain lists no options, slowfast and mvbench begin the answer "
        "for the model.",
        rich_help_panel=WRITING,
    ),
]
