"""IG-VLM's picture: which frames, where they lie, and one picture for the encoder."""

from fractions import Fraction

import numpy as np
import pytest

from tests.pairs import PairCache, load
from tests.sources import PictureSource, make_info
from vidcli.core.results import Timings
from vidcli.core.time import Span
from vidcli.methods.arranged import list_instants
from vidcli.methods.grid import Grid, GridEncoder, choose_shape, choose_steps, draw_grid
from vidcli.methods.recipe import Room

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255)]
WHITE = (255, 255, 255)


def solid(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((4, 6, 3), colour, np.uint8)


def cells(picture: np.ndarray) -> list[tuple[int, ...]]:
    return [
        tuple(int(v) for v in picture[4 * row + 2, 6 * column + 3])
        for row in range(3)
        for column in range(2)
    ]


def test_six_frames_lie_in_three_rows_of_two_in_order():
    """IG-VLM: six frames fill a 3×2 picture row by row."""
    assert choose_shape(6) == (3, 2)
    picture = draw_grid([solid(c) for c in COLOURS], shape=(3, 2), canvas=(12, 12))
    assert cells(picture) == COLOURS


def test_five_frames_leave_one_white_cell():
    """IG-VLM: five frames leave the last cell white."""
    picture = draw_grid([solid(c) for c in COLOURS[:5]], shape=(3, 2), canvas=(12, 12))
    assert cells(picture) == [*COLOURS[:5], WHITE]
    assert (picture[8:, 6:] == 255).all()


def test_what_the_cells_do_not_reach_is_white():
    picture = draw_grid([solid(COLOURS[0])] * 6, shape=(3, 2), canvas=(13, 14))
    assert (picture[12:] == 255).all()
    assert (picture[:, 12:] == 255).all()


@pytest.mark.parametrize(
    ("total", "expected"),
    [(60, [0, 10, 20, 30, 40, 50]), (65, [0, 10, 20, 30, 40, 50]), (5, [0, 1, 2, 3, 4]), (1, [0])],
)
def test_frames_are_taken_at_equal_steps_from_the_first(total: int, expected: list[int]):
    """IG-VLM: frames 0, k, 2k … with k the sixth part of all, rounded down."""
    assert choose_steps(total, 6) == expected
    span = Span(Fraction(0), Fraction(total, 10))
    plan = Grid(6).plan(make_info(), span)
    assert [int(time * 10) for time in list_instants(plan)] == expected


@pytest.mark.parametrize(
    "shape", ["tiny-idefics3", "tiny-llava", "tiny-internvl", "tiny-gemma3", "tiny-qwen25vl"]
)
def test_every_family_gets_one_picture_in_one_chunk(shape: str, pairs: PairCache):
    """IG-VLM: one image chunk for a question, whatever the family (A5.6)."""
    with load(pairs.get(shape), n_ctx=2048) as session:
        recipe, source = Grid(6), PictureSource()
        plan = recipe.plan(source.info, Span(Fraction(0), Fraction(10)))
        fit = recipe.fit(plan, session, Room((640, 360), 100, 100))
        watched = recipe.watch(source, session, fit, store=None, timings=Timings())
        (image,) = watched.shown
        assert image.tokens.n_tokens == fit.shown_tokens
        assert len(image.frames) == 6
        assert watched.encoded == 1
        encoder = recipe.encoder(session, fit)
        assert isinstance(encoder, GridEncoder)
        canvas = np.zeros((fit.canvas[1], fit.canvas[0], 3), np.uint8)
        same = session.encode([canvas])
        assert same.n_tokens == image.tokens.n_tokens
        assert (same.positions is None) == (image.tokens.positions is None)
        assert same.splits == () == image.tokens.splits
