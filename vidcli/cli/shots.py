"""`vidcli shots`: where one shot ends and the next begins."""

from enum import StrEnum
from typing import Annotated

import typer

from vidcli.cli.footage import open_videos
from vidcli.cli.groups import takes_groups
from vidcli.cli.inputs import Choosing, each_input, gather
from vidcli.cli.options import OUTPUT, JsonOption, QuietOption, VideosArgument
from vidcli.cli.terminal import Notes, write_document, write_out, write_table
from vidcli.errors import UsageError


class Form(StrEnum):
    """How shots are written."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"


@takes_groups
def shots(
    videos: VideosArgument,
    choosing: Choosing,
    form: Annotated[
        Form, typer.Option("--format", help="How to write them.", rich_help_panel=OUTPUT)
    ] = Form.TEXT,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """List the shots of a video: cuts, fades and dissolves, with their times."""
    from vidcli.output.documents import shots_document
    from vidcli.output.plain import count, printable
    from vidcli.output.progress import open_progress
    from vidcli.output.tables import SHOT_COLUMNS, shot_rows, shots_csv

    if json and form is Form.CSV:
        raise UsageError("--json does not go with --format csv", hint="leave one of them out")
    form = Form.JSON if json else form
    inputs = gather(videos, choosing)
    notes, written = Notes(quiet=quiet), 0

    def show(path: str) -> None:
        nonlocal written
        video = open_video(path)
        with open_progress(quiet=quiet) as progress:
            found = video.find_shots(progress)
        warnings = video.warnings
        for warning in warnings:
            notes.warn(warning)
        if form is Form.JSON:
            write_document(shots_document(video.info, found, warnings))
        elif form is Form.CSV:
            write_out(shots_csv(path, found, header=not written))
        else:
            write_out("\n" if written else "")
            write_out(f"{printable(path)}:\n" if inputs.many else "")
            write_table(shot_rows(found), columns=SHOT_COLUMNS, right=(0, 1, 2, 3))
            notes.tell(count(len(found), "shot"))
        written += 1

    with open_videos() as open_video:
        each_input(inputs, show, json=form is Form.JSON)
