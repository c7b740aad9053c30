"""A picture of every drawing of every kind: `python -m vidcli.world.gallery docs/world.webp`."""

import sys
from pathlib import Path

import cv2
import numpy as np

from vidcli.core.files import atomic_write
from vidcli.world.backgrounds import Image
from vidcli.world.drawings import KINDS, VARIANTS
from vidcli.world.render import paint_actor
from vidcli.world.scene import Actor
from vidcli.world.scene import Path as Way
from vidcli.world.vocabulary import COLOURS

CELL = 48  # pixels a side
ACROSS = 3  # kinds in a row
QUALITY = 75  # of WebP
PAPER, LABEL = (176, 176, 176), (40, 40, 40)


def draw_gallery() -> Image:
    """Five drawings of each kind side by side, in turn in all colours, under the kind's name."""
    high = CELL + 14
    image = np.full((-(-len(KINDS) // ACROSS) * high, ACROSS * VARIANTS * CELL, 3), PAPER, np.uint8)
    for number, kind in enumerate(KINDS):
        row, column = divmod(number, ACROSS)
        left, top = column * VARIANTS * CELL, row * high
        cv2.putText(image, kind, (left + 4, top + 11), cv2.FONT_HERSHEY_SIMPLEX, 0.36, LABEL, 1)
        for variant in range(VARIANTS):
            colour = list(COLOURS)[(number + variant) % len(COLOURS)]
            cell = np.full((CELL, CELL, 3), PAPER, np.uint8)
            paint_actor(cell, _pose(kind, colour, variant))
            start = left + variant * CELL
            image[top + 14 : top + high, start : start + CELL] = cell
    return image


def _pose(kind: str, colour: str, variant: int) -> Actor:
    middle = Way((0.0,), (0.5,), (0.5,))
    return Actor(0, kind, colour, variant, 0.86, "still", middle, 0.0, 1.0)


if __name__ == "__main__":
    picture = cv2.cvtColor(draw_gallery(), cv2.COLOR_RGB2BGR)
    _, packed = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    with atomic_write(Path(sys.argv[1])) as file:
        file.write(packed.tobytes())
