"""Hearing speech with faster-whisper: a Whisper model in CTranslate2's form, from a local folder.

Only what somebody says is given to the model (`voice`). Each 30 seconds are heard for themselves:
a model that is shown its own last words repeats them for minutes once it has begun to.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidcli.core.sound import RATE
from vidcli.core.speech import Cue, HeardBlock, Listening, SpeechKind, Word
from vidcli.core.time import Span
from vidcli.errors import EngineError, ModelError, UsageError
from vidcli.tools.imports import import_extra
from vidcli.tools.voice import EXTRA, Voice, choose_cut, find_voice

FILES = ("model.bin", "config.json", "tokenizer.json")  # without the last one it would ask the hub
BEAMS = 5
ENGLISH = "en"


class WhisperTranscriber:
    """A `core.protocols.Transcriber`.

    Args:
        folder: Holds the model's files.
        name: Of the model, for people.
        digest: Names its content; asked for once the folder has proved to hold one.
        threads: Of the processor.
        seed: Of the random numbers, which are drawn where the model is at a loss.

    Raises:
        SetupError: The extra is not installed.
        ModelError: The folder holds no such model, or a broken one.
    """

    kind = SpeechKind.WHISPER

    def __init__(
        self, folder: Path, *, name: str, digest: Callable[[], str], threads: int, seed: int = 0
    ) -> None:
        check_folder(folder)
        whisper: Any = import_extra(
            "ctranslate2", "faster_whisper", extra=EXTRA, purpose="hearing speech"
        )
        self._native: Any = import_extra("ctranslate2", extra=EXTRA, purpose="hearing speech")
        self._seed = seed
        self.name = name
        self.identity = f"{digest()} faster-whisper {version('faster-whisper')} {BEAMS} {seed}"
        try:
            self._model = whisper.WhisperModel(
                str(folder),
                device="cpu",
                compute_type="int8",
                cpu_threads=threads,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, KeyError, OSError) as error:
            raise ModelError(
                f"{folder} holds no Whisper model that CTranslate2 can load: {error}",
                hint="'vidcli models verify' finds damaged files",
            ) from error

    def hear(
        self, samples: NDArray[np.float32], listening: Listening, *, is_last: bool
    ) -> HeardBlock:
        """Write down a block of sound; see `core.protocols.Transcriber`.

        Raises:
            UsageError: The model does not know the language.
        """
        self._check_language(listening.language)
        voice = find_voice(samples)
        count = len(samples) if is_last else choose_cut(voice, len(samples))
        voice = voice.before(count)
        length = Fraction(count, RATE)
        if not voice.parts:
            return HeardBlock((), length, Fraction(0))
        self._native.set_random_seed(self._seed)
        try:
            segments, facts = self._model.transcribe(
                voice.join(samples),
                language=listening.language,
                beam_size=BEAMS,
                word_timestamps=listening.words,
                condition_on_previous_text=False,
                vad_filter=False,
            )
            cues = tuple(_cues(segments, voice))
        except RuntimeError as error:
            raise EngineError(f"Whisper failed: {error}") from error
        return HeardBlock(
            cues,
            length,
            voice.length,
            facts.language,
            None if listening.language else round(float(facts.language_probability), 4),
        )

    def _check_language(self, language: str | None) -> None:
        known = self._model.supported_languages
        if language is not None and language not in known:
            knows = "English alone" if len(known) == 1 else f"{len(known)} languages, such as en"
            raise UsageError(
                f"{self.name} does not know the language {language!r}; it knows {knows}",
                hint="leave out --language to have it detected",
            )


def require_whisper() -> None:
    """Make sure that the extra is installed.

    Raises:
        SetupError: It is not.
    """
    import_extra("ctranslate2", "faster_whisper", extra=EXTRA, purpose="hearing speech")


def check_folder(folder: Path) -> None:
    """Make sure that a folder holds a model's files.

    Raises:
        ModelError: It does not.
    """
    if not folder.is_dir():
        raise ModelError(f"{folder} is no folder with a Whisper model")
    missing = [name for name in FILES if not (folder / name).is_file()]
    if not any(folder.glob("vocabulary.*")):
        missing.append("vocabulary.json")
    if missing:
        raise ModelError(
            f"{folder} is no Whisper model in CTranslate2's form: it lacks {', '.join(missing)}",
            hint="'vidcli models pull whisper-base' gets one",
        )


def _cues(segments: Any, voice: Voice) -> Iterator[Cue]:
    for segment in segments:
        span, text = voice.locate(segment.start, segment.end), " ".join(segment.text.split())
        if span is None or not text:
            continue
        words = tuple(_words(segment.words or (), voice))
        if words:
            span = Span(min(span.start, words[0].span.start), max(span.end, words[-1].span.end))
        yield Cue(span, text, words)


def _words(words: Any, voice: Voice) -> Iterator[Word]:
    for word in words:
        span = voice.locate(word.start, word.end)
        if span is not None and word.word.strip():
            yield Word(span, word.word.strip(), round(float(word.probability), 4))
