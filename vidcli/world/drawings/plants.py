"""Fruit, vegetables and plants: five drawings each."""

from vidcli.world.shapes import Drawing, bar, box, curve, disc, oval, shape, spikes


def apple(v: int) -> Drawing:
    """Two lobes, a stem and a leaf."""
    wide = (0.0, 0.06, -0.04, 0.1, -0.08)[v]
    lean = (0.0, 0.14, -0.14, 0.2, -0.2)[v]
    lobes = (
        oval("body", -0.32 - wide, 0.18, 0.5, 0.62),
        oval("body", 0.32 + wide, 0.18, 0.5, 0.62),
        oval("body", 0, 0.3, 0.5, 0.58),
    )
    stem = curve("ink", 0.13, 0, -0.25, lean * 0.4, -0.6, lean, -0.9)
    leaf = shape("dark", 0.06, -0.5, 0.3, -0.85, 0.75, -0.9, 0.55, -0.55, 0.25, -0.45)
    shine = oval("light", -0.42, 0.0, 0.12, 0.22)
    bite = disc("paper", 0.8, 0.15, 0.3)
    return (*lobes, stem, *((leaf,) if v != 2 else ()), *((bite,) if v in (1, 3) else (shine,)))


def carrot(v: int) -> Drawing:
    """A long cone with a tuft of leaves."""
    half = (0.34, 0.42, 0.28, 0.38, 0.3)[v]
    tip = (0.0, 0.12, -0.1, 0.2, 0.0)[v]
    root = shape(
        "body",
        -half,
        -0.35,
        -half * 0.7,
        -0.5,
        half * 0.7,
        -0.5,
        half,
        -0.35,
        tip + 0.08,
        0.95,
        tip - 0.08,
        0.95,
    )
    spread = (0.4, 0.5, 0.3, 0.55, 0.2)[v]
    leaves = [curve("dark", 0.16, 0, -0.45, x * 0.6, -0.7, x, -1) for x in (-spread, 0, spread)]
    rings = [bar("dark", -half * 0.7, y, -half * 0.05, y + 0.04, 0.07) for y in (-0.1, 0.25)]
    return (
        *leaves,
        root,
        *(rings if v != 3 else ()),
        bar("dark", 0.05, 0.08, half * 0.5, 0.1, 0.07),
    )


def mushroom(v: int) -> Drawing:
    """A cap with dots on a pale stalk."""
    rise = (0.75, 0.6, 0.9, 0.7, 0.5)[v]
    stalk = (0.24, 0.3, 0.18, 0.34, 0.22)[v]
    foot = (1.0, 1.3, 1.6, 0.8, 1.4)[v]
    stem = shape("paper", -stalk, -0.1, stalk, -0.1, stalk * foot, 0.9, -stalk * foot, 0.9)
    cap = oval("body", 0, 0.05, 0.95, rise, start=180, end=360)
    dots = ((-0.45, -0.2), (0.1, -0.4), (0.5, -0.15)) if v % 2 == 0 else ((-0.3, -0.3), (0.3, -0.2))
    return (stem, cap, *(disc("paper", x, y * rise / 0.75, 0.14) for x, y in dots))


def tree(v: int) -> Drawing:
    """A trunk under a crown of leaves or needles."""
    trunk = box("ink", -0.14, 0.3, 0.14, 1)
    if v in (1, 4):
        tiers = ((-1.0, -0.3, 0.5), (-0.6, 0.15, 0.68), (-0.15, 0.62, 0.85))
        low = tiers if v == 1 else ((-1.0, 0.0, 0.6), (-0.35, 0.6, 0.8))
        return (trunk, *(shape("body", 0, t, w, b, -w, b) for t, b, w in low))
    if v == 0:
        return (
            trunk,
            disc("body", -0.4, -0.15, 0.45),
            disc("body", 0.4, -0.15, 0.45),
            disc("body", 0, -0.45, 0.52),
            disc("dark", 0.2, -0.2, 0.12),
        )
    if v == 2:
        return (trunk, oval("body", 0, -0.3, 0.75, 0.68), oval("dark", 0.25, -0.1, 0.3, 0.25))
    return (
        trunk,
        bar("ink", 0, 0.4, 0.5, 0, 0.12),
        oval("body", 0, -0.45, 0.9, 0.5),
        oval("body", 0.35, -0.1, 0.45, 0.32),
    )


def flower(v: int) -> Drawing:
    """Petals around an eye, on a stem."""
    stem = (curve("ink", 0.12, 0, 0, (0.05, -0.1, 0.1, -0.05, 0.0)[v], 0.5, 0, 1),)
    leaf = (shape("ink", 0, 0.75, 0.2, 0.45, 0.55, 0.4, 0.35, 0.7),)
    second = (shape("ink", 0, 0.85, -0.2, 0.55, -0.55, 0.5, -0.35, 0.8),)
    if v == 1:  # a tulip
        bloom = (
            shape(
                "body",
                -0.55,
                -0.95,
                -0.22,
                -0.55,
                0,
                -1,
                0.22,
                -0.55,
                0.55,
                -0.95,
                0.5,
                -0.1,
                0.2,
                0.15,
                -0.2,
                0.15,
                -0.5,
                -0.1,
            ),
        )
        return (*stem, *leaf, *second, *bloom)
    count = (5, 5, 8, 6, 4)[v]
    petals = [
        disc("body", 0.42 * x, -0.4 + 0.42 * y, (0.3, 0.3, 0.2, 0.27, 0.34)[v])
        for x, y in spikes("body", 0, 0, 1, 1, count=count).points[::2]
    ]
    eye = disc("paper" if v != 3 else "ink", 0, -0.4, 0.24)
    return (*stem, *leaf, *(second if v in (2, 3) else ()), *petals, eye)


def cactus(v: int) -> Drawing:
    """A thick column with raised arms."""
    wide = (0.24, 0.28, 0.22, 0.3, 0.2)[v]
    column = (
        box("body", -wide, -0.75, wide, 0.75),
        oval("body", 0, -0.75, wide, wide, start=180, end=360),
    )
    right, left = ((-0.1, -0.35), (0.1, -0.1), (-0.3, None), (-0.25, 0.2), (0.15, -0.45))[v]
    arms = [
        curve(
            "body",
            0.26,
            0,
            y + 0.35,
            side * 0.45,
            y + 0.33,
            side * 0.66,
            y + 0.1,
            side * 0.68,
            y - 0.3,
        )
        for side, y in ((1, right), (-1, left))
        if y is not None
    ]
    lines = [bar("dark", x, -0.6, x, 0.6, 0.06) for x in ((-0.08, 0.1) if v != 2 else (0,))]
    pot = shape("grey", -0.5, 0.6, 0.5, 0.6, 0.38, 1, -0.38, 1)
    return (*arms, *column, *lines, *((pot,) if v in (0, 2, 3) else ()))
