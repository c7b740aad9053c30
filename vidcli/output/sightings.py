"""What `detect` and `actions` found: JSON documents and rows of tables."""

from collections.abc import Sequence
from fractions import Fraction

from vidcli.core.detections import Action, Detection, Window
from vidcli.core.media import Coverage, VideoInfo
from vidcli.core.time import format_time
from vidcli.core.tracks import Box, Track
from vidcli.output.documents import Document, coverage_entry, head, seconds, span_entry
from vidcli.output.plain import printable

BOX_COLUMNS = ("time", "what", "score", "left", "top", "width", "height")
TRACK_COLUMNS = ("track", "what", "from", "to", "frames", "score", "moves")
ACTION_COLUMNS = ("start", "end", "what", "probability", "windows")
WINDOW_COLUMNS = ("start", "end", "likeliest")

Found = tuple[Fraction, Sequence[Detection]]  # what was found in the frame at this time


def detections_document(
    info: VideoInfo,
    found: Sequence[Found],
    *,
    tracks: Sequence[Track] | None,
    dropped: int,
    model: str,
    vocabulary: Sequence[str],
    score: float,
    coverage: Coverage,
    warnings: Sequence[str],
) -> Document:
    """The document `detect`.

    Args:
        info: Of the video.
        found: By frame, in order; frames with nothing in them too.
        tracks: None where none were asked for.
        dropped: Boxes that continue nothing, and so are no track.
        model: Name of the file.
        vocabulary: Everything that was looked for.
        score: Least score told of.
        coverage: Of the span.
        warnings: What a reader must know.
    """
    return {
        "schema": head("detect"),
        "path": info.path,
        "duration": None if info.duration is None else seconds(info.duration),
        "model": model,
        "vocabulary": list(vocabulary),
        "score": score,
        "frames": [
            {
                "time_s": seconds(time),
                "objects": [
                    {"label": detection.label, **_box(detection.box)} for detection in detections
                ],
            }
            for time, detections in found
        ],
        "tracks": None
        if tracks is None
        else [track_entry(number, track) for number, track in enumerate(tracks, start=1)],
        "single_boxes": dropped,
        "coverage": coverage_entry(coverage),
        "warnings": list(warnings),
    }


def actions_document(
    info: VideoInfo,
    windows: Sequence[Window],
    actions: Sequence[Action],
    *,
    model: str,
    labels: int,
    score: float,
    warnings: Sequence[str],
) -> Document:
    """The document `actions`; `labels` is how many the classifier knows."""
    return {
        "schema": head("actions"),
        "path": info.path,
        "duration": None if info.duration is None else seconds(info.duration),
        "model": model,
        "labels": labels,
        "score": score,
        "actions": [
            {
                **span_entry(action.span),
                "label": action.label,
                "probability": round(action.probability, 6),
                "windows": action.windows,
            }
            for action in actions
        ],
        "windows": [
            {
                **span_entry(window.span),
                "guesses": [
                    {"label": guess.label, "probability": round(guess.probability, 6)}
                    for guess in window.guesses
                ],
            }
            for window in windows
        ],
        "warnings": list(warnings),
    }


def box_rows(found: Sequence[Found]) -> list[tuple[str, ...]]:
    """One row for each thing in each frame, in the columns of `BOX_COLUMNS`."""
    return [
        (
            format_time(time, decimals=2),
            printable(detection.label),
            f"{detection.box.score:.2f}",
            *map(_share, _sides(detection.box)),
        )
        for time, detections in found
        for detection in detections
    ]


def track_rows(tracks: Sequence[Track]) -> list[tuple[str, ...]]:
    """One row for each track, in the columns of `TRACK_COLUMNS`."""
    return [
        (
            str(number),
            printable(track.label),
            format_time(track.boxes[0].time.seconds, decimals=2),
            format_time(track.boxes[-1].time.seconds, decimals=2),
            str(len(track.boxes)),
            f"{track.score:.2f}",
            say_way([_box(box)["box"] for box in track.boxes]),
        )
        for number, track in enumerate(tracks, start=1)
    ]


def action_rows(actions: Sequence[Action]) -> list[tuple[str, ...]]:
    """One row for each action, in the columns of `ACTION_COLUMNS`."""
    return [
        (
            format_time(action.span.start, decimals=2),
            format_time(action.span.end, decimals=2),
            printable(action.label),
            f"{action.probability:.2f}",
            str(action.windows),
        )
        for action in actions
    ]


def window_rows(windows: Sequence[Window]) -> list[tuple[str, ...]]:
    """One row for each window, in the columns of `WINDOW_COLUMNS`."""
    return [
        (
            format_time(window.span.start, decimals=2),
            format_time(window.span.end, decimals=2),
            ", ".join(
                f"{printable(guess.label)} {guess.probability:.2f}" for guess in window.guesses
            ),
        )
        for window in windows
    ]


def say_way(sides: Sequence[Document]) -> str:
    """From where to where a thing went, in ninths of the frame: `left to right`, `middle`.

    Args:
        sides: Of its boxes, `x`, `y`, `width` and `height`, in order of time.
    """
    first, last = (_ninth(sides[place]) for place in (0, -1))
    return first if first == last else f"{first} to {last}"


def _ninth(box: Document) -> str:
    across = ("left", "", "right")[min(2, int((box["x"] + box["width"] / 2) * 3))]
    down = ("top", "", "bottom")[min(2, int((box["y"] + box["height"] / 2) * 3))]
    return " ".join(filter(None, (down, across))) or "middle"


def track_entry(number: int, track: Track) -> Document:
    """A thing that was followed, with where it was when."""
    return {
        "number": number,
        "label": track.label,
        "score": round(track.score, 6),
        **span_entry(track.span),
        "boxes": [{"time_s": seconds(box.time.seconds), **_box(box)} for box in track.boxes],
    }


def _box(box: Box) -> Document:
    return {
        "score": round(box.score, 6),
        "box": dict(zip(("x", "y", "width", "height"), _sides(box), strict=True)),
    }


def _sides(box: Box) -> list[float]:
    return [round(side, 6) for side in (box.x, box.y, box.width, box.height)]


def _share(side: float) -> str:
    return f"{side:.1%}"
