"""Conversations as token ids: exactly those that `ask` and `chat` send, with what is to be learnt.

The same composer, template and tokenizer write them (`methods.compose`, `engine.scribe`). What is
learnt is every reply of the model with the token that ends it, and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from vidcli.core.prompt import ImagePart, Part, Prompt, TextPart
from vidcli.core.protocols import Session
from vidcli.engine.entries import Entry
from vidcli.engine.scribe import Scribe
from vidcli.methods.arrange import FRAMES, arranged_tokens, check_arrangeable, count_tokens
from vidcli.methods.compose import compose_prompt, compose_video
from vidcli.train.frames import Clip

if TYPE_CHECKING:
    from numpy.typing import NDArray

IGNORED = -100
VISUAL = -1  # stands in ids where a visual token is


@dataclass(frozen=True, slots=True)
class Said:
    """One question and its answer; an empty answer is one that is yet to come."""

    question: str
    answer: str = ""


class Reply(TextPart):
    """Text that the model is to learn to say."""


@dataclass(frozen=True, eq=False)
class Row:
    """One sample as cells.

    Attributes:
        ids: Token ids; -1 where a visual token stands.
        labels: The id where it is to be learnt, else -100.
        positions: int64 [3, cells] (t, y, x) under M-RoPE; None where they are consecutive.
    """

    ids: "NDArray[np.int64]"
    labels: "NDArray[np.int64]"
    positions: "NDArray[np.int64] | None"

    @property
    def n_cells(self) -> int:
        """Context cells it takes."""
        return len(self.ids)

    @property
    def n_labels(self) -> int:
        """Tokens to be learnt."""
        return int((self.labels != IGNORED).sum())


class _Closed:
    """A scribe whose conversations end with the last reply, not with the next one's beginning."""

    def __init__(self, scribe: Scribe) -> None:
        self._scribe = scribe

    def render_chat(self, turns: Sequence[tuple[str, Sequence[Part]]]) -> tuple[Part, ...]:
        return self._scribe.render_chat(turns, open_reply=False)


def compose(
    scribe: Scribe,
    clip: Clip | None,
    said: Sequence[Said],
    *,
    system: str = "",
    arrangement: str = FRAMES,
) -> Prompt:
    """The prompt of a conversation about a clip, as `chat` composes it.

    Args:
        scribe: Of the model.
        clip: What is shown before the first question; None shows nothing.
        said: Oldest first; the conversation is open where the last answer is empty.
        system: What a system turn says; empty for none.
        arrangement: What is made of the frames.
    """
    turns: list[tuple[str, tuple[Part, ...]]] = []
    if system:
        turns.append(("system", (TextPart(system),)))
    for exchange in said:
        turns.append(("user", (TextPart(exchange.question),)))
        if exchange.answer:
            turns.append(("assistant", (Reply(exchange.answer),)))
    is_open = not said[-1].answer
    writer = cast(Session, scribe if is_open else _Closed(scribe))
    if clip is None:
        return Prompt(tuple(writer.render_chat(turns)))
    tokens = scribe.measure(clip.size)
    images = [ImagePart(frames, tokens) for frames in clip.shown]
    profile = scribe.profile
    if arrangement != FRAMES:
        check_arrangeable(tokens)
        n = count_tokens(arrangement, frames=clip.n_groups, places=tokens.n_tokens)
        blank = np.zeros((n, tokens.data.shape[1]), np.float16)
        every = tuple(frame for group in clip.shown for frame in group)
        images = [ImagePart(every, arranged_tokens(tokens, blank))]
        profile = replace(profile, label="")
    video = compose_video(profile, images, duration=clip.duration)
    return compose_prompt(writer, turns, video)


def write_row(
    scribe: Scribe,
    clip: Clip | None,
    said: Sequence[Said],
    *,
    system: str = "",
    arrangement: str = FRAMES,
) -> Row:
    """Write a conversation as ids and labels; see `compose`."""
    ids: list[int] = []
    labels: list[int] = []
    positions: list[NDArray[np.int64]] = []
    position, awaiting_end = 0, False
    prompt = compose(scribe, clip, said, system=system, arrangement=arrangement)
    for part, entries in scribe.spell(prompt):
        for entry in entries:
            learns = isinstance(part, Reply)
            if awaiting_end and not learns and entry.visual is None:
                learns = scribe.is_end(int(entry.key))
                awaiting_end = False
            cells = [VISUAL] * entry.n_cells if entry.visual is not None else [int(entry.key)]
            ids += cells
            labels += cells if learns else [IGNORED] * len(cells)
            positions.append(_positions(entry, position))
            position += entry.n_pos
        awaiting_end = awaiting_end or (isinstance(part, Reply) and bool(entries))
    at = np.concatenate(positions, axis=1) if scribe.is_mrope else None
    return Row(np.array(ids, np.int64), np.array(labels, np.int64), at)


def _positions(entry: Entry, start: int) -> "NDArray[np.int64]":
    """Positions [3, cells] (t, y, x) of an entry that begins at `start`."""
    if entry.visual is None or entry.visual.positions is None:
        line = np.arange(start, start + entry.n_cells, dtype=np.int64)
        return np.stack([line, line, line])
    return entry.visual.positions[:3, entry.start : entry.stop].astype(np.int64) + start
