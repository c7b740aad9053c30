"""Parting a video into segments that are captioned one by one, and choosing their frames.

Shots are grouped, never cut unless one is longer than a segment may be; the author's chapters are
never joined. Pure functions: finding shots and keyframes is the caller's.
"""

import itertools
import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction

from vidcli.core.media import Chapter, FramePlan, Shot
from vidcli.core.summary import SegmentPlan, SummaryPlan
from vidcli.core.time import Span

USUAL_SEGMENTS = 24  # of a video whose length leaves the choice
SHORTEST = Fraction(5)  # seconds; what lasts less is hardly a chapter
LONGEST = Fraction(120)  # seconds; longer ones hold more than a sentence or two can tell
CRUMB = Fraction(1, 4)  # part of a segment's length below which a shot joins its neighbour
FRAMES = 8  # of a segment

ChooseFrames = Callable[[Span, Sequence[Shot]], FramePlan]


def choose_length(span: Span) -> Fraction:
    """Longest segment, in seconds, where nobody asked for another."""
    return min(max(span.length / USUAL_SEGMENTS, SHORTEST), LONGEST)


def plan_summary(
    span: Span,
    shots: Sequence[Shot],
    *,
    longest: Fraction,
    choose_frames: ChooseFrames,
    rule: str,
    marks: Sequence[Chapter] = (),
) -> SummaryPlan:
    """Part a span into segments and choose the frames of each.

    Args:
        span: What is summarized.
        shots: In order, tiling at least `span`; empty counts as one shot.
        longest: Seconds a segment may last; a crumb more where it would stand alone.
        choose_frames: Plans the frames of one segment from its span and the shots that meet it.
        rule: Name of that.
        marks: The author's chapters that are kept; no segment lies in two of them.

    Returns:
        A plan with a note where the frames of some segments leave something unseen.
    """
    kept = keep_marks(marks, span)
    edges = sorted({edge for mark in kept for edge in (mark.span.start, mark.span.end)})
    parts = [part for shot in shots if (part := shot.span.clamp(span)) is not None] or [span]
    segments = []
    for block in _split_at(span, edges):
        pieces = [piece for part in _meeting(parts, block) for piece in _cut(part, longest)]
        for group in _group(pieces, longest):
            frames = choose_frames(group, _meeting_shots(shots, group))
            segments.append(SegmentPlan(group, frames))
    short = [segment.frames.notes[0] for segment in segments if segment.frames.notes]
    notes = (
        (f"{len(short)} of {len(segments)} segments give way, the first: {short[0]}",)
        if short
        else ()
    )
    return SummaryPlan(span, tuple(segments), rule, kept, notes)


def keep_marks(marks: Sequence[Chapter], span: Span) -> tuple[Chapter, ...]:
    """The author's chapters inside a span: in order, none overlapping, none twice."""
    starts: dict[Fraction, Chapter] = {}
    for mark in sorted(marks, key=lambda mark: mark.span.start):
        part = mark.span.clamp(span)
        if part is not None:
            held = starts.setdefault(part.start, Chapter(part, mark.title))
            if not held.title.strip():
                starts[part.start] = Chapter(part, mark.title)
    kept = list(starts.values())
    ends = [min(a.span.end, b.span.start) for a, b in itertools.pairwise(kept)]
    ends += [mark.span.end for mark in kept[-1:]]
    return tuple(
        Chapter(Span(mark.span.start, end), mark.title)
        for mark, end in zip(kept, ends, strict=True)
    )


def _split_at(span: Span, edges: Iterable[Fraction]) -> list[Span]:
    inside = [edge for edge in edges if span.start < edge < span.end]
    points = [span.start, *inside, span.end]
    return [Span(a, b) for a, b in itertools.pairwise(points)]


def _meeting(parts: Sequence[Span], block: Span) -> list[Span]:
    first = max(0, bisect_left(parts, block.start, key=lambda part: part.end))
    met = itertools.takewhile(lambda part: part.start < block.end, parts[first:])
    return [part for shot in met if (part := shot.clamp(block)) is not None]


def _meeting_shots(shots: Sequence[Shot], block: Span) -> list[Shot]:
    first = bisect_left(shots, block.start, key=lambda shot: shot.span.end)
    return list(itertools.takewhile(lambda shot: shot.span.start < block.end, shots[first:]))


def _cut(part: Span, longest: Fraction) -> Iterator[Span]:
    """A shot, in equal pieces where it is longer than a segment may be."""
    count = math.ceil(part.length / longest)
    step = part.length / count
    for piece in range(count):
        end = part.end if piece == count - 1 else part.start + (piece + 1) * step
        yield Span(part.start + piece * step, end)


def _group(pieces: Sequence[Span], longest: Fraction) -> Iterator[Span]:
    """Neighbours joined as long as they fit; a crumb joins its neighbour even where it does not."""
    held = pieces[0]
    for piece in pieces[1:]:
        joined = Span(held.start, piece.end)
        has_crumb = min(held.length, piece.length) < longest * CRUMB
        if joined.length <= longest or (has_crumb and joined.length <= longest * (1 + CRUMB)):
            held = joined
            continue
        yield held
        held = piece
    yield held
