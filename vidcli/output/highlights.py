"""The document `highlights`: the curve of a video, and the parts of it that stand out."""

from collections.abc import Sequence

from vidcli.core.saliency import Curve
from vidcli.output.documents import (
    Document,
    coverage_entry,
    head,
    model_entry,
    seen_entry,
    span_entry,
    timings_entry,
    usage_entry,
    video_entry,
)
from vidcli.output.plain import count
from vidcli.output.tables import say_coverage


def curve_document(curve: Curve) -> Document:
    """The document `highlights` before any is chosen."""
    return {
        "schema": head("highlights"),
        "video": video_entry(curve.video),
        "query": curve.query or None,
        "measure": curve.measure.value,
        "threshold": 0.0,
        "highlights": [],
        "windows": [
            {**span_entry(window.span), "score": round(window.score, 6)} for window in curve.windows
        ],
        "frames": [
            seen_entry(frame, n) for frame, n in zip(curve.frames, curve.frame_tokens, strict=True)
        ],
        "coverage": coverage_entry(curve.coverage),
        "model": model_entry(curve.model),
        "method": curve.method,
        "usage": usage_entry(curve.usage),
        "timings_s": timings_entry(curve.timings),
        "warnings": list(curve.warnings),
    }


def choose_runs(
    document: Document, runs: Sequence[tuple[int, int]], *, threshold: float
) -> Document:
    """A document `highlights` with these runs of windows as its highlights, best first.

    Args:
        document: With its windows.
        runs: (first, last) window of each.
        threshold: That they were chosen by.
    """
    chosen = []
    for number, (first, last) in enumerate(runs, start=1):
        windows = document["windows"][first : last + 1]
        start, end = windows[0]["start_s"], windows[-1]["end_s"]
        times = [frame["time_s"] for frame in document["frames"]]
        chosen.append(
            {
                "number": number,
                "start_s": start,
                "end_s": end,
                "score": max(window["score"] for window in windows),
                "frames": sum(start <= time < end for time in times),
                "clip": None,
            }
        )
    return {**document, "threshold": threshold, "highlights": chosen}


def say_curve(curve: Curve) -> str:
    """What highlights rest on, on one line."""
    windows = count(len(curve.windows), "window")
    return f"{windows}, by {curve.measure}; {say_coverage(curve.coverage)}"
