"""faster-whisper runs a real model, told nothing but what somebody says."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.talks import LINES, conversation
from tests.whisper import silence, speak, tone
from vidcli.core.sound import RATE
from vidcli.core.speech import Listening
from vidcli.errors import ModelError, SetupError, UsageError
from vidcli.tools.whisper import WhisperTranscriber


@pytest.fixture(scope="module")
def transcriber(whisper: Path) -> WhisperTranscriber:
    return WhisperTranscriber(whisper, name="tiny", digest=lambda: "x", threads=1)


@pytest.mark.parametrize("line", LINES)
def test_what_is_written_follows_from_what_is_heard(
    transcriber: WhisperTranscriber, line: tuple[float, float, str, str]
):
    _, _, voice, language = line
    sound = np.concatenate([silence(2), speak(2, voice=voice), silence(2)])
    heard = transcriber.hear(sound, Listening(), is_last=True)
    assert [cue.text for cue in heard.cues] == [voice]
    assert heard.language == language
    assert heard.language_probability is not None
    assert heard.language_probability > 0.9
    assert heard.cues[0].span.start == pytest.approx(2, abs=0.6)


def test_where_nobody_speaks_nothing_is_made_up(transcriber: WhisperTranscriber):
    for sound in (silence(8), tone(8)):
        heard = transcriber.hear(sound, Listening(), is_last=True)
        assert (heard.cues, heard.voice, heard.language) == ((), 0, None)
        assert heard.length == 8


def test_a_language_that_is_given_is_not_found_out(transcriber: WhisperTranscriber):
    heard = transcriber.hear(speak(2), Listening("fr"), is_last=True)
    assert (heard.language, heard.language_probability) == ("fr", None)


def test_words_have_times_inside_their_segment(transcriber: WhisperTranscriber):
    sound = np.concatenate([silence(2), speak(2), silence(2)])
    (cue,) = transcriber.hear(sound, Listening(words=True), is_last=True).cues
    assert [word.text for word in cue.words] == ["low"]
    assert cue.span.start <= cue.words[0].span.start < cue.words[0].span.end <= cue.span.end
    assert 0 <= cue.words[0].probability <= 1


def test_speech_that_the_end_of_a_block_cuts_is_left_to_the_next(transcriber: WhisperTranscriber):
    sound = conversation()[: 10 * RATE]  # the second line goes on until 11
    heard = transcriber.hear(sound, Listening(), is_last=False)
    assert [cue.text for cue in heard.cues] == ["low"]
    assert heard.length == pytest.approx(9, abs=0.6)
    last = transcriber.hear(sound, Listening(), is_last=True)
    assert last.length == 10
    assert last.voice > heard.voice + 1


def test_the_same_sound_is_the_same_text(transcriber: WhisperTranscriber):
    noise = np.random.default_rng(1).standard_normal(2 * RATE).astype(np.float32) * 0.05
    sound = speak(2) + noise
    first, second = (transcriber.hear(sound, Listening(), is_last=True) for _ in range(2))
    assert first == second


def test_a_language_that_the_model_does_not_know_is_a_usage_error(
    transcriber: WhisperTranscriber,
):
    with pytest.raises(UsageError, match="does not know the language 'klingon'"):
        transcriber.hear(silence(1), Listening("klingon"), is_last=True)


@pytest.mark.parametrize("name", ["model.bin", "config.json", "tokenizer.json", "vocabulary.json"])
def test_a_folder_that_lacks_a_file_is_no_model(whisper: Path, tmp_path: Path, name: str):
    folder = tmp_path / "model"
    shutil.copytree(whisper, folder)
    (folder / name).unlink()
    with pytest.raises(ModelError, match=name) as caught:
        WhisperTranscriber(folder, name="x", digest=lambda: "x", threads=1)
    assert caught.value.hint == "'vidcli models pull whisper-base' gets one"


@pytest.mark.parametrize("size", [0, 100, 1_000_000])
def test_a_damaged_model_is_a_model_error(whisper: Path, tmp_path: Path, size: int):
    folder = tmp_path / "model"
    shutil.copytree(whisper, folder)
    weights = folder / "model.bin"
    weights.write_bytes(weights.read_bytes()[:size])
    with pytest.raises(ModelError, match="holds no Whisper model"):
        WhisperTranscriber(folder, name="x", digest=lambda: "x", threads=1)


def test_without_the_extra_the_line_that_installs_it_is_named(
    whisper: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(__import__("sys").modules, "faster_whisper", None)
    with pytest.raises(SetupError, match="extra 'speech'") as caught:
        WhisperTranscriber(whisper, name="x", digest=lambda: "x", threads=1)
    assert caught.value.hint == "pip install 'vidcli[speech]'"
