"""Vector parts that drawings are made of: every one is a filled polygon in a tone.

A drawing lies in the square from -1 to 1, x to the right and y down. Tones are roles, not colours:
the body takes the colour that the object is said to have, its shades follow it, the rest is grey.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Tone = Literal["body", "dark", "light", "ink", "grey", "paper"]
Points = NDArray[np.float32]  # (n, 2), x and y

ARC_STEP = 15.0  # degrees between the corners of a round part


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One filled polygon of a drawing."""

    tone: Tone
    points: Points


Drawing = tuple[Part, ...]


def shape(tone: Tone, *corners: float) -> Part:
    """A polygon through x, y, x, y and so on."""
    return Part(tone, np.array(corners, np.float32).reshape(-1, 2))


def box(tone: Tone, left: float, top: float, right: float, bottom: float) -> Part:
    """An upright rectangle."""
    return shape(tone, left, top, right, top, right, bottom, left, bottom)


def oval(
    tone: Tone, x: float, y: float, rx: float, ry: float, *, start: float = 0, end: float = 360
) -> Part:
    """An ellipse, or the part of it between two angles (degrees, clockwise from the right)."""
    return Part(tone, _arc(x, y, rx, ry, start=start, end=end))


def disc(tone: Tone, x: float, y: float, radius: float) -> Part:
    """A filled circle."""
    return oval(tone, x, y, radius, radius)


def ring(tone: Tone, x: float, y: float, radius: float, width: float) -> Part:
    """A circle with a hole; `radius` is the outer one."""
    inner = radius - width
    outside = _arc(x, y, radius, radius, start=0, end=360)
    inside = _arc(x, y, inner, inner, start=360, end=0)
    return Part(tone, np.concatenate([outside, outside[:1], inside, inside[:1]]))


def bar(tone: Tone, x0: float, y0: float, x1: float, y1: float, width: float) -> Part:
    """A straight thick line."""
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    nx, ny = -(y1 - y0) / length * width / 2, (x1 - x0) / length * width / 2
    return shape(tone, x0 + nx, y0 + ny, x1 + nx, y1 + ny, x1 - nx, y1 - ny, x0 - nx, y0 - ny)


def curve(tone: Tone, width: float, *corners: float, taper: float = 1.0) -> Part:
    """A thick line through x, y, x, y and so on; it ends `taper` times as wide as it begins."""
    points = np.array(corners, np.float32).reshape(-1, 2)
    steps = np.stack([np.gradient(points[:, 0]), np.gradient(points[:, 1])], axis=1)
    lengths = np.maximum(np.hypot(steps[:, 0], steps[:, 1]), 1e-6)[:, None]
    normals = np.stack([-steps[:, 1], steps[:, 0]], axis=1) / lengths
    widths = np.linspace(width / 2, width / 2 * taper, len(points))[:, None]
    sides = [points + normals * widths, (points - normals * widths)[::-1]]
    return Part(tone, np.concatenate(sides).astype(np.float32))


def wave(x0: float, x1: float, *, y: float, height: float, waves: float) -> list[float]:
    """Corners x, y, … of a sine line, for `curve`."""
    xs = np.linspace(x0, x1, max(8, int(waves * 12)))
    ys = y + height * np.sin((xs - x0) / (x1 - x0) * waves * 2 * math.pi)
    return [float(value) for pair in zip(xs, ys, strict=True) for value in pair]


def spikes(
    tone: Tone, x: float, y: float, outer: float, inner: float, *, count: int, turn: float = -90
) -> Part:
    """A star with `count` points; the first one at the angle `turn`, in degrees."""
    angles = np.radians(turn + np.arange(2 * count) * 180.0 / count)
    radii = np.where(np.arange(2 * count) % 2 == 0, outer, inner)
    around = np.stack([x + radii * np.cos(angles), y + radii * np.sin(angles)], axis=1)
    return Part(tone, around.astype(np.float32))


def _arc(x: float, y: float, rx: float, ry: float, *, start: float, end: float) -> Points:
    whole = abs(end - start) >= 360
    count = max(4, math.ceil(abs(end - start) / ARC_STEP) + 1)
    angles = np.radians(np.linspace(start, end, count, endpoint=not whole))
    return np.stack([x + rx * np.cos(angles), y + ry * np.sin(angles)], axis=1).astype(np.float32)
