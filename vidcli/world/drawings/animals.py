"""Animals: five drawings each."""

from vidcli.world.shapes import Drawing, bar, curve, disc, oval, shape, wave


def fish(v: int) -> Drawing:
    """An oval body with a forked tail."""
    rx, ry = ((0.62, 0.42), (0.65, 0.36), (0.58, 0.5), (0.6, 0.46), (0.68, 0.3))[v]
    spread = (0.45, 0.5, 0.4, 0.6, 0.35)[v]
    tail = shape("body", -0.35, 0, -1, -spread, -0.82, 0, -1, spread)
    fin = shape("dark", -0.1, -ry * 0.9, 0.3, -ry * 0.8, -0.1, -ry - 0.35)
    stripes = [bar("paper", x, -ry * 0.75, x, ry * 0.75, 0.12) for x in (0.0, 0.28)]
    eye = (disc("paper", 0.6, -0.1, 0.13), disc("ink", 0.63, -0.1, 0.07))
    side = shape("dark", 0.05, 0.05, 0.3, 0.15, -0.05, 0.35)
    marks = stripes if v in (1, 3) else [side]
    return (tail, *((fin,) if v != 1 else ()), oval("body", 0.22, 0, rx, ry), *marks, *eye)


def bird(v: int) -> Drawing:
    """A round body, a beak, a wing; sitting or flying."""
    if v in (1, 4):  # wings up
        lift = -0.9 if v == 1 else -0.75
        far = shape("dark", 0.05, 0.0, -0.05, lift + 0.1, 0.35, -0.15)
        near = shape("light", -0.35, 0.0, -0.55, lift, 0.2, 0.0)
        body = (oval("body", -0.05, 0.15, 0.6, 0.28), disc("body", 0.55, -0.05, 0.26))
        tail = shape("body", -0.5, 0.1, -1, -0.1, -0.95, 0.3)
        return (
            far,
            tail,
            *body,
            shape("ink", 0.75, -0.15, 1, 0.02, 0.75, 0.1),
            near,
            disc("ink", 0.6, -0.12, 0.07),
        )
    body = (
        oval("body", -0.1, 0.2, 0.55, (0.42, 0, 0.48, 0.38)[v]),
        disc("body", 0.35, -0.35, 0.34),
    )
    tail = shape(
        "body", -0.45, 0.2, -1, (-0.1, 0, 0.35, -0.35)[v], -0.9, (0.3, 0, 0.6, 0.1)[v], -0.4, 0.5
    )
    wing = oval("dark", -0.15, 0.15, 0.34, 0.2)
    beak = shape("ink", 0.62, -0.48, 1, -0.32, 0.62, -0.2)
    legs = [bar("ink", x, 0.55, x, 0.95, 0.09) for x in (-0.2, 0.1)]
    crest = (shape("dark", 0.2, -0.6, 0.1, -0.95, 0.45, -0.65),) if v == 3 else ()
    return (*legs, tail, *crest, *body, wing, beak, disc("ink", 0.42, -0.42, 0.08))


def cat(v: int) -> Drawing:
    """A face with pointed ears and whiskers."""
    wide, high = ((0.8, 0.68), (0.85, 0.6), (0.72, 0.72), (0.9, 0.62), (0.75, 0.66))[v]
    tip = (-0.95, -0.85, -1.0, -0.9, -0.95)[v]
    ears = [
        shape("body", s * wide * 0.95, 0.1, s * wide * 0.85, tip, s * wide * 0.1, -0.35)
        for s in (-1, 1)
    ]
    inner = [
        shape("light", s * wide * 0.8, -0.2, s * wide * 0.76, tip + 0.22, s * wide * 0.38, -0.38)
        for s in (-1, 1)
    ]
    eyes = [oval("paper", s * 0.34, 0.05, 0.17, 0.15) for s in (-1, 1)]
    pupils = [oval("ink", s * 0.34, 0.05, 0.07, 0.14) for s in (-1, 1)]
    nose = shape("ink", -0.11, 0.3, 0.11, 0.3, 0, 0.43)
    hairs = [
        bar("ink", s * 0.3, 0.42 + d * 0.5, s * 1.0, 0.36 + d, 0.06)
        for s in (-1, 1)
        for d in (0, 0.2)
    ]
    stripes = (
        [bar("dark", x, -0.5, x, -0.25, 0.09) for x in (-0.15, 0.0, 0.15)] if v in (1, 3) else []
    )
    return (
        *ears,
        *(inner if v != 2 else ()),
        oval("body", 0, 0.22, wide, high),
        *stripes,
        *eyes,
        *pupils,
        nose,
        *hairs,
    )


