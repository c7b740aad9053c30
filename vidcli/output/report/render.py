"""A page as the whole content of an HTML file: nothing in it is fetched, nothing can be injected.

The policy in its head lets the browser load what the page carries itself and the video beside it;
style and script are named by their digests, so that text which came out of a video could not run
even if it got past the escaping.
"""

import base64
import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from vidcli import __version__
from vidcli.core.time import format_time
from vidcli.output.chapters import escape_vtt, vtt_clock
from vidcli.output.plain import printable
from vidcli.output.report.drawing import (
    choose_ticks,
    curve_points,
    height_of,
    inside,
    place,
    score_range,
)
from vidcli.output.report.page import Curve, Page, Still, Track, TrackKind

if TYPE_CHECKING:
    from jinja2 import Environment

JOINERS = "\u200c\u200d"  # parts of words and of emoji, though nothing to be seen by themselves
OPEN_UP_TO = 24  # entries of a list that is shown at once
ROW_GAP, NAME_HEIGHT, BAR_HEIGHT, TICK_HEIGHT, CURVE_HEIGHT = 9, 17, 22, 10, 96  # pixels
AXIS_HEIGHT = 24
NARROWEST = 0.25  # percent; what is shorter could not be seen
FITS = {"roomy": 5.2, "cramped": 2.9}  # pixels a percent of a timeline; the second on a phone
LETTER, MARGIN, FEWEST = 6.5, 11, 7  # pixels; letters that are worth writing
KEY_STEPS = 200  # arrow keys from one end to the other, at least
LONG_S = 600.0  # from here on tenths of a second are noise


@dataclass(frozen=True, slots=True)
class Placed:
    """A mark with its place on the timeline, in percent."""

    start_s: float
    end_s: float
    text: str
    at: float
    width: float


@dataclass(frozen=True, slots=True)
class Row:
    """A track with its place in the drawing, in pixels."""

    track: Track
    top: int
    height: int
    marks: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Everything of the drawing of a timeline; lengths in pixels."""

    tracks: tuple[Row, ...]
    moments: tuple[Placed, ...]
    curve_top: int
    curve_height: int
    axis: int
    height: int


@dataclass(frozen=True, slots=True)
class Captions:
    """A text track of the video."""

    kind: str
    label: str
    language: str
    source: str
    is_default: bool


def render_page(page: Page) -> bytes:
    """Write a page as an HTML file."""
    shown = tuple(track for track in page.tracks if track.marks)
    listed = tuple(track for track in shown if track.has_texts)
    decimals = 0 if page.end_s - page.start_s >= LONG_S else 1
    return _render(
        "page.html.j2",
        media=True,
        page=page,
        rows=lay_out(page, shown),
        ticks=choose_ticks(page),
        curve=None if page.curve is None else _curve(page, page.curve),
        listed=listed,
        notes=[f"{t.name}: {t.note}" for t in page.tracks if t.note and not t.marks],
        captions=list_captions(page),
        stills=_stills(page),
        icon=_icon(page),
        step=round(max(0.04, min(1.0, (page.end_s - page.start_s) / 20)), 3)
        if page.end_s - page.start_s < KEY_STEPS
        else round((page.end_s - page.start_s) / KEY_STEPS, 3),
        clock=lambda seconds: format_time(seconds, decimals=decimals),
        percent=lambda share: f"{100 * share:.1f}%",
        open_up_to=OPEN_UP_TO,
        fits=FITS,
        fit=lambda name, mark: fit_text(mark.text, mark.width * FITS[name]),
        length=format_time(page.end_s - page.start_s),
    )


def render_index(entries: "list[Any]", *, count: str) -> bytes:
    """Write the list of a folder's pages as an HTML file; entries are from `index`."""
    return _render("index.html.j2", media=False, entries=entries, count=count)


def lay_out(page: Page, tracks: tuple[Track, ...]) -> Rows:
    """Give every row of a timeline its place."""
    top = curve_top = NAME_HEIGHT if page.curve is not None else 0
    curve_height = 0
    if page.curve is not None:
        curve_height = CURVE_HEIGHT
        top += curve_height + ROW_GAP
    rows = []
    for track in tracks:
        height = TICK_HEIGHT if track.kind is TrackKind.FRAMES else BAR_HEIGHT
        rows.append(Row(track, top, height, _place_marks(page, track)))
        top += NAME_HEIGHT + height + ROW_GAP
    moments = [m for row in rows if row.track.kind is TrackKind.MOMENTS for m in row.marks]
    axis = top - ROW_GAP + 2 if top else 0
    return Rows(tuple(rows), tuple(moments), curve_top, curve_height, axis, axis + AXIS_HEIGHT)


