"""What is known of a video, as text for people and CSV for programs.

`info_rows` and `shot_rows` are cells; `align` makes plain text of them and `draw_table` a table for
a terminal, so that both say the same.
"""

import csv
import io
import math
from collections.abc import Sequence
from fractions import Fraction

from vidcli.core.camera import CameraMove, ShotDetails
from vidcli.core.media import AudioStream, Coverage, Shot, SubtitleStream, VideoInfo, VideoStream
from vidcli.core.results import Answer, CacheUse
from vidcli.core.route import Route
from vidcli.core.time import Span, format_range, format_time
from vidcli.core.tool_text import Mixture
from vidcli.output.plain import count, format_size, printable

UNKNOWN = "unknown"
SHOT_COLUMNS = ("shot", "start", "end", "length", "begins with")
DETAIL_COLUMNS = ("camera", "speed", "motion", "light", "faces")
NOTHING = "-"  # in a cell whose value is not known


def info_rows(info: VideoInfo) -> list[tuple[str, str]]:
    """What a file says of itself, as (name, value); text from the file is made printable."""
    rows = [
        ("file", printable(info.path)),
        ("size", format_size(info.size_bytes)),
        ("container", info.container),
        ("duration", format_duration(info.duration)),
        ("picture", _say_picture(info.video)),
        ("codec", _say_codec(info.video)),
        ("frame rate", _say_rate(info.video)),
    ]
    rows += [("audio", _say_audio(stream)) for stream in info.audio]
    rows += [("subtitles", _say_subtitles(stream)) for stream in info.subtitles]
    if info.title:
        rows.append(("title", printable(info.title)))
    if info.created:
        rows.append(("created", printable(info.created)))
    rows += [
        ("chapter", f"{format_time(chapter.span.start)} {printable(chapter.title)}".rstrip())
        for chapter in info.chapters
    ]
    return [*rows, *(("warning", printable(warning)) for warning in info.warnings)]


def shot_rows(
    shots: Sequence[Shot], details: Sequence[ShotDetails] | None = None
) -> list[tuple[str, ...]]:
    """One row for each shot, in the columns of `SHOT_COLUMNS`, then `DETAIL_COLUMNS`."""
    looks: Sequence[ShotDetails | None] = details or [None] * len(shots)
    return [
        (
            str(number),
            format_time(shot.span.start, decimals=2),
            format_time(shot.span.end, decimals=2),
            f"{float(shot.span.length):.2f} s",
            shot.transition.value,
            *(() if look is None else _say_details(look)),
        )
        for number, (shot, look) in enumerate(zip(shots, looks, strict=True), start=1)
    ]


def _say_details(details: ShotDetails) -> tuple[str, ...]:
    """The columns of `DETAIL_COLUMNS`; a speed is in frames a second, of a zoom in per cent."""
    shares = (details.motion, details.brightness)
    return (
        details.camera.value,
        _say_speed(details),
        *(NOTHING if share is None else f"{share:.0%}" for share in shares),
        NOTHING if details.faces is None else str(details.faces),
    )


def _say_speed(details: ShotDetails) -> str:
    if details.camera in (CameraMove.STILL, CameraMove.UNCLEAR):
        return NOTHING
    if details.camera in (CameraMove.ZOOM_IN, CameraMove.ZOOM_OUT) and details.zoom is not None:
        return f"{details.zoom - 1:+.0%}/s"
    return NOTHING if details.pan is None else f"{math.hypot(*details.pan):.0%}/s"


def shots_csv(
    path: str,
    shots: Sequence[Shot],
    details: Sequence[ShotDetails] | None = None,
    *,
    header: bool,
) -> str:
    """Shots as CSV (RFC 4180 apart from its line ends), seconds with three decimals."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    looks: Sequence[ShotDetails | None] = details or [None] * len(shots)
    if header:
        columns = ("file", "shot", "start_s", "end_s", "length_s", "transition")
        more = ("camera", "pan_x", "pan_y", "zoom", "motion", "brightness", "faces")
        writer.writerow((*columns, *(() if details is None else more)))
    for number, (shot, look) in enumerate(zip(shots, looks, strict=True), start=1):
        times = (f"{float(t):.3f}" for t in (shot.span.start, shot.span.end, shot.span.length))
        told = () if look is None else _details_cells(look)
        writer.writerow((path, number, *times, shot.transition.value, *told))
    return text.getvalue()


def _details_cells(details: ShotDetails) -> tuple[str | int | None, ...]:
    """Details as CSV; what is not known is empty."""
    numbers = (*(details.pan or (None, None)), details.zoom, details.motion, details.brightness)
    cells = (None if number is None else f"{number:.4f}" for number in numbers)
    return (details.camera.value, *cells, details.faces)


def draw_table(
    rows: Sequence[Sequence[str]],
    *,
    columns: Sequence[str] = (),
    right: Sequence[int] = (),
    color: bool,
    width: int,
) -> str:
    """A table for a terminal, with columns that fold where it is narrow.

    Args:
        rows: Cells by row.
        columns: Headings; empty for none, the first column then being the names of the rows.
        right: Numbers of the columns to align at their right edge.
        color: Whether colour codes may be written.
        width: Columns of the terminal.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=SIMPLE_HEAD if columns else None,
        show_header=bool(columns),
        show_edge=False,
        pad_edge=False,
        padding=(0, 1 if columns else 2, 0, 0),  # a box adds a space
    )
    n_columns = max((len(row) for row in [*rows, columns]), default=0)
    for number in range(n_columns):
        table.add_column(
            columns[number] if columns else "",
            justify="right" if number in right else "left",
            style="bold" if number == 0 and not columns else "",
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, force_terminal=color, no_color=not color, highlight=False
    )
    console.print(table)
    return stream.getvalue()


