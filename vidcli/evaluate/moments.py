"""How well moments fit where an event really is: R1 at an overlap, mean IoU, edges, false finds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Window = tuple[float, float]  # start and end in seconds
LIMITS = (0.3, 0.5, 0.7)


@dataclass(frozen=True, slots=True)
class Answered:
    """One query about one video.

    Attributes:
        found: Windows with their scores; none where nothing was found.
        wanted: Where the event is; empty where it is nowhere.
    """

    found: Sequence[tuple[Window, float]]
    wanted: Sequence[Window]

    @property
    def best(self) -> Window | None:
        """The window of the highest score, the longer of two alike."""
        if not self.found:
            return None
        return max(self.found, key=lambda one: (one[1], one[0][1] - one[0][0]))[0]


@dataclass(frozen=True, slots=True)
class MomentScore:
    """Scores over queries.

    Attributes:
        queries: About events that are there.
        r1: Share of them whose best window overlaps a wanted one at least so much, by limit.
        mean_iou: Mean overlap of the best window; 0 where nothing was found.
        edge_s: Median distance of its edges from the true ones, where it meets them at all.
        absent: Queries about events that are nowhere.
        false_finds: Of them, those for which something was found.
    """

    queries: int
    r1: Mapping[float, float]
    mean_iou: float
    edge_s: float | None
    absent: int
    false_finds: int


def intersect(one: Window, other: Window) -> float:
    """Intersection over union of two windows, 0 to 1."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    whole = max(one[1], other[1]) - min(one[0], other[0])
    return max(0.0, shared) / whole if whole > 0 else 0.0


def score_moments(answers: Sequence[Answered]) -> MomentScore:
    """Scores of all answers; shares of none are 0."""
    there = [answer for answer in answers if answer.wanted]
    absent = [answer for answer in answers if not answer.wanted]
    overlaps, edges = [], list[float]()
    for answer in there:
        best = answer.best
        pairs = [(intersect(best, wanted), wanted) for wanted in answer.wanted if best is not None]
        overlap, nearest = max(pairs, default=(0.0, (0.0, 0.0)))
        overlaps.append(overlap)
        if best is not None and overlap > 0:
            edges += [abs(a - b) for a, b in zip(best, nearest, strict=True)]
    n = max(1, len(there))
    return MomentScore(
        len(there),
        {limit: sum(value >= limit for value in overlaps) / n for limit in LIMITS},
        sum(overlaps) / n,
        median(edges) if edges else None,
        len(absent),
        sum(bool(answer.found) for answer in absent),
    )
