"""Which instants of a video to look at, and the rule that chose each: pure functions, no file.

A plan is uniform midpoints, a fixed rate, keyframes, or shots; `plan_auto` is what `--frames auto`
means, and `thin_plan` makes any plan smaller when the context cannot hold it. What a budget forces
out is written into `FramePlan.notes`, never left out silently.

Not here: finding shots and keyframes (`vidcli.media.shots`), dropping pictures that look the same
(`vidcli.media.near_duplicates`).
"""

import itertools
import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from vidcli import settings
from vidcli.core.media import FramePlan, PlannedFrame, Shot, VideoInfo
from vidcli.core.time import Span, format_time
from vidcli.errors import MediaError, UsageError

STILL_SPAN = Span(Fraction(0), Fraction(1))  # a still image counts as one second
CLOSING_MARGIN = Fraction(1, 100)  # seconds before the end that still show the last frame


def choose_span(
    info: VideoInfo, *, start: Fraction | None = None, end: Fraction | None = None
) -> Span:
    """The part of the video from `start` to `end`, cut to where the video really is.

    Args:
        info: Probe result.
        start: Seconds; None is the beginning.
        end: Seconds; None, or anything past it, is the end of the video.

    Returns:
        For a still image always `STILL_SPAN`.

    Raises:
        UsageError: `end` is not after `start`, or the video is over before `start`.
        MediaError: The duration is unknown and no `end` is given.
    """
    if info.picture is not None and info.picture.is_still:
        return STILL_SPAN
    start = start or Fraction(0)
    if end is not None and end <= start:
        raise UsageError(
            f"the span ends at {format_time(end, decimals=2)}, "
            f"not after its start {format_time(start, decimals=2)}",
            hint="give --to a later time than --from",
        )
    if info.duration is None and end is None:
        raise MediaError(
            f"{info.path} does not say how long it is", hint="give the end with --to, such as 1:30"
        )
    length = info.duration
    stop = end if length is None else length if end is None else min(end, length)
    if stop is None or stop <= start:
        raise UsageError(
            f"{info.path} is over before {format_time(start, decimals=2)}",
            hint=f"it lasts {format_time(stop or Fraction(0), decimals=2)}; give an earlier --from",
        )
    return Span(start, stop)


def plan_auto(info: VideoInfo, span: Span, *, budget: int = settings.MAX_FRAMES) -> FramePlan:
    """Plan what `--frames auto` means: about a frame a second, spread evenly.

    At most `budget`; at least `settings.MIN_FRAMES` where the span holds that many, so that a
    two-second clip is not judged by two pictures.

    Args:
        info: Probe result; its average rate bounds how many frames `span` holds.
        span: Half-open, inside the video.
        budget: Frames, ≥ 1.
    """
    wanted = round(float(span.length) * settings.AUTO_FPS)
    return plan_uniform(info, span, budget=min(max(wanted, settings.MIN_FRAMES), budget))


def plan_uniform(info: VideoInfo, span: Span, *, budget: int) -> FramePlan:
    """Spread at most `budget` sample times evenly over `span`.

    Each is the middle of an equal part, so fades at either end are not sampled.

    Args:
        info: Probe result; its average rate bounds how many frames `span` holds.
        span: Half-open, inside the video.
        budget: Frames, ≥ 1.

    Returns:
        Times strictly increasing, inside `span`; fewer than `budget` if it holds fewer frames.

    Source: sparse segment sampling, TSN (arXiv:1608.00859); centres here, random there.
    """
    _check_budget(budget)
    count = min(budget, count_frames(info, span))
    return FramePlan(span, _midpoints(span, count, "uniform"), "uniform")


def plan_fps(info: VideoInfo, span: Span, *, fps: Fraction | float, budget: int) -> FramePlan:
    """Look `fps` times a second, each time in the middle of its period.

    Args:
        info: Probe result; no rate above the video's own is planned.
        span: Half-open, inside the video.
        fps: Frames a second, above 0.
        budget: Frames, ≥ 1. Where the rate needs more, the budget is spread evenly and a note
            says so.
    """
    _check_budget(budget)
    rate = Fraction(fps).limit_denominator(100_000)
    if rate <= 0:
        raise UsageError(f"a rate of {float(fps):g} frames a second shows nothing")
    notes: tuple[str, ...] = ()
    own = info.video.average_rate
    if own is not None and rate > own:
        notes = (f"the video has {float(own):g} frames a second, fewer than {float(rate):g}",)
        rate = own
    # k-th instant: start + (k + 1/2) / rate < end
    count = max(1, math.ceil(span.length * rate - Fraction(1, 2)))
    if info.video.is_still:
        count = 1
    if count > budget:
        note = (
            f"{float(rate):g} frames a second would take {count} frames; "
            f"{budget} are spread evenly, one every {_say_seconds(span.length / budget)}"
        )
        return FramePlan(span, _midpoints(span, budget, "fps"), "fps", notes=(*notes, note))
    if count == 1:
        return FramePlan(span, _midpoints(span, 1, "fps"), "fps", notes=notes)
    times = (span.start + (k + Fraction(1, 2)) / rate for k in range(count))
    return FramePlan(span, tuple(PlannedFrame(time, "fps") for time in times), "fps", notes=notes)