def format_duration(seconds: Fraction | None) -> str:
    """Write a length as `1:30 (90.000 s)`, or say that it is unknown."""
    if seconds is None:
        return UNKNOWN
    return f"{format_time(seconds)} ({float(seconds):.3f} s)"


def say_span(span: Span) -> str:
    """Write a span as `0:00–0:10`, with tenths where it lasts less than ten seconds."""
    decimals = 1 if span.length < 10 else 0
    return format_range(span.start, span.end, decimals=decimals)


def say_coverage(coverage: Coverage) -> str:
    """Write what was seen: `16 frames, 0:00–0:10, largest unseen gap 0.6 s`."""
    gap = coverage.largest_gap.length
    size = f"{float(gap):.1f} s" if gap < 60 else format_time(gap)
    return (
        f"{count(coverage.frames, 'frame')}, {say_span(coverage.span)}, largest unseen gap {size}"
    )


def say_evidence(answer: Answer) -> str:
    """Write what an answer rests on, on one line."""
    cited = [entry for entry in answer.evidence if entry.quote]
    times = ", ".join(say_span(entry.span) for entry in cited)
    line = say_coverage(answer.coverage)
    if times:
        line += f"; cited {times}"
    if answer.route is not None:
        return f"{line}; {say_route(answer.route)}"
    usage = answer.usage
    if CacheUse.OFF not in (usage.visual_cache, usage.prefix_cache):
        line += f" (cache: tokens {usage.visual_cache}, prefix {usage.prefix_cache})"
    return line


def say_route(route: Route) -> str:
    """Write what an answer through text took: `12 captions (8 of an earlier run), 2 text calls`."""
    kept = f" ({route.captions_kept} of an earlier run)" if route.captions_kept else ""
    text = f"{count(route.captions_made, 'caption')}{kept}"
    if route.rounds:
        clusters = ", ".join(str(look.clusters) for look in route.rounds)
        text += f" of {count(route.frames_encoded, 'frame')}, clusters {clusters}"
    return f"{text}, {count(len(route.calls), 'text call')}"


def say_mixture(mixture: Mixture) -> tuple[str, ...]:
    """Write what a model was shown and told, a line each."""
    lines = [f"{mixture.mode}: {count(mixture.visual_tokens, 'visual token')}"]
    for use in mixture.sections:
        if use.section.absent:
            lines.append(f"{use.section.name}: {use.section.absent}")
            continue
        left = f", {count(use.words_left_out, 'word')} left out" if use.words_left_out else ""
        told = f"{count(use.lines, 'line')} of {count(use.words, 'word')}{left}"
        lines.append(f"{use.section.name}: {told}, by {use.section.tool}")
    return tuple(map(printable, lines))


def _say_picture(stream: VideoStream) -> str:
    width, height = stream.display_size
    text = f"{width}×{height}"
    remarks = []
    if stream.coded_size != stream.display_size:
        remarks.append(f"stored {stream.coded_size[0]}×{stream.coded_size[1]}")
    if stream.rotation:
        remarks.append(f"rotated {stream.rotation}°")
    if stream.sample_aspect_ratio != 1:
        ratio = stream.sample_aspect_ratio
        remarks.append(f"pixels {ratio.numerator}:{ratio.denominator}")
    if stream.is_still:
        remarks.append("a still picture")
    if stream.is_interlaced:
        remarks.append("interlaced")
    if stream.is_hdr:
        remarks.append("HDR")
    return f"{text}, {', '.join(remarks)}" if remarks else text


def _say_codec(stream: VideoStream) -> str:
    return ", ".join(
        part for part in (stream.codec, stream.pixel_format, stream.color_transfer) if part
    )


def _say_rate(stream: VideoStream) -> str:
    if stream.average_rate is None:
        return UNKNOWN
    kind = {True: " on average, varying", False: ", constant", None: ""}[stream.is_vfr]
    return f"{float(stream.average_rate):.5g} a second{kind}"


def _say_audio(stream: AudioStream) -> str:
    parts = [f"#{stream.index} {stream.codec}"]
    if stream.sample_rate:
        parts.append(f"{stream.sample_rate} Hz")
    if stream.channels:
        parts.append(count(stream.channels, "channel"))
    if stream.language:
        parts.append(printable(stream.language))
    return ", ".join(parts)


def _say_subtitles(stream: SubtitleStream) -> str:
    parts = [f"#{stream.index} {stream.codec}", "text" if stream.is_text else "pictures"]
    if stream.language:
        parts.append(printable(stream.language))
    return ", ".join(parts)
