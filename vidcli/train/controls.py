"""Does it watch? The same held-out answers with the right frames, wrong ones, reversed, and none.

An answer that is as likely without the video is a guess from the words. So every result stands
beside its controls, and a gain that the blind model shares is said to be one.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from vidcli.core.protocols import Progress
from vidcli.train.corpus import Corpus, Item
from vidcli.train.loop import autocast
from vidcli.train.model import VideoModel

CONDITIONS = ("seen", "shuffled", "reversed", "blind")


@dataclass(frozen=True, slots=True)
class Score:
    """One condition on one set of items.

    Attributes:
        loss: Mean over the items of the mean loss a token.
        accuracy: Share of replies that greedy decoding would give word for word.
        n: Items.
        replies: Replies in them.
    """

    loss: float
    accuracy: float
    n: int
    replies: int


@dataclass(frozen=True, slots=True)
class Gap:
    """How much worse a condition is than the right frames, item by item.

    Attributes:
        mean: Of the differences in loss; above 0 means that the frames help.
        low: Lower end of its 95 % interval; None of a single item, which has none.
        high: Upper end.
    """

    mean: float
    low: float | None
    high: float | None


@torch.no_grad()  # type: ignore[untyped-decorator, unused-ignore]
def score_items(
    model: VideoModel, corpus: Corpus, items: Sequence[Item], condition: str
) -> tuple[list[float], list[bool]]:
    """Loss of each item, and whether each reply of each would be given word for word.

    Args:
        model: In any mode; it is put into eval mode.
        corpus: Of the items.
        items: At least one.
        condition: `seen`, `shuffled` (each with another video's frames), `reversed` (its own, last
            first) or `blind`.
    """
    model.train(False)
    losses, right = [], []
    for number, item in enumerate(items):
        other = item if condition != "shuffled" else _another(items, number)
        row = corpus.row(item, clip=other.clip, blind=condition == "blind")
        features = None if condition == "blind" else corpus.features(other)
        if condition == "reversed" and features is not None:
            features = features.flip(0)
        with autocast(model.device):
            logits, labels = model.logits(corpus.collate([row], [features]))
        losses.append(float(torch.nn.functional.cross_entropy(logits.float(), labels)))
        hits = (logits.argmax(-1) == labels).tolist()
        right += _replies(hits, row.labels.tolist())
    return losses, right


def _another(items: Sequence[Item], number: int) -> Item:
    """The next item that is of another video; the same one where there is no other."""
    for step in range(1, len(items)):
        other = items[(number + step) % len(items)]
        if other.video != items[number].video:
            return other
    return items[number]


def _replies(hits: Sequence[bool], labels: Sequence[int]) -> list[bool]:
    """Whether all tokens of each run of labels were right."""
    whole: list[bool] = []
    left, inside = iter(hits), False
    for label in labels:
        if label < 0:
            inside = False
            continue
        hit = next(left)
        if inside:
            whole[-1] = whole[-1] and hit
        else:
            whole.append(hit)
        inside = True
    return whole


def run_controls(
    model: VideoModel, corpus: Corpus, items: Sequence[Item], *, progress: Progress | None = None
) -> dict[str, Any]:
    """Score every condition, and how far each is from the right frames.

    Returns:
        `scores` by condition and `gaps` by condition but `seen`, ready for JSON.
    """
    losses: dict[str, list[float]] = {}
    scores: dict[str, Any] = {}
    for done, condition in enumerate(CONDITIONS, start=1):
        losses[condition], right = score_items(model, corpus, items, condition)
        scores[condition] = asdict(
            Score(
                loss=sum(losses[condition]) / len(items),
                accuracy=sum(right) / max(1, len(right)),
                n=len(items),
                replies=len(right),
            )
        )
        if progress:
            progress("evaluate", done, len(CONDITIONS))
    gaps = {
        condition: asdict(measure_gap(losses["seen"], losses[condition]))
        for condition in CONDITIONS[1:]
    }
    return {"scores": scores, "gaps": gaps}


def measure_gap(seen: Sequence[float], other: Sequence[float]) -> Gap:
    """Mean paired difference `other - seen` with its 95 % interval (normal approximation)."""
    differences = [b - a for a, b in zip(seen, other, strict=True)]
    n = len(differences)
    mean = sum(differences) / n
    if n < 2:
        return Gap(mean, None, None)
    variance = sum((value - mean) ** 2 for value in differences) / (n - 1)
    half = 1.96 * math.sqrt(variance / n)
    return Gap(mean, mean - half, mean + half)


def _helps(gap: dict[str, Any]) -> bool:
    """Whether the right frames are better beyond chance."""
    return gap["low"] is not None and bool(gap["low"] > 0)


def judge(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What the controls say, in sentences.

    Args:
        before: From `run_controls`, before training.
        after: The same after it.
    """
    gained = {c: before["scores"][c]["loss"] - after["scores"][c]["loss"] for c in CONDITIONS}
    said = [
        f"loss a token fell by {gained['seen']:.3f} with the frames and by {gained['blind']:.3f} "
        "without them"
    ]
    if gained["seen"] <= 0:
        return [*said, "nothing was gained on held-out videos"]
    gaps = after["gaps"]
    if not _helps(gaps["blind"]):
        said.append("the gain is shared by the blind model: it comes from the words, not the video")
    else:
        share = max(0.0, min(1.0, gained["blind"] / gained["seen"]))
        said.append(f"{share:.0%} of the gain is shared by the blind model")
    if not _helps(gaps["shuffled"]):
        said.append("another video's frames do as well: the answers do not depend on the video")
    else:
        said.append(f"another video's frames cost {gaps['shuffled']['mean']:.3f} a token")
    if not _helps(gaps["reversed"]):
        said.append("reversing the frames changes nothing that can be told: order is not used")
    else:
        said.append(f"reversing the frames costs {gaps['reversed']['mean']:.3f} a token")
    return said