def plan_keyframes(span: Span, keyframe_times: Iterable[Fraction], *, budget: int) -> FramePlan:
    """Take the codec's own keyframes: the cheapest pictures of a long video.

    Args:
        span: Half-open, inside the video.
        keyframe_times: PTS of all keyframes on the video's clock, any order.
        budget: Frames, ≥ 1. Where there are more keyframes, those that spread best are kept.

    Returns:
        A plan with `snap` set; one exact frame in the middle where the span holds no keyframe.
    """
    _check_budget(budget)
    inside = sorted({time for time in keyframe_times if time in span})
    if not inside:
        note = "this span holds no keyframe; one frame from its middle is taken"
        return FramePlan(span, _midpoints(span, 1, "uniform"), "keyframes", notes=(note,))
    notes: tuple[str, ...] = ()
    if len(inside) > budget:
        notes = (f"{len(inside) - budget} of {len(inside)} keyframes do not fit {budget} frames",)
    frames = tuple(PlannedFrame(inside[at], "keyframe") for at in _spread(inside, budget))
    return FramePlan(span, frames, "keyframes", snap=True, notes=notes)


def plan_shots(
    info: VideoInfo,
    span: Span,
    shots: Sequence[Shot],
    *,
    budget: int,
    max_gap: Fraction = Fraction(settings.MAX_GAP_S),
) -> FramePlan:
    """Look at the opening, the closing and the middle of every shot, and into every long gap.

    Args:
        info: Probe result; instants closer than its average rate resolves are planned once.
        span: Half-open, inside the video.
        shots: In order, tiling at least `span`; empty counts as one shot.
        budget: Frames, ≥ 1.
        max_gap: Longest stretch, in seconds, that may go unseen.

    Returns:
        Without notes, every shot has a frame and no unseen stretch is longer than `max_gap`. Where
        the budget holds less, the frames that spread best are kept, and notes say what gave way.
    """
    _check_budget(budget)
    if max_gap <= 0:
        raise UsageError(f"a longest gap of {float(max_gap):g} seconds cannot be kept")
    parts = [part for shot in shots if (part := shot.span.clamp(span))] or [span]
    chosen = {span.start: "opening", _closing(span): "closing"}
    for part in parts:
        chosen.setdefault((part.start + part.end) / 2, "shot")
    chosen |= _gap_fill(sorted({*chosen, span.end}), max_gap, at_most=2 * budget)
    chosen = _one_a_frame(info, chosen)
    times = sorted(chosen)
    kept = times
    if len(times) > budget:
        longest = max(parts, key=lambda part: part.length)
        kept = (
            [(longest.start + longest.end) / 2]
            if budget == 1
            else [times[at] for at in _spread(times, budget)]
        )
    frames = tuple(PlannedFrame(time, chosen.get(time, "shot")) for time in kept)
    notes = _shot_notes(span, parts, kept, max_gap) if len(times) > budget else ()
    return FramePlan(span, frames, "shots", notes=notes)


def thin_plan(plan: FramePlan, budget: int) -> FramePlan:
    """Keep at most `budget` instants of a plan: its first, its last, and the rest spread evenly.

    Args:
        plan: Any plan.
        budget: Frames, ≥ 1; one keeps the instant nearest the middle.

    Returns:
        The plan itself where it fits; else instants of it, with a note of how many were left out.
    """
    _check_budget(budget)
    total = len(plan.frames)
    if total <= budget:
        return plan
    kept = tuple(plan.frames[at] for at in _spread([f.time for f in plan.frames], budget))
    note = f"{total - budget} of {total} planned frames were left out: only {budget} fit"
    return replace(plan, frames=kept, notes=(*plan.notes, note))