def dog(v: int) -> Drawing:
    """Standing in profile: legs, a snout, a raised tail."""
    low = (0.3, 0.25, 0.35, 0.3, 0.2)[v]
    trunk = oval("body", -0.15, 0.12, 0.68, (0.28, 0.24, 0.32, 0.26, 0.36)[v])
    legs = [
        bar("body", x, 0.1, x + d, 0.95, 0.19)
        for x, d in ((-0.65, -0.05), (-0.4, 0.02), (0.15, 0), (0.4, 0.05))
    ]
    neck = bar("body", 0.3, low - 0.15, 0.52, -0.4, 0.32)
    head = (
        disc("body", 0.55, -0.5, 0.27),
        oval("body", 0.78, -0.42, 0.24, 0.14),
        disc("ink", 0.97, -0.47, 0.08),
    )
    ear = (
        shape("dark", 0.42, -0.68, 0.3, -0.2, 0.52, -0.3),
        shape("dark", 0.38, -0.65, 0.42, -1, 0.6, -0.7),
        oval("dark", 0.38, -0.4, 0.12, 0.28),
        shape("dark", 0.35, -0.6, 0.3, -0.95, 0.58, -0.72),
        shape("dark", 0.42, -0.7, 0.22, -0.3, 0.48, -0.28),
    )[v]
    tail = (
        curve("body", 0.15, -0.7, 0.05, -0.9, -0.25, -0.85, -0.55),
        curve("body", 0.13, -0.7, 0.05, -0.98, -0.15, -1, -0.4),
        curve("body", 0.15, -0.7, 0.05, -0.85, -0.3, -0.6, -0.45),
        curve("body", 0.15, -0.7, 0.1, -0.95, 0.0, -1, -0.3),
        curve("body", 0.12, -0.7, 0.0, -0.8, -0.3, -0.95, -0.55),
    )[v]
    spot = (oval("dark", -0.3, 0.05, 0.2, 0.14),) if v in (1, 2) else ()
    return (tail, *legs, trunk, neck, *head, ear, *spot, disc("ink", 0.6, -0.55, 0.06))


def rabbit(v: int) -> Drawing:
    """A face under two long ears."""
    lean = (0.0, 0.12, -0.08, 0.2, 0.05)[v]
    long = (0.5, 0.46, 0.52, 0.48, 0.5)[v]
    ears = [oval("body", s * (0.28 + lean * 0.5), -0.5, 0.19, long) for s in (-1, 1)]
    inner = [oval("light", s * (0.28 + lean * 0.5), -0.5, 0.09, long * 0.7) for s in (-1, 1)]
    if v == 3:  # one ear is bent
        ears[1] = curve("body", 0.36, 0.28, -0.1, 0.35, -0.6, 0.5, -0.8, 0.8, -0.6)
        inner = inner[:1]
    head = oval("body", 0, 0.4, (0.55, 0.6, 0.5, 0.56, 0.62)[v], (0.55, 0.5, 0.58, 0.52, 0.5)[v])
    eyes = [disc("ink", s * 0.24, 0.3, 0.09) for s in (-1, 1)]
    teeth = shape("paper", -0.12, 0.65, 0.12, 0.65, 0.12, 0.88, -0.12, 0.88)
    nose = shape("ink", -0.1, 0.48, 0.1, 0.48, 0, 0.6)
    cheeks = [disc("light", s * 0.34, 0.55, 0.12) for s in (-1, 1)] if v in (1, 2) else []
    return (*ears, *inner, head, *cheeks, *eyes, nose, *((teeth,) if v != 4 else ()))


