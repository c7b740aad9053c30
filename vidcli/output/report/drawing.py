"""Where things lie on a timeline, in percent of its width, and the numbers on its axes."""

from collections.abc import Iterator

from vidcli.core.time import format_time
from vidcli.output.report.page import Curve, Mark, Page

STEPS_S = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 14400, 21600, 43200, 86400),
)
TICKS = 6  # labels that fit on a narrow screen
CURVE_BOX = (1000.0, 100.0)  # units of the drawing of a curve, width and height


def place(page: Page, time_s: float) -> float:
    """Where a time lies, 0 to 100, kept inside the timeline."""
    share = (time_s - page.start_s) / (page.end_s - page.start_s)
    return round(100 * min(1.0, max(0.0, share)), 4)


def inside(page: Page, marks: tuple[Mark, ...]) -> Iterator[Mark]:
    """The marks that a timeline shows a part of."""
    for mark in marks:
        if mark.start_s <= page.end_s and (mark.end_s > page.start_s or mark.end_s == mark.start_s):
            yield mark


def choose_ticks(page: Page) -> list[tuple[float, str]]:
    """Times of the axis: (place, label), at round times, few enough to be read."""
    length = page.end_s - page.start_s
    step = next((step for step in STEPS_S if length / step <= TICKS), length)
    decimals = 0 if step >= 1 else 1
    first = -(-page.start_s // step)
    ticks = []
    while first * step <= page.end_s:
        time = first * step
        ticks.append((place(page, time), format_time(max(0.0, time), decimals=decimals)))
        first += 1
    return ticks


def score_range(curve: Curve) -> tuple[float, float]:
    """Lowest and highest score that a curve is drawn for: 0 to 1 where all lie there."""
    values = [*curve.scores, *([] if curve.threshold is None else [curve.threshold])]
    low, high = min(values, default=0.0), max(values, default=1.0)
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    margin = 0.05 * (high - low) or 1.0
    return low - margin, high + margin


def height_of(curve: Curve, score: float) -> float:
    """Where a score lies, in units of the drawing, counted from its top."""
    low, high = score_range(curve)
    return round(CURVE_BOX[1] * (1 - (score - low) / (high - low)), 3)


def curve_points(page: Page, curve: Curve) -> str:
    """The line of a curve as SVG wants it."""
    scale = CURVE_BOX[0] / 100
    return " ".join(
        f"{place(page, time) * scale:.2f},{height_of(curve, score)}"
        for time, score in zip(curve.times_s, curve.scores, strict=True)
    )
