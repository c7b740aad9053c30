"""Moments against true ones, by hand."""

import pytest

from vidcli.evaluate.moments import Answered, intersect, score_moments


def test_scores_by_hand():
    right = Answered([((0, 4), 0.9), ((6, 9), 0.8)], [(0, 5)])  # overlap 0.8
    late = Answered([((6, 9), 0.9)], [(0, 2), (8, 10)])  # 0.25 of the second
    missed = Answered([], [(0, 5)])
    score = score_moments([right, late, missed, Answered([], []), Answered([((0, 1), 0.6)], [])])
    assert score.queries == 3
    assert score.r1 == {
        0.3: pytest.approx(1 / 3),
        0.5: pytest.approx(1 / 3),
        0.7: pytest.approx(1 / 3),
    }
    assert score.mean_iou == pytest.approx((0.8 + 0.25) / 3)
    assert score.edge_s == pytest.approx(1)  # of 0, 1, 2 and 1
    assert (score.absent, score.false_finds) == (2, 1)


def test_the_best_is_the_surest_then_the_longest():
    assert Answered([((0, 1), 0.9), ((4, 7), 0.9), ((8, 20), 0.5)], []).best == (4, 7)
    assert Answered([], []).best is None


def test_windows_that_do_not_meet_share_nothing():
    assert intersect((0, 2), (2, 4)) == 0
    assert intersect((1, 1), (1, 1)) == 0
    assert score_moments([]).mean_iou == 0
