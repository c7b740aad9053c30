"""Takes with a flash of light in them: none may be reported, every cut beside one must be.

A flash is drawn into a few frames of a filmed take: white, coloured or an exposure gone wild; over
all of the picture, one side or a spot; steady, decaying or swelling over one to four frames. The
takes are of the tuning sources of the reels and of some here that move much faster.
`python -m tests.media.flashes` counts what is reported of several hundred.
"""

import argparse
import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from tests.media.footage import RATE, Image, Random, Size, Source, choose_camera, clouds, film
from tests.media.reel import SMALL, SOURCES
from vidcli.media.shots import find_changes, merge_changes
from vidcli.media.thumbnails import Cells, measure_cells

COUNT = 64  # frames of a take
PROFILES = (  # strength in each frame of a flash
    (1.0,),
    (1.0, 1.0),
    (1.0, 0.5),
    (0.5, 1.0),
    (0.5, 1.0, 0.5),
    (1.0, 0.6, 0.3),
    (1.0, 0.7, 0.4, 0.2),
    (1.0, 1.0, 1.0, 1.0),
)
BESIDE = (1, 2, 3, 5, 8)  # frames between a flash and a cut


def texture(random: Random, size: Size) -> Iterator[Image]:
    """A fine pattern that rushes past in one direction."""
    width, height = size
    picture = clouds(random, (width * 2, height * 2), octaves=8, roughness=0.9)
    angle, speed = random.uniform(0, 2 * math.pi), random.uniform(0.01, 0.06) * width
    x = y = 0.0
    while True:
        rolled = np.roll(picture, (int(y), int(x)), axis=(0, 1))
        yield np.ascontiguousarray(rolled[:height, :width])
        x, y = x + speed * math.cos(angle), y + speed * math.sin(angle)


def tunnel(random: Random, size: Size) -> Iterator[Image]:
    """A zoom into rings of light, as from the front of a train."""
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    away = np.log(np.hypot(columns - width / 2, rows - height / 2) + 8)
    turn = np.arctan2(rows - height / 2, columns - width / 2)
    colors = random.uniform(0.3, 1.0, 3) * 255
    spokes, rings, speed = random.integers(2, 9), random.uniform(3, 9), random.uniform(0.1, 0.9)
    number = 0
    while True:
        wave = 0.5 + 0.5 * np.sin(away * rings - number * speed) * np.cos(turn * spokes)
        yield (wave[..., None] * colors).astype(np.uint8)
        number += 1


def swarm(random: Random, size: Size) -> Iterator[Image]:
    """Scores of bright bodies that each cross the picture in a second or two."""
    width, height = size
    ground = clouds(random, size, octaves=3)
    place = random.random((60, 2)) * (width, height)
    speed = random.normal(0, 1, (60, 2)) * width / 30
    colors = random.integers(0, 256, (60, 3)).tolist()
    radii = (random.uniform(0.01, 0.05, 60) * width).astype(int).tolist()
    while True:
        image = ground.copy()
        for (x, y), color, radius in zip(place, colors, radii, strict=True):
            cv2.circle(image, (int(x), int(y)), radius, color, -1)
        yield image
        place = (place + speed) % (width, height)


def fire(random: Random, size: Size) -> Iterator[Image]:
    """Coarse noise that boils: no picture is like the last, yet all are alike."""
    width, height = size
    colors = random.uniform(0.2, 1.0, 3)
    mixed = random.random((9, 16)).astype(np.float32)
    keep = random.uniform(0.5, 0.95)
    while True:
        mixed = keep * mixed + (1 - keep) * random.random((9, 16)).astype(np.float32)
        field = cv2.resize(mixed, (width, height), interpolation=cv2.INTER_CUBIC)
        yield (np.clip(field, 0, 1)[..., None] * colors * 255).astype(np.uint8)


TAKES: tuple[Source, ...] = (*SOURCES[1], texture, tunnel, swarm, fire)


@dataclass(frozen=True)
class Flash:
    """Light of `color` mixed in by `strength`, times the profile, where `mask` is."""

    color: tuple[int, int, int] | None  # None multiplies the exposure
    strength: float
    profile: tuple[float, ...]
    mask: NDArray[np.float32]  # [height, width, 1], 0 to 1

    def on(self, image: Image, number: int) -> Image:
        """Picture with the flash as it is in its frame `number`."""
        share = self.mask * self.strength * self.profile[number]
        if self.color is None:
            lit = image * (1 + 4 * share)
        else:
            lit = image * (1 - share) + share * np.array(self.color, np.float32)
        return np.clip(lit, 0, 255).astype(np.uint8)


