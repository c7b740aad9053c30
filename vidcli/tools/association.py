"""Which tracks show the same thing: association by overlap and appearance histogram.

No model of identity is used: two things that look alike may be taken for one, and one that changes
its looks for two. Tracks of different labels are never joined.

Source: VideoAgent (YueFan1014/VideoAgent, arXiv:2403.11481) section 3.2 joins tracks by
0.15 CLIP + 0.85 DINOv2 similarity. Those encoders are not here; a histogram of colours, where the
detector took one, and the overlap of boxes where one track ends and the other begins stand in.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

from vidcli.core.tracks import Box, Track

GAP_MAX = Fraction(1)  # seconds between two tracks that overlap can still join
OVERLAP_MIN = 0.3  # intersection over union
ALIKE_MIN = 0.9  # of histograms, where nothing else speaks for it


def associate(tracks: Sequence[Track], *, cuts: Sequence[Fraction] = ()) -> list[list[Track]]:
    """Group tracks by the thing they show.

    A track joins the group of which the latest track ended before it began, if their labels are
    equal and the box where the one ended overlaps the box where the other begins, at most a second
    later and with no cut between, or if their histograms are alike. The likeliest group takes it.

    Args:
        tracks: In any order.
        cuts: Times at which shots begin: across one, a place means nothing.

    Returns:
        Groups by their first frame; every track is in exactly one.
    """
    groups: list[list[Track]] = []
    for track in sorted(tracks, key=lambda track: (track.span.start, track.span.end, track.label)):
        scored = [(_likeness(group[-1], track, cuts), i) for i, group in enumerate(groups)]
        best, i = max(scored, default=(0.0, -1))
        if best > 0:
            groups[i].append(track)
        else:
            groups.append([track])
    return groups


def _likeness(ended: Track, begun: Track, cuts: Sequence[Fraction]) -> float:
    """How surely one track goes on as the other, 0 for not at all."""
    last, first = ended.boxes[-1], begun.boxes[0]
    gap = first.time.seconds - last.time.seconds
    if ended.label != begun.label or gap <= 0:
        return 0.0
    is_cut = any(last.time.seconds < cut <= first.time.seconds for cut in cuts)
    overlap = 0.0 if is_cut or gap > GAP_MAX else measure_overlap(last, first)
    alike = compare_appearance(ended.appearance, begun.appearance)
    if overlap < OVERLAP_MIN and alike < ALIKE_MIN:
        return 0.0
    return max(overlap, alike)


def measure_overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (one.width * one.height + other.width * other.height - shared)


def compare_appearance(one: Sequence[float], other: Sequence[float]) -> float:
    """Cosine of two histograms; 0 where either is missing or they are of different lengths."""
    if len(one) != len(other):
        return 0.0
    length = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / length if length else 0.0
