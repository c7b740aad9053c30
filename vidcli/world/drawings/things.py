"""Things of the house: five drawings each."""

from vidcli.world.shapes import Drawing, bar, box, curve, disc, oval, ring, shape, spikes


def cup(v: int) -> Drawing:
    """A mug with a handle."""
    low = (0.5, 0.6, 0.42, 0.62, 0.36)[v]
    wall = shape("body", -0.8, -0.5, 0.45, -0.5, low * 0.8, 0.8, -low - 0.2, 0.8)
    handle = ring("body", 0.5, 0.05, (0.42, 0.38, 0.45, 0.36, 0.4)[v], 0.15)
    rim = oval("dark", -0.18, -0.5, 0.63, 0.13)
    band = (bar("paper", -0.68, 0.15, 0.38, 0.15, 0.2),) if v in (1, 3) else ()
    steam = (
        [
            curve("grey", 0.08, x, -0.68, x + 0.08, -0.8, x - 0.05, -0.9, x + 0.03, -1)
            for x in (-0.4, 0.0)
        ]
        if v in (0, 4)
        else []
    )
    return (*steam, handle, wall, rim, *band)


def bottle(v: int) -> Drawing:
    """A tall flask with a thin neck."""
    half, neck = ((0.36, 0.14), (0.42, 0.16), (0.3, 0.12), (0.45, 0.13), (0.34, 0.18))[v]
    shoulder = (-0.25, -0.1, -0.35, 0.05, -0.3)[v]
    wall = shape(
        "body",
        -neck,
        -0.8,
        neck,
        -0.8,
        neck,
        shoulder - 0.2,
        half,
        shoulder + 0.1,
        half,
        0.95,
        -half,
        0.95,
        -half,
        shoulder + 0.1,
        -neck,
        shoulder - 0.2,
    )
    stopper = box("ink", -neck - 0.03, -1, neck + 0.03, -0.8)
    label = (
        box("paper", -half, 0.2, half, 0.65),
        oval("paper", 0, 0.45, half * 0.7, 0.25),
        box("paper", -half, 0.1, half, 0.75),
        bar("light", -half * 0.5, 0.2, -half * 0.5, 0.8, 0.1),
        box("paper", -half * 0.7, 0.25, half * 0.7, 0.7),
    )[v]
    return (stopper, wall, label)


def key(v: int) -> Drawing:
    """A ring, a shaft and teeth."""
    radius = (0.38, 0.34, 0.42, 0.36, 0.4)[v]
    shaft = bar("body", -0.3, 0, 0.98, 0, 0.17)
    cuts = ((0.6, 0.85), (0.55, 0.75, 0.92), (0.8,), (0.65, 0.88), (0.5, 0.7, 0.9))[v]
    side = 1 if v != 3 else -1
    teeth = [
        box("body", x - 0.07, min(0, side * 0.38), x + 0.07, max(0, side * 0.38)) for x in cuts
    ]
    head = ring("body", -0.58, 0, radius, 0.17)
    if v == 2:
        head = ring("body", -0.55, 0, 0.44, 0.24)
    trefoil = (
        [disc("body", x, y, 0.2) for x, y in ((-0.9, 0), (-0.58, -0.32), (-0.58, 0.32))]
        if v == 4
        else []
    )
    return (shaft, *teeth, *trefoil, head)


def hammer(v: int) -> Drawing:
    """A heavy head across a long handle."""
    handle = bar(
        "grey", 0, -0.5, (0.0, 0.05, -0.05, 0, 0.08)[v], 1, (0.2, 0.24, 0.18, 0.22, 0.26)[v]
    )
    heads = (
        (box("body", -0.6, -0.95, 0.6, -0.5),),
        (box("body", -0.7, -0.9, 0.25, -0.55), shape("body", 0.2, -0.9, 0.85, -0.6, 0.2, -0.6)),
        (box("body", -0.5, -1, 0.5, -0.4),),
        (
            box("body", -0.65, -0.85, 0.4, -0.6),
            box("body", -0.75, -0.95, -0.45, -0.5),
            curve("body", 0.16, 0.3, -0.75, 0.65, -0.7, 0.85, -0.45),
        ),
        (
            shape(
                "body",
                -0.75,
                -0.95,
                -0.45,
                -0.85,
                0.45,
                -0.85,
                0.75,
                -0.95,
                0.75,
                -0.45,
                0.45,
                -0.55,
                -0.45,
                -0.55,
                -0.75,
                -0.45,
            ),
        ),
    )
    return (handle, *heads[v])


