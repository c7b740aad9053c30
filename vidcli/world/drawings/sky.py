"""What is seen in the sky, and plain signs: five drawings each."""

import numpy as np

from vidcli.world.shapes import (
    Drawing,
    Part,
    bar,
    box,
    curve,
    disc,
    oval,
    shape,
    spikes,
    wave,
)


def ball(v: int) -> Drawing:
    """A round ball with the seams of its game."""
    whole = disc("body", 0, 0, 0.92)
    if v == 0:  # beach ball: wedges of paper
        wedges = [oval("paper", 0, 0, 0.92, 0.92, start=a, end=a + 50) for a in (20, 140, 260)]
        return (whole, *(_wedge(part) for part in wedges), disc("body", 0, 0, 0.16))
    if v == 1:  # basketball
        return (
            whole,
            bar("ink", -0.9, 0, 0.9, 0, 0.1),
            bar("ink", 0, -0.9, 0, 0.9, 0.1),
            curve("ink", 0.1, -0.6, -0.65, -0.3, 0, -0.6, 0.65),
            curve("ink", 0.1, 0.6, -0.65, 0.3, 0, 0.6, 0.65),
        )
    if v == 2:  # a band around it
        return (whole, shape("paper", -0.88, -0.2, 0.88, -0.2, 0.88, 0.2, -0.88, 0.2))
    if v == 3:  # football
        patches = [disc("ink", 0.72 * x, 0.72 * y, 0.17) for x, y in _around(5)]
        return (whole, spikes("ink", 0, 0, 0.34, 0.27, count=5), *patches)
    return (
        whole,
        curve("paper", 0.14, -0.7, -0.55, -0.15, -0.2, 0.1, 0.3, 0.1, 0.88),
        curve("paper", 0.14, 0.75, 0.4, 0.3, 0.1, 0.15, -0.4, 0.3, -0.85),
    )


def star(v: int) -> Drawing:
    """A star with five points, or four, or six."""
    count, inner, turn = (
        (5, 0.42, -90),
        (5, 0.55, -80),
        (4, 0.36, -90),
        (6, 0.5, -90),
        (5, 0.34, -100),
    )[v]
    core = spikes("light", 0, 0, 0.45, 0.2, count=count, turn=turn)
    return (spikes("body", 0, 0, 1, inner, count=count, turn=turn), *((core,) if v % 2 else ()))


def heart(v: int) -> Drawing:
    """Two round tops over one point."""
    top = (-0.35, -0.3, -0.4, -0.25, -0.38)[v]
    radius = (0.5, 0.48, 0.5, 0.46, 0.52)[v]
    point = (0.95, 0.8, 1.0, 0.75, 0.9)[v]
    lobes = (disc("body", -0.45, top, radius), disc("body", 0.45, top, radius))
    low = shape("body", -0.9, top + 0.2, 0, top - 0.1, 0.9, top + 0.2, 0, point)
    extra = {1: disc("light", -0.5, top - 0.1, 0.16), 3: bar("ink", -1, -0.9, 1, 0.6, 0.1)}
    return (*lobes, low, *((extra[v],) if v in extra else ()))


def moon(v: int) -> Drawing:
    """A crescent."""
    depth, turn = ((0.85, 0), (0.7, 20), (1.0, -20), (0.78, 35), (0.92, -35))[v]
    outer = oval("body", 0, 0, 0.95, 0.95, start=60, end=300).points
    horn_x, horn_y = float(outer[0, 0]), float(outer[0, 1])
    inner = oval("body", horn_x, 0, depth, horn_y, start=270, end=90).points
    points = np.concatenate([outer, inner]) + np.array([0.2, 0])
    angle = np.radians(turn)
    spin = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (Part("body", (points @ spin).astype(np.float32)),)


def sun(v: int) -> Drawing:
    """A disc with rays."""
    count, length, core = ((8, 1, 0.5), (12, 1, 0.55), (10, 0.95, 0.42), (8, 1, 0.6), (16, 1, 0.5))[
        v
    ]
    if v in (0, 3):
        rays = [
            bar("body", 0.66 * x, 0.66 * y, length * x, length * y, 0.16) for x, y in _around(count)
        ]
        return (*rays, disc("body", 0, 0, core), *((disc("light", 0, 0, core * 0.6),) if v else ()))
    return (
        spikes("body", 0, 0, length, core + 0.08, count=count),
        disc("light", 0, 0, core * 0.85),
    )


def cloud(v: int) -> Drawing:
    """Round puffs on a flat base."""
    puffs = (
        ((-0.5, 0.15, 0.36), (0, -0.1, 0.5), (0.5, 0.15, 0.38)),
        ((-0.55, 0.2, 0.3), (-0.2, -0.05, 0.42), (0.3, 0.0, 0.42), (0.62, 0.22, 0.28)),
        ((-0.4, 0.1, 0.45), (0.3, 0.1, 0.5)),
        ((-0.6, 0.25, 0.28), (-0.25, 0.0, 0.36), (0.2, -0.2, 0.4), (0.6, 0.15, 0.34)),
        ((-0.45, 0.2, 0.4), (0.1, -0.1, 0.38), (0.55, 0.2, 0.4)),
    )[v]
    base = box("body", puffs[0][0], 0.05, puffs[-1][0], 0.52)
    rain = [bar("ink", x, 0.65, x - 0.1, 0.95, 0.09) for x in (-0.4, 0, 0.4)] if v in (1, 3) else []
    return (*(disc("body", x, y, r) for x, y, r in puffs), base, *rain)


