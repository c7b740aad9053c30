"""Drawing the frames of a scene, straight at the size wanted, with smooth edges."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.world.backgrounds import BORDER, Image, paint_background
from vidcli.world.drawings import draw
from vidcli.world.lettering import SHIFT, draw_letters, place_letters
from vidcli.world.scene import Actor, Floats, Look, Scene, Shot
from vidcli.world.vocabulary import COLOURS

INK, GREY, PAPER = (28, 28, 32), (120, 120, 124), (236, 236, 228)
JPEG_QUALITY = {20: 80, 24: 60, 28: 42, 32: 28}  # about as spoilt as that CRF of H.264

Frames = NDArray[np.uint8]  # (time, height, width, 3), RGB


def render(scene: Scene, times: Floats, size: int, *, compressed: bool = False) -> Frames:
    """Frames of a scene: uint8 RGB, (len(times), size, size, 3).

    Args:
        scene: What to draw.
        times: Seconds, in any order.
        size: Pixels a side.
        compressed: Whether each frame goes through a JPEG about as coarse as the file's H.264.
    """
    frames = np.empty((len(times), size, size, 3), np.uint8)
    grains = np.random.default_rng((scene.seed, scene.index))
    chosen = [scene.shot_at(float(time)) for time in times]
    for shot in scene.shots:
        rows = [row for row, one in enumerate(chosen) if one is shot]
        if rows:
            _render_shot(shot, scene.look, times[rows], frames, rows)
    _spoil(frames, scene.look, grains)
    if compressed:
        quality = JPEG_QUALITY[scene.look.crf]
        for frame in frames:
            _, packed = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
            frame[:] = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))
    return frames


def views(shot: Shot, times: Floats) -> Floats:
    """Centre x, centre y and magnification of the camera at `times`: (n, 3)."""
    start, end = np.array(shot.camera.start), np.array(shot.camera.end)
    share = np.clip((times - shot.start) / (shot.end - shot.start), 0, 1)[:, None]
    seen: Floats = start + (end - start) * share
    return seen


def paint_actor(frame: Image, actor: Actor, *, is_outlined: bool = True) -> None:
    """Draw one object in the middle of a square frame, in place."""
    _paint(frame, pose_of(actor, len(frame)), (0.5, 0.5), 1.0, is_outlined=is_outlined)


def _render_shot(shot: Shot, look: Look, times: Floats, frames: Frames, rows: list[int]) -> None:
    size = frames.shape[1]
    is_moving = shot.camera.move is not None
    backdrop = paint_background(shot.background, size=size, border=BORDER if is_moving else 0.0)
    seen = views(shot, times)
    poses = [pose_of(actor, size) for actor in shot.actors]
    places = [actor.path.at(times) for actor in shot.actors]
    letters = place_letters(shot.writing, size) if shot.writing else None
    for at, row in enumerate(rows):
        frame, (x, y, zoom) = frames[row], seen[at]
        if is_moving:
            frame[:] = _look_at(backdrop, x, y, zoom, size)
        else:
            frame[:] = backdrop
        for actor, pose, place in zip(shot.actors, poses, places, strict=True):
            if actor.appears <= times[at] < actor.vanishes:
                centre = ((place[at, 0] - x) * zoom + 0.5, (place[at, 1] - y) * zoom + 0.5)
                _paint(frame, pose, centre, float(zoom), is_outlined=look.is_outlined)
        if letters is not None and shot.writing is not None:
            ink, plate = (INK, PAPER) if shot.writing.is_dark else (PAPER, INK)
            draw_letters(frame, letters, ink=ink, plate=plate)


def _look_at(backdrop: Image, x: float, y: float, zoom: float, size: int) -> Image:
    middle = (len(backdrop) - 1) / 2
    left, top = middle + (x - 0.5) * size, middle + (y - 0.5) * size
    half = (size - 1) / 2
    matrix = np.array([[1 / zoom, 0, left - half / zoom], [0, 1 / zoom, top - half / zoom]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(
        backdrop, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT
    )  # type: ignore[return-value]


@dataclass(slots=True)
class Pose:
    """A drawing turned and scaled to pixels about its centre, and its colours."""

    points: NDArray[np.float32]  # (n, 2), in units of 1 / 2**SHIFT pixels
    parts: tuple[tuple[str, int, int], ...]
    tones: dict[str, tuple[int, int, int]]
    size: int

    def corners(self, centre: tuple[float, float], zoom: float) -> NDArray[np.int32]:
        """All its points in the frame, in units of 1 / 2**SHIFT pixels: (n, 2)."""
        points = self.points * zoom if zoom != 1.0 else self.points
        offset = np.array(centre, np.float32) * (self.size << SHIFT) - (1 << SHIFT) / 2
        return np.rint(points + offset).astype(np.int32)


def pose_of(actor: Actor, size: int) -> Pose:
    """An actor's drawing, ready to be placed in frames of `size` pixels a side."""
    points, parts = _packed(actor.kind, actor.variant)
    angle = np.radians(actor.tilt)
    wide, high = np.sqrt(actor.stretch), 1 / np.sqrt(actor.stretch)
    scale = np.diag([-wide if actor.mirrored else wide, high])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    grown = actor.size / 2 * size * (1 << SHIFT)
    placed = (points @ (scale @ turn * grown)).astype(np.float32)
    return Pose(placed, parts, _tones(actor.colour, actor.shade), size)


