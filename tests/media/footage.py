"""Varied moving pictures for the truth reels, and the camera that films them.

A source draws uint8 RGB frames of one size, endlessly, from a seeded generator: lavfi sources of
the FFmpeg libraries (`lavfi`) and scenes painted here. `film` adds what real footage has: crops,
flips, pans, zooms, a shaking hand, flickering light, grain.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Size = tuple[int, int]  # width, height
Random = np.random.Generator
Source = Callable[[Random, Size], Iterator[Image]]

RATE = 25


def lavfi(template: str) -> Source:
    """A source of FFmpeg's own; `{s}` is the size, the rest is drawn.

    That is `{seed}`, the hue `{h}`, `{u}` and `{v}` in 0.2 to 0.8, the colours `{c0}` and `{c1}`.
    """

    def draw(random: Random, size: Size) -> Iterator[Image]:
        values = {
            "s": f"{size[0]}x{size[1]}",
            "seed": int(random.integers(1, 10_000)),
            "h": int(random.integers(0, 360)),
            "u": float(random.uniform(0.2, 0.8)),
            "v": float(random.uniform(0.2, 0.8)),
        }
        own = np.random.default_rng(values["seed"])
        colors = {name: f"0x{own.integers(1 << 24):06x}" for name in ("c0", "c1")}
        with av.open(template.format(**values, **colors), format="lavfi") as container:
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="rgb24")

    return draw


def clouds(random: Random, size: Size, *, octaves: int = 6, roughness: float = 0.55) -> Image:
    """A still picture with detail at every scale, coloured by a random palette."""
    width, height = size
    field = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cells = random.random((2 + 2**octave, 2 + 2 ** (octave + 1))).astype(np.float32)
        field += cv2.resize(cells, size, interpolation=cv2.INTER_CUBIC) * roughness**octave
    field = (field - field.min()) / (field.max() - field.min())
    stops = random.integers(0, 256, (5, 3))
    levels = np.linspace(0, 1, 5)
    channels = [np.interp(field, levels, stops[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def landscape(random: Random, size: Size) -> Iterator[Image]:
    """A slow move over a large still picture."""
    width, height = size
    picture = clouds(random, (width * 2, height * 2), octaves=int(random.integers(5, 8)))
    x, y = random.uniform(0.2, 0.8, 2) * (width, height)
    dx, dy = random.uniform(-1.0, 1.0, 2) * width / 320
    zoom, growth = random.uniform(0.9, 1.2), random.uniform(0.998, 1.004)
    while True:
        view = np.float32([[zoom, 0, -x * zoom], [0, zoom, -y * zoom]])
        yield cv2.warpAffine(picture, view, size, borderMode=cv2.BORDER_REFLECT)
        x, y, zoom = x + dx, y + dy, zoom * growth


def actors(random: Random, size: Size, *, speed: float = 1.0) -> Iterator[Image]:
    """Coloured bodies moving before a still background, at most `speed` widths a second."""
    width, height = size
    backdrop = cv2.GaussianBlur(clouds(random, size), (0, 0), width / 100)
    count = int(random.integers(2, 6))
    colors = random.integers(0, 256, (count, 3)).tolist()
    radii = random.uniform(0.05, 0.2, count) * width
    phases = random.uniform(0, 2 * math.pi, (count, 2))
    rates = random.uniform(0.3, 2.0, (count, 2)) * speed
    for number in _count():
        image = backdrop.copy()
        for color, radius, phase, rate in zip(colors, radii, phases, rates, strict=True):
            angle = phase + rate * number / RATE
            centre = (int((0.5 + 0.5 * math.cos(angle[0])) * width), 0)
            centre = (centre[0], int((0.5 + 0.5 * math.sin(angle[1])) * height))
            axes = (int(radius), int(radius * 1.6))
            cv2.ellipse(image, centre, axes, float(angle[0]) * 20, 0, 360, color, -1, cv2.LINE_AA)
        yield image


def rush(random: Random, size: Size) -> Iterator[Image]:
    """Bodies that cross the whole picture several times a second."""
    return actors(random, size, speed=6.0)


def words(random: Random, size: Size) -> Iterator[Image]:
    """Lines of text moving over a plain ground, up like credits or sideways like a ticker."""
    width, height = size
    ground, ink = random.integers(0, 120, 3), random.integers(150, 256, 3)
    if random.random() < 0.5:
        ground, ink = ink, ground
    upward = bool(random.random() < 0.5)
    step = random.uniform(0.5, 3.0) * height / 180
    lines = ["".join(chr(c) for c in random.integers(65, 91, 14)) for _ in range(12)]
    page = np.empty((height * 2, width * 2, 3), np.uint8)
    page[:] = ground
    for row, line in enumerate(lines):
        at = (int(width * 0.1), int((row + 0.8) * height / 6))
        color = tuple(int(value) for value in ink)
        cv2.putText(page, line, at, cv2.FONT_HERSHEY_DUPLEX, height / 300, color, 1, cv2.LINE_AA)
    for number in _count():
        shift = int(number * step)
        rolled = np.roll(page, -shift, axis=0 if upward else 1)
        yield np.ascontiguousarray(rolled[:height, :width])


def slide(random: Random, size: Size) -> Iterator[Image]:
    """A bright slide that gains a line of text every second."""
    width, height = size
    image = np.empty((height, width, 3), np.uint8)
    image[:] = random.integers(190, 256, 3)
    accent = tuple(int(value) for value in random.integers(0, 160, 3))
    cv2.rectangle(image, (0, 0), (width, height // 5), accent, -1)
    half = (int(width * 0.62), int(height * 0.3))
    image[half[1] : height * 9 // 10, half[0] : width * 19 // 20] = accent[::-1]
    for number in _count():
        if number % RATE == 0:
            line = "".join(chr(c) for c in random.integers(97, 123, 16))
            at = (width // 20, int(height * (0.32 + 0.08 * (number // RATE % 8))))
            cv2.putText(image, line, at, cv2.FONT_HERSHEY_SIMPLEX, height / 450, (30, 30, 30), 1)
        yield image.copy()


def sparks(random: Random, size: Size) -> Iterator[Image]:
    """Hundreds of small lights falling through the dark."""
    width, height = size
    ground = (clouds(random, size, octaves=3) * 0.35).astype(np.uint8)
    place = random.random((200, 2)) * (width, height)
    speed = random.uniform(-1, 1, (200, 2)) * (2, 1) * width / 320 + (0, 2 * height / 180)
    colors = random.integers(120, 256, (200, 3)).tolist()
    while True:
        image = ground.copy()
        for (x, y), color in zip(place, colors, strict=True):
            cv2.circle(image, (int(x), int(y)), max(1, width // 200), color, -1)
        yield image
        place = (place + speed) % (width, height)


def wheel(random: Random, size: Size) -> Iterator[Image]:
    """A still picture turning about a point."""
    width, height = size
    picture = clouds(random, (width, height), octaves=4)
    centre = (float(random.uniform(0.3, 0.7) * width), float(random.uniform(0.3, 0.7) * height))
    turn = float(random.uniform(-2.0, 2.0))  # degrees a frame
    for number in _count():
        view = cv2.getRotationMatrix2D(centre, turn * number, 1.3)
        yield cv2.warpAffine(picture, view, size, borderMode=cv2.BORDER_REFLECT)


@dataclass(frozen=True)
class Camera:
    """How a take is filmed; amounts are parts of the picture's width."""

    mirrored: bool
    zoom: float
    pan: tuple[float, float]  # a frame
    shake: float
    flicker: float  # part of the light
    grain: float  # levels
    color: float  # 0 is black and white


