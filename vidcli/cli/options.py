"""Options that several commands share, and how their values are read.

A value that makes no sense is a usage error here, before any file is opened.
"""

from enum import StrEnum
from fractions import Fraction
from typing import Annotated

import typer

from vidcli.core.time import parse_time

LOOKING = "Looking"
MODEL = "Model"
WRITING = "Writing"
OUTPUT = "Output"


class Selection(StrEnum):
    """Which rule chooses the frames."""

    UNIFORM = "uniform"
    FPS = "fps"
    KEYFRAMES = "keyframes"
    SHOTS = "shots"


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


def read_auto_count(text: str | int) -> int:
    """`auto` as 0, or a number of at least 1.

    Raises:
        typer.BadParameter: It is neither.
    """
    if isinstance(text, int):
        return text
    if text.strip().lower() == "auto":
        return 0
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise typer.BadParameter(f"{text!r} is neither 'auto' nor a number of at least 1")
    return int(text)


def read_auto_layers(text: str | int) -> int:
    """`auto` as -1, or a number of layers of at least 0.

    Raises:
        typer.BadParameter: It is neither.
    """
    if isinstance(text, int):
        return text
    if text.strip().lower() == "auto":
        return -1
    if not (text.isascii() and text.isdigit()):
        raise typer.BadParameter(f"{text!r} is neither 'auto' nor a number of layers")
    return int(text)


def read_size(text: str | int) -> int:
    """A size on disk as people write it: `500MB`, `2GB`, `1.5GiB`, `1000`; 1 GB is 10^9 bytes.

    Raises:
        typer.BadParameter: It is none of these.
    """
    if isinstance(text, int):
        return text
    cleaned = text.strip().lower().removesuffix("b")
    binary = cleaned.endswith("i")
    cleaned = cleaned.removesuffix("i")
    power = "kmgt".find(cleaned[-1:]) + 1 if cleaned else 0
    digits = cleaned[:-1] if power else cleaned
    whole, _, decimals = digits.partition(".")
    if not (whole + decimals).isascii() or not (whole + decimals).isdigit() or binary > power:
        raise typer.BadParameter(f"{text!r} is not a size; write 500MB, 2GB or 1.5GiB")
    return int(Fraction(digits) * (1024 if binary else 1000) ** power)


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
QuietOption = Annotated[
    bool,
    typer.Option("--quiet", help="No progress, no notes.", rich_help_panel=OUTPUT),
]
VerboseOption = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Say what is done and where.", rich_help_panel=OUTPUT),
]
OfflineOption = Annotated[
    bool,
    typer.Option(
        "--offline",
        envvar="VIDCLI_OFFLINE",
        help="Open no connection, and offer none.",
        rich_help_panel=MODEL,
    ),
]
FramesOption = Annotated[
    int,
    typer.Option(
        "--frames",
        metavar="auto|N",
        parser=read_auto_count,
        help="How many frames to look at, at most.",
        show_default="auto",
        rich_help_panel=LOOKING,
    ),
]
FpsOption = Annotated[
    float | None,
    typer.Option(
        "--fps", min=0.0001, max=1000, help="Frames a second to look at.", rich_help_panel=LOOKING
    ),
]
SelectOption = Annotated[
    Selection | None,
    typer.Option(
        "--select",
        help="The rule that chooses frames; uniform where nothing else asks for another.",
        rich_help_panel=LOOKING,
    ),
]
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
MaxGapOption = Annotated[
    Fraction | None,
    typer.Option(
        "--max-gap",
        metavar="TIME",
        parser=read_positive_time,
        help="Longest stretch to leave unseen.",
        rich_help_panel=LOOKING,
    ),
]