def book(v: int) -> Drawing:
    """An open book, or a closed one with a spine."""
    if v in (2, 4):
        cover = (
            box("body", -0.62, -0.9, 0.7, 0.8)
            if v == 2
            else shape("body", -0.75, -0.75, 0.6, -0.95, 0.75, 0.6, -0.6, 0.8)
        )
        pages = (
            box("paper", -0.55, 0.8, 0.7, 0.95)
            if v == 2
            else shape("paper", -0.6, 0.8, 0.75, 0.6, 0.76, 0.76, -0.58, 0.95)
        )
        spine = (
            bar("dark", -0.52, -0.9, -0.52, 0.95, 0.2)
            if v == 2
            else bar("dark", -0.66, -0.75, -0.52, 0.8, 0.18)
        )
        return (pages, cover, spine, box("paper", -0.2, -0.55, 0.45, -0.25))
    sag = (0.2, 0.1, 0, 0.3)[v]
    covers = shape("body", -1, -0.6, 0, -0.6 + sag + 0.1, 1, -0.6, 1, 0.65, 0, 0.65 + sag, -1, 0.65)
    leaves = [
        shape("paper", s * 0.88, -0.62, s * 0.04, -0.6 + sag, s * 0.04, 0.5 + sag, s * 0.88, 0.5)
        for s in (-1, 1)
    ]
    lines = [
        bar("grey", s * 0.2, y + sag * 0.6, s * 0.75, y, 0.07)
        for s in (-1, 1)
        for y in (-0.35, -0.08, 0.2)
    ]
    return (covers, *leaves, *(lines if v != 1 else lines[:3]))


def clock(v: int) -> Drawing:
    """A pale face with hands and a coloured rim."""
    rim, face = disc("body", 0, 0, 0.9), disc("paper", 0, 0, (0.66, 0.7, 0.6, 0.64, 0.68)[v])
    if v == 3:
        rim, face = box("body", -0.85, -0.85, 0.85, 0.85), box("paper", -0.62, -0.62, 0.62, 0.62)
    long = ((0, -0.55), (0.45, -0.2), (-0.5, 0), (0, -0.55), (0.35, 0.35))[v]
    short = ((0.35, 0.15), (-0.1, -0.35), (0, -0.38), (-0.35, 0), (-0.3, -0.2))[v]
    hands = (bar("ink", 0, 0, long[0], long[1], 0.1), bar("ink", 0, 0, short[0], short[1], 0.13))
    marks = [
        disc("ink", 0.54 * float(x), 0.54 * float(y), 0.06)
        for x, y in spikes("ink", 0, 0, 1, 1, count=4).points[::2]
    ]
    bells = [disc("body", s * 0.55, -0.8, 0.24) for s in (-1, 1)] + [
        bar("ink", s * 0.4, 0.75, s * 0.65, 1, 0.14) for s in (-1, 1)
    ]
    return (*(bells if v in (1, 4) else ()), rim, face, *marks, *hands)


def lamp(v: int) -> Drawing:
    """A shade on a foot."""
    top, low, shade = (
        (0.32, 0.75, 0.0),
        (0.45, 0.65, -0.1),
        (0.15, 0.8, 0.05),
        (0.5, 0.7, -0.2),
        (0.25, 0.6, 0.1),
    )[v]
    post = bar("ink", 0, shade, 0, 0.9, 0.12)
    foot = oval("ink", 0, 0.92, (0.45, 0.5, 0.4, 0.35, 0.55)[v], 0.12)
    knob = (oval("grey", 0, 0.45, 0.2, 0.3),) if v in (1, 3) else ()
    cone = shape("body", -top, -0.95, top, -0.95, low, shade, -low, shade)
    band = (
        (bar("light", -low * 0.93, shade - 0.12, low * 0.93, shade - 0.12, 0.1),)
        if v in (0, 3, 4)
        else ()
    )
    return (post, foot, *knob, cone, *band)


def chair(v: int) -> Drawing:
    """A back, a seat and legs."""
    seat = (0.15, 0.2, 0.1, 0.25, 0.15)[v]
    back = bar("body", -0.5, -1, -0.5, seat, (0.2, 0.26, 0.18, 0.22, 0.3)[v])
    board = bar("body", -0.6, seat, 0.6, seat, (0.2, 0.26, 0.18, 0.22, 0.2)[v])
    legs = [
        bar("body", x, seat, x + d, 1, 0.16)
        for x, d in ((-0.5, (0, -0.1, 0, -0.15, 0)[v]), (0.5, (0, 0.1, 0, 0.15, 0)[v]))
    ]
    rung = (bar("dark", -0.5, 0.62, 0.5, 0.62, 0.1),) if v in (0, 2, 3) else ()
    if v in (1, 4):  # from the front
        slats = [bar("body", x, -0.95, x, seat, 0.15) for x in (-0.5, 0, 0.5)]
        return (
            *slats,
            bar("body", -0.55, -0.9, 0.55, -0.9, 0.22),
            bar("dark", -0.62, seat, 0.62, seat, 0.28),
            *legs,
        )
    return (back, *rung, board, *legs)
