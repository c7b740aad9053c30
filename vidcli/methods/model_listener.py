"""Hearing speech with a GGUF model that has an audio encoder.

Only what somebody says is given to it, a piece of at most half a minute at a time, with the request
to write it down. Such a model tells no times: a line has those of its piece. Sound is data: the
request says so, and control tokens in what the model writes are none.
"""

import itertools
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vidcli.core.prompt import ImagePart, Prompt, TextPart
from vidcli.core.protocols import HearingSession
from vidcli.core.results import FinishReason
from vidcli.core.sampling import Sampling
from vidcli.core.sound import RATE
from vidcli.core.speech import Cue, HeardBlock, Listening, SpeechKind
from vidcli.core.time import Span
from vidcli.errors import UsageError
from vidcli.tools.voice import choose_cut, find_voice

PIECE_S = 28  # audio encoders take 30 s at once
VERSION = 1  # raised when the request is worded otherwise
REQUEST = "Write down exactly the words that are said{language}, and nothing else."


class ModelTranscriber:
    """A `core.protocols.Transcriber`.

    Args:
        session: The model; it stays the caller's to close.
        max_tokens: Longest line.
    """

    kind = SpeechKind.MODEL

    def __init__(self, session: HearingSession, *, max_tokens: int) -> None:
        self._session = session
        self._sampling = Sampling(max_tokens=max_tokens)
        report = session.report
        self.name = report.name
        self.identity = (
            f"{report.weights_sha256} {report.mmproj_sha256} {report.adapter_sha256} "
            f"{VERSION} {max_tokens}"
        )

    def hear(
        self, samples: NDArray[np.float32], listening: Listening, *, is_last: bool
    ) -> HeardBlock:
        """Write down a block of sound; see `core.protocols.Transcriber`.

        Raises:
            UsageError: Times of words are asked for.
        """
        if listening.words:
            raise UsageError(
                "a language model tells no times of words", hint="--words goes with --by whisper"
            )
        voice = find_voice(samples)
        count = len(samples) if is_last else choose_cut(voice, len(samples))
        voice = voice.before(count)
        cues, n_cut = [], 0
        for first, last in _pieces(voice.parts):
            text, is_whole = self._write(samples[first:last], listening.language)
            n_cut += not is_whole
            if text:
                cues.append(Cue(Span(Fraction(first, RATE), Fraction(last, RATE)), text))
        lines = "1 line was" if n_cut == 1 else f"{n_cut} lines were"
        notes = (f"{lines} cut at {self._sampling.max_tokens} tokens",) if n_cut else ()
        length = Fraction(count, RATE)
        return HeardBlock(tuple(cues), length, voice.length, listening.language, notes=notes)

    def _write(self, samples: NDArray[np.float32], language: str | None) -> tuple[str, bool]:
        """What is said in a piece, and whether the model came to an end."""
        request = REQUEST.format(language=f" in the language {language!r}" if language else "")
        sound = ImagePart((), self._session.encode_sound(samples))
        turns = [("user", (sound, TextPart("\n" + request)))]
        self._session.forget()
        prefix = self._session.prefill(Prompt(self._session.render_chat(turns)))
        text = "".join(delta.text for delta in self._session.generate(prefix, self._sampling))
        finish = self._session.last_generation.finish
        return " ".join(text.split()), finish is FinishReason.STOP


def _pieces(parts: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, int]]:
    """The parts, long ones in equal pieces that an encoder takes."""
    for first, last in parts:
        count = -(-(last - first) // (PIECE_S * RATE))
        edges = np.linspace(first, last, count + 1).round().astype(int).tolist()
        yield from itertools.pairwise(edges)
