"""Clips and questions as token ids: exactly those that `ask` sends, written in pieces that repeat.

The pieces come from the engine (`train.prompts`): a clip's own cells once for every set of whole
seconds, a question's and an answer's once for every text.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

import numpy as np

from vidcli.core.prompt import Part, Prompt, TextPart
from vidcli.engine.scribe import Scribe
from vidcli.train.frames import make_clip
from vidcli.train.prompts import Said, compose
from vidcli.world.scene import Floats

Ids = tuple[int, ...]
QUESTION = "?"
ASKED = TextPart(QUESTION)
SHOWN = 0  # stands where a visual token is
KEPT = 1 << 16  # texts whose ids are remembered


class TurnWriter:
    """Writes clips of a number of frames, and turns about them.

    Args:
        scribe: Of the model; stays the caller's.
        frames: Of every clip.
        side: Pixels a side of a frame.
    """

    def __init__(self, scribe: Scribe, *, frames: int, side: int) -> None:
        self._scribe = scribe
        self._pixels = np.zeros((frames, side, side, 3), np.uint8)
        self._clip_of = lru_cache(KEPT)(self._write_clip)
        self._ids_of = lru_cache(KEPT)(self._write_text)
        times = tuple(Fraction(number) for number in range(frames))
        spelled = self._spell(times, Fraction(frames))
        asked = next(n for n, (part, _) in enumerate(spelled) if part == ASKED)
        self._tail = tuple(key for _, ids in spelled[asked + 1 :] for key in ids)
        self.end = self._find_end()

    def clip(self, times: Floats, duration: float) -> tuple[Ids, Ids]:
        """Ids of a clip's own cells, and which of them hold its visual tokens.

        Args:
            times: Of the frames, in seconds.
            duration: Of the clip, in seconds.
        """
        return self._clip_of(tuple(int(time) for time in times), int(duration))

    def turn(self, question: str, answer: str) -> tuple[Ids, Ids]:
        """Ids of a question up to where the model goes on, and of the answer with its end."""
        return (*self._ids_of(question), *self._tail), (*self._ids_of(f" {answer}"), self.end)

    def ids_of(self, text: str) -> Ids:
        """Ids of a text by itself."""
        return self._ids_of(text)

    def text_of(self, ids: Sequence[int]) -> str:
        """What ids say."""
        return "".join(self._scribe.text_of(token) for token in ids).strip()

    def _write_clip(self, seconds: tuple[int, ...], duration: int) -> tuple[Ids, Ids]:
        ids: list[int] = []
        slots: list[int] = []
        times = tuple(Fraction(second) for second in seconds)
        for part, run in self._spell(times, Fraction(duration)):
            if part == ASKED:
                break
            slots += [len(ids) + n for n, token in enumerate(run) if token < 0]
            ids += (max(token, SHOWN) for token in run)
        return tuple(ids), tuple(slots)

    def _spell(
        self, times: tuple[Fraction, ...], duration: Fraction
    ) -> list[tuple[Part, list[int]]]:
        """Parts of a question about a clip with their ids, -1 for a visual token."""
        clip = make_clip(self._pixels, times, duration=duration, name="-")
        prompt = compose(self._scribe, clip, [Said(QUESTION)])
        spelled: list[tuple[Part, list[int]]] = []
        for part, entries in self._scribe.spell(prompt):
            ids: list[int] = []
            for entry in entries:
                shown = entry.visual is not None
                ids += [-1] * entry.n_cells if shown else [int(entry.key)]
            spelled.append((part, ids))
        return spelled

    def _write_text(self, text: str) -> Ids:
        spelled = self._scribe.spell(Prompt((TextPart("-"), TextPart(text)), n_shared=1))
        *_, (_, entries) = spelled
        return tuple(int(entry.key) for entry in entries)

    def _find_end(self) -> int:
        """The token that ends a reply: the first one after it in a conversation."""
        prompt = compose(self._scribe, None, [Said(QUESTION, "-")])
        *_, (_, entries) = self._scribe.spell(prompt)
        return next(int(e.key) for e in entries if self._scribe.is_end(int(e.key)))
