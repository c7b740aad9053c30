"""A caption is right when it says all that is so and nothing that is not."""

import pytest

from tests.evaluate.questions import caption
from tests.world.scenes import scenes
from vidcli.evaluate.facts import judge_caption
from vidcli.evaluate.sets import EvalQuestion, read_set
from vidcli.world import write_captions
from vidcli.world.rows import question_rows

LEFT = caption((1, "red", "ball", "left"))
PAIR = caption((1, "red", "ball", "left"), (2, "blue", "car", "still"))
THEN = caption((1, "red", "ball", None), (1, "blue", "car", None), is_ordered=True)
SIGN = caption((1, "red", "ball", None), word="STAR")
ZOOM = caption((1, "red", "ball", None), phrases=("zooms in",))
PASS = caption((1, "red", "ball", None), phrases=("in from the left", "out at the top"))


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        (LEFT, "A red ball moves to the left."),
        (LEFT, "The video shows one red ball moving left"),
        (LEFT, "a RED ball is moving to the left; the red ball is round"),
        (PAIR, "A red ball moves to the left, and two blue cars stand still."),
        (PAIR, "2 blue cars are standing still while a red ball is moving to the left"),
        (THEN, "A red ball appears, then a blue car appears."),
        (SIGN, "The word STAR is shown with a red ball."),
        (SIGN, 'a red ball beside the word "star"'),
        (ZOOM, "The camera zooms in on a red ball."),
        (PASS, "A red ball comes in from the left and goes out at the top."),
    ],
)
def test_a_caption_with_all_facts_is_right(question: EvalQuestion, reply: str):
    assert question.truth is not None
    assert judge_caption(reply, question.truth).is_right


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        (LEFT, "A red ball moves to the right."),
        (LEFT, "A red ball stands still."),
        (LEFT, "A red ball."),
        (LEFT, "A red ball moves to the left and up."),
        (LEFT, "Two red balls move to the left."),
        (LEFT, "red ball moves to the left"),
        (LEFT, "A blue ball moves to the left."),
        (LEFT, "A red car moves to the left."),
        (LEFT, "A ball moves to the left."),
        (LEFT, "A red ball moves to the left, and a blue car stands still."),
        (LEFT, "A red ball moves to the left past a tree."),
        (LEFT, "A red ball moves to the left under the word STOP."),
        (PAIR, "A red ball moves to the left."),
        (PAIR, "A red ball stands still, and two blue cars move to the left."),
        (PAIR, "A red ball moves to the left, and a blue car stands still."),
        (THEN, "A blue car appears, then a red ball appears."),
        (THEN, "A red ball appears, then a blue car moves."),
        (SIGN, "The word STOP is shown with a red ball."),
        (SIGN, "A red ball and a star."),
        (ZOOM, "The camera zooms out from a red ball."),
        (PASS, "A red ball comes in from the top and goes out on the left."),
    ],
)
def test_a_caption_that_lacks_or_contradicts_a_fact_is_wrong(question: EvalQuestion, reply: str):
    assert question.truth is not None
    verdict = judge_caption(reply, question.truth)
    assert not verdict.is_right
    assert verdict.is_parsed


def test_a_reply_that_tells_of_nothing_here_is_no_answer():
    assert LEFT.truth is not None
    for reply in ("", "I cannot say.", "Some people walk along a street."):
        verdict = judge_caption(reply, LEFT.truth)
        assert not verdict.is_right
        assert not verdict.is_parsed


def test_every_caption_of_a_scene_is_right_and_those_of_others_are_not(tmp_path):
    import json

    shown = scenes("eval", 400)
    rows = [question_rows(scene)[-1] for scene in shown]
    (tmp_path / "questions.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    wrong = 0
    for scene, other, question in zip(
        shown, [*shown[1:], shown[0]], read_set(tmp_path), strict=True
    ):
        assert question.truth is not None
        for told in write_captions(scene):
            assert judge_caption(told, question.truth).is_right, told
        wrong += not judge_caption(write_captions(other)[0], question.truth).is_right
    assert wrong >= 398
