"""The controls say when a gain has nothing to do with the video."""

import pytest

pytest.importorskip("peft", reason="needs the extra 'parity'")

from vidcli.train.controls import _replies, judge, measure_gap

pytestmark = pytest.mark.train


def controls(seen, shuffled, reversed_, blind, *, sure: bool = True):
    losses = {"seen": seen, "shuffled": shuffled, "reversed": reversed_, "blind": blind}
    return {
        "scores": {name: {"loss": loss} for name, loss in losses.items()},
        "gaps": {
            name: {"mean": loss - seen, "low": loss - seen - (0.01 if sure else 9)}
            for name, loss in losses.items()
            if name != "seen"
        },
    }


BEFORE = controls(3.0, 3.0, 3.0, 3.0)


def test_a_gain_that_the_blind_model_shares_is_said_to_be_one():
    said = " ".join(judge(BEFORE, controls(1.0, 1.0, 1.0, 1.0)))
    assert "comes from the words, not the video" in said
    assert "do not depend on the video" in said
    assert "order is not used" in said


def test_a_gain_from_the_video_is_said_with_its_share():
    said = " ".join(judge(BEFORE, controls(1.0, 2.0, 1.5, 2.0)))
    assert "50% of the gain is shared by the blind model" in said
    assert "another video's frames cost 1.000" in said
    assert "reversing the frames costs 0.500" in said


def test_a_gap_within_chance_is_none():
    said = " ".join(judge(BEFORE, controls(1.0, 2.0, 1.5, 2.0, sure=False)))
    assert "comes from the words" in said


def test_no_gain_is_said():
    assert "nothing was gained" in " ".join(judge(BEFORE, controls(3.1, 3.2, 3.2, 3.2)))


def test_the_interval_is_that_of_paired_differences():
    gap = measure_gap([1.0, 2.0, 3.0], [2.0, 3.5, 3.5])
    assert gap.mean == pytest.approx(1.0)
    assert gap.high - gap.mean == pytest.approx(1.96 * 0.5 / 3**0.5)
    assert measure_gap([1.0], [2.0]).low is None


def test_a_reply_is_right_when_all_its_tokens_are():
    labels = [-100, 5, 6, -100, 7, -100, 8, 9]
    assert _replies([True, True, False, True, False], labels) == [True, False, False]