def choose_camera(random: Random) -> Camera:
    """Half the takes stand still, the rest pan, shake, flicker or show grain."""

    def maybe(chance: float, low: float, high: float) -> float:
        return float(random.uniform(low, high)) if random.random() < chance else 0.0

    pan = maybe(0.3, 0.001, 0.012)
    angle = float(random.uniform(0, 2 * math.pi))
    return Camera(
        mirrored=bool(random.random() < 0.5),
        zoom=float(random.uniform(1.0, 1.5)),
        pan=(pan * math.cos(angle), pan * math.sin(angle) * 0.4),
        shake=maybe(0.3, 0.001, 0.008),
        flicker=maybe(0.25, 0.02, 0.10),
        grain=maybe(0.25, 2.0, 8.0),
        color=float(random.uniform(0.1, 1.0)),
    )


def film(
    source: Source, camera: Camera, random: Random, *, size: Size, count: int
) -> Iterator[Image]:
    """Film `count` frames of `source` at `size`.

    Pans run back and forth within what the source draws beyond the picture's edges.
    """
    width, height = size
    canvas = (_even(width * 1.3), _even(height * 1.3))
    roam = np.array([canvas[0] - width / camera.zoom, canvas[1] - height / camera.zoom])
    place, pan = random.uniform(0.1, 0.9, 2) * roam, np.array(camera.pan) * width
    wobble = np.zeros(2)
    frames = source(random, canvas)
    for _, image in zip(range(count), frames, strict=False):
        wobble = 0.7 * wobble + random.normal(0, 1, 2) * camera.shake * width
        place, pan = _bounce(place + pan, pan, roam)
        x, y = np.clip(place + wobble, 0, roam)
        view = np.float32([[camera.zoom, 0, -x * camera.zoom], [0, camera.zoom, -y * camera.zoom]])
        shot = cv2.warpAffine(image, view, size)
        if camera.mirrored:
            shot = shot[:, ::-1]
        grey = cv2.cvtColor(cv2.cvtColor(shot, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        shot = cv2.addWeighted(grey, 1 - camera.color, shot, camera.color, 0)
        if camera.flicker or camera.grain:
            light = 1 + random.normal(0, 1) * camera.flicker / 2
            noise = random.normal(0, 1, (height // 2, width // 2, 1)).astype(np.float32)
            coarse = noise.repeat(2, axis=0).repeat(2, axis=1) * camera.grain
            shot = np.clip(shot * light + coarse, 0, 255).astype(np.uint8)
        yield np.ascontiguousarray(shot)


def _bounce(
    place: NDArray[np.float64], pan: NDArray[np.float64], roam: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    outside = (place < 0) | (place > roam)
    return np.clip(place, 0, roam), np.where(outside, -pan, pan)


def _even(value: float) -> int:
    return int(value) // 2 * 2


def _count() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1
