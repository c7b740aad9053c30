"""Vid2Seq's time tokens: bins and their inverse, sequences and events, and what a parser drops."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcli.methods.time_tokens import (
    GBNF,
    LAST,
    TimedText,
    from_bin,
    parse_events,
    to_bin,
    write_events,
)

TEN = Fraction(10)
durations = st.fractions(min_value=Fraction(1, 10), max_value=100_000)


@given(durations, st.fractions(min_value=0, max_value=1))
def test_a_bin_is_int_99_t_over_d_and_its_inverse_at_most_a_bin_off(duration, share):
    """Vid2Seq: bins are `int(99 t / d)`, and their inverse errs by at most d / 99."""
    time = share * duration
    number = to_bin(time, duration)
    assert number == int(99 * time / duration)
    assert 0 <= time - from_bin(number, duration) <= duration / LAST


def test_times_outside_the_video_go_to_its_ends():
    assert (to_bin(Fraction(-1), TEN), to_bin(Fraction(11), TEN)) == (0, 99)


sentences = st.text("abc .,'\n", min_size=1, max_size=20).filter(str.strip)
events = st.lists(st.tuples(st.integers(0, 98), st.integers(1, 99), sentences), max_size=8)


@given(events, durations)
def test_what_was_written_is_parsed_again(given_events, duration):
    """Vid2Seq: sequence to events and back."""
    made = [
        TimedText(from_bin(a, duration), from_bin(max(a + 1, b), duration), " ".join(text.split()))
        for a, b, text in given_events
    ]
    wanted = sorted(made, key=lambda e: (e.start, e.end))
    again = parse_events(write_events(made, duration), duration)
    assert [(e.start, e.end) for e in again] == [(e.start, e.end) for e in wanted]
    assert sorted(e.text for e in again) == sorted(e.text for e in wanted)


def seen(text: str) -> list[tuple[int, int, str]]:
    return [(to_bin(e.start, TEN), to_bin(e.end, TEN), e.text) for e in parse_events(text, TEN)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<0><99> all of it", [(0, 99, "all of it")]),
        ("so: <1><2> a <3><4> b", [(1, 2, "a"), (3, 4, "b")]),
        ("<1><2><3> a", [(2, 3, "a")]),  # three in a row: the first is skipped
        ("<1> <2> a", [(1, 2, "a")]),
        ("<5> a <6><7> b", [(6, 7, "b")]),  # one time opens nothing
        ("<5><5> a <7><6> b", []),  # ends no later than it starts
        ("<1><2> <3><4> b", [(3, 4, "b")]),  # no text
        ("<1><2>", []),
        ("nothing", []),
        ("", []),
        ("<100><200> a", []),
    ],
)
def test_the_parsers_rules(text, found):
    """Vid2Seq: three times in a row, an end no later than its start, and no text."""
    assert seen(text) == found


def test_brackets_in_a_sentence_open_no_time():
    assert seen(write_events([TimedText(Fraction(1), Fraction(2), "a <3><4> b")], TEN)) == [
        (to_bin(Fraction(1), TEN), to_bin(Fraction(2), TEN), "a 3 4 b")
    ]


def test_a_video_without_length_has_no_bins():
    with pytest.raises(ValueError, match="lasts longer"):
        write_events([], Fraction(0))


def test_what_the_grammar_lets_a_model_write_always_parses(pairs):
    """Vid2Seq: what the grammar allows always parses, even of a random model."""
    from tests.pairs import load
    from vidcli.core.prompt import Prompt, TextPart
    from vidcli.core.sampling import Sampling

    with load(pairs.get("tiny-idefics3")) as session:
        prefix = session.prefill(Prompt((TextPart("List what happens."),)))
        for seed in range(3):
            sampling = Sampling(max_tokens=60, temperature=1.5, seed=seed, grammar=GBNF)
            for _ in session.generate(prefix, sampling):
                pass
            text = session.last_generation.text
            assert text.startswith("<")
            for event in parse_events(text, TEN):
                assert 0 <= event.start < event.end <= TEN
                assert event.text
