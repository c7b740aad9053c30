"""Where in a sound somebody speaks: Silero's voice activity detection, as faster-whisper ships it.

A speech model that is given silence or a tone makes words up. It is given speech alone, joined, and
its times are mapped back.
"""

import itertools
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vidcli.core.sound import RATE
from vidcli.core.time import Span
from vidcli.tools.imports import import_extra

EXTRA = "speech"
EDGE_S = 0.5  # speech this close to the end of a block may go on after it

Samples = NDArray[np.float32]  # (n,), `RATE` a second


class Voice:
    """The parts of a sound in which somebody speaks.

    Args:
        parts: (first sample, sample after the last), in order, none overlapping another.
    """

    def __init__(self, parts: Sequence[tuple[int, int]]) -> None:
        self.parts = tuple(parts)
        lengths = [last - first for first, last in self.parts]
        self._joined = [0, *itertools.accumulate(lengths)]

    @property
    def length(self) -> Fraction:
        """Seconds of all parts together."""
        return Fraction(self._joined[-1], RATE)

    def join(self, samples: Samples) -> Samples:
        """The parts, one after the other."""
        parts = [samples[first:last] for first, last in self.parts]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def locate(self, start_s: float, end_s: float) -> Span | None:
        """Where a stretch of the joined parts is in the sound; None for one without length.

        A stretch that reaches into the next part by less than half ends with its own.
        """
        limit = self._joined[-1]
        first = min(max(0, round(start_s * RATE)), limit)
        last = min(max(0, round(end_s * RATE)), limit)
        if last <= first:
            return None
        number = self._part_of((first + last) // 2)
        begins, ends = self.parts[number]
        joined = self._joined[number]
        start, end = (min(max(begins, begins + at - joined), ends) for at in (first, last))
        return Span(Fraction(start, RATE), Fraction(end, RATE)) if end > start else None

    def _part_of(self, sample: int) -> int:
        return next(
            n for n, end in enumerate(self._joined[1:]) if sample < end or end == self._joined[-1]
        )

    def before(self, sample: int) -> "Voice":
        """The parts that end before a sample of the sound."""
        return Voice([part for part in self.parts if part[1] <= sample])


def find_voice(samples: Samples) -> Voice:
    """Find where somebody speaks.

    Raises:
        SetupError: The extra is not installed.
    """
    vad = import_extra("faster_whisper.vad", extra=EXTRA, purpose="hearing speech")
    return Voice([(part["start"], part["end"]) for part in vad.get_speech_timestamps(samples)])


def choose_cut(voice: Voice, count: int) -> int:
    """Where to cut a block of `count` samples that goes on, so that no speech is torn.

    Returns:
        A sample at which the last part that reaches the block's end begins, if that leaves half of
        the block; else the block's end.
    """
    if not voice.parts or voice.parts[-1][1] < count - EDGE_S * RATE:
        return count
    begins = voice.parts[-1][0]
    return begins if begins > count // 2 else count
