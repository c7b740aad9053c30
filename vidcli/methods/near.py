"""A closer look at one moment: more frames near it, beside those already seen."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from vidcli.core.media import FramePlan, PlannedFrame, measure_coverage
from vidcli.core.prompt import ImagePart
from vidcli.core.results import CacheUse
from vidcli.core.time import Span
from vidcli.methods.watch import Watched

REASON = "closer look"
REACH_S = Fraction(2)  # seconds either way
COUNT = 4


def plan_near(
    moment: Fraction, span: Span, seen: Sequence[Fraction], *, count: int = COUNT
) -> FramePlan:
    """Look at a moment, and between the frames seen before and after it.

    Args:
        moment: Seconds, inside `span`.
        span: The part of the video that may be looked at.
        seen: Times already seen, in any order.
        count: Instants, ≥ 1.

    Returns:
        The moment, and instants spread evenly over the unseen stretch around it, at most
        `REACH_S` away.
    """
    assert moment in span, "the moment lies inside the span"
    start = max([span.start, moment - REACH_S, *(time for time in seen if time < moment)])
    end = min([span.end, moment + REACH_S, *(time for time in seen if time > moment)])
    step = (end - start) / (count + 1)
    times = [start + part * step for part in range(1, count + 1)]
    nearest = min(times, key=lambda time: abs(time - moment))
    chosen = sorted({moment if time == nearest else time for time in times})
    return FramePlan(span, tuple(PlannedFrame(time, REASON) for time in chosen), REASON)


def merge_looks(before: Watched, closer: Watched) -> Watched:
    """Put two looks at one video together, in time order, each picture once, ids counted anew.

    Args:
        before: What was seen so far; its span is the one covered.
        closer: The closer look; where both hold a picture of one time, this one stays.
    """
    seen = {image.frames[0].time.seconds for image in closer.images}
    kept = [image for image in before.images if image.frames[0].time.seconds not in seen]
    images = renumber(
        sorted([*kept, *closer.images], key=lambda image: image.frames[0].time.seconds)
    )
    times = [frame.time.seconds for image in images for frame in image.frames]
    return Watched(
        images=images,
        coverage=measure_coverage(before.coverage.span, times),
        cache=before.cache if before.cache is closer.cache else CacheUse.PARTIAL,
        warnings=tuple(dict.fromkeys((*before.warnings, *closer.warnings))),
        arranger=before.arranger,
    )


def drop_images(watched: Watched, *, most: int, keep: str = REASON) -> Watched:
    """Leave out pictures until at most `most` are left, evenly, those of reason `keep` last.

    Args:
        watched: Pictures in time order.
        most: Frames or groups, ≥ 1.
        keep: Reason of the frames to prefer.
    """
    if len(watched.images) <= most:
        return watched
    preferred = [image for image in watched.images if image.frames[0].reason == keep]
    others = [image for image in watched.images if image.frames[0].reason != keep]
    room = max(0, most - len(preferred))
    chosen = preferred[-most:] + [others[i * len(others) // room] for i in range(room)]
    images = renumber(sorted(chosen, key=lambda image: image.frames[0].time.seconds))
    times = [frame.time.seconds for image in images for frame in image.frames]
    coverage = measure_coverage(watched.coverage.span, times)
    return replace(watched, images=images, coverage=coverage)


def renumber(images: Sequence[ImagePart]) -> tuple[ImagePart, ...]:
    """The same pictures with frame ids counted from 1 in the order given."""
    numbered: list[ImagePart] = []
    next_id = 1
    for image in images:
        frames = tuple(replace(frame, id=next_id + i) for i, frame in enumerate(image.frames))
        numbered.append(ImagePart(frames, image.tokens))
        next_id += len(frames)
    return tuple(numbered)
