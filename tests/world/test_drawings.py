"""What is drawn can be told apart, by its outline and by its colour."""

import itertools

import cv2
import numpy as np
import pytest

from vidcli.world import COLOURS, KINDS
from vidcli.world.drawings import TRAINED_VARIANTS, VARIANTS, draw
from vidcli.world.gallery import draw_gallery
from vidcli.world.render import paint_actor
from vidcli.world.scene import Actor, Path

SIDE = 64
BACKGROUND = 150


def paint(kind: str, colour: str, variant: int) -> np.ndarray:
    actor = Actor(0, kind, colour, variant, 0.9, "still", Path((0.0,), (0.5,), (0.5,)), 0, 1)
    frame = np.full((SIDE, SIDE, 3), BACKGROUND, np.uint8)
    paint_actor(frame, actor, is_outlined=False)
    return frame


def outline(kind: str, variant: int) -> np.ndarray:
    """Where the drawing is, moved and scaled to fill the square."""
    mask = (paint(kind, "red", variant) != BACKGROUND).any(axis=2)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return cv2.resize(cut.astype(np.float32), (32, 32), interpolation=cv2.INTER_AREA)


def test_there_are_at_least_forty_kinds_with_drawings_kept_from_training():
    assert len(KINDS) >= 40
    assert VARIANTS - TRAINED_VARIANTS >= 2
    assert len(COLOURS) == 8


@pytest.mark.parametrize("kind", KINDS)
def test_every_drawing_of_a_kind_fills_its_square_and_is_another_one(kind: str):
    for variant in range(VARIANTS):
        points = np.concatenate([part.points for part in draw(kind, variant)])
        assert np.abs(points).max() <= 1.25
        assert np.ptp(points, axis=0).max() > 1.4, "too small to see"
    drawn = [paint(kind, "red", variant) for variant in range(VARIANTS)]
    for one, two in itertools.combinations(drawn, 2):
        assert (one != two).any(axis=2).mean() > 0.02


def test_no_two_kinds_have_the_same_picture():
    """Outline or inside must differ: a ball and a clock are both round."""
    pictures = {
        kind: [cv2.resize(paint(kind, "red", v), (24, 24)).astype(int) for v in range(VARIANTS)]
        for kind in KINDS
    }
    outlines = {kind: [outline(kind, v) for v in range(VARIANTS)] for kind in KINDS}
    alike = []
    for one, two in itertools.combinations(KINDS, 2):
        for a, b in itertools.product(range(VARIANTS), repeat=2):
            shape = np.abs(outlines[one][a] - outlines[two][b]).mean()
            inside = np.abs(pictures[one][a] - pictures[two][b]).mean()
            if shape < 0.06 and inside < 12:
                alike.append((one, a, two, b))
    assert not alike


@pytest.mark.parametrize("colour", COLOURS)
def test_most_of_an_object_has_the_colour_it_is_said_to_have(colour: str):
    palette = np.array(list(COLOURS.values()), int)
    for kind in KINDS:
        drawn = paint(kind, colour, 0).reshape(-1, 3).astype(int)
        drawn = drawn[(drawn != BACKGROUND).any(axis=1)]
        if colour == "white":
            share = ((np.ptp(drawn, axis=1) < 25) & (drawn.min(axis=1) > 185)).mean()
        else:
            drawn = drawn[np.ptp(drawn, axis=1) > 60]  # neither grey nor black
            nearest = np.abs(drawn[:, None] - palette[None]).sum(axis=2).argmin(axis=1)
            share = (nearest == list(COLOURS).index(colour)).mean()
        assert share > 0.35, f"a {colour} {kind} looks {share:.0%} {colour}"
        assert len(drawn) > 60


def test_the_gallery_shows_every_drawing():
    image = draw_gallery()
    rows = len(image) // 15
    assert rows * 15 == len(image)
    for number in range(len(KINDS)):
        row, column = divmod(number, 3)
        for variant in range(VARIANTS):
            left = (column * VARIANTS + variant) * 48
            cell = image[row * rows + 14 : (row + 1) * rows, left : left + 48]
            assert len(np.unique(cell.reshape(-1, 3), axis=0)) > 4
