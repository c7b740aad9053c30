"""`vidcli detect`: things in frames, and things followed through a video."""

from pathlib import Path
from typing import Annotated

import typer

from vidcli.cli.detecting import TRACK_FPS, Search, Sightings, choose_labels
from vidcli.cli.footage import open_videos
from vidcli.cli.frames import write_picture
from vidcli.cli.groups import Looking, Telling, takes_groups
from vidcli.cli.inputs import Choosing, each_input, gather
from vidcli.cli.options import OUTPUT
from vidcli.cli.terminal import write_document, write_out, write_table
from vidcli.cli.tool_options import (
    LabelsFileOption,
    OptionalVideosArgument,
    ToolModelOption,
    VocabularyOption,
)
from vidcli.core.onnx_header import OnnxRole
from vidcli.errors import ExitCode, UsageError

FINDING = "Finding"
SHEET_QUALITY = 90


@takes_groups
def detect(
    choosing: Choosing,
    looking: Looking,
    telling: Telling,
    videos: OptionalVideosArgument = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LABEL",
            help="Tell of these only; several with commas, or repeated.",
            rich_help_panel=FINDING,
        ),
    ] = None,
    score: Annotated[
        float,
        typer.Option(
            min=0.01, max=1, help="How sure a box must be, at least.", rich_help_panel=FINDING
        ),
    ] = 0.5,
    tracks: Annotated[
        bool,
        typer.Option(
            "--tracks",
            help=f"Follow things from frame to frame: {TRACK_FPS:g} a second where nothing else "
            "is asked.",
            rich_help_panel=FINDING,
        ),
    ] = False,
    boxes_sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Make one contact sheet with the boxes drawn.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    model: ToolModelOption = None,
    labels_file: LabelsFileOption = None,
    vocabulary: VocabularyOption = False,
) -> None:
    """Find things in frames with a detector: what, where, how sure; of a closed vocabulary.

    Boxes are shares of the frame. Exit code 1 where nothing was found in any of the videos.
    """
    from vidcli.models.tool_files import choose_tool_file
    from vidcli.output.pictures import format_of
    from vidcli.output.progress import open_progress
    from vidcli.tools.tracking import UNSURE
    from vidcli.tools.yolox import YoloxDetector

    sheet_format = format_of(boxes_sheet) if boxes_sheet else ""
    if not videos and not vocabulary:
        raise UsageError("no video named", hint="vidcli detect VIDEO...")
    inputs = None if vocabulary else gather(videos or (), choosing)
    if boxes_sheet and inputs is not None and inputs.many:
        raise UsageError("--boxes-sheet is for one video", hint="name one video")
    path = choose_tool_file(OnnxRole.DETECTOR, model)
    least = min(UNSURE, score) if tracks else score
    detector = YoloxDetector(path, labels_file=labels_file, score=least)
    if inputs is None:
        write_out("".join(f"{label}\n" for label in detector.labels))
        return
    wanted = choose_labels(detector.labels, labels or ())
    search = Search(detector, path.name, wanted, score, tracks, boxes_sheet is not None)
    telling.notes.detail(f"{path.name} knows {len(detector.labels)} kinds of things")
    any_found, shown = False, 0

    def show(video: str) -> None:
        nonlocal any_found, shown
        with open_progress(quiet=telling.quiet) as progress:
            seen = search.look(open_video(video), looking, progress=progress)
        any_found |= seen.has_any
        heading = video if inputs.many else ""
        _write(seen, telling, heading=heading, is_first=not shown)
        shown += 1
        if boxes_sheet is not None:
            picture = seen.draw_sheet(title=Path(video).name)
            write_picture(boxes_sheet, picture, format_name=sheet_format, quality=SHEET_QUALITY)
            telling.notes.tell(f"boxes drawn: {boxes_sheet}")

    with open_videos() as open_video:
        each_input(inputs, show, json=telling.json)
    if not any_found:
        raise typer.Exit(ExitCode.NEGATIVE)


def _write(seen: Sightings, telling: Telling, *, heading: str, is_first: bool) -> None:
    """Write what was found in one video."""
    from vidcli.output.plain import count, printable
    from vidcli.output.sightings import (
        BOX_COLUMNS,
        TRACK_COLUMNS,
        box_rows,
        detections_document,
        track_rows,
    )
    from vidcli.output.tables import say_coverage

    if telling.json:
        write_document(
            detections_document(
                seen.info,
                seen.found,
                tracks=seen.tracks,
                dropped=seen.dropped,
                model=seen.search.name,
                vocabulary=sorted(seen.search.wanted),
                score=seen.search.score,
                coverage=seen.coverage,
                warnings=seen.warnings,
            )
        )
    else:
        write_out("\n" if heading and not is_first else "")
        write_out(f"{printable(heading)}:\n" if heading else "")
        if seen.tracks:
            write_table(track_rows(seen.tracks), columns=TRACK_COLUMNS, right=(0, 2, 3, 4, 5))
        elif seen.has_any:
            write_table(box_rows(seen.found), columns=BOX_COLUMNS, right=(0, 2, 3, 4, 5, 6))
    for warning in seen.warnings:
        telling.notes.warn(warning)
    n_boxes = sum(len(detections) for _, detections in seen.found)
    told = count(n_boxes, "box", "boxes")
    if seen.tracks is not None:
        told = f"{count(len(seen.tracks), 'track')} of {told}"
        if seen.dropped:
            told += f"; {count(seen.dropped, 'box', 'boxes')} that nothing continued left out"
    telling.notes.tell(f"{told}: {say_coverage(seen.coverage)}")
