"""Temporal memory: a video as short segments, each with a caption and a feature.

Source: VideoAgent (YueFan1014/VideoAgent, arXiv:2403.11481) section 3.1: two seconds a segment, a
caption of four frames, a visual feature and a text feature. There the features are ViCLIP's and a
text encoder's; here a segment's feature is the mean of its visual tokens, how well a description
fits is the probability of yes of the model that sees, and captions are compared word by word.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise, starmap

import numpy as np
from numpy.typing import NDArray

from vidcli.core.agent import Told
from vidcli.core.media import FramePlan
from vidcli.core.prompt import SeenFrame
from vidcli.core.time import Span
from vidcli.errors import MediaError
from vidcli.media.plan import plan_uniform
from vidcli.methods.agent.eyes import Eyes, at_instants
from vidcli.methods.agent.pace import Pace
from vidcli.methods.agent.similarity import compare_texts

SEGMENT_S = Fraction(2)
SEGMENTS_MAX = 60  # of a video whose length leaves the choice: a caption each is what costs
FRAMES = 4  # of a segment
SAME = 0.995  # cosine of the features of neighbours that show the same
VISUAL_WEIGHT, TEXT_WEIGHT = 18, 11  # of VideoAgent's score; divided by their sum here


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A remembered part of the video.

    Attributes:
        number: From 1.
        span: Segments tile the span that is remembered.
        caption: What happens in it; empty where it was not captioned.
        frames: Those it was captioned from.
        feature: Mean of its visual tokens, a unit vector; None where it was not captioned.
    """

    number: int
    span: Span
    caption: str
    frames: tuple[SeenFrame, ...]
    feature: NDArray[np.float32] | None

    @property
    def told(self) -> Told:
        """What a tool says of it."""
        return Told("seen", self.caption, self.span, tuple(frame.time for frame in self.frames))


def tile(span: Span, length: Fraction) -> list[Span]:
    """Equal parts of a span, each at most so long."""
    count = math.ceil(span.length / length)
    step = span.length / count
    edges = [span.start + i * step for i in range(count)] + [span.end]
    return list(starmap(Span, pairwise(edges)))


def choose_length(span: Span) -> Fraction:
    """Two seconds, or more where there would be too many segments."""
    return max(SEGMENT_S, span.length / SEGMENTS_MAX)


@dataclass(slots=True)
class TemporalMemory:
    """The segments of a video.

    Args:
        eyes: That caption them.
        pace: Ends remembering when time is up; what is left has no captions.
        frames: Of a segment.

    Attributes:
        segments: In order; empty before `remember`.
    """

    eyes: Eyes
    pace: Pace
    frames: int = FRAMES
    segments: list[Segment] = field(default_factory=list)

    def remember(self, span: Span, length: Fraction) -> None:
        """Caption every segment of a span.

        Raises:
            MediaError: Nothing of it could be decoded.
            ResourceError: Not even one frame fits the context.
        """
        parts = tile(span, length)
        self.segments = []
        failure: MediaError | None = None
        for number, part in enumerate(parts, start=1):
            if self.pace.is_over and number > 1:
                self.segments.append(Segment(number, part, "", (), None))
                continue
            if self.eyes.progress:
                self.eyes.progress("remember", number, len(parts))
            try:
                self.segments.append(self._caption(number, part))
            except MediaError as error:  # a damaged stretch is no end of the video
                failure = error
                self.eyes.warnings[f"{error}: segment {number} has no caption"] = None
                self.segments.append(Segment(number, part, "", (), None))
        if failure is not None and not any(segment.caption for segment in self.segments):
            raise failure

    def _caption(self, number: int, span: Span) -> Segment:
        plan = plan_uniform(self.eyes.source.info, span, budget=self.frames)
        view = self.eyes.caption(plan, name=f"segment {number}")
        return Segment(number, span, view.text, view.frames, view.feature)

    def overlapping(self, span: Span) -> list[Segment]:
        """Segments that meet a span."""
        return [segment for segment in self.segments if segment.span.clamp(span) is not None]

    def localize(self, description: str) -> list[tuple[float, Segment]]:
        """Captioned segments by how well they fit a description, best first, each with its score.

        The score is (18 visual + 11 text) / 29: `visual` is the probability that the model says yes
        to the description of the segment's middle frame, `text` how alike the description and its
        caption are. Neighbours whose features are the same share one look. Where time is up,
        `visual` is 0 for what was not looked at.
        """
        known = [segment for segment in self.segments if segment.caption]
        alike = compare_texts(description, [segment.caption for segment in known])
        visual = self._fit_all(known, description)
        scores = [
            (VISUAL_WEIGHT * fits + TEXT_WEIGHT * text) / (VISUAL_WEIGHT + TEXT_WEIGHT)
            for fits, text in zip(visual, alike, strict=True)
        ]
        return sorted(
            zip(scores, known, strict=True), key=lambda entry: (-entry[0], entry[1].number)
        )

    def _fit_all(self, known: Sequence[Segment], description: str) -> list[float]:
        found: list[float] = []
        for i, segment in enumerate(known):
            if self.eyes.progress:
                self.eyes.progress("localize", i + 1, len(known))
            if i and _are_same(known[i - 1], segment):
                found.append(found[-1])
            elif self.pace.is_over:
                found.append(0.0)
            else:
                found.append(self.eyes.fit(_middle(segment), description)[0])
        return found


def _are_same(one: Segment, other: Segment) -> bool:
    assert one.feature is not None, "captioned segments have features"
    assert other.feature is not None, "captioned segments have features"
    return float(one.feature @ other.feature) >= SAME


def _middle(segment: Segment) -> FramePlan:
    """The middle one of the frames it was captioned from: its tokens are in the cache."""
    wanted = segment.frames[len(segment.frames) // 2].wanted
    return at_instants(segment.span, [wanted], "middle")
