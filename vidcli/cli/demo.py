"""`vidcli demo`: the whole way from a path to answers, on what the package brings along.

It runs the commands it shows, word for word, so that anyone can go on from them.
"""

import os
import shlex
import sys
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from vidcli import settings
from vidcli.cli.carrying import Program, get_program
from vidcli.cli.terminal import Notes, has_color
from vidcli.demo import CUP_THEN_ROCKET, HAT_AND_KITE

QUESTIONS = (
    (HAT_AND_KITE, "Which way does the green hat move?"),
    (HAT_AND_KITE, "What colour is the kite?"),
    (CUP_THEN_ROCKET, "Which comes first, the cup or the rocket?"),
)
MOMENT = (CUP_THEN_ROCKET, "a blue rocket")
SHEET_FRAMES = "6"
TAUGHT = "nano knows its small drawn world and nothing else"


def demo(
    ctx: typer.Context,
    question: Annotated[
        str | None,
        typer.Argument(
            help="What to ask about the first bundled clip.", show_default="three questions"
        ),
    ] = None,
) -> None:
    """Show, caption, ask about and search the bundled clips with the bundled model.

    That is nano, which knows a small drawn world of 45 kinds of objects and nothing else.
    """
    from vidcli.models.packaged import NAME

    sheet = settings.cache_dir() / "demo" / "frames.png"
    asked = QUESTIONS if question is None else ((HAT_AND_KITE, question),)
    notes, program = Notes(), get_program(ctx)
    with as_file(files("vidcli.demo")) as folder:
        clip = str(folder / HAT_AND_KITE)
        _make_room(sheet.parent)
        _run(program, notes, "frames", clip, "--frames", SHEET_FRAMES, "--sheet", str(sheet))
        _show(sheet)
        _run(program, notes, "caption", clip, "--model", NAME)
        for name, text in asked:
            _run(program, notes, "ask", str(folder / name), text, "--model", NAME)
        if question is None:
            name, event = MOMENT
            _run(program, notes, "find", str(folder / name), event, "--model", NAME)
    notes.tell(TAUGHT)
    notes.tell(f"a real one: vidcli models pull {settings.RECOMMENDED_MODEL}")


def _make_room(folder: Path) -> None:
    """Make the folder of the sheet.

    Raises:
        ResourceError: The disk is full or cannot be written.
    """
    from vidcli.errors import ResourceError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResourceError(
            f"cannot write {folder}: {error.strerror}",
            hint="set VIDCLI_CACHE_DIR to a folder that can be written",
        ) from error


def _run(program: Program, notes: Notes, *words: str) -> None:
    """Show a command and run it.

    Raises:
        typer.Exit: It failed; why is said.
    """
    notes.tell("$ " + shlex.join(["vidcli", *words]))
    if code := program(words):
        raise typer.Exit(code)


def _show(picture: Path) -> None:
    """Draw a picture for whoever looks at a terminal that can."""
    from vidcli.output.inline import draw_inline

    if has_color(sys.stderr):
        sys.stderr.write(draw_inline(picture.read_bytes(), os.environ))
        sys.stderr.flush()
