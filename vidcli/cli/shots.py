"""`vidcli shots`: where one shot ends and the next begins."""

from enum import StrEnum
from typing import Annotated

import typer

from vidcli.cli.closer_look import open_closer_look
from vidcli.cli.footage import open_videos
from vidcli.cli.groups import takes_groups
from vidcli.cli.inputs import Choosing, each_input, gather
from vidcli.cli.options import MODEL, OUTPUT, JsonOption, QuietOption, VideosArgument
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
    details: Annotated[
        bool,
        typer.Option(
            "--details",
            help="Tell of each what the camera does, how much moves, how bright it is, faces.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    face_model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="YuNet, which counts faces for --details: an installed model, or an ONNX file.",
            show_default="the installed one",
            rich_help_panel=MODEL,
        ),
    ] = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """List the shots of a video: cuts, fades and dissolves, with their times."""
    from vidcli.output.documents import shots_document
    from vidcli.output.plain import count, printable
    from vidcli.output.progress import open_progress
    from vidcli.output.tables import DETAIL_COLUMNS, SHOT_COLUMNS, shot_rows, shots_csv

    if json and form is Form.CSV:
        raise UsageError("--json does not go with --format csv", hint="leave one of them out")
    form = Form.JSON if json else form
    inputs = gather(videos, choosing)
    closer = open_closer_look(face_model, notes=Notes(quiet=quiet)) if details else None
    if face_model is not None and closer is None:
        raise UsageError("--face-model is for --details", hint="add --details")
    notes, written = Notes(quiet=quiet), 0

    def show(path: str) -> None:
        nonlocal written
        video = open_video(path)
        with open_progress(quiet=quiet) as progress:
            found = video.find_shots(progress)
            looks = closer.look(video, found, progress) if closer else None
        warnings = video.warnings
        for warning in warnings:
            notes.warn(warning)
        if form is Form.JSON:
            write_document(shots_document(video.info, found, warnings, looks))
        elif form is Form.CSV:
            write_out(shots_csv(path, found, looks, header=not written))
        else:
            write_out("\n" if written else "")
            write_out(f"{printable(path)}:\n" if inputs.many else "")
            columns = SHOT_COLUMNS if looks is None else (*SHOT_COLUMNS, *DETAIL_COLUMNS)
            write_table(shot_rows(found, looks), columns=columns, right=(0, 1, 2, 3, 7, 8, 9))
            notes.tell(count(len(found), "shot"))
        written += 1

    with open_videos() as open_video:
        each_input(inputs, show, json=form is Form.JSON)