def choose_flash(random: Random, size: Size) -> Flash:
    """Any flash; half of them are white or nearly, and fill the picture."""
    width, height = size
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    mask = np.ones((height, width))
    if random.random() < 0.25:  # a side
        angle = random.uniform(0, 2 * math.pi)
        mask = np.clip(0.5 + 2 * ((x - 0.5) * math.cos(angle) + (y - 0.5) * math.sin(angle)), 0, 1)
    elif random.random() < 0.33:  # a spot
        from_spot = np.hypot(x - random.random(), y - random.random())
        mask = np.exp(-((from_spot / random.uniform(0.2, 0.6)) ** 2))
    colors = ((255, 255, 255), (255, 240, 200), (255, 140, 60), (120, 170, 255), (0, 0, 0), None)
    return Flash(
        color=colors[random.choice(6, p=(0.4, 0.15, 0.1, 0.1, 0.1, 0.15))],
        strength=float(random.uniform(0.5, 1.0)),
        profile=PROFILES[int(random.integers(len(PROFILES)))],
        mask=mask[..., None].astype(np.float32),
    )


@dataclass(frozen=True)
class Case:
    """Cells of one or two takes with a flash at `[at, end)`, which may be empty."""

    name: str
    cells: Cells
    at: int
    end: int
    cut: int | None = None


def make_cases(seed: int, *, takes: int, flashes: int = 4, size: Size = SMALL) -> Iterator[Case]:
    """Each take as it is, with each of some flashes, and with flashes beside a cut to the next."""
    random = np.random.default_rng(seed)
    images_before: list[Image] = []
    cells_before: Cells | None = None
    for number in range(takes):
        source = TAKES[number % len(TAKES)]
        camera = choose_camera(random)
        if random.random() < 0.3:  # a camera swung round
            pan = random.uniform(-0.04, 0.04, 2)
            camera = dataclasses.replace(camera, pan=(float(pan[0]), float(pan[1]) / 2))
        images = list(film(source, camera, random, size=size, count=COUNT))
        cells = measure(images)
        name = f"{number}"
        yield Case(name, cells, 0, 0)
        for _ in range(flashes):
            flash, at = choose_flash(random, size), int(random.integers(12, COUNT - 16))
            lit, end = _light(images, cells, flash, at)
            yield Case(f"{name} {flash.color} {flash.strength:.2f} {flash.profile}", lit, at, end)
        if cells_before is not None:
            joined, both = [*images_before, *images], np.concatenate([cells_before, cells])
            yield Case(f"{name} cut", both, 0, 0, COUNT)
            for _ in range(flashes):
                flash, apart = choose_flash(random, size), int(random.choice(BESIDE))
                at = COUNT + apart
                if random.random() < 0.5:
                    at = COUNT - apart - len(flash.profile)
                lit, end = _light(joined, both, flash, at)
                label = f"{name} cut {apart} {flash.color} {flash.strength:.2f} {flash.profile}"
                yield Case(label, lit, at, end, COUNT)
        images_before, cells_before = images, cells


def _light(images: list[Image], cells: Cells, flash: Flash, at: int) -> tuple[Cells, int]:
    """Cells with the flash from frame `at` on, and the frame after it."""
    lit, end = cells.copy(), at + len(flash.profile)
    lit[at:end] = measure([flash.on(images[k], k - at) for k in range(at, end)])
    return lit, end


def measure(images: list[Image]) -> Cells:
    """Cells `[frames, 4, 9, 16]` of some pictures."""
    reformatter = VideoReformatter()
    frames = (av.VideoFrame.from_ndarray(image, format="rgb24") for image in images)
    return np.stack([measure_cells(frame, reformatter) for frame in frames])


def judge(case: Case, *, slack: int = 3) -> tuple[bool, list[int]]:
    """Whether the cut, if there is one, was found; what else was reported, frame by frame."""
    frames = ((Fraction(k, RATE), cells) for k, cells in enumerate(case.cells))
    found = [c.at for c in merge_changes(find_changes(frames)) if 0 < c.at < len(case.cells)]
    if case.cut is None:
        return True, found
    near = [at for at in found if abs(at - case.cut) <= slack]
    return bool(near), [at for at in found if at not in near[:1]]


def is_reported(case: Case, others: list[int], *, slack: int = 3) -> bool:
    """Whether something was reported that begins or ends with the flash, give or take `slack`."""
    return any(case.at - slack <= at <= case.end + slack for at in others)


def main() -> None:
    parser = argparse.ArgumentParser(description="Count what is reported of flashes.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--takes", type=int, default=102)
    given = parser.parse_args()
    counts = dict.fromkeys(("flashes", "reported", "cuts beside", "missed"), 0)
    for case in make_cases(given.seed, takes=given.takes):
        if case.at < case.end:
            found, others = judge(case)
            counts["flashes"] += 1
            counts["reported"] += is_reported(case, others)
            counts["cuts beside"] += case.cut is not None
            counts["missed"] += not found
    print(", ".join(f"{count} {name}" for name, count in counts.items()))  # noqa: T201


if __name__ == "__main__":
    main()
