"""Figures are those a person gets with a pencil."""

import math

import pytest

from tests.evaluate.questions import caption, question
from vidcli.evaluate.metrics import Share, judge, score_kinds, wilson

AB = ("the cat", "the dog")


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.277533),  # z² / (n + z²)
        (10, 10, 0.722467, 1.0),
        (5, 10, 0.236593, 0.763407),
        (81, 263, 0.255289, 0.366210),  # the worked example of Newcombe (1998), table I
        (1, 1, 0.206549, 1.0),
    ],
)
def test_intervals_are_wilsons(right: int, n: int, low: float, high: float):
    assert wilson(right, n) == pytest.approx((low, high), abs=2e-6)


def test_the_interval_solves_the_score_equation():
    """At its ends the share is 1.96 standard errors away, the error being the end's own."""
    for end in wilson(30, 100):
        error = math.sqrt(end * (1 - end) / 100)
        assert abs(0.3 - end) / error == pytest.approx(1.959964, abs=1e-5)


def test_nothing_has_no_accuracy():
    assert Share(0, 0).accuracy is None
    assert Share(0, 0).interval is None
    assert Share(1, 4).accuracy == 0.25


def test_replies_are_judged_forwards_and_backwards():
    first = question("the cat", AB, reversed_answer="the dog", held_out=True)
    right, turned, none = (judge(first, reply) for reply in ("A cat.", "dog", "a bird"))
    assert (right.is_right, right.is_parsed, right.follows_reversal) == (True, True, False)
    assert (turned.is_right, turned.is_parsed, turned.follows_reversal) == (False, True, True)
    assert (none.is_right, none.is_parsed, none.follows_reversal) == (False, False, False)
    assert right.chance == 0.5
    assert right.is_held_out
    assert judge(question("the cat", AB), "cat").follows_reversal is None


def test_scores_are_counted_by_kind_wording_and_reversal():
    asked = [
        (question("yes", ("yes", "no"), kind="presence"), "yes"),
        (question("no", ("yes", "no"), kind="presence"), "yes"),
        (question("no", ("yes", "no"), kind="presence", held_out=True), "hm"),
        (question("red", ("red", "blue", "green", "pink"), kind="colour"), "red"),
        (question("the cat", AB, reversed_answer="the dog", kind="order"), "the dog"),
        (question("the cat", AB, reversed_answer="the dog", kind="order"), "the cat"),
        (caption((1, "red", "ball", None)), "a red ball"),
    ]
    scores = {score.kind: score for score in score_kinds(judge(q, reply) for q, reply in asked)}
    assert list(scores) == ["presence", "colour", "order", "caption"]
    presence = scores["presence"]
    assert presence.all == Share(1, 3)
    assert presence.trained == Share(1, 2)
    assert presence.held_out == Share(0, 1)
    assert presence.unparsed == 1
    assert presence.chance == 0.5
    assert presence.reversal == Share(0, 0)
    assert scores["colour"].chance == 0.25
    assert scores["order"].all == Share(1, 2)
    assert scores["order"].reversal == Share(1, 2)
    assert scores["caption"].all == Share(1, 1)
    assert scores["caption"].chance is None
