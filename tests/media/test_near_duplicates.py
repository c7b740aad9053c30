"""Promises of near-duplicate dropping."""

import itertools
from fractions import Fraction

import cv2
import numpy as np
import pytest

from tests.media.footage import clouds
from vidcli.core.media import Frame
from vidcli.core.time import Timestamp
from vidcli.media.near_duplicates import (
    drop_near_duplicates,
    find_distinct,
    looks_new,
    measure_change,
    shrink,
)

SCREEN = (1280, 720)


def desktop(*, cursor: tuple[int, int] = (600, 400), dialog: bool = False) -> np.ndarray:
    """A terminal full of text on a grey screen, as a screen recording shows it."""
    image = np.full((SCREEN[1], SCREEN[0], 3), 40, np.uint8)
    letters = np.random.default_rng(2).integers(33, 127, (30, 70))
    for row, line in enumerate(letters):
        text = "".join(map(chr, line))
        cv2.putText(image, text, (20, 24 + row * 23), 0, 0.6, (210, 210, 210), 1, cv2.LINE_AA)
    if dialog:
        cv2.rectangle(image, (440, 280), (840, 440), (230, 230, 230), -1)
        cv2.putText(image, "Error: disk full", (470, 370), 0, 1, (180, 0, 0), 2)
    x, y = cursor
    cv2.fillPoly(image, [np.array([(x, y), (x + 12, y + 12), (x, y + 17)])], (255, 255, 255))
    return image


def test_a_moving_cursor_is_nothing_new_and_an_error_box_is():
    still = shrink(desktop())
    assert not looks_new(still, shrink(desktop(cursor=(300, 200))))
    assert looks_new(still, shrink(desktop(dialog=True)))


def test_equal_structure_in_another_colour_or_light_is_new():
    red, blue = np.full((90, 160, 3), (200, 0, 0), np.uint8), np.zeros((90, 160, 3), np.uint8)
    blue[..., 1] = 102  # the same luma
    assert looks_new(shrink(red), shrink(blue))
    picture = clouds(np.random.default_rng(1), (320, 180))
    assert looks_new(shrink(picture), shrink((picture * 0.9).astype(np.uint8)))
    assert not looks_new(shrink(picture), shrink(picture))


def test_structural_change_is_zero_for_equal_and_largest_for_opposite_pictures():
    grey = np.random.default_rng(1).integers(0, 256, (90, 160), dtype=np.uint8)
    assert measure_change(grey, grey) == pytest.approx(0, abs=1e-6)
    assert measure_change(grey, 255 - grey) > 1.5


def test_slow_change_adds_up_against_the_last_picture_kept():
    start, end = (clouds(np.random.default_rng(seed), (320, 180)) for seed in (1, 2))
    slow = [shrink(cv2.addWeighted(start, 1 - k / 200, end, k / 200, 0)) for k in range(61)]
    assert not any(looks_new(a, b) for a, b in itertools.pairwise(slow))
    kept = find_distinct(slow)
    assert kept[0] == 0
    assert 3 <= len(kept) < len(slow) // 2


def test_frames_are_told_apart_as_they_come():
    images = [desktop(), desktop(cursor=(90, 90)), desktop(dialog=True), desktop(dialog=True)]
    frames = [Frame(i, Timestamp(k, Fraction(1)), Fraction(k)) for k, i in enumerate(images)]
    told = list(drop_near_duplicates(iter(frames)))
    assert [frame for frame, _ in told] == frames
    assert [is_new for _, is_new in told] == [True, False, True, False]


def test_small_pictures_keep_their_shape():
    assert shrink(np.zeros((360, 640, 3), np.uint8)).shape == (144, 256, 3)
    assert shrink(np.zeros((640, 360, 3), np.uint8)).shape == (256, 144, 3)
    assert shrink(np.zeros((1, 4000, 3), np.uint8)).shape == (1, 256, 3)
