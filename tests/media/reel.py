"""Truth reels: edited video whose every cut, dissolve, fade and flash is known.

Reel 1 is for tuning the shot detector; reel 2, of other sources and another seed, is for the final
check only. `python -m tests.media.reel FILE --reel 1 --size 1280x720` makes one, detects its shots
and prints recall, false alarms and speed in seconds of video per second of processor time.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np

from tests.media.footage import (
    RATE,
    Image,
    Random,
    Size,
    Source,
    actors,
    choose_camera,
    film,
    landscape,
    lavfi,
    rush,
    slide,
    sparks,
    wheel,
    words,
)
from vidcli.media.shots import detect_shots

SMALL: Size = (320, 180)

HUE = "hue=h={h},format=rgb24"
SOURCES: dict[int, tuple[Source, ...]] = {
    1: (
        landscape,
        actors,
        words,
        slide,
        rush,
        wheel,
        lavfi("testsrc2=s={s}:r=25," + HUE),
        lavfi("mandelbrot=s={s}:r=25:start_scale=0.5," + HUE),
        lavfi(
            "life=s={s}:r=25:mold=10:ratio=0.15:seed={seed}:death_color=#2050A0:life_color=#E0D040,"
            + HUE
        ),
        lavfi("cellauto=s={s}:r=25:rule=110:seed={seed},format=rgb24"),
        lavfi(
            "gradients=s={s}:r=25:nb_colors=2:c0={c0}:c1={c1}:seed={seed}:speed=0.02,format=rgb24"
        ),
        lavfi("smptebars=s={s}:r=25,noise=alls=12:allf=t," + HUE),
        lavfi("color=c=gray:s={s}:r=25,noise=alls=60:allf=t,format=rgb24"),
    ),
    2: (
        landscape,
        actors,
        words,
        sparks,
        rush,
        lavfi("testsrc=s={s}:r=25," + HUE),
        lavfi("mandelbrot=s={s}:r=25:start_x=-1.25:start_y=0.02:start_scale=0.1," + HUE),
        lavfi("life=s={s}:r=25:mold=25:ratio=0.3:rule=S23/B36:seed={seed}," + HUE),
        lavfi("cellauto=s={s}:r=25:rule=30:seed={seed}," + HUE),
        lavfi(
            "gradients=s={s}:r=25:nb_colors=2:c0={c0}:c1={c1}:seed={seed}:type=spiral:speed=0.01,format=rgb24"
        ),
        lavfi("pal75bars=s={s}:r=25,noise=alls=20:allf=t," + HUE),
        lavfi("zoneplate=s={s}:r=25:kt2=3:kxt=1," + HUE),
        lavfi("sierpinski=s={s}:r=25:seed={seed}," + HUE),
        lavfi("rgbtestsrc=s={s}:r=25,noise=alls=10:allf=t," + HUE),
    ),
}
CUTS, DISSOLVES, FADES, FLASHES = 62, 10, 7, 5


@dataclass
class Gradual:
    """A transition that is on screen for frames `[start, end)`."""

    kind: str
    start: int
    end: int


@dataclass
class Truth:
    """Where things happen, in frames from 0. A cut is the first frame of the new shot."""

    frames: int = 0
    cuts: list[int] = field(default_factory=list)
    graduals: list[Gradual] = field(default_factory=list)
    flashes: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Score:
    """What a detector found of a truth reel."""

    cuts_found: int
    graduals_found: int
    flashes_reported: int
    false_alarms: tuple[int, ...]
    missed_cuts: tuple[int, ...]
    missed_graduals: tuple[Gradual, ...]


def make_reel(
    path: Path,
    *,
    reel: int,
    size: Size = SMALL,
    seed: int | None = None,
    preset: str = "ultrafast",
    kbps: int | None = None,
) -> Truth:
    """Write a reel as H.264 at 25 frames a second.

    Args:
        path: Ends in an extension of a container that takes H.264.
        reel: 1 or 2: which sources.
        size: (width, height), both even.
        seed: Of everything random; None is the reel's own.
        preset: Of the encoder; `veryfast` and slower make files like those people have.
        kbps: Kilobits a second that a constant quality may not exceed; None is as it comes.
            Noise takes some 8000 at 1280x720, where footage takes 1500 to 3000.
    """
    random = np.random.default_rng(reel * 1000 if seed is None else seed)
    truth = Truth()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.options = {"preset": preset, "crf": "23"}
        if kbps is not None:
            stream.options |= {"maxrate": f"{kbps}k", "bufsize": f"{2 * kbps}k"}
        for image in edit(random, SOURCES[reel], size, truth):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            truth.frames += 1
        container.mux(stream.encode())
    return truth


def edit(random: Random, sources: Sequence[Source], size: Size, truth: Truth) -> Iterator[Image]:
    """Yield the frames of a reel in order, noting every transition in `truth`."""
    joins = ["cut"] * CUTS + ["dissolve"] * DISSOLVES + ["fade"] * FADES
    random.shuffle(joins)
    flashing = set(random.choice(len(joins), FLASHES, replace=False).tolist())
    order = _shuffle_sources(random, len(joins) + 1, len(sources))
    at = 0
    opening: list[Image] = []  # tail of the last take, to be mixed into this one
    veil: Image | None = None  # what this take rises from after a fade
    for number, (join, chosen) in enumerate(zip([*joins, "end"], order, strict=True)):
        count = int(random.integers(50, 125))
        camera = choose_camera(random)
        take = list(film(sources[chosen], camera, random, size=size, count=count))
        if veil is not None:
            rise = int(random.integers(6, 16))
            take[:rise] = [_mix(veil, take[k], (k + 1) / (rise + 1)) for k in range(rise)]
            truth.graduals[-1].end += rise
        for k, tail in enumerate(opening):
            take[k] = _mix(tail, take[k], (k + 1) / (len(opening) + 1))
        opening, veil = [], None
        if join == "dissolve":
            length = int(random.integers(10, 20))
            take, opening = take[:-length], take[-length:]
            truth.graduals.append(Gradual(join, at + len(take), at + len(take) + length))
        elif join == "cut":
            truth.cuts.append(at + len(take))
        elif join == "fade":
            veil = np.full_like(take[0], 0 if random.random() < 0.75 else 255)
            start = at + len(take)
            take = _fade_out(random, take, veil)
            truth.graduals.append(Gradual(join, start, at + len(take)))
            truth.graduals[-1].start = start - FALL
        if number in flashing:
            place = 20 + int(random.integers(0, 5))
            truth.flashes.append(at + place)
            for k in (place, place + 1):
                take[k] = _mix(take[k], np.full_like(take[k], 255), 0.85)
        yield from take
        at += len(take)


FALL = 10  # frames a fade takes to its veil


def _fade_out(random: Random, take: list[Image], veil: Image) -> list[Image]:
    """Sink the last frames into `veil`, and hold it."""
    fallen = [_mix(image, veil, (k + 1) / (FALL + 1)) for k, image in enumerate(take[-FALL:])]
    return [*take[:-FALL], *fallen, *[veil] * int(random.integers(1, 11))]


def _mix(first: Image, second: Image, share: float) -> Image:
    """Picture with `share` of the second in it."""
    return np.asarray(cv2.addWeighted(first, 1 - share, second, share, 0), np.uint8)


def _shuffle_sources(random: Random, count: int, sources: int) -> list[int]:
    """Draw a source for each take, all about equally often, never the same twice running."""
    order: list[int] = []
    while len(order) < count:
        deal = random.permutation(sources).tolist()
        if order and deal[0] == order[-1]:
            deal = deal[::-1]
        order += deal
    return order[:count]


def score_reel(truth: Truth, found: Sequence[tuple[float, str]], *, slack: int = 3) -> Score:
    """Compare found transitions, as (frame, kind), with the truth.

    A cut counts within `slack` frames; a gradual transition where one is reported while it is on
    screen, give or take as much. Each report answers one truth; the rest are false alarms.
    """
    left = sorted(found)
    missed_cuts, missed_graduals = [], []
    for cut in truth.cuts:
        near = [item for item in left if abs(item[0] - cut) <= slack]
        if near:
            left.remove(min(near, key=lambda item: abs(item[0] - cut)))
        else:
            missed_cuts.append(cut)
    for gradual in truth.graduals:
        during = [i for i in left if gradual.start - slack <= i[0] <= gradual.end + slack]
        if during:
            left.remove(during[0])
        else:
            missed_graduals.append(gradual)
    flashes = [f for f in truth.flashes if any(f - slack <= at <= f + 2 + slack for at, _ in left)]
    return Score(
        cuts_found=len(truth.cuts) - len(missed_cuts),
        graduals_found=len(truth.graduals) - len(missed_graduals),
        flashes_reported=len(flashes),
        false_alarms=tuple(round(at) for at, _ in left),
        missed_cuts=tuple(missed_cuts),
        missed_graduals=tuple(missed_graduals),
    )


def measure(path: Path, truth: Truth) -> str:
    """Detect the shots of a reel in this process; one line of what was found, and how fast."""
    began = time.process_time()
    shots = detect_shots(str(path))
    spent = time.process_time() - began
    score = score_reel(truth, [(float(shot.span.start) * RATE, "") for shot in shots[1:]])
    seconds = truth.frames / RATE
    megabits = path.stat().st_size * 8 / seconds / 1e6
    return (
        f"{path.name}: {score.cuts_found}/{len(truth.cuts)} cuts, "
        f"{score.graduals_found}/{len(truth.graduals)} gradual, "
        f"{len(score.false_alarms)} false alarms, {score.flashes_reported} flashes; "
        f"{megabits:.1f} Mbit/s, {seconds / spent:.1f} x real time per core"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a truth reel and detect its shots.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--reel", type=int, choices=sorted(SOURCES), default=1)
    parser.add_argument("--size", default=f"{SMALL[0]}x{SMALL[1]}")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--preset", default="veryfast")
    parser.add_argument("--kbps", type=int)
    given = parser.parse_args()
    width, height = (int(side) for side in given.size.split("x"))
    truth = make_reel(
        given.file,
        reel=given.reel,
        size=(width, height),
        seed=given.seed,
        preset=given.preset,
        kbps=given.kbps,
    )
    print(measure(given.file, truth))  # noqa: T201


if __name__ == "__main__":
    main()
