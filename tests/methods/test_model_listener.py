"""A model that hears is given what somebody says, half a minute at most, and nothing else."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.engine.test_hearing import load
from tests.pairs import PairCache
from tests.talks import conversation
from tests.whisper import silence, speak, tone
from vidcli.core.sound import RATE
from vidcli.core.speech import Listening, SpeechKind
from vidcli.errors import UsageError
from vidcli.methods.model_listener import PIECE_S, ModelTranscriber, _pieces


@pytest.fixture(scope="module")
def transcriber(pairs: PairCache) -> Iterator[ModelTranscriber]:
    with load(pairs) as session:
        yield ModelTranscriber(session, max_tokens=6)


def test_each_part_in_which_somebody_speaks_is_a_line_with_its_times(
    transcriber: ModelTranscriber,
):
    heard = transcriber.hear(conversation(), Listening(), is_last=True)
    assert [round(float(cue.span.start)) for cue in heard.cues] == [2, 9]
    assert all(cue.text for cue in heard.cues)
    assert heard.notes == ("2 lines were cut at 6 tokens",), "nothing is cut silently"
    assert transcriber.kind is SpeechKind.MODEL


def test_where_nobody_speaks_the_model_is_not_asked(transcriber: ModelTranscriber):
    for sound in (silence(5), tone(5)):
        heard = transcriber.hear(sound, Listening(), is_last=True)
        assert (heard.cues, heard.voice, heard.notes) == ((), 0, ())


def test_what_is_heard_does_not_depend_on_what_was_heard_before(transcriber: ModelTranscriber):
    sound = np.concatenate([silence(1), speak(2), silence(1)])
    alone = transcriber.hear(sound, Listening(), is_last=True)
    transcriber.hear(conversation(), Listening("de"), is_last=True)
    assert transcriber.hear(sound, Listening(), is_last=True) == alone


def test_times_of_words_are_refused(transcriber: ModelTranscriber):
    with pytest.raises(UsageError, match="no times of words"):
        transcriber.hear(silence(1), Listening(words=True), is_last=True)


def test_long_speech_is_parted_evenly_into_what_an_encoder_takes():
    pieces = list(_pieces(((0, 70 * RATE), (80 * RATE, 90 * RATE))))
    assert [last - first <= PIECE_S * RATE for first, last in pieces] == [True] * 4
    assert pieces[0][0] == 0
    assert pieces[2] == (pieces[1][1], 70 * RATE)
    assert pieces[3] == (80 * RATE, 90 * RATE)
