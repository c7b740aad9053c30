"""What people ride, and where they live: five drawings each."""

from vidcli.world.shapes import Drawing, bar, box, curve, disc, oval, ring, shape


def car(v: int) -> Drawing:
    """A low body with a cabin and two wheels."""
    roof = ((-0.45, 0.35), (-0.6, 0.3), (-0.3, 0.5), (-0.75, 0.35), (-0.4, 0.2))[v]
    top = (-0.45, -0.4, -0.35, -0.5, -0.3)[v]
    body = shape("body", -1, 0.0, -0.85, -0.08, 0.9, -0.08, 1, 0.1, 1, 0.4, -1, 0.4)
    cabin = shape("body", roof[0] - 0.2, 0, roof[0], top, roof[1], top, roof[1] + 0.25, 0)
    middle = (roof[0] + roof[1]) / 2
    panes = (
        shape(
            "paper",
            roof[0] - 0.06,
            -0.06,
            roof[0] + 0.06,
            top + 0.1,
            middle - 0.05,
            top + 0.1,
            middle - 0.05,
            -0.06,
        ),
        shape(
            "paper",
            middle + 0.05,
            -0.06,
            middle + 0.05,
            top + 0.1,
            roof[1] - 0.04,
            top + 0.1,
            roof[1] + 0.1,
            -0.06,
        ),
    )
    wheels = [disc("ink", x, 0.42, (0.24, 0.26, 0.22, 0.24, 0.28)[v]) for x in (-0.55, 0.55)]
    hubs = [disc("grey", x, 0.42, 0.1) for x in (-0.55, 0.55)]
    return (body, cabin, *(panes if v != 4 else panes[1:]), *wheels, *hubs)


def bus(v: int) -> Drawing:
    """A long tall box with a row of windows."""
    top = (-0.6, -0.5, -0.65, -0.55, -0.75)[v]
    body = box("body", -1, top, 1, 0.5)
    low, edge = top + 0.15, (3, 4, 3, 5, 4)[v]
    panes = [
        box("paper", -0.9 + i * 1.8 / edge, low, -0.9 + (i + 0.75) * 1.8 / edge, low + 0.38)
        for i in range(edge)
    ]
    band = (bar("dark", -1, 0.22, 1, 0.22, 0.1),) if v in (1, 2, 4) else ()
    second = (
        [box("paper", -0.9 + i * 0.45, 0.0, -0.58 + i * 0.45, 0.25) for i in range(4)]
        if v == 4
        else []
    )
    wheels = [disc("ink", x, 0.52, 0.22) for x in ((-0.6, 0.6) if v != 3 else (-0.65, 0.3, 0.7))]
    return (body, *panes, *band, *second, *wheels)


def boat(v: int) -> Drawing:
    """A hull under a sail."""
    hull = shape("body", -0.95, 0.4, 0.95, 0.4, 0.6, 0.9, -0.6, 0.9)
    mast = bar("ink", 0, -1, 0, 0.45, 0.1)
    main = shape("paper", 0.08, -0.9, 0.8, 0.25, 0.08, 0.25)
    jib = shape("light", -0.08, -0.75, -0.08, 0.25, -0.65, 0.25)
    if v == 1:
        return (hull, mast, shape("paper", -0.08, -0.9, -0.8, 0.25, -0.08, 0.25))
    if v == 2:
        return (hull, mast, shape("body", 0.08, -0.9, 0.85, 0.25, 0.08, 0.25), jib)
    if v == 3:
        return (
            oval("body", 0, 0.4, 0.95, 0.5, start=0, end=180),
            mast,
            main,
            jib,
            shape("ink", 0, -1, 0.4, -0.9, 0, -0.8),
        )
    if v == 4:
        return (hull, mast, shape("paper", -0.6, -0.7, 0.6, -0.7, 0.75, 0.2, -0.75, 0.2))
    return (hull, mast, main, jib)