def _place_marks(page: Page, track: Track) -> tuple[Placed, ...]:
    placed = []
    for mark in inside(page, track.marks):
        at, end = place(page, mark.start_s), place(page, mark.end_s)
        width = round(max(end - at, NARROWEST), 4)
        placed.append(Placed(mark.start_s, mark.end_s, mark.text, min(at, 100 - NARROWEST), width))
    return tuple(placed)


def fit_text(text: str, width: float) -> str:
    """As much of a text as so many pixels hold, in one line; empty where that is little."""
    text = " ".join(text.split())
    room = int((width - MARGIN) / LETTER)
    if len(text) <= room:
        return text
    return f"{text[: room - 1].rstrip()}…" if room > FEWEST else ""


def _curve(page: Page, curve: Curve) -> Mapping[str, Any]:
    low, high = score_range(curve)
    points = curve_points(page, curve)
    has_threshold = curve.threshold is not None
    return {
        "points": points,
        "first": points.split(",")[0],
        "last": points.split(" ")[-1].split(",")[0],
        "low": f"{low:.3g}",
        "high": f"{high:.3g}",
        "threshold": height_of(curve, curve.threshold or 0.0) if has_threshold else None,
        "threshold_text": f"{curve.threshold:.3g}" if has_threshold else "",
    }


def _stills(page: Page) -> list[Mapping[str, Any]]:
    ends = [*(still.time_s for still in page.stills[1:]), page.end_s]
    return [
        {
            "time_s": still.time_s,
            "until": max(end, still.time_s),
            "note": still.note,
            "text": still.text,
            "size": still.size,
            "source": _data(still.image, "image/webp") if still.image else "",
        }
        for still, end in zip(page.stills, ends, strict=True)
    ]


def _icon(page: Page) -> str:
    """A picture from the middle stands for the video, in the browser's tab and in an index."""
    pictures = [still for still in page.stills if still.image]
    middle: Still | None = pictures[len(pictures) // 2] if pictures else None
    return _data(middle.image, "image/webp") if middle is not None else ""


def list_captions(page: Page) -> list[Captions]:
    """The text tracks of the video: what is said, and what is written about what is shown."""
    found = []
    for track in page.tracks:
        if track.kind not in (TrackKind.SPEECH, TrackKind.EVENTS) or not track.has_texts:
            continue
        is_speech = track.kind is TrackKind.SPEECH
        found.append(
            Captions(
                kind="captions" if is_speech else "subtitles",
                label=track.name,
                language=track.language or "en",
                source=_data(write_cues(track).encode("utf-8"), "text/vtt"),
                is_default=is_speech,
            )
        )
    return found


def write_cues(track: Track) -> str:
    """A track as WebVTT."""
    cues = [
        f"{vtt_clock(mark.start_s)} --> {vtt_clock(mark.end_s)}\n"
        + escape_vtt("\n".join(line for line in _clean(mark.text).splitlines() if line.strip()))
        + "\n"
        for mark in track.marks
        if mark.text.strip() and mark.end_s > mark.start_s
    ]
    return "WEBVTT\n\n" + "\n".join(cues)


def _data(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _clean(text: str) -> str:
    """Text with what cannot be seen made visible, as on a terminal."""
    return printable(text, keep=f"\n\t{JOINERS}")


def _render(name: str, *, media: bool, **values: Any) -> bytes:
    from markupsafe import Markup

    style, script = _read("page.css"), _read("page.js")
    sources = "'self' file: data:" if media else "'none'"
    policy = (
        "default-src 'none'; img-src data:; "
        f"media-src {sources}; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    text = (
        _environment()
        .get_template(name)
        .render(
            policy=policy,
            version=__version__,
            style=Markup(style),
            script=Markup(script),
            **values,
        )
    )
    return text.encode("utf-8")


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


@functools.cache
def _read(name: str) -> str:
    return files("vidcli.output.report").joinpath(name).read_text("utf-8")


@functools.cache
def _environment() -> "Environment":
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    def finalize(value: Any) -> Any:
        is_plain = isinstance(value, str) and not isinstance(value, Markup)
        return _clean(value) if is_plain else value

    environment = Environment(
        loader=FunctionLoader(_read),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["urldecode"] = lambda text: unquote(text, errors="surrogateescape")
    return environment
