"""A long sound is heard in blocks that are cut where nobody speaks, and each is kept."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.talks import LINES, conversation
from vidcli.core.sound import RATE
from vidcli.core.speech import Listening, SpeechKind
from vidcli.core.time import Span
from vidcli.library.segments import SegmentStore
from vidcli.methods import listening
from vidcli.methods.listening import listen
from vidcli.tools.whisper import WhisperTranscriber

WHOLE = Span(Fraction(0), Fraction(14))


class Recording:
    """Samples as a source of sound; remembers what was read of it."""

    def __init__(self, samples: np.ndarray) -> None:
        self.samples = samples
        self.read_spans: list[Span] = []

    def read(self, span: Span) -> np.ndarray:
        self.read_spans.append(span)
        return self.samples[round(span.start * RATE) : round(span.end * RATE)]


@pytest.fixture(scope="module")
def transcriber(whisper: Path) -> WhisperTranscriber:
    return WhisperTranscriber(whisper, name="tiny", digest=lambda: "x", threads=1)


@pytest.mark.parametrize("block", [10, 9, 7])
def test_blocks_tear_no_speech_and_lose_none(
    transcriber: WhisperTranscriber, monkeypatch: pytest.MonkeyPatch, block: int
):
    monkeypatch.setattr(listening, "BLOCK_S", Fraction(block))
    sound = Recording(conversation())
    found = listen(sound, transcriber, WHOLE, Listening("en"))
    assert [cue.text for cue in found.cues] == [voice for _, _, voice, _ in LINES]
    for cue, (start, _, _, _) in zip(found.cues, LINES, strict=True):
        assert cue.span.start == pytest.approx(start, abs=0.6)
    assert all(span.length <= block for span in sound.read_spans), "memory is bounded"
    assert sound.read_spans[-1].end == WHOLE.end
    assert found.kind is SpeechKind.WHISPER


def test_the_language_of_the_first_speech_is_kept(
    transcriber: WhisperTranscriber, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(listening, "BLOCK_S", Fraction(7))
    found = listen(Recording(conversation()), transcriber, WHOLE, Listening())
    assert (found.language, len(found.cues)) == ("en", 2)
    assert found.language_probability is not None


def test_times_are_on_the_videos_clock(transcriber: WhisperTranscriber):
    span = Span(Fraction(8), Fraction(14))
    (cue,) = listen(Recording(conversation()), transcriber, span, Listening(words=True)).cues
    assert cue.span.start == pytest.approx(9, abs=0.6)
    assert cue.words[0].span.start >= cue.span.start


def test_a_recording_may_end_between_two_samples(transcriber: WhisperTranscriber):
    span = Span(Fraction(0), 14 + Fraction(1, 4 * RATE))
    sound = Recording(conversation())
    assert listen(sound, transcriber, span, Listening("en")).cues
    assert len(sound.read_spans) == 1
    nothing = Span(Fraction(14), span.end)
    assert listen(sound, transcriber, nothing, Listening("en")).cues == ()


def test_what_was_heard_is_not_heard_again(
    transcriber: WhisperTranscriber, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(listening, "BLOCK_S", Fraction(7))
    with SegmentStore(tmp_path) as store:

        def hear(options: Listening) -> tuple[Any, int]:
            sound = Recording(conversation())
            found = listen(sound, transcriber, WHOLE, options, pieces=store.of("f" * 32))
            return found, len(sound.read_spans)

        first, n_read = hear(Listening(words=True))
        assert n_read >= 2
        assert hear(Listening(words=True)) == (first, 0)
        assert hear(Listening("de"))[1] > 0, "other options hear anew"
