"""From the scores of overlapping windows to spans: prior, smoothing, hysteresis, edges.

Pure arithmetic on log-odds of yes; nothing here knows a model.
"""

import itertools
import math
from collections.abc import Sequence
from statistics import median

from vidcli.core.moments import Prior, PriorRule

CERTAIN = 3.0  # log-odds beyond which more says no more: a probability of 0.95
KERNEL = (1 / 6, 4 / 6, 1 / 6)  # of a window and its neighbours
REACH = 1.0  # log-odds below the threshold down to which a moment goes on
FLOOR = 0.2  # but not below these log-odds, where a model without an opinion hovers
STEP = 1.0  # log-odds that both sides of an edge must differ by


def to_probability(log_odds: float) -> float:
    """The probability of yes, 0 to 1."""
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -700 else 0.0


def to_log_odds(probability: float) -> float:
    """Its inverse; infinite at 0 and 1."""
    if probability in (0, 1):
        return math.inf if probability else -math.inf
    return math.log(probability / (1 - probability))


def find_prior(rule: PriorRule, log_odds: Sequence[float], *, blind: float | None) -> Prior:
    """What to take off every window.

    A model that says yes of grey pictures says it of anything: then a window counts only as far as
    it is above both that and the video's own median. One that says no of grey pictures is believed
    as it is, so that an event may fill the whole video.

    Args:
        rule: `auto` as above; the others take what they name, whatever its sign.
        log_odds: Of all windows.
        blind: Of grey pictures; not needed for `median` and `none`.
    """
    middle = median(log_odds)
    if rule is PriorRule.NONE:
        taken = 0.0
    elif rule is PriorRule.MEDIAN:
        taken = middle
    else:
        assert blind is not None, "the blind window was asked about"
        taken = blind
        if rule is PriorRule.AUTO:
            taken = max(blind, middle) if blind > 0 else 0.0
    return Prior(rule, blind, middle, taken)


def calibrate(log_odds: Sequence[float], prior: Prior) -> list[float]:
    """Log-odds above the prior, kept within `CERTAIN`."""
    return [min(CERTAIN, max(-CERTAIN, value - prior.log_odds)) for value in log_odds]


def smooth(values: Sequence[float]) -> list[float]:
    """Each value drawn towards its neighbours; the ends have themselves for the missing one.

    A single sure yes among sure noes stays one, a single weak one does not.
    """
    padded = [*values[:1], *values, *values[-1:]]
    return [
        sum(weight * value for weight, value in zip(KERNEL, three, strict=True))
        for three in zip(padded, padded[1:], padded[2:], strict=False)
    ]


def find_runs(values: Sequence[float], *, threshold: float) -> list[tuple[int, int]]:
    """Runs of windows that reach the threshold, with the neighbours that nearly do.

    Args:
        values: Log-odds in order.
        threshold: Log-odds that one window of a run must reach; the others come within `REACH` and
            stay above `FLOOR`.

    Returns:
        (first, last) of each run, in order; none touches another.
    """
    low = min(threshold, max(threshold - REACH, FLOOR))
    runs = []
    for is_near, group in itertools.groupby(
        range(len(values)), key=lambda number: values[number] >= low
    ):
        members = list(group)
        if is_near and max(values[number] for number in members) >= threshold:
            runs.append((members[0], members[-1]))
    return runs


def find_edge(values: Sequence[float], *, rises: bool) -> int | None:
    """Where a row of looks turns from no to yes, or from yes to no.

    Args:
        values: Log-odds above the prior, in order of time.
        rises: Whether yes comes after no.

    Returns:
        How many looks are before the edge, from 1 to all but one; None where both sides are too
        much alike to tell, or the later side of a rise is no yes at all.

    Source: the split that explains a row best by two levels, as in change-point detection; here
    the levels are fixed at yes and no.
    """
    signed = list(values) if rises else [-value for value in values]
    if len(signed) < 2:
        return None
    total = sum(signed)
    best, at, before = -math.inf, 0, 0.0
    for number in range(1, len(signed)):
        before += signed[number - 1]
        if total - 2 * before > best:  # what is after counts for, what is before against
            best, at = total - 2 * before, number
    low, high = (sum(part) / len(part) for part in (signed[:at], signed[at:]))
    inside = high if rises else -low
    return at if high - low >= STEP and inside > 0 else None
