"""Accuracy by kind of question, with its uncertainty, beside what guessing would reach."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vidcli.evaluate.facts import judge_caption
from vidcli.evaluate.replies import choose_option
from vidcli.evaluate.sets import EvalQuestion

Z_95 = 1.959963984540054  # of a normal distribution, 95 % lie within so many deviations


@dataclass(frozen=True, slots=True)
class Judged:
    """One reply, judged.

    Attributes:
        kind: Of the question.
        is_right: Whether it is the answer.
        is_parsed: Whether it is any answer at all; what is none is wrong.
        chance: How often a guess is right; None where that makes no sense.
        is_held_out: Whether the wording was kept from training.
        follows_reversal: Whether it is the answer of the reversed video; None where the two are
            the same.
    """

    kind: str
    is_right: bool
    is_parsed: bool
    chance: float | None
    is_held_out: bool
    follows_reversal: bool | None


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with a 95 % interval."""

    right: int
    n: int

    @property
    def accuracy(self) -> float | None:
        """The share; None of nothing."""
        return self.right / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the true share lies, 95 times of 100; see `wilson`."""
        return wilson(self.right, self.n) if self.n else None


@dataclass(frozen=True, slots=True)
class KindScore:
    """How the questions of one kind were answered.

    Attributes:
        kind: Of the questions.
        all: Right answers among all.
        trained: Among questions in wordings of training.
        held_out: Among those in wordings kept from it.
        reversal: Answers that are right of the reversed video, among questions whose answer
            reversing changes.
        unparsed: Replies that are no answer; they count as wrong.
        chance: Mean of what guessing reaches; None where that makes no sense.
    """

    kind: str
    all: Share
    trained: Share
    held_out: Share
    reversal: Share
    unparsed: int
    chance: float | None


def judge(question: EvalQuestion, reply: str) -> Judged:
    """Judge a reply to a question."""
    if question.truth is not None:
        verdict = judge_caption(reply, question.truth)
        return Judged(
            question.kind, verdict.is_right, verdict.is_parsed, None, question.is_held_out, None
        )
    chosen = choose_option(reply, question.options)
    changes = question.reversed_answer != question.answer
    return Judged(
        question.kind,
        chosen == question.answer,
        chosen is not None,
        1 / len(question.options),
        question.is_held_out,
        chosen == question.reversed_answer if changes else None,
    )


def score_kinds(judged: Iterable[Judged]) -> list[KindScore]:
    """Scores by kind of question, in the order in which kinds first come."""
    kinds: dict[str, list[Judged]] = {}
    for one in judged:
        kinds.setdefault(one.kind, []).append(one)
    return [_score(kind, found) for kind, found in kinds.items()]


def _score(kind: str, judged: Sequence[Judged]) -> KindScore:
    chances = [one.chance for one in judged if one.chance is not None]
    turned = [one for one in judged if one.follows_reversal is not None]
    return KindScore(
        kind=kind,
        all=_share(judged),
        trained=_share([one for one in judged if not one.is_held_out]),
        held_out=_share([one for one in judged if one.is_held_out]),
        reversal=Share(sum(bool(one.follows_reversal) for one in turned), len(turned)),
        unparsed=sum(not one.is_parsed for one in judged),
        chance=sum(chances) / len(chances) if chances else None,
    )


def _share(judged: Sequence[Judged]) -> Share:
    return Share(sum(one.is_right for one in judged), len(judged))


def wilson(right: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of a share.

    Args:
        right: From 0 to `n`.
        n: At least 1.

    Source: E. B. Wilson, Probable inference, JASA 22 (1927).
    """
    share, z2 = right / n, Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
