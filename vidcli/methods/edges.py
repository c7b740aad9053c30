"""A closer look at the edges of what was found: single pictures, and a few more between them.

A window says yes as soon as it shows a little of an event, so moments made of windows begin too
early and end too late. Single pictures tell where the event really begins. An event that no single
picture shows keeps the edges that the windows gave it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from vidcli.core.media import FramePlan, PlannedFrame
from vidcli.core.moments import Judged, Prior
from vidcli.core.prompt import ImagePart
from vidcli.core.time import Span
from vidcli.methods.sliding import CLOSER, WindowGrid, images_between, plan_unit
from vidcli.methods.spotting import calibrate, find_edge
from vidcli.methods.watch import Watched

BETWEEN = 3  # units put between the last no and the first yes
BESIDE = 1  # units before and after the windows that an edge may lie in

Run = tuple[int, int]  # first and last window
Watch = Callable[[FramePlan], Watched]
"""Turns instants into visual tokens."""
Look = Callable[[Sequence[ImagePart], Span], float]
"""Log-odds of yes for what is on the screen in a span."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """The last unit without the event and the first with it, or the other way round at an end."""

    before: int
    rises: bool


@dataclass(frozen=True, slots=True)
class Edges:
    """Where a moment begins and ends, and which of the two was looked at closely."""

    span: Span
    is_start_refined: bool
    is_end_refined: bool


@dataclass(slots=True)
class EdgeFinder:
    """Refines the edges of runs of windows.

    Args:
        grid: Of the windows.
        images: What is seen at its units.
        prior: Taken off every look.
        look: Asks about single pictures.
        watch: Makes visual tokens of more of them.
        rate: Frames a second of the video; None where it is not known.

    Attributes:
        looks: Log-odds of all looks so far, by the middle of what was looked at.
        closer: What was watched besides the grid; None for nothing.
    """

    grid: WindowGrid
    images: Sequence[ImagePart]
    prior: Prior
    look: Look
    watch: Watch
    rate: Fraction | None
    looks: dict[Fraction, float] = field(default_factory=dict)
    closer: Watched | None = None

    @property
    def judged(self) -> tuple[Judged, ...]:
        """All looks, in order of time."""
        return tuple(Judged(self._around(at), odds) for at, odds in sorted(self.looks.items()))

    def refine(self, runs: Sequence[Run]) -> list[Edges]:
        """The edges of each run of windows, in order; none meets another.

        Args:
            runs: From `find_runs`.
        """
        brackets = [self._bracket(run) for run in runs]
        self._look_between([one for pair in brackets for one in pair if one is not None])
        edges, reached = [], self.grid.span.start
        for run, (start, end) in zip(runs, brackets, strict=True):
            found = self._settle(run, start, end, after=reached)
            edges.append(found)
            reached = found.span.end
        return edges

    def _settle(
        self, run: Run, start: Bracket | None, end: Bracket | None, *, after: Fraction
    ) -> Edges:
        coarse = coarse_span(self.grid, run)
        begins = coarse.start if start is None else self._place(start)
        ends = coarse.end if end is None else self._place(end)
        begins = max(begins, after)
        if ends <= begins:  # the pictures contradict each other: the windows are believed
            return Edges(Span(min(max(coarse.start, after), coarse.end), coarse.end), False, False)
        return Edges(Span(begins, ends), start is not None, end is not None)

    # Units of the grid

    def _bracket(self, run: Run) -> tuple[Bracket | None, Bracket | None]:
        """Between which units a run begins and ends; None where single pictures do not tell."""
        first, past = self.grid.windows[run[0]][0], self.grid.windows[run[1]][1]
        reach = self.grid.size + BESIDE
        low, high = max(0, first - BESIDE), min(self.grid.count, past + BESIDE)
        heads = range(low, min(high, first + reach))
        tails = range(max(low, past - reach), high)
        values = {number: self._value(number) for number in (*heads, *tails)}
        peak = max(values, key=lambda number: (values[number], -abs(2 * number + 1 - first - past)))
        if past - first > 2 * self.grid.size:
            peak = (first + past) // 2
        return (
            self._split([n for n in heads if n <= peak], values, rises=True),
            self._split([n for n in tails if n >= peak], values, rises=False),
        )

    def _split(
        self, units: Sequence[int], values: dict[int, float], *, rises: bool
    ) -> Bracket | None:
        at = find_edge([values[number] for number in units], rises=rises)
        return None if at is None else Bracket(units[at - 1], rises)

    def _value(self, number: int) -> float:
        at = self.grid.middle(number)
        if at not in self.looks:
            span = Span(self.grid.edge(number), self.grid.edge(number + 1))
            shown = images_between(self.images, span.start, span.end)
            self.looks[at] = self.look(shown, span)
        return calibrate([self.looks[at]], self.prior)[0]

    # Between two units

    def _between(self, bracket: Bracket) -> list[Fraction]:
        """Middles of the units to put into a bracket: no more than the video has frames there."""
        unit, start = self.grid.unit, self.grid.middle(bracket.before)
        most = BETWEEN if self.rate is None else min(BETWEEN, int(unit * self.rate) - 1)
        count = max(0, most // self.grid.group)
        return [start + part * unit / (count + 1) for part in range(1, count + 1)]

    def _look_between(self, brackets: Sequence[Bracket]) -> None:
        middles = sorted({at for bracket in brackets for at in self._between(bracket)})
        frames: dict[Fraction, PlannedFrame] = {}
        for at in middles:
            planned = plan_unit(at, self._width, self.grid.group, reason=CLOSER)
            frames |= {frame.time: frame for frame in planned}
        if not frames:
            return
        plan = FramePlan(self.grid.span, tuple(frames[at] for at in sorted(frames)), CLOSER)
        self.closer = self.watch(plan)
        for at in middles:
            span = self._around(at)
            shown = images_between(self.closer.images, span.start, span.end)
            self.looks[at] = self.look(shown, span)

    def _place(self, bracket: Bracket) -> Fraction:
        """The time of an edge: half way between the two looks that differ."""
        times = [
            self.grid.middle(bracket.before),
            *self._between(bracket),
            self.grid.middle(bracket.before + 1),
        ]
        values = calibrate([self.looks[at] for at in times], self.prior)
        at = find_edge(values, rises=bracket.rises)
        if at is None:
            return (times[0] + times[-1]) / 2
        return (times[at - 1] + times[at]) / 2

    @property
    def _width(self) -> Fraction:
        """Seconds that a unit of a closer look stands for."""
        return self.grid.unit / (BETWEEN + 1)

    def _around(self, at: Fraction) -> Span:
        span = Span(max(Fraction(0), at - self._width / 2), at + self._width / 2)
        return span.clamp(self.grid.span) or span


def coarse_span(grid: WindowGrid, run: Run) -> Span:
    """A run of windows as a span: each window stands for what is nearest its middle."""
    first, last = grid.window(run[0]), grid.window(run[1])
    half = grid.stride * grid.unit / 2
    is_first, is_last = run[0] == 0, run[1] == len(grid.windows) - 1
    start = grid.span.start if is_first else (first.start + first.end) / 2 - half
    end = grid.span.end if is_last else (last.start + last.end) / 2 + half
    return Span(start, end)
