"""The picture of losses: round numbers on its axes, lines where the losses are."""

from pathlib import Path

import cv2
import pytest

from vidcli.train.plot import COLOURS, HEIGHT, TOP, WIDTH, choose_step, draw_losses


@pytest.mark.parametrize("length", [0.001, 0.7, 1, 3.38, 9.99, 10, 398, 1990, 123_456])
def test_axes_are_divided_at_round_numbers_few_enough_to_be_read(length: float):
    step = choose_step(length)
    assert f"{step:.0e}"[0] in "125"
    assert 1 <= length / step <= 10 + 1e-9


def test_a_loss_that_falls_is_a_line_that_falls(tmp_path: Path):
    metrics = [{"step": n, "loss": 4 - n / 100} for n in range(0, 300, 10)]
    draw_losses(metrics, tmp_path / "loss.png", title="t")
    image = cv2.imread(str(tmp_path / "loss.png"))
    assert image is not None
    assert image.shape == (HEIGHT, WIDTH, 3)
    is_line = (image[TOP + 60 :] == COLOURS["loss"]).all(axis=2)
    heights = [is_line[:, x].argmax() for x in (200, 500, 900)]
    assert heights == sorted(heights)
    assert heights[0] < heights[-1]
    assert not (image[:, -3:] != 255).any()  # no label is cut
