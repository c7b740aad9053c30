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
from vidcli.cli.terminal import Notes, has_color

SHAPE = "tiny-idefics3"
CLIP = "ball-and-star.mp4"
QUESTIONS = (
    "What happens in this video?",
    "Which way does the ball move?",
    "What comes after the ball?",
)
SHEET_FRAMES = "9"
TAUGHT = "nano knows its small drawn world and nothing else"
UNTAUGHT = "the demo's model is untrained: its words mean nothing, its times are true"


def demo(
    question: Annotated[
        str | None,
        typer.Argument(help="What to ask about the bundled clip.", show_default="three questions"),
    ] = None,
) -> None:
    """Show, caption and ask about the bundled clip with the bundled model.

    That is nano, which knows a small drawn world and nothing else. A package built without it makes
    one of the same architecture with random weights: every step is real, its words are noise.
    """
    from vidcli.models.packaged import NAME, find_packaged

    folder = settings.cache_dir() / "demo"
    is_taught = find_packaged() is not None
    model = ("--model", NAME) if is_taught else name_files(*bundled_model(folder))
    brief = ("--max-tokens", "48")
    notes = Notes()
    with as_file(files("vidcli.demo").joinpath(CLIP)) as clip:
        sheet = folder / "frames.png"
        _run(notes, "frames", str(clip), "--frames", SHEET_FRAMES, "--sheet", str(sheet))
        _show(sheet)
        _run(notes, "caption", str(clip), *model, *brief)
        for text in QUESTIONS if question is None else (question,):
            _run(notes, "ask", str(clip), text, *model, *brief)
    notes.tell(TAUGHT if is_taught else UNTAUGHT)
    notes.tell(f"a real one: vidcli models pull {settings.RECOMMENDED_MODEL}")


def name_files(weights: Path, mmproj: Path) -> tuple[str, ...]:
    """How a command names a pair of files."""
    return "--model", str(weights), "--mmproj", str(mmproj)


def _run(notes: Notes, *words: str) -> None:
    """Show a command and run it.

    Raises:
        typer.Exit: It failed; why is said.
    """
    from vidcli.cli.app import app

    notes.tell("$ " + shlex.join(["vidcli", *words]))
    code = app(list(words), prog_name="vidcli", standalone_mode=False)
    if code:
        raise typer.Exit(code)


def _show(picture: Path) -> None:
    """Draw a picture for whoever looks at a terminal that can."""
    from vidcli.output.inline import draw_inline

    if has_color(sys.stderr):
        sys.stderr.write(draw_inline(picture.read_bytes(), os.environ))
        sys.stderr.flush()


def bundled_model(folder: Path) -> tuple[Path, Path]:
    """Weights and projector of the demo's model, made in `folder` when first asked for.

    Raises:
        ResourceError: The disk is full or cannot be written.
    """
    from vidcli.errors import ResourceError
    from vidcli.models.shapes import make_pair

    try:
        folder.mkdir(parents=True, exist_ok=True)
        return make_pair(SHAPE, folder)
    except OSError as error:
        raise ResourceError(
            f"cannot make the demo's model in {folder}: {error.strerror}",
            hint="set VIDCLI_CACHE_DIR to a folder that can be written",
        ) from error