def count_frames(info: VideoInfo, span: Span) -> int:
    """Most frames that `span` can hold: 1 for a still; no bound where the rate is unknown."""
    if info.video.is_still:
        return 1
    rate = info.video.average_rate
    if rate is None:
        return 2**31
    # a container rounds its duration: a hundredth of a frame more is not one more frame
    return max(1, math.ceil(span.length * rate - Fraction(1, 100)))


def _midpoints(span: Span, count: int, reason: str) -> tuple[PlannedFrame, ...]:
    step = span.length / count
    times = (span.start + (part + Fraction(1, 2)) * step for part in range(count))
    return tuple(PlannedFrame(time, reason) for time in times)


def _closing(span: Span) -> Fraction:
    """An instant at which the last frame is on screen."""
    return span.end - min(CLOSING_MARGIN, span.length / 4)


def _gap_fill(times: Sequence[Fraction], max_gap: Fraction, *, at_most: int) -> dict[Fraction, str]:
    """Instants that split every gap between neighbours into equal parts of at most `max_gap`.

    No gap gets more than `at_most`, so that a tiny `max_gap` costs no memory.
    """
    fill: dict[Fraction, str] = {}
    for before, after in itertools.pairwise(times):
        parts = min(max(1, math.ceil((after - before) / max_gap)), at_most + 1)
        step = (after - before) / parts
        fill |= {before + part * step: "gap fill" for part in range(1, parts)}
    return fill


def _one_a_frame(info: VideoInfo, chosen: dict[Fraction, str]) -> dict[Fraction, str]:
    """Drop instants that show the same frame as one entered earlier, by the average rate."""
    if info.video.is_still:
        return dict(itertools.islice(chosen.items(), 1))
    rate = info.video.average_rate
    if rate is None:
        return chosen
    first: dict[int, Fraction] = {}
    for time in chosen:
        first.setdefault(math.floor(time * rate), time)
    return {time: chosen[time] for time in first.values()}


def _shot_notes(
    span: Span, parts: Sequence[Span], kept: Sequence[Fraction], max_gap: Fraction
) -> tuple[str, ...]:
    notes = []
    unseen = sum(1 for part in parts if not _holds_any(part, kept))
    if unseen:
        notes.append(f"{unseen} of {len(parts)} shots have no frame: only {len(kept)} frames fit")
    edges = [span.start, *kept, span.end]
    gap = max(after - before for before, after in itertools.pairwise(edges))
    if gap > max_gap:
        notes.append(
            f"the longest unseen stretch is {_say_seconds(gap)}, more than the "
            f"{_say_seconds(max_gap)} asked for: only {len(kept)} frames fit"
        )
    return tuple(notes) or (f"fewer pictures than planned of some shots: only {len(kept)} fit",)


def _holds_any(part: Span, times: Sequence[Fraction]) -> bool:
    at = bisect_left(times, part.start)
    return at < len(times) and times[at] < part.end


def _spread(times: Sequence[Fraction], count: int) -> list[int]:
    """Indices of `count` of the sorted `times`, first and last among them, spread evenly.

    First the times nearest an even grid, then the ones farthest from all chosen so far, since
    uneven times let several points of the grid fall on one.
    """
    if count >= len(times):
        return list(range(len(times)))
    if count == 1:
        return [_nearest(times, (times[0] + times[-1]) / 2)]
    step = (times[-1] - times[0]) / (count - 1)
    chosen = sorted({_nearest(times, times[0] + point * step) for point in range(count)})
    points = np.asarray([float(time - times[0]) for time in times])
    distance = np.full(len(points), np.inf)
    for at in chosen:
        np.minimum(distance, np.abs(points - points[at]), out=distance)
    distance[chosen] = -1.0
    while len(chosen) < count:
        farthest = int(distance.argmax())
        chosen.append(farthest)
        distance = np.minimum(distance, np.abs(points - points[farthest]))
        distance[chosen] = -1.0
    return sorted(chosen)


def _nearest(times: Sequence[Fraction], wanted: Fraction) -> int:
    at = bisect_left(times, wanted)
    if at == len(times) or (at > 0 and wanted - times[at - 1] <= times[at] - wanted):
        return at - 1
    return at


def _say_seconds(seconds: Fraction) -> str:
    return f"{float(seconds):.3g} s" if seconds < 60 else format_time(seconds)


def _check_budget(budget: int) -> None:
    if budget < 1:
        raise UsageError(f"a budget of {budget} frames shows nothing", hint="give at least 1 frame")
