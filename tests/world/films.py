"""Scenes of the drawn world as video files whose truth a test decides."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from vidcli.media.encode import ClipFormat, encode_clip
from vidcli.world import Scene, make_scene, render
from vidcli.world.scene import Actor
from vidcli.world.scene import Path as Way

FPS, SIDE = 12, 96


def film(scene: Scene, target: Path) -> Path:
    """Write a scene as an MP4 file."""
    count = round(scene.duration * FPS)
    frames = render(scene, np.arange(count) / FPS, SIDE)
    encode_clip(target, [frames], ClipFormat(SIDE, SIDE, FPS, 20), n_frames=count)
    return target


@cache
def find_stage() -> Scene:
    """A scene of one shot, on which anything may be put."""
    return make_scene(11, 0, genres=["one"])


def stage(duration: float, *actors: Actor) -> Scene:
    """So many seconds of a still background with these objects, and nothing else."""
    scene = find_stage()
    shot = replace(scene.shots[0], start=0.0, end=duration, actors=actors, writing=None)
    look = replace(scene.look, noise=0.0, crf=20)
    return replace(scene, duration=duration, shots=(shot,), look=look)


def show(colour: str, kind: str, start: float, end: float, *, group: int = 0) -> Actor:
    """A large object that stands in the middle from `start` to `end`, in seconds."""
    actor = find_stage().shots[0].actors[0]
    return replace(
        actor,
        group=group,
        kind=kind,
        colour=colour,
        size=0.5,
        motion="still",
        path=Way((0.0,), (0.5,), (0.5,)),
        appears=start,
        vanishes=end,
    )
