"""Looks that are taught: a word of a question looks at what it names, an answer at those words.

Labels at every visual token teach what is there. They do not teach the way from the word `cup` to
the tokens that show a cup: there are 45 such words, and half of all clips answer without it. So
"What colour is the cup?" stayed at a coin's toss where two objects were shown, however long it was
taught (`docs/log.md`). The world knows which tokens a word means, and one head of two layers is
told:

- in the layer after `tap`, the word of a kind looks at the visual tokens that show this kind, and
  at the first cell where none does;
- behind that layer the word of a kind tells its colour, the word of a colour its kind, each may
  tell that there is none;
- in the layer after that, the cell where an answer begins looks at the kinds and colours that its
  question names.

All other heads are free, and so are these where nothing is named. At inference there is nothing of
this but weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vidcli.train.scratch import ScratchConfig
from vidcli.train.world.lessons import IGNORED, LanguageBatch
from vidcli.train.world.modules import SmallModel, Turns
from vidcli.train.world.vision import cross_entropy, share
from vidcli.train.world.writer import TurnWriter
from vidcli.world import COLOURS, KINDS
from vidcli.world.vocabulary import plural

HEAD = 0  # of both layers
STATE = 0.4  # size of the normed state that words tell from
UNNAMED = -1
TELLS = 0.5  # weight of what words tell, beside where they look
PARTS = (len(COLOURS) + 1, len(KINDS) + 1)
HIDDEN = -1e9  # score of a cell that may not be seen


class WordHeads(nn.Linear):
    """What the hidden state of a word tells of the thing it names: its colour, or its kind."""

    def __init__(self, sizes: ScratchConfig) -> None:
        super().__init__(sizes.width, sum(PARTS))

    def forward(self, x: Tensor) -> Tensor:
        """[..., width] to [..., sum of PARTS]."""
        return super().forward(nn.functional.rms_norm(x, x.shape[-1:]) * STATE)


class Names:
    """Which tokens of a vocabulary name a kind, and which a colour.

    Words that the vocabulary spells with several tokens name nothing here.

    Args:
        writer: Of the vocabulary.
        tokens: Its size.
    """

    def __init__(self, writer: TurnWriter, tokens: int) -> None:
        self.kinds = torch.full((tokens,), UNNAMED)
        self.colours = torch.full((tokens,), UNNAMED)
        for number, kind in enumerate(KINDS):
            for word in {kind, plural(kind)}:
                self._name(self.kinds, writer.ids_of(f" {word}"), number)
        for number, colour in enumerate(COLOURS):
            self._name(self.colours, writer.ids_of(f" {colour}"), number)

    @staticmethod
    def _name(table: Tensor, ids: tuple[int, ...], number: int) -> None:
        if len(ids) == 1:
            table[ids[0]] = number


@dataclass(frozen=True, slots=True)
class Looks:
    """What teaches where to look: what words tell, and which tokens are such words."""

    heads: WordHeads
    names: Names


@dataclass(frozen=True, slots=True)
class _Asked:
    """The cells of all questions about the clips of a batch.

    Attributes:
        turns: How a whole sequence is laid out.
        ids: int64 [clips, cells].
        numbers: int64 [cells]: of the turn that a cell belongs to.
        begins: bool [clips, cells]: whether an answer's first token follows.
    """

    turns: Turns
    ids: Tensor
    numbers: Tensor
    begins: Tensor

    @classmethod
    def of(cls, batch: LanguageBatch) -> "_Asked":
        ids = [torch.from_numpy(group.ids) for group in batch.groups]
        targets = [torch.from_numpy(group.targets) for group in batch.groups]
        turns = Turns(batch.clips.shape[1], tuple((part.shape[1], part.shape[2]) for part in ids))
        lengths = [length for count, length in turns.groups for _ in range(count)]
        told = [part != IGNORED for part in targets]
        first = [part & (part.cumsum(-1) == 1) for part in told]
        return cls(
            turns,
            torch.cat([part.flatten(1) for part in ids], 1),
            torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths)),
            torch.cat([part.flatten(1) for part in first], 1),
        )

    def is_before(self, cells: Tensor) -> Tensor:
        """Which cells of their own turn some cells see: bool [some cells, cells]."""
        same = self.numbers == self.numbers[cells][:, None]
        return same & (torch.arange(len(self.numbers)) <= cells[:, None])


def looks_loss(
    model: SmallModel,
    looks: Looks,
    states: Mapping[int, Tensor],
    batch: LanguageBatch,
    *,
    tap: int,
) -> tuple[Tensor, dict[str, float]]:
    """Loss of where words and answers look, and of what words tell.

    Args:
        model: Whose heads look.
        looks: What words of its vocabulary tell.
        states: Hidden states of all cells [clips, cells, width] after the layers `tap` and
            `tap` + 1.
        batch: Clips with labels of their visual tokens, and what is asked.
        tap: Layer after which visual tokens know what they show.

    Returns:
        The loss; and shares: of the attention that goes where it should, of words that tell right.
    """
    asked = _Asked.of(batch)
    kinds, colours = looks.names.kinds[asked.ids], looks.names.colours[asked.ids]
    named, hits = _look_at_named(model, states[tap], batch, asked, kinds, layer=tap)
    begun, more = _look_at_words(
        model, states[tap + 1], asked, (kinds >= 0) | (colours >= 0), layer=tap + 1
    )
    told, most = _tell(looks.heads, states[tap + 1][:, asked.turns.prefix :], batch, kinds, colours)
    return named + begun + TELLS * told, hits | more | most


def _look_at_named(
    model: SmallModel, x: Tensor, batch: LanguageBatch, asked: _Asked, kinds: Tensor, *, layer: int
) -> tuple[Tensor, dict[str, float]]:
    clips, cells = torch.nonzero(kinds >= 0, as_tuple=True)
    logs = _log_shares(model, x, asked, clips, cells, layer=layer)
    shown = torch.from_numpy(batch.tokens.kinds)[clips] == kinds[clips, cells][:, None] + 1
    is_there = shown.any(1)
    slots = torch.from_numpy(batch.slots)
    on_it = logs[:, slots].masked_fill(~shown, HIDDEN).logsumexp(1)
    wanted = torch.where(is_there, on_it, logs[:, 0])
    return _mean_error(wanted), _hits(
        look_named=wanted[is_there].exp(), look_absent=wanted[~is_there].exp()
    )


def _look_at_words(
    model: SmallModel, x: Tensor, asked: _Asked, is_named: Tensor, *, layer: int
) -> tuple[Tensor, dict[str, float]]:
    clips, cells = torch.nonzero(asked.begins, as_tuple=True)
    words = is_named[clips] & asked.is_before(cells)
    has_words = words.any(1)
    clips, cells, words = clips[has_words], cells[has_words], words[has_words]
    logs = _log_shares(model, x, asked, clips, cells, layer=layer)
    wanted = logs[:, asked.turns.prefix :].masked_fill(~words, HIDDEN).logsumexp(1)
    return _mean_error(wanted), _hits(look_asked=wanted.exp())


def _log_shares(
    model: SmallModel, x: Tensor, asked: _Asked, clips: Tensor, cells: Tensor, *, layer: int
) -> Tensor:
    """Logarithm of the attention from cells of questions: [questions' cells, all cells]."""
    query, key = model.queries_and_keys(layer, HEAD, x, asked.turns)
    prefix = asked.turns.prefix
    scores = torch.einsum(
        "md,mcd->mc", query[clips, prefix + cells].float(), key[clips].float()
    )  # [questions' cells, all cells]
    sees = torch.cat((torch.ones(len(cells), prefix, dtype=torch.bool), asked.is_before(cells)), 1)
    return scores.masked_fill(~sees, HIDDEN).log_softmax(-1)


def _tell(
    heads: WordHeads, words: Tensor, batch: LanguageBatch, kinds: Tensor, colours: Tensor
) -> tuple[Tensor, dict[str, float]]:
    colour, kind = heads(words).float().split(PARTS, -1)
    shown = tuple(torch.from_numpy(getattr(batch.tokens, name)) for name in ("kinds", "colours"))
    loss = colour.new_zeros(())
    found: dict[str, Tensor] = {}
    for name, told, named, by, of in (
        ("word_colour", colour, kinds, shown[0], shown[1]),
        ("word_kind", kind, colours, shown[1], shown[0]),
    ):
        clips, cells = torch.nonzero(named >= 0, as_tuple=True)
        truth = _only_value(of[clips], where=by[clips] == named[clips, cells][:, None] + 1)
        known = truth != IGNORED
        guessed = told[clips, cells][known]
        loss = loss + cross_entropy(guessed, truth[known])
        found[name] = guessed.argmax(-1) == truth[known]
    return loss, _hits(**found)


def _only_value(values: Tensor, *, where: Tensor) -> Tensor:
    """The value that all marked tokens have, 0 where none is marked, `IGNORED` where they differ.

    Args:
        values: int64 [words, tokens], 0 or above.
        where: bool of the same shape.
    """
    highest = values.masked_fill(~where, 0).amax(1)
    lowest = values.masked_fill(~where, torch.iinfo(values.dtype).max).amin(1)
    return torch.where(where.any(1) & (lowest != highest), IGNORED, highest)


def _mean_error(logs: Tensor) -> Tensor:
    return -logs.mean() if len(logs) else logs.sum()


def _hits(**found: Tensor) -> dict[str, float]:
    shares = {name: share(values) for name, values in found.items()}
    return {name: value for name, value in shares.items() if value is not None}
