"""Painting backgrounds: plain, gradient, texture, a landscape, a room; in muted colours.

A backdrop is painted wider than the frame, so that a camera can pan over it and zoom out of it.
"""

import random

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.world.scene import Background

BORDER = 0.3  # share of the frame's side painted beyond each edge

Image = NDArray[np.uint8]  # (height, width, 3)


def paint_background(background: Background, *, size: int, border: float = BORDER) -> Image:
    """The backdrop for a square frame of `size` pixels, `border` wider on every side."""
    side = size + 2 * round(size * border)
    rng = random.Random(background.seed)
    image = np.empty((side, side, 3), np.uint8)
    image[:] = background.colours[0]
    unit = side / (1 + 2 * BORDER)
    if background.style == "gradient":
        _gradient(image, background, rng)
    elif background.style == "texture":
        _texture(image, background, rng, unit)
    elif background.style == "landscape":
        _landscape(image, background, rng, unit)
    elif background.style == "room":
        _room(image, background, rng, unit)
    return image


def _gradient(image: Image, background: Background, rng: random.Random) -> None:
    ends = np.array(background.colours[:2], np.float32)
    share = np.linspace(0, 1, len(image), dtype=np.float32)[:, None]
    line = ends[0] + (ends[1] - ends[0]) * (share if rng.random() < 0.5 else share[::-1])
    if rng.random() < 0.5:
        image[:] = line[:, None].astype(np.uint8)
    else:
        image[:] = line[None].astype(np.uint8)


def _texture(image: Image, background: Background, rng: random.Random, unit: float) -> None:
    side, second = len(image), background.colours[1]
    step = max(4, round(unit * rng.uniform(0.09, 0.2)))
    pattern = rng.choice(("stripes", "checks", "dots", "bricks"))
    if pattern == "stripes":
        for at in range(0, side, 2 * step):
            image[at : at + step] = second
    elif pattern == "checks":
        grid = (np.arange(side) // step) % 2
        image[(grid[:, None] + grid[None]) % 2 == 1] = second
    elif pattern == "dots":
        for y in range(step // 2, side, step):
            for x in range(step // 2, side, step):
                cv2.circle(image, (x, y), max(1, step // 4), second, -1)
    else:
        for row, y in enumerate(range(0, side, step)):
            cv2.line(image, (0, y), (side, y), second, 1)
            for x in range(step * (row % 2), side, 2 * step):
                cv2.line(image, (x, y), (x, y + step), second, 1)
    if pattern == "stripes" and rng.random() < 0.5:
        image[:] = image.transpose(1, 0, 2).copy()


def _landscape(image: Image, background: Background, rng: random.Random, unit: float) -> None:
    side = len(image)
    ground, sky = background.colours[1], background.colours[0]
    image[:] = np.clip(np.add(sky, (-8, 0, 16)), 0, 255).astype(np.uint8)
    horizon = round(side / 2 + unit * rng.uniform(-0.05, 0.25))
    hills = background.colours[2]
    for _ in range(3):
        x, wide, high = (
            rng.randrange(side),
            unit * rng.uniform(0.3, 0.6),
            unit * rng.uniform(0.1, 0.3),
        )
        cv2.ellipse(
            image, (x, horizon), (round(wide), round(high)), 0, 180, 360, hills, -1, cv2.LINE_AA
        )
    image[horizon:] = np.clip(np.add(ground, (-4, 8, -12)), 0, 255).astype(np.uint8)


def _room(image: Image, background: Background, rng: random.Random, unit: float) -> None:
    side = len(image)
    floor = round(side / 2 + unit * rng.uniform(0.1, 0.3))
    wall, ground, trim = background.colours
    image[floor:] = ground
    cv2.rectangle(image, (0, floor - max(1, side // 60)), (side, floor), trim, -1)
    left, wide = rng.randrange(side), round(unit * rng.uniform(0.2, 0.4))
    top, high = floor - round(unit * 0.6), round(unit * 0.3)
    pane = tuple(min(235, value + 20) for value in wall)
    cv2.rectangle(image, (left, top), (left + wide, top + high), pane, -1)
    cv2.rectangle(image, (left, top), (left + wide, top + high), trim, max(1, side // 80))
    cv2.line(
        image, (left + wide // 2, top), (left + wide // 2, top + high), trim, max(1, side // 100)
    )
