"""A2.5: the objectives of Vid2Seq on timed events and speech."""

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcli.errors import UsageError
from vidcli.methods.time_tokens import parse_events
from vidcli.train.data.sample import Event, Exchange, Sample
from vidcli.train.objectives import (
    Objective,
    check_objective,
    fill_sequence,
    mask_spans,
    read_timeline,
    say_sequence,
    write_sequence,
)

TEN = Fraction(10)


def speech(n: int, *, is_speech: bool = True) -> Sample:
    events = tuple(Event(Fraction(i), Fraction(i + 1), f"word{i} and more of it") for i in range(n))
    return Sample("a.mp4", events=events, is_speech=is_speech, duration=Fraction(n), origin="f")


def test_a2_5_the_video_alone_gives_the_whole_sequence():
    """A2.5: the generative objective asks the video for time-token sequences."""
    sequence = sequence_of(speech(8), TEN)
    said = say_sequence(sequence)
    assert "what is said" in said.question
    found = parse_events(said.answer, Fraction(8))
    assert [event.text for event in found] == [f"word{i} and more of it" for i in range(8)]
    assert "what happens" in say_sequence(sequence_of(speech(8, is_speech=False), TEN)).question


def sequence_of(sample: Sample, duration: Fraction):
    return write_sequence(read_timeline(sample, duration))


@given(st.integers(20, 400), st.integers(0, 10_000))
def test_a2_5_masks_cover_a_quarter_in_runs_of_five(n, seed):
    """A2.5: masks cover 25 % in spans averaging 5."""
    spans = mask_spans(n, random.Random(seed))
    lengths = [stop - start for start, stop in spans]
    assert abs(sum(lengths) - n / 4) <= 1
    assert abs(sum(lengths) / len(lengths) - 5) <= 2.5
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(set(edges)), "runs are in order and do not touch"
    assert edges[0] > 0
    assert edges[-1] <= n


def test_a2_5_the_mean_run_over_many_sequences_is_five():
    """A2.5: over many sequences the mean span is 5."""
    lengths = [
        stop - start for seed in range(200) for start, stop in mask_spans(200, random.Random(seed))
    ]
    assert sum(lengths) / len(lengths) == pytest.approx(5, abs=0.1)


@given(st.integers(1, 19))
def test_short_sequences_have_a_mask_too(n):
    spans = mask_spans(n, random.Random(n))
    assert all(0 <= start < stop <= n for start, stop in spans)


def test_a2_5_what_is_masked_and_what_is_left_make_the_whole():
    """A2.5: the denoising objective takes nothing away and adds nothing."""
    sequence = sequence_of(speech(12), TEN)
    said = fill_sequence(sequence, random.Random(1))
    _, shown = said.question.split("\n")
    holes = {}
    for piece in said.answer.split("[")[1:]:
        number, text = piece.split("]")
        holes[f"[{number}]"] = text.strip()
    whole = " ".join(holes.get(word, word) for word in shown.split())
    assert whole == " ".join(sequence.units)
    assert 0 < len(holes) < len(sequence.units)


@pytest.mark.parametrize("objective", [Objective.EVENTS, Objective.DENOISE])
def test_events_are_needed_where_events_are_taught(objective):
    caption = Sample("a.mp4", (Exchange("?", "!"),), origin="f row 3")
    with pytest.raises(UsageError, match="f row 3: it has no timed events"):
        check_objective([caption], objective)


def test_events_are_no_captions():
    with pytest.raises(UsageError, match="f: timed events are no captions"):
        check_objective([speech(3)], Objective.CAPTION)
