"""A curve of scores for a terminal: as wide as it is, in block letters or in plain ASCII."""

from bisect import bisect_right
from collections.abc import Sequence

from vidcli.core.time import format_time
from vidcli.output.documents import Document
from vidcli.output.moments import curve_points

ROWS = 6
MARGIN = 5  # columns of the scale, such as ` 0.6 `
NARROWEST = 20
BLOCKS = " ▁▂▃▄▅▆▇█"
PLAIN_BLOCKS = "    ####"  # no letter of ASCII fills a part of a cell
GREEN, DIM, RESET = "\x1b[32m", "\x1b[2m", "\x1b[0m"


def draw_curve(document: Document, *, width: int, color: bool, ascii_only: bool) -> str:
    """The scores of a document `moments` over time, and its moments under them.

    Args:
        document: With its windows.
        width: Columns of the terminal.
        color: Whether colour codes may be written.
        ascii_only: Whether nothing but ASCII may be.

    Returns:
        Lines, each ended by a newline and no wider than `width` (20 at least).
    """
    columns = max(width, NARROWEST) - MARGIN - 1
    start, end = document["coverage"]["start_s"], document["coverage"]["end_s"]
    heights = sample(curve_points(document), start, end, columns)
    marked = [_is_found(document, start, end, column, columns) for column in range(columns)]
    blocks = PLAIN_BLOCKS if ascii_only else BLOCKS
    level = min(ROWS - 1, int(document["threshold"] * ROWS))
    lines = []
    for row in reversed(range(ROWS)):
        cells = [_cell(height, row, blocks) for height in heights]
        if row == level:
            cells = [("-" if ascii_only else "┄") if cell == " " else cell for cell in cells]
        lines.append(_scale(row, level, document["threshold"]) + _paint(cells, marked, color))
    mark = "=" if ascii_only else "━"
    under = [mark if is_in else " " for is_in in marked]
    lines.append(" " * MARGIN + _paint(under, marked, color))
    axis = _axis(start, end, columns)
    lines.append(" " * MARGIN + (f"{DIM}{axis}{RESET}" if color else axis))
    return "".join(f"{line.rstrip()}\n" for line in lines)


def sample(
    points: Sequence[tuple[float, float]], start: float, end: float, columns: int
) -> list[float]:
    """The height of the curve at the middle of each column: straight between its points."""
    times = [time for time, _ in points]
    step = (end - start) / columns
    heights = []
    for column in range(columns):
        at = start + (column + 0.5) * step
        after = bisect_right(times, at)
        if after in (0, len(points)):
            heights.append(points[min(after, len(points) - 1)][1])
            continue
        (left, low), (right, high) = points[after - 1], points[after]
        heights.append(low + (high - low) * (at - left) / (right - left))
    return heights


def _is_found(document: Document, start: float, end: float, column: int, columns: int) -> bool:
    """Whether a moment lies in a column, or touches it where it is shorter than one."""
    step = (end - start) / columns
    left, right = start + column * step, start + (column + 1) * step
    return any(
        moment["start_s"] < right and moment["end_s"] > left for moment in document["moments"]
    )


def _cell(height: float, row: int, blocks: str) -> str:
    filled = min(1.0, max(0.0, height * ROWS - row))
    return blocks[round(filled * (len(blocks) - 1))]


def _scale(row: int, level: int, threshold: float) -> str:
    if row == level:
        return f"{threshold:4.2f} "
    return {ROWS - 1: "1.00 ", 0: "0.00 "}.get(row, " " * MARGIN)


def _paint(cells: Sequence[str], marked: Sequence[bool], color: bool) -> str:
    if not color:
        return "".join(cells)
    painted, is_green = [], False
    for cell, is_in in zip(cells, marked, strict=True):
        if is_in != is_green:
            painted.append(GREEN if is_in else RESET)
            is_green = is_in
        painted.append(cell)
    return "".join(painted) + (RESET if is_green else "")


def _axis(start: float, end: float, columns: int) -> str:
    """Times under the curve: at both ends, and as many between as there is room for."""
    decimals = 1 if end - start < 10 else 0
    width = len(format_time(end, decimals=decimals))
    parts = max(1, min(8, columns // (2 * width + 2)))
    line = [" "] * columns
    for part in range(parts + 1):
        text = format_time(start + (end - start) * part / parts, decimals=decimals)
        at = min(round(columns * part / parts), columns - len(text))
        line[at : at + len(text)] = text
    return "".join(line)
