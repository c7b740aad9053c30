"""What people wear, play and climb: five drawings each."""

from vidcli.world.shapes import Drawing, bar, box, curve, disc, oval, ring, shape


def hat(v: int) -> Drawing:
    """A crown over a wide brim."""
    half, top = ((0.45, -0.8), (0.5, -0.5), (0.4, -0.95), (0.48, -0.65), (0.52, -0.75))[v]
    brim = oval("body", 0, 0.45, 0.98, (0.18, 0.22, 0.16, 0.26, 0.2)[v])
    crown = shape(
        "body",
        -half * (1, 0.8, 1, 1.1, 0.7)[v],
        top,
        half * (1, 0.8, 1, 1.1, 0.7)[v],
        top,
        half,
        0.45,
        -half,
        0.45,
    )
    dome = (oval("body", 0, -0.1, 0.52, 0.65, start=180, end=360),) if v == 1 else ()
    band = bar("ink" if v % 2 == 0 else "paper", -half, 0.22, half, 0.22, 0.2)
    feather = (
        (curve("grey", 0.14, half * 0.8, 0.2, half + 0.2, -0.3, half + 0.1, -0.8, taper=0.3),)
        if v == 3
        else ()
    )
    return (brim, crown, *dome, band, *feather)


def shoe(v: int) -> Drawing:
    """A side view with toe, opening and sole."""
    high = (-0.35, -0.75, -0.3, -0.9, -0.45)[v]
    upper = shape(
        "body", -0.85, high, -0.2, high, -0.05, -0.1, 0.45, 0.08, 0.9, 0.25, 0.98, 0.5, -0.9, 0.5
    )
    sole = bar(
        "ink" if v in (0, 3) else "paper", -0.92, 0.55, 1, 0.55, (0.16, 0.2, 0.14, 0.18, 0.22)[v]
    )
    laces = [
        bar("paper", x - 0.1, y + 0.1, x + 0.12, y - 0.06, 0.08)
        for x, y in ((0.0, 0.02), (0.2, 0.1), (0.4, 0.17))
    ]
    heel = (box("ink", -0.9, 0.55, -0.45, 0.85),) if v in (2, 3) else ()
    cuff = (bar("dark", -0.88, high + 0.06, -0.18, high + 0.06, 0.14),) if v in (1, 3, 4) else ()
    return (*heel, upper, sole, *(laces if v in (0, 1, 4) else ()), *cuff)


def guitar(v: int) -> Drawing:
    """A waisted body with a long neck, held aslant."""
    low, high = ((0.44, 0.32), (0.46, 0.28), (0.4, 0.34), (0.48, 0.36), (0.42, 0.26))[v]
    neck = bar("ink", 0.0, 0.05, 0.78, -0.8, (0.15, 0.18, 0.14, 0.16, 0.18)[v])
    head = bar("ink" if v != 2 else "dark", 0.72, -0.72, 0.95, -0.98, 0.28)
    body = [disc("body", -0.42, 0.5, low), disc("body", 0.02, 0.05, high)]
    if v == 4:  # electric: two horns
        body += [
            shape("body", -0.1, 0.2, -0.25, -0.4, 0.15, -0.1),
            shape("body", 0.1, 0.1, 0.55, 0.2, 0.2, 0.4),
        ]
    hole = disc("ink", -0.18, 0.26, (0.15, 0.12, 0.16, 0.14, 0.0001)[v])
    bridge = bar("ink", -0.65, 0.45, -0.4, 0.72, 0.1)
    return (
        neck,
        head,
        *body,
        bar("body", -0.42, 0.5, 0.02, 0.05, 0.5),
        *((hole,) if v != 4 else ()),
        bridge,
    )


def bell(v: int) -> Drawing:
    """A flared bell with a clapper."""
    flare = (0.85, 0.8, 0.9, 0.75, 0.95)[v]
    waist = (0.45, 0.5, 0.4, 0.48, 0.38)[v]
    wall = shape(
        "body",
        -waist * 0.7,
        -0.65,
        -waist * 0.3,
        -0.8,
        waist * 0.3,
        -0.8,
        waist * 0.7,
        -0.65,
        waist,
        -0.1,
        flare * 0.75,
        0.35,
        flare,
        0.6,
        -flare,
        0.6,
        -flare * 0.75,
        0.35,
        -waist,
        -0.1,
    )
    clapper = disc("ink", (0, 0.1, -0.1, 0.15, 0)[v], 0.72, 0.2)
    loop = ring("ink", 0, -0.85, 0.17, 0.08) if v != 2 else box("ink", -0.1, -1, 0.1, -0.75)
    band = (bar("dark", -flare * 0.75, 0.33, flare * 0.75, 0.33, 0.12),) if v in (0, 3) else ()
    bow = (
        [shape("paper", 0, -0.7, s * 0.45, -0.95, s * 0.45, -0.5) for s in (-1, 1)]
        if v == 4
        else []
    )
    return (clapper, loop, wall, *band, *bow)


def ladder(v: int) -> Drawing:
    """Two rails and many rungs."""
    half, top = ((0.4, 0.4), (0.5, 0.3), (0.34, 0.34), (0.55, 0.35), (0.45, 0.45))[v]
    rails = [
        bar("body", s * half, 1, s * top, -1, (0.16, 0.18, 0.16, 0.14, 0.2)[v]) for s in (-1, 1)
    ]
    count = (5, 4, 6, 5, 3)[v]
    heights = [0.7 - i * 1.45 / (count - 1) for i in range(count)]
    return (*(bar("body", -half, y, half, y, 0.14) for y in heights), *rails)


def crown(v: int) -> Drawing:
    """A band with points."""
    count = (3, 5, 3, 4, 5)[v]
    dip = (0.05, 0.1, -0.05, 0.15, 0.0)[v]
    corners = [-0.85, 0.7]
    tips = []
    for i in range(count):
        x = -0.95 + 1.9 * i / (count - 1)
        height = (-0.75, -0.6, -0.8, -0.65, -0.7)[v] - (0.15 if v == 4 and i == 2 else 0)
        corners += [x, height] + ([x + 0.95 / (count - 1), dip] if i < count - 1 else [])
        tips.append(disc("light" if v % 2 else "body", x, height, 0.13))
    corners += [0.85, 0.7]
    band = bar("dark", -0.87, 0.55, 0.87, 0.55, 0.28)
    gems = [disc("paper", x, 0.55, 0.1) for x in ((-0.45, 0, 0.45) if v != 2 else (0,))]
    return (shape("body", *corners), *(tips if v != 2 else ()), band, *gems)