@cache
def _packed(
    kind: str, variant: int
) -> tuple[NDArray[np.float32], tuple[tuple[str, int, int], ...]]:
    """All the points of a drawing in one array, and where each part begins and ends in it."""
    drawing = draw(kind, variant)
    ends = np.cumsum([len(part.points) for part in drawing])
    starts = [0, *ends[:-1]]
    spans = zip(drawing, starts, ends, strict=True)
    parts = tuple((part.tone, int(start), int(end)) for part, start, end in spans)
    return np.concatenate([part.points for part in drawing]), parts


@cache
def _tones(colour: str, shade: int) -> dict[str, tuple[int, int, int]]:
    base = np.clip(np.array(COLOURS[colour], float) + shade, 0, 255)
    dark, light = base * 0.66, base + (255 - base) * 0.45
    if colour == "white":
        light = base * 0.86
    mixed = {"body": base, "dark": dark, "light": light}
    tones = {name: _rgb(value) for name, value in mixed.items()}
    return {
        **tones,
        "ink": INK,
        "grey": GREY,
        "paper": PAPER if colour != "white" else (198, 200, 204),
    }


def _rgb(values: Floats) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in values)
    return red, green, blue


def _paint(
    frame: Image, pose: Pose, centre: tuple[float, float], zoom: float, *, is_outlined: bool
) -> None:
    corners = pose.corners(centre, zoom)
    if is_outlined:
        bodies = [
            corners[start:end] for tone, start, end in pose.parts if tone in ("body", "light")
        ]
        width = max(2, pose.size // 40)
        cv2.polylines(frame, bodies, True, INK, width, cv2.LINE_AA, SHIFT)
    for tone, start, end in pose.parts:
        cv2.fillPoly(frame, [corners[start:end]], pose.tones[tone], cv2.LINE_AA, SHIFT)


def _spoil(frames: Frames, look: Look, grains: np.random.Generator) -> None:
    if not look.noise:
        return
    side = frames.shape[1]
    grain = _grain(side)
    for frame in frames:
        x, y = grains.integers(0, side, 2)
        noise = grain[y : y + side, x : x + side] * np.float32(look.noise)
        frame[:] = np.clip(frame + noise, 0, 255).astype(np.uint8)


@cache
def _grain(side: int) -> NDArray[np.float32]:
    return np.random.default_rng(7).standard_normal((2 * side, 2 * side, 1)).astype(np.float32)