def plane(v: int) -> Drawing:
    """A fuselage with wings and a tail, from the side or from above."""
    if v in (1, 4):  # from above
        slim = 0.15 if v == 1 else 0.2
        wings = shape("body", -0.95, 0.25, 0, -0.35, 0.95, 0.25, 0.95, 0.4, 0, 0.12, -0.95, 0.4)
        tail = shape("body", -0.4, 0.85, 0, 0.5, 0.4, 0.85, 0.4, 0.97, 0, 0.85, -0.4, 0.97)
        return (wings, tail, oval("body", 0, 0, slim, 1), oval("paper", 0, -0.65, slim * 0.6, 0.12))
    thick = (0.22, 0, 0.26, 0.3)[v]
    fuselage = oval("body", 0.05, 0, 0.93, thick)
    fin = shape("body", -0.95, -0.6, -0.65, -0.6, -0.4, 0, -0.8, 0)
    wing = shape("dark", -0.15, 0.05, 0.3, 0.05, -0.2, 0.7, -0.5, 0.7)
    far = shape("dark", 0.05, -0.1, 0.25, -0.1, 0.0, -0.55, -0.2, -0.55)
    panes = [disc("paper", x, -0.05, 0.07) for x in (0.0, 0.22, 0.44, 0.66)]
    cockpit = oval("paper", 0.62, -0.08, 0.2, 0.12)
    return (*((far,) if v != 2 else ()), fin, fuselage, wing, *(panes if v == 0 else [cockpit]))


def rocket(v: int) -> Drawing:
    """A pointed tube with fins and a flame."""
    half = (0.32, 0.28, 0.38, 0.3, 0.34)[v]
    tube = shape(
        "body",
        0,
        -1,
        half * 0.6,
        -0.75,
        half,
        -0.3,
        half,
        0.5,
        -half,
        0.5,
        -half,
        -0.3,
        -half * 0.6,
        -0.75,
    )
    reach = (0.7, 0.65, 0.75, 0.6, 0.8)[v]
    fins = [
        shape("dark", s * half, 0.0, s * reach, 0.5, s * reach, 0.75, s * half, 0.5)
        for s in (-1, 1)
    ]
    flame = shape("light" if v % 2 else "grey", -half * 0.7, 0.5, half * 0.7, 0.5, 0, 1)
    port = disc("paper", 0, -0.25, 0.17)
    second = (disc("paper", 0, 0.15, 0.13),) if v in (1, 3) else ()
    nose = (shape("ink", 0, -1, half * 0.6, -0.75, -half * 0.6, -0.75),) if v in (2, 4) else ()
    return (flame, *fins, tube, port, *second, *nose)


def bicycle(v: int) -> Drawing:
    """Two open wheels joined by a frame."""
    radius = (0.44, 0.4, 0.46, 0.42, 0.38)[v]
    wheels = [ring("ink", x, 0.4, radius, 0.12) for x in (-0.55, 0.55)]
    crank, seat, head = (
        (-0.1, 0.4),
        ((-0.3, -0.3), (-0.25, -0.2), (-0.35, -0.35), (-0.3, -0.25), (-0.2, -0.3))[v],
        (0.38, -0.3),
    )
    tubes = [
        bar("body", *start, *end, 0.17)
        for start, end in (
            ((-0.55, 0.4), crank),
            (crank, head),
            (seat, head),
            (seat, crank),
            ((-0.55, 0.4), seat),
            (head, (0.55, 0.4)),
        )
    ]
    saddle = bar("ink", seat[0] - 0.2, seat[1] - 0.1, seat[0] + 0.15, seat[1] - 0.1, 0.14)
    bars = curve("ink", 0.12, 0.38, -0.3, 0.33, -0.55, *((0.6, -0.62) if v % 2 else (0.12, -0.65)))
    basket = (box("grey", 0.45, -0.5, 0.9, -0.15),) if v in (2, 3) else ()
    return (*wheels, *(tubes if v != 1 else tubes[:2] + tubes[3:]), saddle, bars, *basket)


def house(v: int) -> Drawing:
    """Walls, a pitched roof, a door and windows."""
    wide, eave = ((0.7, -0.15), (0.8, -0.05), (0.6, -0.25), (0.85, 0.1), (0.65, -0.2))[v]
    walls = box("body", -wide, eave, wide, 0.95)
    peak = (0, 0, 0, -0.2, 0.15)[v]
    roof = shape("dark" if v % 2 == 0 else "ink", -wide - 0.2, eave, peak, -1, wide + 0.2, eave)
    chimney = (box("ink", 0.35, -0.85, 0.55, -0.3),) if v in (0, 1, 4) else ()
    door_x = (0.0, -0.4, 0.0, 0.4, -0.3)[v]
    door = box("ink", door_x - 0.16, 0.4, door_x + 0.16, 0.95)
    spots = (
        ((-0.42, 0.12), (0.42, 0.12)),
        ((0.35, 0.35),),
        ((0, 0.05),),
        ((-0.4, 0.45),),
        ((0.3, 0.1), (0.3, 0.6)),
    )[v]
    panes = [box("paper", x - 0.17, y - 0.13, x + 0.17, y + 0.17) for x, y in spots]
    return (*chimney, walls, roof, door, *panes)
