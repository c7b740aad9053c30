"""What is said is counted in any script and belongs to one part of a video."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from vidcli.core.speech import Cue, count_words, first_words, said_during
from vidcli.core.time import Span


def cue(start: float, end: float, text: str) -> Cue:
    return Cue(Span(Fraction(start), Fraction(end)), text)


PARTS = [Span(Fraction(0), Fraction(5)), Span(Fraction(5), Fraction(10))]


def test_a_cue_belongs_to_the_part_that_holds_its_middle():
    cues = [cue(4, 5.5, "first"), cue(4.5, 6, "second"), cue(11, 12, "outside")]
    assert said_during(cues, PARTS) == ("first", "second")


def test_rolling_captions_count_once():
    cues = [cue(0, 1, "one\ntwo"), cue(1, 2, "two\nthree"), cue(6, 7, "three\nfour")]
    assert said_during(cues, PARTS) == ("one two three", "four")


def test_what_is_said_before_and_between_the_parts_is_in_none():
    later = [Span(Fraction(2), Fraction(3)), Span(Fraction(5), Fraction(6))]
    cues = [cue(0, 1, "early"), cue(2, 3, "in"), cue(3, 4, "between"), cue(5, 6, "last")]
    assert said_during(cues, later) == ("in", "last")
    assert said_during([], later) == ("", "")


def test_words_are_counted_in_any_script():
    assert count_words("Two words\n") == 2
    assert count_words("今日は") == 3
    assert count_words("한국어 문장") == 2
    assert count_words(" \n") == 0
    assert first_words("Two  words here", 2) == "Two  words"
    assert first_words("今日は 雨", 4) == "今日は 雨"


@given(st.text(), st.integers(-1, 50))
def test_the_first_words_are_a_beginning_with_as_many_words(text: str, n: int):
    kept = first_words(text, n)
    assert text.startswith(kept)
    assert count_words(kept) == min(max(0, n), count_words(text))
