"""Clips that slide over a video: where people said something, and the gaps between.

Pure arithmetic on exact times; a clip here is a span of the video and no file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from vidcli.core.time import Span

STRETCH = Fraction(1, 4)  # of a window, that the last one may be longer instead of one more
LONG = 4  # windows, above which a label says too little of each moment to leave no gap
SLIVER = Fraction(1, 8)  # of a window, below which a gap may go without a clip of its own
SLIVERS = Fraction(1, 50)  # of the timeline, that all such gaps together may take


@dataclass(frozen=True, slots=True)
class Label:
    """What people said about a part of a video."""

    span: Span
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clip:
    """A part of a video to be told.

    Attributes:
        span: Half-open, inside the video.
        texts: What people said about it; empty in a gap.
    """

    span: Span
    texts: tuple[str, ...] = ()

    @property
    def is_labelled(self) -> bool:
        """Whether people said something about it."""
        return bool(self.texts)


def plan_clips(
    span: Span, labels: Sequence[Label], *, window: Fraction, stride: Fraction
) -> tuple[Clip, ...]:
    """Cover a span with clips: one for each labelled stretch, and windows over what is left.

    Args:
        span: What is to be covered.
        labels: In any order, overlapping or not; parts outside the span are cut off, labels of
            one and the same stretch are one clip. One that is longer than `LONG` windows, such as
            a caption of the whole video, is a clip of its own and fills no gap.
        window: Length of a clip in a gap, in seconds; a gap that is shorter is one clip.
        stride: From one window to the next, at most `window`.

    Returns:
        Clips by their start. They leave out at most `SLIVERS` of the span, all of it between
        labels that all but touch.
    """
    assert 0 < stride <= window, "windows leave nothing between them"
    told: dict[tuple[Fraction, Fraction], dict[str, None]] = {}
    for label in labels:
        inside = label.span.clamp(span)
        if inside is not None:
            texts = told.setdefault((inside.start, inside.end), {})
            texts |= dict.fromkeys(label.texts)
    clips = [Clip(Span(*edges), tuple(texts)) for edges, texts in told.items()]
    gaps = _drop_slivers(
        find_gaps(span, [clip.span for clip in clips if clip.span.length <= window * LONG]),
        shortest=window * SLIVER,
        allowance=span.length * SLIVERS,
    )
    for gap in gaps:
        clips += [Clip(part) for part in slide(gap, window=window, stride=stride)]
    return tuple(sorted(clips, key=lambda clip: (clip.span.start, clip.span.end)))


def slide(span: Span, *, window: Fraction, stride: Fraction) -> list[Span]:
    """Windows over a span, from its start to its end, no instant left out.

    The last one is a little longer, or begins a little earlier, so that it ends where the span
    does.
    """
    spans, start = [], span.start
    while start + window * (1 + STRETCH) < span.end:
        spans.append(Span(start, start + window))
        start += stride
    if spans and start + window > span.end:
        start = max(span.end - window, spans[-1].start)
        if start == spans[-1].start:
            spans.pop()
    return [*spans, Span(start, span.end)]


def find_gaps(span: Span, taken: Sequence[Span]) -> list[Span]:
    """The parts of a span that none of these spans touches, in order."""
    gaps, reached = [], span.start
    for part in sorted(taken, key=lambda part: part.start):
        if part.start > reached:
            gaps.append(Span(reached, min(part.start, span.end)))
        reached = max(reached, part.end)
        if reached >= span.end:
            return gaps
    return [*gaps, Span(reached, span.end)]


def measure_share(span: Span, spans: Sequence[Span]) -> Fraction:
    """How much of a span these spans cover together, from 0 to 1."""
    missing = sum((gap.length for gap in find_gaps(span, spans)), Fraction(0))
    return 1 - missing / span.length


def _drop_slivers(gaps: Sequence[Span], *, shortest: Fraction, allowance: Fraction) -> list[Span]:
    """Leave out gaps shorter than `shortest`, shortest first, while the allowance lasts."""
    kept = set(gaps)
    for gap in sorted(gaps, key=lambda gap: (gap.length, gap.start)):
        allowance -= gap.length
        if gap.length >= shortest or allowance < 0:
            break
        kept.discard(gap)
    return [gap for gap in gaps if gap in kept]
