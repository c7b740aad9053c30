"""A reply means the option that a reader would say it means, or none."""

import pytest

from vidcli.evaluate.replies import choose_option
from vidcli.world import COLOURS, DIGITS, WORDS
from vidcli.world.questions import CAMERAS, DIRECTIONS, GATES, MOVES, OBJECTS, SPOTS
from vidcli.world.vocabulary import NUMBERS

YES_NO = ("yes", "no")
FIRST = ("the red ball", "the blue car")


@pytest.mark.parametrize(
    ("reply", "options", "meant"),
    [
        ("yes", YES_NO, "yes"),
        ("Yes, there is.", YES_NO, "yes"),
        ("No.", YES_NO, "no"),
        ("It is not known", YES_NO, None),
        ("yes and no", YES_NO, None),
        ("", YES_NO, None),
        ("...", YES_NO, None),
        ("A ball.", OBJECTS, "a ball"),
        ("ball", OBJECTS, "a ball"),
        ("It is an apple", OBJECTS, "an apple"),
        ("a balloon", OBJECTS, "a balloon"),
        ("a ball or a balloon", OBJECTS, None),
        ("balls", OBJECTS, None),
        ("three", NUMBERS, "three"),
        ("There are 3 of them", NUMBERS, "three"),
        ("5", NUMBERS, None),
        ("To the left", DIRECTIONS, "to the left"),
        ("left", DIRECTIONS, "to the left"),
        ("It moves up.", DIRECTIONS, "up"),
        ("upwards", DIRECTIONS, None),
        ("It stands still", MOVES, "it stands still"),
        ("the red ball", FIRST, "the red ball"),
        ("Red ball", FIRST, "the red ball"),
        ("ball", FIRST, "the red ball"),
        ("the red car", FIRST, None),
        ("the red ball, then the blue car", FIRST, None),
        ("stop", (*WORDS, *DIGITS), "STOP"),
        ("The text says STOP", (*WORDS, *DIGITS), "STOP"),
        ("7", (*WORDS, *DIGITS), "7"),
        ("2", (*WORDS, *DIGITS), "2"),
        ("in the middle", SPOTS, "in the middle"),
        ("the top", SPOTS, "at the top"),
        ("from the top", GATES, "from the top"),
        ("zooms out", CAMERAS, "it zooms out"),
        ("It pans up", CAMERAS, "it pans up"),
        ("bright red!", tuple(COLOURS), "red"),
        ("reddish", tuple(COLOURS), None),
    ],
)
def test_a_reply_means_one_option_or_none(reply: str, options: tuple[str, ...], meant: str | None):
    assert choose_option(reply, options) == meant


@pytest.mark.parametrize("options", [OBJECTS, DIRECTIONS, MOVES, GATES, SPOTS, CAMERAS, NUMBERS,
                                     tuple(COLOURS), (*WORDS, *DIGITS), YES_NO, FIRST])  # fmt: skip
def test_every_option_means_itself(options: tuple[str, ...]):
    for option in options:
        for said in (option, option.upper(), f"{option}.", f" {option}\n"):
            assert choose_option(said, options) == option


def test_the_longer_of_two_options_is_meant_where_one_is_part_of_the_other():
    options = ("red", "dark red")
    assert choose_option("It is dark red.", options) == "dark red"
    assert choose_option("It is red.", options) == "red"
