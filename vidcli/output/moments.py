"""The document `moments`: where an event is seen in a video, and the curve that says so."""

from vidcli.core.moments import Followed, Found, Judged, Things
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
from vidcli.output.plain import count, printable
from vidcli.output.sightings import track_entry
from vidcli.output.tables import say_coverage


def moments_document(found: Found, *, window_s: float, step_s: float) -> Document:
    """The document `moments`.

    Args:
        found: Of one video.
        window_s: Length of a window.
        step_s: From one window to the next.
    """
    times = [frame.time.seconds for frame in found.frames]
    things = found.things
    followed = [None] * len(found.moments) if things is None else things.moments
    return {
        "schema": head("moments"),
        "video": video_entry(found.video),
        "query": found.query,
        "moments": [
            {
                "number": number,
                **span_entry(moment.span),
                "score": round(moment.score, 6),
                "frames": sum(time in moment.span for time in times),
                "refined": {"start": moment.is_start_refined, "end": moment.is_end_refined},
                "clip": None,
                "things": None if told is None else _followed(told),
            }
            for number, (moment, told) in enumerate(
                zip(found.moments, followed, strict=True), start=1
            )
        ],
        "detector": None
        if things is None
        else {"name": things.detector, "labels": list(things.labels), "score": things.score},
        "left_out": 0,
        "threshold": found.threshold,
        "prior": {
            "rule": found.prior.rule.value,
            "blind": _round(found.prior.blind),
            "median": _round(found.prior.median),
            "log_odds": _round(found.prior.log_odds),
        },
        "window_s": round(window_s, 6),
        "step_s": round(step_s, 6),
        "windows": [
            {**_judged(window), "score": round(score, 6)}
            for window, score in zip(found.windows, found.probabilities, strict=True)
        ],
        "looks": [_judged(look) for look in found.looks],
        "frames": [
            seen_entry(frame, n) for frame, n in zip(found.frames, found.frame_tokens, strict=True)
        ],
        "coverage": coverage_entry(found.coverage),
        "model": model_entry(found.model),
        "method": found.method,
        "usage": usage_entry(found.usage),
        "timings_s": timings_entry(found.timings),
        "warnings": list(found.warnings),
    }


def keep_best(document: Document, top: int | None) -> Document:
    """A document `moments` with at most so many, those of the highest score, in order of time.

    It says how many it leaves out.
    """
    moments = document["moments"]
    if top is None or len(moments) <= top:
        return document
    best = sorted(moments, key=lambda moment: -moment["score"])[:top]
    kept = [moment for moment in moments if moment in best]
    return {
        **document,
        "moments": [{**moment, "number": number} for number, moment in enumerate(kept, start=1)],
        "left_out": len(moments) - len(kept),
    }


def say_found(found: Found) -> str:
    """What moments rest on, on one line."""
    windows, looks = count(len(found.windows), "window"), count(len(found.looks), "closer look")
    line = f"{count(len(found.moments), 'moment')} in {windows} and {looks}"
    taken = found.prior.log_odds
    line += f", {taken:+.1f} taken off as the model's own leaning" if taken else ""
    line += "" if found.things is None else f"; {_say_things(found.things)}"
    return f"{line}; {say_coverage(found.coverage)}"


def _say_things(things: Things) -> str:
    """What was followed, in a few words: `car: 2 tracks in 1 of 3 moments`."""
    tracks = sum(len(followed.tracks) for followed in things.moments)
    having = sum(bool(followed.tracks) for followed in things.moments)
    dropped = sum(followed.dropped for followed in things.moments)
    names = ", ".join(map(printable, things.labels))
    line = f"{names}: {count(tracks, 'track')} in {having} of "
    line += count(len(things.moments), "moment")
    left = f", {count(dropped, 'box', 'boxes')} that nothing continued left out" if dropped else ""
    return f"{line}{left}, followed by {printable(things.detector)}"


def _followed(followed: Followed) -> Document:
    return {
        "tracks": [track_entry(n, track) for n, track in enumerate(followed.tracks, start=1)],
        "frames": followed.frames,
        "single_boxes": followed.dropped,
    }


def _judged(judged: Judged) -> Document:
    return {**span_entry(judged.span), "log_odds": _round(judged.log_odds)}


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def curve_points(document: Document) -> list[tuple[float, float]]:
    """(seconds, score) of each window's middle, in order."""
    return [
        ((window["start_s"] + window["end_s"]) / 2, window["score"])
        for window in document["windows"]
    ]
