"""`vidcli demo`: the whole way from a path to an answer, on what the package brings along."""

import shlex
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from vidcli import settings
from vidcli.cli.terminal import Notes

SHAPE = "tiny-idefics3"
CLIP = "ball-and-star.mp4"


def demo(
    question: Annotated[
        str, typer.Argument(help="What to ask about the bundled clip.")
    ] = "What happens in this video?",
) -> None:
    """Ask about the bundled clip with the bundled model.

    The model has the true architecture of SmolVLM2 and random weights: every step is real, its
    words are noise. It shows that this machine can do the work, and how an answer looks.
    """
    from vidcli.cli.ask import answer_each
    from vidcli.cli.groups import Loading, Looking, Rehearsing, Telling
    from vidcli.core.sampling import Sampling
    from vidcli.methods.ask import Question

    weights, mmproj = bundled_model(settings.cache_dir() / "demo")
    with as_file(files("vidcli.demo").joinpath(CLIP)) as clip:
        shown = ["vidcli", "ask", str(clip), question, "--model", str(weights)]
        notes = Notes()
        notes.tell("$ " + shlex.join([*shown, "--mmproj", str(mmproj)]))
        answer_each(
            [str(clip)],
            Question(question, sampling=Sampling(max_tokens=48)),
            Looking(),
            Loading(model=str(weights), mmproj=mmproj),
            Telling(verbose=True),
            Rehearsing(),
        )
    notes.tell("the demo's model is untrained: its words mean nothing, its times are true")


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
