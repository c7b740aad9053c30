"""`vidcli data synth`: clips of a small drawn world, to train and to evaluate with."""

import shutil
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vidcli.cli.options import QuietOption
from vidcli.cli.terminal import Notes, write_document, write_path
from vidcli.errors import MediaError, ResourceError, UsageError

SHORTEST_S, LONGEST_S = 0.5, 60.0
FULL_BYTES = 1024**2  # less free space than this is a full disk


class Split(StrEnum):
    """What a synthetic set shows."""

    TRAIN = "train"
    EVAL = "eval"
    EVAL_DRAWINGS = "eval-drawings"


def synth(
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", help="Where to write the set.", show_default=False),
    ],
    clips: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="How many clips.", show_default=False)
    ],
    seed: Annotated[
        int, typer.Option(min=0, help="Of the set: the same seed, the same clips.")
    ] = 0,
    split: Annotated[
        Split,
        typer.Option(
            help="train, or eval with what is kept from training: combinations of object, colour "
            "and motion, and wordings; eval-drawings shows objects in unseen drawings.",
        ),
    ] = Split.TRAIN,
    size: Annotated[int, typer.Option(min=64, max=1024, help="Pixels a side; even.")] = 128,
    fps: Annotated[int, typer.Option(min=2, max=60, help="Frames a second.")] = 12,
    seconds: Annotated[
        str, typer.Option(metavar="MIN-MAX", help="Shortest and longest clip.")
    ] = "2-6",
    genre: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Only this kind of clip; may be repeated.", show_default="all"
        ),
    ] = None,
    sound: Annotated[
        bool, typer.Option("--sound/--no-sound", help="A tone for each object, by its colour.")
    ] = True,
    jobs: Annotated[
        int, typer.Option(min=0, help="Clips in work at once; 0 takes the free cores.")
    ] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Make clips of a small drawn world, with captions, questions and all other truth.

    Everyday objects in eight colours move, come and go, under words and cuts. An interrupted run
    is taken up again by the same command.
    """
    from vidcli.models.hardware import count_free_cores
    from vidcli.output.documents import synth_document
    from vidcli.output.progress import open_progress
    from vidcli.world import synth as world

    settings = world.Settings(
        seed=seed,
        split=split.value,
        size=_even(size),
        fps=fps,
        seconds=read_seconds(seconds),
        genres=_known(genre or []),
        sound=sound,
    )
    try:
        with open_progress(quiet=quiet) as progress:
            done = world.write_set(
                out, settings, clips, jobs=jobs or count_free_cores(), progress=progress
            )
    except OSError as error:
        raise _cannot_write(out, error.strerror or str(error)) from error
    except MediaError as error:
        if shutil.disk_usage(out).free < FULL_BYTES:
            raise _cannot_write(out, "the disk is full") from error
        raise
    Notes(quiet=quiet).tell(
        f"{done.clips} clips, {done.made} of them made now; "
        f"{sum(done.questions.values())} questions"
    )
    if json:
        write_document(
            synth_document(
                str(out), split=split.value, seed=seed, clips=done.clips, made=done.made,
                questions=done.questions,
            )
        )  # fmt: skip
    else:
        write_path(str(out))


def _cannot_write(out: Path, reason: str) -> ResourceError:
    return ResourceError(
        f"cannot write {out}: {reason}",
        hint="the same command goes on where this one stopped, once there is room",
    )


def _even(size: int) -> int:
    if size % 2:
        raise UsageError(f"--size {size} is odd, and H.264 wants even sizes", hint="--size 128")
    return size


def read_seconds(text: str) -> tuple[float, float]:
    """Shortest and longest clip: `2-6`, or one number for both.

    Raises:
        UsageError: It is neither, or out of bounds.
    """
    shortest, _, longest = text.partition("-")
    try:
        bounds = (float(shortest), float(longest or shortest))
    except ValueError as error:
        raise UsageError(f"--seconds {text!r} is no range", hint="--seconds 2-6") from error
    if not SHORTEST_S <= bounds[0] <= bounds[1] <= LONGEST_S:
        raise UsageError(
            f"--seconds {text!r} must rise and lie from {SHORTEST_S:g} to {LONGEST_S:g}",
            hint="--seconds 2-6",
        )
    return bounds


def _known(names: list[str]) -> tuple[str, ...]:
    from vidcli.world.compose import GENRES

    for name in names:
        if name not in GENRES:
            raise UsageError(f"there is no genre {name!r}", hint=f"one of: {', '.join(GENRES)}")
    return tuple(dict.fromkeys(names))
