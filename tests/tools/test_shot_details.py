"""Pairs of frames are planned inside every shot, and each shot is told of by its own frames."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.nets import save_face_finder
from vidcli.core.camera import CameraMove
from vidcli.core.media import Frame, Shot, Transition
from vidcli.core.time import Span, Timestamp
from vidcli.tools.faces import FaceFinder
from vidcli.tools.shot_details import PAIRS, ShotWatcher, plan_pairs


def shots_of(*ends: Fraction | int) -> list[Shot]:
    starts = [Fraction(0), *map(Fraction, ends)]
    return [Shot(Span(start, end), Transition.CUT) for start, end in pairwise(starts)]


@given(
    st.lists(st.fractions(Fraction(1, 100), 40), min_size=1, max_size=8),
    st.one_of(st.none(), st.fractions(Fraction(1, 10), 120)),
)
def test_every_shot_has_instants_of_its_own_two_by_two(
    lengths: list[Fraction], rate: Fraction | None
):
    shots = shots_of(*np.cumsum(lengths).tolist())
    plan = plan_pairs(shots, rate)
    for shot in shots:
        inside = [one.time for one in plan.frames if one.time in shot.span]
        assert len(inside) == 1 or (len(inside) % 2 == 0 and len(inside) <= 2 * PAIRS)
        assert inside
    assert sum(one.time in shot.span for shot in shots for one in plan.frames) == len(plan.frames)


def watch(shots: list[Shot], draw, *, faces=None, missing=()):  # type: ignore[no-untyped-def]
    """Details of shots whose frames are made by `draw(shot number, seconds)`."""
    plan = plan_pairs(shots, Fraction(25))
    watcher = ShotWatcher(shots, plan, faces=faces)
    for number, planned in enumerate(plan.frames):
        if number in missing:
            continue
        at = next(n for n, shot in enumerate(shots) if planned.time in shot.span)
        time = Timestamp(round(planned.time * 1000), Fraction(1, 1000))
        watcher.add(Frame(draw(at, float(planned.time)), time, planned.time))
    return watcher.finish()


def flat(level: int) -> np.ndarray:
    return np.full((90, 160, 3), level, np.uint8)


def test_light_is_that_of_the_shot_s_own_frames():
    details = watch(shots_of(3, 6), lambda at, _: flat((51, 204)[at]))
    assert [one.brightness for one in details] == [pytest.approx(0.2), pytest.approx(0.8)]
    assert [one.camera for one in details] == [CameraMove.STILL] * 2
    assert [(one.frames, one.faces) for one in details] == [(12, None)] * 2


def test_a_shot_without_frames_is_unclear_and_the_others_are_told():
    details = watch(shots_of(3, 6, 9), lambda *_: flat(51), missing=range(12, 24))
    assert [one.frames for one in details] == [12, 0, 12]
    assert (details[1].camera, details[1].brightness) == (CameraMove.UNCLEAR, None)


def test_a_missing_frame_costs_its_pair_only():
    details = watch(shots_of(3), lambda *_: flat(51), missing=(3,))
    assert (details[0].frames, details[0].camera) == (11, CameraMove.STILL)


def test_faces_are_the_most_in_any_frame(tmp_path: Path):
    finder = FaceFinder(save_face_finder(tmp_path / "f.onnx"))

    def draw(at: int, time: float) -> np.ndarray:
        image = flat(0)
        for place in range(2 * at if time > 4 else at):
            image[32:48, 32 * place : 32 * place + 16] = (0, 255, 0)
        return image

    details = watch(shots_of(3, 6), draw, faces=finder)
    assert [one.faces for one in details] == [0, 2]
