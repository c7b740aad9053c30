"""The picture shows the figures: bars as long as the accuracies, in the runs' colours."""

import cv2
import numpy as np

from tests.evaluate.questions import question
from vidcli.evaluate.metrics import judge, score_kinds
from vidcli.evaluate.plot import BARS, GUESS, LEFT, RIGHT, WIDTH, Bars, draw_bars


def score(right: int, n: int):
    asked = question("yes", ("yes", "no"), kind="presence")
    replies = ["yes"] * right + ["no"] * (n - right)
    return score_kinds(judge(asked, reply) for reply in replies)


def count(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Pixels of a colour in each row."""
    return (image == np.array(colour)).all(axis=2).sum(axis=1)


def test_bars_are_as_long_as_the_accuracies():
    png = draw_bars(
        [Bars("frames", score(3, 4)), Bars("no frames", score(1, 4))], title="nano: ä set"
    )
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape[1] == WIDTH
    whole = WIDTH - LEFT - RIGHT
    for colour, share in zip(BARS, (0.75, 0.25), strict=False):
        assert abs(count(image, colour)[56:].max() - share * whole) < 6
    assert count(image, BARS[2])[56:].max() == 0
    assert count(image, GUESS)[56:].max() >= 2


def test_a_kind_that_a_run_lacks_leaves_its_place_empty():
    png = draw_bars([Bars("frames", score(1, 1)), Bars("no frames", [])], title="x")
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert count(image, BARS[1])[56:].max() < 10  # edges of letters are grey too
