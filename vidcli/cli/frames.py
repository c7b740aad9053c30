"""`vidcli frames`: pictures out of a video, by themselves or on one contact sheet."""

import errno
from dataclasses import replace
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli.cli.footage import choose_plan, open_videos
from vidcli.cli.groups import Looking, Telling, takes_groups
from vidcli.cli.options import OUTPUT, VideoArgument
from vidcli.cli.terminal import write_document, write_path
from vidcli.core.files import atomic_write
from vidcli.errors import ResourceError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vidcli.core.media import Frame, FramePlan
    from vidcli.output.documents import Document

MOST_FRAMES = 100_000  # of a rule that names no number; a folder holds no more with comfort
SHEET_FRAMES = 1000  # on one sheet; a longer one is no overview
TILE_WIDTHS = (160, 480)  # pixels a frame keeps for a sheet of many, of few
LARGE_TILES = 100  # frames from which a sheet is one of many
FULL_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class PictureFormat(StrEnum):
    """Formats of picture files."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"


@takes_groups
def frames(
    video: VideoArgument,
    looking: Looking,
    telling: Telling,
    out_dir: Annotated[
        Path | None,
        typer.Option(
            "--out-dir", "-o", metavar="DIR", help="Where the pictures go.", rich_help_panel=OUTPUT
        ),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Make one contact sheet with times and the rule that chose each.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    picture_format: Annotated[
        PictureFormat,
        typer.Option("--format", help="Of the pictures.", rich_help_panel=OUTPUT),
    ] = PictureFormat.JPEG,
    quality: Annotated[
        int, typer.Option(min=1, max=100, help="Of JPEG and WebP.", rich_help_panel=OUTPUT)
    ] = 90,
    size: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=16384,
            help="Longest side, in pixels; nothing is enlarged.",
            show_default="as shown",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    """Take frames out of a video: upright, square pixels, at their exact times."""
    from vidcli.core.media import measure_coverage
    from vidcli.output.documents import frames_document
    from vidcli.output.pictures import format_of
    from vidcli.output.progress import open_progress
    from vidcli.output.tables import say_coverage

    if out_dir is None and sheet is None:
        raise UsageError(
            "nowhere to put the frames",
            hint="-o DIR takes them one by one, --sheet FILE all on one picture",
        )
    if sheet is not None and looking.frames > SHEET_FRAMES:
        raise UsageError(f"a sheet holds at most {SHEET_FRAMES} frames", hint="give fewer --frames")
    sheet_format = format_of(sheet) if sheet else ""
    with open_videos() as open_video, open_progress(quiet=telling.quiet) as progress:
        source = open_video(video)
        budget = SHEET_FRAMES if sheet else MOST_FRAMES
        plan = choose_plan(source, looking, budget=budget, progress=progress)
        keeper = Keeper(
            plan,
            video=video,
            folder=out_dir,
            format_name=picture_format.value,
            quality=quality,
            has_sheet=sheet is not None,
        )
        wanted_size = fit_size(source.info.video.display_size, size)
        for number, frame in enumerate(source.frames(plan, size=wanted_size), start=1):
            progress("decode", number, len(plan.frames))
            name = keeper.keep(frame)
            if name and not telling.json:
                progress.clear()
                write_path(name)
    warnings = tuple(dict.fromkeys((*plan.notes, *source.warnings)))
    if sheet:
        picture = keeper.draw_sheet(title=Path(video).name)
        write_picture(sheet, picture, format_name=sheet_format, quality=quality)
    coverage = measure_coverage(plan.span, keeper.times)
    if telling.json:
        document = frames_document(
            source.info,
            keeper.entries,
            rule=plan.rule,
            sheet=str(sheet) if sheet else None,
            coverage=coverage,
            warnings=warnings,
        )
        write_document(document)
    elif sheet:
        write_path(str(sheet))
    for warning in warnings:
        telling.notes.warn(warning)
    telling.notes.tell(say_coverage(coverage))


class Keeper:
    """Writes frames to a folder, and remembers what a manifest and a sheet need of them.

    Attributes:
        entries: Of the document `frames`.
        times: Of the frames kept, in seconds.
    """

    def __init__(
        self,
        plan: "FramePlan",
        *,
        video: str,
        folder: Path | None,
        format_name: str,
        quality: int,
        has_sheet: bool,
    ) -> None:
        self._reasons = {planned.time: planned.reason for planned in plan.frames}
        self._tile_width = TILE_WIDTHS[0] if len(plan.frames) > LARGE_TILES else TILE_WIDTHS[1]
        self._video = video
        self._folder = folder
        self._format = format_name
        self._quality = quality
        self._has_sheet = has_sheet
        self._names: set[str] = set()
        self._tiles: list[Frame] = []
        self.entries: list[Document] = []
        self.times: list[Fraction] = []

    def keep(self, frame: "Frame") -> str | None:
        """Keep a frame; returns the file it was written to, if any."""
        from vidcli.media.sheet import FORMATS
        from vidcli.output.documents import frame_entry
        from vidcli.output.pictures import picture_name

        time, file = frame.time.seconds, None
        if self._folder is not None:
            extension = FORMATS[self._format]
            name = picture_name(self._video, time, extension=extension, taken=self._names)
            file = str(self._folder / name)
            write_picture(Path(file), frame.image, format_name=self._format, quality=self._quality)
        if self._has_sheet:
            self._tiles.append(replace(frame, image=self._shrink(frame.image)))
        self.times.append(time)
        self.entries.append(frame_entry(frame, reason=self._reasons[frame.wanted], file=file))
        return file

    def draw_sheet(self, *, title: str) -> "NDArray[np.uint8]":
        """One picture of all frames kept."""
        from vidcli.media.sheet import draw_sheet

        reasons = [self._reasons[frame.wanted] for frame in self._tiles]
        return draw_sheet(self._tiles, reasons, title=title)

    def _shrink(self, image: "NDArray[np.uint8]") -> "NDArray[np.uint8]":
        """The picture no wider than a tile, so that a sheet of many costs little memory."""
        import cv2

        height, width = image.shape[:2]
        if width <= self._tile_width:
            return image
        size = (self._tile_width, max(1, round(height * self._tile_width / width)))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return small.astype(image.dtype, copy=False)


def fit_size(display_size: tuple[int, int], longest: int | None) -> tuple[int, int] | None:
    """(width, height) of a picture whose longest side is at most `longest`; None for as shown."""
    if longest is None or max(display_size) <= longest:
        return None
    scale = Fraction(longest, max(display_size))
    width, height = (max(1, round(side * scale)) for side in display_size)
    return width, height


def write_picture(
    path: Path, image: "NDArray[np.uint8]", *, format_name: str, quality: int
) -> None:
    """Write a picture to a file, whole or not at all.

    Raises:
        MediaError: The picture is larger than the format can hold.
        ResourceError: The disk is full.
        UsageError: The place cannot be written.
    """
    from vidcli.media.sheet import encode_image

    data = encode_image(image, format_name, quality)
    try:
        with atomic_write(path) as file:
            file.write(data)
    except OSError as error:
        message = f"cannot write {path}: {error.strerror or error}"
        if error.errno in FULL_DISK:
            raise ResourceError(message) from error
        raise UsageError(message, hint="name another place with -o or --sheet") from error
