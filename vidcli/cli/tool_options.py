"""Options of the commands that run a network in an ONNX file."""

from pathlib import Path
from typing import Annotated

import typer

from vidcli.cli.options import MODEL

ToolModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME|FILE",
        help="An installed model, or an ONNX file.",
        show_default="the installed one",
        rich_help_panel=MODEL,
    ),
]
LabelsFileOption = Annotated[
    Path | None,
    typer.Option(
        "--labels-file",
        metavar="FILE",
        help="What the model's classes are, one label a line.",
        show_default="in or beside the model",
        rich_help_panel=MODEL,
    ),
]
VocabularyOption = Annotated[
    bool,
    typer.Option(
        "--vocabulary", help="Print every label the model knows, and end.", rich_help_panel=MODEL
    ),
]
OptionalVideosArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="VIDEO",
        help="Video files, directories or patterns; '-' for a list on standard input.",
        show_default=False,
    ),
]
