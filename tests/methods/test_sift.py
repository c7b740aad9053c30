"""Each reason to leave a text out is the only one for some text."""

import pytest

from tests.methods.scripted import say
from vidcli.core.results import FinishReason
from vidcli.methods.sift import Reason, Sieve, is_alike, judge, refuses

GOOD = say("a dog runs across the yard", mean=-1.0)
ALONE = {
    Reason.EMPTY: say("…!", mean=-1.0),
    Reason.TRUNCATED: say("a dog runs across the", finish=FinishReason.LENGTH),
    Reason.LOOP: say("a dog runs and a dog runs and a dog runs"),
    Reason.REFUSAL: say("I'm sorry, no video was provided to me"),
    Reason.SHORT: say("a dog"),
    Reason.UNLIKELY: say("a dog runs across the yard", mean=-3.1),
}


def test_a_good_text_passes():
    assert judge(GOOD, GOOD.text, Sieve()) is None


@pytest.mark.parametrize("reason", list(ALONE))
def test_each_filter_drops_a_text_that_no_other_would(reason: Reason):
    made = ALONE[reason]
    assert judge(made, made.text, Sieve()) is reason
    lenient = Sieve(min_words=0, min_score=-100)
    kept = {Reason.SHORT, Reason.UNLIKELY}
    assert judge(made, made.text, lenient) is (None if reason in kept else reason)


def test_a_loop_that_the_engine_noticed_is_one_too():
    made = say("the ball rolls on and on", finish=FinishReason.LOOP)
    assert judge(made, made.text, Sieve()) is Reason.LOOP


@pytest.mark.parametrize(
    "text",
    [
        "As an AI language model, I have no eyes.",
        "I can’t see what happens here.",
        "It is not possible to determine the colour of the car.",
        "I am unable to view videos.",
        "No frames were provided.",
    ],
)
def test_refusals_are_told(text: str):
    assert refuses(text)


@pytest.mark.parametrize(
    "text",
    [
        "A man cannot reach the shelf and asks for help.",
        "She is able to watch the game from there.",
        "A sign says sorry, closed.",
        "The AI robot walks.",
    ],
)
def test_what_is_no_refusal_is_none(text: str):
    assert not refuses(text)


def test_texts_that_differ_in_case_and_stops_are_alike_and_in_a_word_are_not():
    assert is_alike("A dog runs across the yard.", "a dog runs across the yard", similarity=0.8)
    assert not is_alike("A dog runs across the yard", "a dog walks across the yard", similarity=0.8)
    assert is_alike("狗在院子里跑", "狗在院子里跑。", similarity=0.8)
    assert not is_alike("狗在院子里跑", "猫在床上睡觉", similarity=0.8)