def snake(v: int) -> Drawing:
    """A winding body, a head and a tongue."""
    waves, height, width = (
        (1.5, 0.35, 0.28),
        (1.25, 0.42, 0.24),
        (2, 0.3, 0.24),
        (1.75, 0.36, 0.3),
        (1.5, 0.28, 0.34),
    )[v]
    line = wave(0.72, -1, y=0.05, height=height, waves=waves)
    body = curve("body", width, *line, taper=0.35)
    head = oval("body", 0.76, 0.02, 0.24, 0.19)
    tongue = (bar("ink", 0.95, 0.05, 1.12, -0.02, 0.06), bar("ink", 0.95, 0.05, 1.12, 0.14, 0.06))
    dots = (
        [disc("dark", line[i], line[i + 1], 0.07) for i in range(6, len(line) - 6, 6)]
        if v in (1, 2, 4)
        else []
    )
    return (*tongue, body, head, *dots, disc("ink", 0.8, -0.06, 0.06))


def turtle(v: int) -> Drawing:
    """A domed shell with head, legs and tail."""
    rise = (0.7, 0.6, 0.8, 0.65, 0.75)[v]
    shell = oval("body", -0.1, 0.35, 0.72, rise, start=180, end=360)
    rim = bar("dark", -0.85, 0.36, 0.65, 0.36, 0.13)
    head = (
        oval("light", 0.82, 0.12, 0.2, 0.18),
        bar("light", 0.5, 0.35, 0.75, 0.2, 0.18),
        disc("ink", 0.88, 0.08, 0.05),
    )
    legs = [
        shape("light", x - 0.15, 0.4, x + 0.15, 0.4, x + 0.18, 0.75, x - 0.18, 0.75)
        for x in (-0.55, 0.3)
    ]
    tail = shape("light", -0.8, 0.3, -1.0, 0.5, -0.75, 0.45)
    plates = (
        ((-0.1, -0.05, 0.2),),
        ((-0.4, 0.1, 0.13), (-0.1, 0.0, 0.13), (0.2, 0.1, 0.13)),
        ((-0.1, -0.1, 0.16), (-0.45, 0.15, 0.12), (0.25, 0.15, 0.12)),
        ((-0.3, 0.05, 0.16), (0.12, 0.05, 0.16)),
        ((-0.1, 0.05, 0.26),),
    )[v]
    return (tail, *legs, *head, shell, rim, *(disc("dark", x, y, r) for x, y, r in plates))


def butterfly(v: int) -> Drawing:
    """Four wings around a thin body."""
    big, small = ((0.44, 0.32), (0.4, 0.36), (0.48, 0.26), (0.42, 0.34), (0.38, 0.3))[v]
    top = (-0.35, -0.3, -0.4, -0.38, -0.3)[v]
    upper = [oval("body", s * 0.5, top, big, big * 1.1) for s in (-1, 1)]
    lower = [oval("body", s * 0.42, 0.45, small, small * 1.15) for s in (-1, 1)]
    if v == 4:
        upper = [
            shape("body", 0, 0.05, s * 0.95, -0.8, s * 0.95, -0.05, s * 0.2, 0.2) for s in (-1, 1)
        ]
    spots = [disc("paper", s * 0.55, top - 0.05, 0.16) for s in (-1, 1)]
    low = [disc("dark", s * 0.42, 0.48, 0.13) for s in (-1, 1)]
    feelers = [curve("ink", 0.07, 0, -0.4, s * 0.1, -0.75, s * 0.28, -0.95) for s in (-1, 1)]
    return (
        *lower,
        *upper,
        *(spots if v != 1 else ()),
        *(low if v in (1, 2, 3) else ()),
        *feelers,
        oval("ink", 0, 0.05, 0.11, 0.6),
    )
