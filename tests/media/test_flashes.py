"""Promises about flashes: none is reported, whatever moves meanwhile, and none hides a cut."""

import itertools

import cv2
import numpy as np
import pytest

from tests.media import footage
from tests.media.flashes import TAKES, Case, is_reported, judge, make_cases, measure, texture
from vidcli.media.flashes import blend_over, find_flashes

SIZE = (160, 90)


def still(seed: int, frames: int) -> list[footage.Image]:
    return [footage.clouds(np.random.default_rng(seed), SIZE)] * frames


def lit(image: footage.Image) -> footage.Image:
    return np.asarray(cv2.addWeighted(image, 0.1, np.full_like(image, 255), 0.9, 0), np.uint8)


def frames_from_cut(case: Case) -> int:
    return 99 if case.cut is None else max(case.at - case.cut, case.cut - case.end)


def test_no_flash_over_any_source_is_reported_and_no_cut_beside_one_is_lost():
    cases = [c for c in make_cases(5, takes=len(TAKES), flashes=3, size=SIZE) if c.at < c.end]
    assert len(cases) > 90
    judged = [(case, *judge(case)) for case in cases]
    assert [case.name for case, _, others in judged if is_reported(case, others)] == []
    # A picture seen for one frame between a cut and a flash can pass for part of the flash.
    lost = [case.name for case, found, _ in judged if not found and frames_from_cut(case) > 1]
    assert lost == []


@pytest.mark.parametrize("frames", [1, 2, 4])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_flash_over_what_rushes_past_is_told_by_its_frames(frames, seed):
    images = list(itertools.islice(texture(np.random.default_rng(seed), SIZE), 60))
    images[30 : 30 + frames] = [lit(image) for image in images[30 : 30 + frames]]
    cells = measure(images)
    found = find_flashes(cells, [(30, 30)], rate=25)
    assert any(start <= 30 and end >= 30 + frames for start, end in found)
    calm = blend_over(cells, found)
    assert calm[30 : 30 + frames, 0].mean() < 0.8 * cells[30 : 30 + frames, 0].mean()
    assert np.array_equal(calm[:25], cells[:25])
    assert np.array_equal(calm[40:], cells[40:])


@pytest.mark.parametrize("flash", [28, 36])
def test_a_cut_right_beside_a_flash_is_found(flash):
    images = still(1, 32) + still(2, 32)
    images[flash : flash + 2] = [lit(image) for image in images[flash : flash + 2]]
    assert judge(Case("beside", measure(images), flash, flash + 2, cut=32)) == (True, [])


def test_a_cut_behind_a_flash_is_no_flash():
    images = still(1, 30) + [lit(image) for image in still(1, 2)] + still(2, 32)
    cells = measure(images)
    assert find_flashes(cells, [(30, 32)], rate=25) == []
    assert judge(Case("behind", cells, 0, 0, cut=31)) == (True, [])


def test_at_one_frame_a_second_nothing_is_a_flash():
    images = still(1, 10) + still(2, 1) + still(1, 10)
    assert find_flashes(measure(images), [(10, 11)], rate=1) == []
