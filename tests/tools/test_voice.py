"""Silero tells speech from silence, tones and noise, and times are mapped back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.whisper import silence, speak, tone
from vidcli.core.sound import RATE
from vidcli.tools.voice import Voice, choose_cut, find_voice

PAD_S = 0.6  # what Silero leaves around speech, and its own window


@pytest.mark.parametrize("voice", ["low", "high"])
def test_speech_is_found_where_it_is(voice: str):
    said = speak(2, voice=voice)
    sound = np.concatenate([silence(3), said, silence(4), said, silence(3)])
    found = [(first / RATE, last / RATE) for first, last in find_voice(sound).parts]
    assert len(found) == 2
    assert found[0] == pytest.approx((3, 5), abs=PAD_S)
    assert found[1] == pytest.approx((9, 11), abs=PAD_S)


def test_silence_a_tone_and_noise_are_no_speech():
    noise = np.random.default_rng(0).standard_normal(5 * RATE).astype(np.float32) * 0.1
    for sound in (silence(5), tone(5), noise, silence(0)):
        assert find_voice(sound).parts == ()


def test_times_of_the_joined_parts_are_mapped_back():
    voice = Voice([(RATE, 2 * RATE), (5 * RATE, 7 * RATE)])
    assert voice.length == 3
    first, second = voice.locate(0, 0.5), voice.locate(1.5, 2.5)
    assert first is not None
    assert second is not None
    assert (first.start, first.end) == (1, 1.5)
    assert (second.start, second.end) == (5.5, 6.5)


def test_a_stretch_over_a_pause_ends_with_the_part_that_holds_most_of_it():
    voice = Voice([(0, RATE), (5 * RATE, 7 * RATE)])
    span = voice.locate(0.1, 1.3)
    assert span is not None
    assert (round(float(span.start), 3), span.end) == (0.1, 1)


parts = st.lists(st.integers(1, 5000), min_size=2, max_size=8).map(
    lambda steps: np.cumsum(steps).tolist()
)


@given(parts, st.floats(-1, 3), st.floats(-1, 3))
def test_every_located_stretch_lies_inside_one_part(edges: list[int], start: float, end: float):
    voice = Voice(list(zip(edges[::2], edges[1::2], strict=False)))
    span = voice.locate(start, end)
    if span is not None:
        assert any(
            first <= span.start * RATE and span.end * RATE <= last for first, last in voice.parts
        )


@given(parts)
def test_joined_parts_are_the_samples_themselves(edges: list[int]):
    voice = Voice(list(zip(edges[::2], edges[1::2], strict=False)))
    sound = np.arange(edges[-1] + 1, dtype=np.float32)
    joined = voice.join(sound)
    assert len(joined) == voice.length * RATE
    assert np.isin(joined, sound[edges[0] :]).all()


def test_a_block_is_cut_before_speech_that_goes_on():
    going_on = Voice([(RATE, 2 * RATE), (8 * RATE, 10 * RATE)])
    assert choose_cut(going_on, 10 * RATE) == 8 * RATE
    assert choose_cut(going_on, 12 * RATE) == 12 * RATE, "it had ended"
    endless = Voice([(RATE, 10 * RATE)])
    assert choose_cut(endless, 10 * RATE) == 10 * RATE, "half of the block must be left"
    assert choose_cut(Voice([]), 10 * RATE) == 10 * RATE
