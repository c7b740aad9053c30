"""A prompt as the context takes it: text tokens and runs of visual tokens, one entry each.

Entries are what is compared when a prompt is brought into a context that already holds another:
equal key, equal content.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from vidcli.core.prompt import ImagePart, Part, Prompt, TextPart, TracedPart, VisualTokens
from vidcli.engine.weights import Weights


@dataclass(frozen=True, slots=True)
class Entry:
    """One text token, or visual tokens `start:stop` of a frame.

    Attributes:
        key: Token id, or a digest of the visual run.
        n_cells: Context cells it takes.
        n_pos: Positions it advances the sequence by; not `n_cells` under M-RoPE.
    """

    key: int | str
    n_cells: int = 1
    n_pos: int = 1
    visual: VisualTokens | None = None
    start: int = 0
    stop: int = 0


def count_cells(entries: Sequence[Entry]) -> int:
    """Context cells in all."""
    return sum(entry.n_cells for entry in entries)


def count_positions(entries: Sequence[Entry]) -> int:
    """Positions in all."""
    return sum(entry.n_pos for entry in entries)


def to_entries(weights: Weights, parts: Sequence[Part], *, at_start: bool = True) -> list[Entry]:
    """Entries of parts in order.

    Args:
        weights: Whose vocabulary to use.
        parts: Text and visual tokens.
        at_start: Whether they open the sequence, so that the model's first token goes before them.
    """
    return [entry for _, run in to_runs(weights, parts, at_start=at_start) for entry in run]


def split_entries(weights: Weights, prompt: Prompt) -> tuple[list[Entry], list[Entry]]:
    """Entries of the part of a prompt that belongs to the video, and of the rest."""
    shared = to_entries(weights, prompt.parts[: prompt.n_shared]) if prompt.n_shared else []
    rest = to_entries(weights, prompt.parts[prompt.n_shared :], at_start=not shared)
    return shared, rest


def to_runs(
    weights: Weights, parts: Sequence[Part], *, at_start: bool = True
) -> Iterator[tuple[Part, list[Entry]]]:
    """Parts with the entries they become.

    Neighbouring special text is one part, tokenised as one, so that no word is cut where the
    template ends and the profile begins.
    """
    first = at_start
    for special, group in groupby(parts, key=lambda p: isinstance(p, TextPart) and p.special):
        members = list(group)
        if special:
            text = "".join(part.text for part in members if isinstance(part, TextPart))
            members = [TextPart(text, special=True)]
        for part in members:
            if isinstance(part, ImagePart):
                run = _image_entries(part.tokens)
            else:
                ids = weights.tokenize(part.text, special=part.special, at_start=first)
                run = [Entry(token) for token in ids]
            if first and weights.bos is not None and (not run or run[0].key != weights.bos):
                yield TextPart(weights.bos_text, special=True), [Entry(weights.bos)]
            first = False
            yield part, run


def _image_entries(tokens: VisualTokens) -> list[Entry]:
    edges = [0, *(offset for offset, _ in tokens.splits), tokens.n_tokens]
    between = [ids for _, ids in tokens.splits] + [tokens.closing]
    entries = [Entry(token) for token in tokens.opening]
    for start, stop, ids in zip(edges, edges[1:], between, strict=False):
        n = stop - start
        if n:
            n_pos = n if tokens.splits or tokens.positions is None else tokens.n_pos
            key = f"{tokens.digest}:{start}:{stop}"
            entries.append(Entry(key, n, n_pos, tokens, start, stop))
        entries += [Entry(token) for token in ids]
    return entries


def trace_prompt(weights: Weights, prompt: Prompt) -> tuple[TracedPart, ...]:
    """What the model is shown, in order, as it is decoded: ids, cells and positions."""
    cut = prompt.n_shared
    runs = [
        *to_runs(weights, prompt.parts[:cut]),
        *to_runs(weights, prompt.parts[cut:], at_start=not cut),
    ]
    traced, cell, position = [], 0, 0
    for part, entries in runs:
        text, frames = ("", part.frames) if isinstance(part, ImagePart) else (part.text, ())
        ids = tuple(int(entry.key) for entry in entries if entry.visual is None)
        visual = sum(entry.n_cells for entry in entries if entry.visual is not None)
        traced.append(TracedPart(text, ids, frames, visual, cell, position))
        cell += count_cells(entries)
        position += count_positions(entries)
    return tuple(traced)
