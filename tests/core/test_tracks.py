"""Tracks hold what a detector found, and nothing that cannot be."""

from fractions import Fraction

import pytest

from vidcli.core.time import Span, Timestamp
from vidcli.core.tracks import Box, Track

MS = Fraction(1, 1000)


def box(ms: int, **wrong: float) -> Box:
    sides = {"x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4} | wrong
    return Box(Timestamp(ms, MS), **sides)


def test_track_covers_its_frames_up_to_the_end_of_the_last_tick() -> None:
    track = Track("dog", 0.9, (box(500), box(1500)))
    assert track.span == Span(Fraction(1, 2), Fraction(1501, 1000))


@pytest.mark.parametrize(
    ("label", "score", "boxes"),
    [("", 0.5, (box(0),)), ("dog", 1.5, (box(0),)), ("dog", 0.5, ()), ("dog", 1, (box(1), box(1)))],
)
def test_track_refuses_what_cannot_be(label: str, score: float, boxes: tuple[Box, ...]) -> None:
    with pytest.raises(ValueError, match=r"label|score|box|increasing"):
        Track(label, score, boxes)


@pytest.mark.parametrize("wrong", [{"width": 0}, {"height": -1}, {"score": 2}])
def test_box_refuses_what_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"size|score"):
        box(0, **wrong)
