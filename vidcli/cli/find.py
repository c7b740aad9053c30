"""`vidcli find`: when something is seen in a video."""

from collections.abc import Callable
from pathlib import Path
from shutil import get_terminal_size
from typing import Annotated

import typer

from vidcli import settings
from vidcli.cli.cutting import Cutter
from vidcli.cli.finding import FindTask
from vidcli.cli.following import open_follower
from vidcli.cli.groups import Loading, Rehearsing, Telling, WindowLooking, takes_groups
from vidcli.cli.inputs import Choosing, Inputs, gather
from vidcli.cli.keeping import Keeping
from vidcli.cli.options import MODEL, OUTPUT, StepOption, WindowOption
from vidcli.cli.running import run_task
from vidcli.cli.terminal import has_color, is_terminal, write_out
from vidcli.cli.written import require_writable
from vidcli.core.moments import PriorRule
from vidcli.errors import ExitCode, UsageError
from vidcli.output.documents import Document
from vidcli.output.forms import Form

MOMENTS = "moments"
Deliver = Callable[[Document], None]


@takes_groups
def find(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="VIDEO... EVENT",
            help="Video files, directories, patterns or '-', then what to look for: a statement, "
            "or a question to be answered by yes.",
            show_default=False,
        ),
    ],
    choosing: Choosing,
    looking: WindowLooking,
    loading: Loading,
    telling: Telling,
    rehearsing: Rehearsing,
    keeping: Keeping,
    threshold: Annotated[
        float,
        typer.Option(
            min=0, max=1, metavar="SCORE", help="Probability of yes that a moment must reach."
        ),
    ] = settings.FIND_THRESHOLD,
    top: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Only so many, those of the highest score."),
    ] = None,
    prior: Annotated[
        PriorRule,
        typer.Option(
            help="What the model's yes is compared with, in case it says yes of anything."
        ),
    ] = PriorRule.AUTO,
    window: WindowOption = None,
    step: StepOption = None,
    curve: Annotated[
        bool | None,
        typer.Option(
            "--curve/--no-curve",
            help="Draw the scores as text.  [default: on a terminal]",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Draw the scores.", rich_help_panel=OUTPUT),
    ] = None,
    clip: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Cut each moment out as a file there.", rich_help_panel=OUTPUT
        ),
    ] = None,
    boxes: Annotated[
        bool,
        typer.Option(
            "--boxes",
            help="Follow what the event names through each moment, where a detector knows the word:"
            " a line a thing, its boxes in --json.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    detector: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="What finds things for --boxes: an installed model, or an ONNX file.",
            show_default="the installed one",
            rich_help_panel=MODEL,
        ),
    ] = None,
) -> None:
    """Find when something is seen in a video: a line a moment, with times and score.

    The video is asked about part by part, and nothing is generated. Edges are looked at closely.
    Nothing found is exit code 1, as of grep.
    """
    videos, query = _split(words)
    inputs = gather(videos, choosing)
    _check_plot(plot, inputs)
    if detector is not None and not boxes:
        raise UsageError("--detector is for --boxes", hint="add --boxes")
    follower = open_follower(query, detector) if boxes else None
    cutter = None
    if clip is not None:
        cutter = Cutter(clip, many=inputs.many, overwrite=keeping.overwrite, spans=MOMENTS)
    found: list[Document] = []
    is_text = (keeping.form or Form.TEXT) is Form.TEXT and not telling.json
    draws = is_text and not keeping.writes_files and _wants_curve(curve, inputs)

    def deliver(document: Document) -> None:
        found.extend(document[MOMENTS])
        if draws:
            _write_curve(document)
        if plot is not None:
            _write_plot(document, plot)
        if cutter is not None:
            cutter.cut(document)

    def finish(document: Document) -> Document:
        from vidcli.output.moments import keep_best

        document = keep_best(document, top)
        return document if cutter is None else cutter.name_clips(document)

    task = FindTask(
        name="find",
        looking=looking.looking,
        query=query,
        window=window,
        step=step,
        threshold=threshold,
        prior=prior,
        follower=follower,
        finish=finish,
        rendering=f"{top} {clip}",
        deliver=deliver,
        streams=False,
    )
    run_task(inputs, task, loading, telling, rehearsing, keeping)
    if not found and not rehearsing.dry_run:
        raise typer.Exit(ExitCode.NEGATIVE)


def _split(words: list[str]) -> tuple[list[str], str]:
    """Tell the videos from the event.

    Raises:
        UsageError: One of them is missing.
    """
    hint = 'vidcli find VIDEO "someone opens the door"'
    if len(words) < 2:
        raise UsageError("a video and an event are needed", hint=hint)
    *videos, query = words
    if Path(query).exists():
        raise UsageError(
            f"the last argument, {query}, is a file and not an event", hint=f"put it last: {hint}"
        )
    if not query.strip():
        raise UsageError("the event is empty", hint=hint)
    return videos, query.strip()


def _check_plot(plot: Path | None, inputs: Inputs) -> None:
    """Refuse a picture that cannot be written, before any work.

    Raises:
        UsageError: It cannot be, or would be of several videos.
    """
    if plot is None:
        return
    if inputs.many:
        raise UsageError("--plot draws one video", hint="name a single video")
    if plot.suffix.lower() != ".png":
        raise UsageError(f"{plot} is no PNG file", hint=f"--plot {plot.with_suffix('.png')}")
    require_writable(plot)


def _wants_curve(curve: bool | None, inputs: Inputs) -> bool:
    import sys

    return (is_terminal(sys.stdout) and not inputs.many) if curve is None else curve


def _write_curve(document: Document) -> None:
    import sys

    from vidcli.output.curve import draw_curve

    is_plain = not is_terminal(sys.stdout)
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    width = get_terminal_size().columns
    write_out(
        draw_curve(
            document,
            width=width,
            color=has_color(sys.stdout),
            ascii_only=is_plain or encoding != "utf8",
        )
    )


def _write_plot(document: Document, path: Path) -> None:
    """Draw the scores of a document.

    Raises:
        UsageError: The file cannot be written.
    """
    from vidcli.core.files import atomic_write
    from vidcli.media.curve import Drawing, draw_curve
    from vidcli.methods.spotting import to_probability
    from vidcli.output.moments import curve_points

    coverage, taken = document["coverage"], document["prior"]["log_odds"]
    drawing = Drawing(
        title=document["query"],
        start=coverage["start_s"],
        end=coverage["end_s"],
        points=curve_points(document),
        looks=[
            ((look["start_s"] + look["end_s"]) / 2, to_probability(look["log_odds"] - taken))
            for look in document["looks"]
        ],
        spans=[(moment["start_s"], moment["end_s"]) for moment in document[MOMENTS]],
        threshold=document["threshold"],
    )
    try:
        with atomic_write(path) as file:
            file.write(draw_curve(drawing))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
