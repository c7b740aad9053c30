"""`vidcli bench`: this machine, side by side with the usual ways."""

import sys
import tempfile
from contextlib import ExitStack
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli.cli.groups import Loading, takes_groups
from vidcli.cli.terminal import Notes, is_terminal, write_document, write_out
from vidcli.demo import BALL_AND_STAR
from vidcli.errors import UsageError

if TYPE_CHECKING:
    from vidcli.bench.comparisons import Row

DEFAULT_COUNTS = "1,4,16"


@takes_groups
def bench(
    loading: Loading,
    shape: Annotated[
        str | None,
        typer.Option(help="Make a random-weight model of this true shape and measure that."),
    ] = None,
    clip: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A short video; the bundled one otherwise.")
    ] = None,
    frames: Annotated[
        str, typer.Option(metavar="N,N,…", help="Frames of the first-token rows.")
    ] = DEFAULT_COUNTS,
    long: Annotated[
        int, typer.Option(min=60, metavar="SECONDS", help="Length of the long clip.")
    ] = 3600,
    runs: Annotated[int, typer.Option(min=1, help="Runs of each side; the median counts.")] = 1,
    no_stock: Annotated[
        bool,
        typer.Option("--no-stock", help="Leave out llama.cpp's own path, which takes the longest."),
    ] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Measure vidcli against the usual ways, in one run, as whole processes.

    Against llama.cpp's own video path (mtmd's default tiles in one prompt), against a loop in which
    OpenCV reads every frame, and against itself: a second question, its own share, its memory.
    Prints ratios; machines are noisy, so repeat with --runs.
    """
    from vidcli.bench.comparisons import Setup, run_all
    from vidcli.models.hardware import count_free_cores

    counts = _read_counts(frames)
    with ExitStack() as stack:
        weights, mmproj = _name_pair(loading, shape, stack)
        bundled = as_file(files("vidcli.demo").joinpath(BALL_AND_STAR))
        setup = Setup(
            weights=weights,
            mmproj=mmproj,
            clip=clip or stack.enter_context(bundled),
            threads=loading.threads or count_free_cores(),
            runs=runs,
            long_s=long,
            long_source=clip,
        )
        rows = []
        for row in run_all(setup, counts, stock=not no_stock):
            rows.append(row)
            if not (markdown or json):
                write_out(_say(row) + "\n")
            elif is_terminal(sys.stderr):
                Notes().tell(_say(row))
    if json:
        from vidcli.output.documents import bench_document

        write_document(bench_document(rows, threads=setup.threads))
    elif markdown:
        write_out(_tabulate(rows))


def _read_counts(text: str) -> list[int]:
    numbers = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) for part in numbers):
        raise UsageError(f"--frames {text!r} is no list of counts", hint="--frames 1,4,16")
    return sorted({int(part) for part in numbers})


def _name_pair(loading: Loading, shape: str | None, stack: ExitStack) -> tuple[Path, Path]:
    """The model to measure: one of a shape, made in a temporary folder, or the one named."""
    if shape is None:
        from vidcli.cli.build import name_files

        return name_files(loading)
    from vidcli.models.shapes import list_shapes, make_pair

    if shape not in list_shapes():
        raise UsageError(f"there is no shape {shape!r}", hint=f"one of: {', '.join(list_shapes())}")
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="vidcli-shape-"))
    return make_pair(shape, Path(folder))


def _say(row: "Row") -> str:
    return f"{row.name:<34} {_figures(row):<40} {_ratio(row):>8}  {row.note}"


def _figures(row: "Row") -> str:
    return f"{row.ours:.2f} {row.unit} against {row.baseline:.2f} {row.unit}"


def _ratio(row: "Row") -> str:
    return "" if row.ratio is None else f"{row.ratio:.1f}x"


def _tabulate(rows: "list[Row]") -> str:
    head = "| what | vidcli | baseline | ratio | |\n|---|---|---|---|---|\n"
    return head + "".join(
        f"| {row.name} | {row.ours:.2f} {row.unit} | {row.baseline:.2f} {row.unit} "
        f"| {_ratio(row)} | {row.note} |\n"
        for row in rows
    )