def umbrella(v: int) -> Drawing:
    """An open canopy with a hooked handle."""
    rise = (0.85, 0.7, 0.95, 0.6, 0.8)[v]
    stick = (bar("ink", 0, -1, 0, 0.7, 0.12),)
    hook = (curve("ink", 0.12, 0, 0.65, 0.05, 0.88, 0.2, 0.95, 0.36, 0.85, 0.38, 0.65),)
    canopy = (oval("body", 0, 0.02, 0.98, rise, start=180, end=360),)
    ribs = [
        (shape("paper", -0.33, 0, 0, -rise, 0.33, 0),),
        (
            bar("dark", -0.4, 0, -0.08, -rise * 0.9, 0.07),
            bar("dark", 0.4, 0, 0.08, -rise * 0.9, 0.07),
        ),
        tuple(oval("light", x, 0.02, 0.3, 0.14, start=180, end=360) for x in (-0.65, 0, 0.65)),
        (shape("paper", -0.98, 0, -0.5, 0, 0, -rise), shape("paper", 0.5, 0, 0.98, 0, 0, -rise)),
        (),
    ][v]
    return (*stick, *hook, *canopy, *ribs)


def balloon(v: int) -> Drawing:
    """An egg with a knot and a long string."""
    rx, ry = ((0.55, 0.65), (0.6, 0.58), (0.48, 0.68), (0.58, 0.62), (0.5, 0.6))[v]
    knot = shape("body", 0, -0.35 + ry - 0.08, 0.13, -0.35 + ry + 0.12, -0.13, -0.35 + ry + 0.12)
    sway = (0.1, -0.15, 0.15, 0.05, -0.1)[v]
    string = curve("ink", 0.08, 0, -0.3 + ry, sway, 0.55, -sway, 0.75, 0, 1)
    mark = (
        oval("light", -0.22, -0.55, 0.1, 0.2),
        oval("light", 0.2, -0.5, 0.12, 0.18),
        oval("light", -0.2, -0.6, 0.1, 0.16),
        spikes("paper", 0, -0.35, 0.3, 0.13, count=5),
        bar("paper", -0.48, -0.3, 0.48, -0.3, 0.18),
    )[v]
    return (string, oval("body", 0, -0.35, rx, ry), knot, mark)


def kite(v: int) -> Drawing:
    """A diamond with a tail of bows."""
    wide, cross = ((0.55, -0.4), (0.62, -0.3), (0.5, -0.45), (0.6, -0.35), (0.55, -0.25))[v]
    sail = shape("body", 0, -1, wide, cross, 0, 0.35, -wide, cross)
    half = shape("paper" if v in (1, 3) else "dark", 0, -1, wide, cross, 0, 0.35)
    sticks = (bar("ink", 0, -1, 0, 0.35, 0.06), bar("ink", -wide, cross, wide, cross, 0.06))
    side = (0.2, -0.2, 0.25, -0.25, 0.1)[v]
    tail = curve("ink", 0.08, 0, 0.3, side, 0.55, -side * 0.5, 0.75, side * 0.6, 1)
    bows = [
        shape("body", x - 0.2, y - 0.12, x + 0.2, y + 0.12, x + 0.2, y - 0.12, x - 0.2, y + 0.12)
        for x, y in ((side * 0.9, 0.55), (0, 0.82))
    ]
    return (tail, *bows, sail, *((half,) if v != 2 else ()), *(sticks if v in (0, 2, 4) else ()))


def flag(v: int) -> Drawing:
    """Cloth on a pole."""
    pole = bar("ink", -0.65, -1, -0.65, 1, 0.14)
    if v == 1:
        return (pole, shape("body", -0.6, -0.9, 0.85, -0.45, -0.6, 0.0))
    if v == 3:
        return (pole, shape("body", -0.6, -0.9, 0.9, -0.9, 0.5, -0.45, 0.9, 0.0, -0.6, 0.0))
    top = wave(-0.6, 0.9, y=-0.8, height=(0.0, 0, 0.1, 0, 0.07)[v], waves=1)
    low = wave(0.9, -0.6, y=0.05, height=(0.0, 0, -0.1, 0, -0.07)[v], waves=1)
    stripe = (box("paper", -0.58, -0.5, 0.9, -0.25),) if v != 2 else ()
    return (pole, shape("body", *top, *low), *stripe)


def _around(count: int) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in spikes("body", 0, 0, 1, 1, count=count).points[::2]]


def _wedge(arc: Part) -> Part:
    return Part(arc.tone, np.concatenate([arc.points, np.zeros((1, 2), np.float32)]))
