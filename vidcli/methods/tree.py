"""Answer from captions of the frames that matter: a tree of clusters, grown where it is relevant.

Breadth: frames are clustered by how they look, the frame nearest each centroid is captioned, and
the text model says how relevant each caption is; while too few are, there are twice as many
clusters. Depth: a cluster that matters is parted by Ward's linkage, one that matters much once
more, and the frame in the middle of each part is captioned too. Then the captions are read in
order of time (`captions`).

Source: VideoTree (arXiv:2405.19209): k of 8, 16, 32, relevance 1 to 3, four of them enough, 1, 4
or 16 frames a cluster. Frames are compared by the model's own visual tokens, not CLIP's; the
relevance reply is a list under a grammar, without the prediction and confidence; the number of
captions is bounded here.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from vidcli.core.prompt import ImagePart
from vidcli.core.route import Round
from vidcli.core.summary import Segment
from vidcli.engine.grammar import schema_to_gbnf
from vidcli.methods.ask import Question
from vidcli.methods.captions import Line, Reader, to_lines, write_lines
from vidcli.methods.clusters import (
    Vectors,
    cluster,
    nearest_to,
    pick_distinct,
    split_ward,
    to_unit,
)

FIRST, MOST = 8, 32  # clusters
ENOUGH = 4  # clusters of the highest relevance
NONE, SOME, VERY = 1, 2, 3  # relevance
PARTS = 4  # of a cluster that is grown, and again of each of those
RELEVANCE_TOKENS = 4 * MOST + 16  # a number, a comma, and white space that a model likes

CaptionFrame = Callable[[int], Segment]
"""Captions a frame by its number, from 0."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A cluster of frames.

    Attributes:
        members: Numbers of its frames, in order.
        middle: The one nearest its centroid.
        relevance: 1 to 3; 0 where nobody was asked.
    """

    members: tuple[int, ...]
    middle: int
    relevance: int = 0


@dataclass(slots=True)
class Tree:
    """Chooses the frames to caption, and captions them.

    Args:
        unit: What each frame looks like, float64 `[n, d]` of length 1.
        caption: See `CaptionFrame`; called once for each frame at most.
        reader: Says how relevant captions are.
        budget: Frames that may be captioned; never fewer than the first clusters.

    Attributes:
        rounds: Of clustering so far.
        captioned: Segments by the number of their frame.
        left_out: Frames whose caption the budget did not allow.
    """

    unit: Vectors
    caption: CaptionFrame
    reader: Reader
    budget: int
    rounds: list[Round] = field(default_factory=list)
    captioned: dict[int, Segment] = field(default_factory=dict)
    left_out: int = 0

    def grow(self) -> list[Line]:
        """Captions of the frames that matter, in order of time."""
        chosen = expand(self.unit, self._widen())
        for frame in chosen:
            if frame in self.captioned or len(self.captioned) < self.budget:
                self._see(frame)
            else:
                self.left_out += 1
        return to_lines([self.captioned[n] for n in sorted(set(chosen) & set(self.captioned))])

    def _widen(self) -> list[Branch]:
        """Clusters with their relevance: as many as it takes, at most `MOST`."""
        distinct = len(pick_distinct(self.unit, range(len(self.unit))))
        most = min(MOST, distinct, self.budget)
        k = min(FIRST, most)
        while True:
            branches = self._judge(find_branches(self.unit, k))
            relevant = sum(branch.relevance == VERY for branch in branches)
            following = min(2 * k, most)
            unseen = {b.middle for b in find_branches(self.unit, following)} - set(self.captioned)
            affordable = len(self.captioned) + len(unseen) <= self.budget
            if relevant >= ENOUGH or following == k or not affordable:
                return branches
            k = following

    def _judge(self, branches: Sequence[Branch]) -> list[Branch]:
        segments = [self._see(branch.middle) for branch in branches]
        lines = [Line(segment.span, segment.caption) for segment in segments]
        made = self.reader.write(
            f"relevance {len(lines)}",
            lines,
            lambda held: ask_relevance(held, self.reader.question),
            tokens=RELEVANCE_TOKENS,
            grammar=relevance_gbnf(len(lines)),
        )
        given = read_relevance(made, len(lines))
        self.rounds.append(Round(len(lines), given))
        return [
            Branch(branch.members, branch.middle, relevance)
            for branch, relevance in zip(branches, given, strict=True)
        ]

    def _see(self, frame: int) -> Segment:
        if frame not in self.captioned:
            self.captioned[frame] = self.caption(frame)
        return self.captioned[frame]


def embed_means(images: Sequence[ImagePart]) -> Vectors:
    """What each frame or group looks like: the mean of its visual tokens, of length 1."""
    means = [np.asarray(image.tokens.data, np.float64).mean(axis=0) for image in images]
    return to_unit(np.stack(means))


def find_branches(unit: Vectors, k: int) -> list[Branch]:
    """Clusters of frames, in the order of the frame in the middle of each."""
    labels, centroids = cluster(unit, k)
    branches = []
    for number in range(k):
        members = tuple(np.flatnonzero(labels == number).tolist())
        branches.append(Branch(members, nearest_to(unit, members, centroids[number])))
    return sorted(branches, key=lambda branch: branch.middle)


def expand(unit: Vectors, branches: Sequence[Branch]) -> list[int]:
    """Frames to caption, the most important first: 1, up to 4 or up to 16 of each branch.

    First the middle of every branch; then the parts of those that matter much, of those that
    matter, and at last the parts of parts. What looks like one chosen before is left out.
    """
    much = [branch for branch in branches if branch.relevance == VERY]
    some = [branch for branch in branches if branch.relevance == SOME]
    parts = [split_ward(unit, branch.members, PARTS) for branch in much]
    fewer = [split_ward(unit, branch.members, PARTS) for branch in some]
    deeper = [split_ward(unit, part, PARTS) for found in parts for part in found]
    chosen = [branch.middle for branch in branches]
    for groups in (*parts, *fewer, *deeper):
        chosen += [middle_of(unit, group) for group in groups]
    return pick_distinct(unit, dict.fromkeys(chosen))


def middle_of(unit: Vectors, members: Sequence[int]) -> int:
    """The member nearest the mean of all."""
    return nearest_to(unit, members, unit[list(members)].sum(axis=0))


def ask_relevance(lines: Sequence[Line], question: Question) -> str:
    """Ask how much each caption helps to answer."""
    return (
        f"{write_lines(lines)}\n\nHow much does each of these {len(lines)} lines help to answer "
        f"the question below? Reply with JSON: a list of one number for each line, in order: "
        f"{NONE} not at all, {SOME} somewhat, {VERY} very much.\n{question.text}"
    )


def relevance_gbnf(count: int) -> str:
    """A grammar for exactly so many numbers from 1 to 3."""
    numbers = {"type": "integer", "minimum": NONE, "maximum": VERY}
    return schema_to_gbnf({"type": "array", "items": numbers, "minItems": count, "maxItems": count})


def read_relevance(reply: str, count: int) -> tuple[int, ...]:
    """The numbers of a reply; what a cut one lacks counts as not relevant."""
    given = [int(number) for number in re.findall(r"\d+", reply)]
    numbers = [number if number in (NONE, SOME, VERY) else NONE for number in given][:count]
    return tuple(numbers + [NONE] * (count - len(numbers)))
