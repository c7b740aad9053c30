"""Which tracks show the same thing."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcli.core.time import Timestamp
from vidcli.core.tracks import Box, Track
from vidcli.tools.association import associate, compare_appearance, measure_overlap

TENTH = Fraction(1, 10)


def track(
    label: str,
    ticks: range,
    *,
    x: float = 0.2,
    looks: tuple[float, ...] = (),
) -> Track:
    boxes = tuple(Box(Timestamp(tick, TENTH), x, 0.2, 0.2, 0.2) for tick in ticks)
    return Track(label, 0.9, boxes, looks)


def group_labels(tracks: list[Track], **options: list[Fraction]) -> list[int]:
    return [len(group) for group in associate(tracks, **options)]


def test_a_track_that_was_lost_for_a_moment_goes_on_where_it_was() -> None:
    assert group_labels([track("dog", range(5)), track("dog", range(9, 12))]) == [2]


@pytest.mark.parametrize(
    "second",
    [
        track("cat", range(9, 12)),
        track("dog", range(9, 12), x=0.6),
        track("dog", range(30, 40)),
        track("dog", range(4, 12)),
    ],
    ids=["another label", "elsewhere", "much later", "at the same time"],
)
def test_another_thing_is_another_thing(second: Track) -> None:
    assert group_labels([track("dog", range(5)), second]) == [1, 1]


def test_a_place_means_nothing_across_a_cut() -> None:
    tracks = [track("dog", range(5)), track("dog", range(5, 9))]
    assert group_labels(tracks) == [2]
    assert group_labels(tracks, cuts=[Fraction(1, 2)]) == [1, 1]


def test_looks_join_across_cuts_and_time() -> None:
    tracks = [
        track("dog", range(5), looks=(1, 0, 0.1)),
        track("dog", range(50, 60), x=0.7, looks=(1, 0.1, 0)),
        track("dog", range(70, 80), looks=(0, 1, 0)),
    ]
    assert group_labels(tracks, cuts=[Fraction(5)]) == [2, 1]


def test_the_likelier_of_two_takes_a_track() -> None:
    near, far = track("dog", range(5), x=0.2), track("dog", range(6), x=0.3)
    groups = associate([near, far, track("dog", range(8, 12), x=0.29)])
    assert [[t.boxes[0].x for t in group] for group in groups] == [[0.2], [0.3, 0.29]]


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 50), st.integers(1, 9)), max_size=12)
)
def test_every_track_is_in_exactly_one_group_of_its_label(
    drawn: list[tuple[str, int, int]],
) -> None:
    tracks = [track(label, range(start, start + n)) for label, start, n in drawn]
    groups = associate(tracks)
    assert sorted(id(t) for group in groups for t in group) == sorted(map(id, tracks))
    assert all(len({t.label for t in group}) == 1 for group in groups)


def test_overlap_and_looks_are_measured_between_0_and_1() -> None:
    box = track("a", range(1)).boxes[0]
    half = track("a", range(1), x=0.3).boxes[0]
    assert measure_overlap(box, box) == pytest.approx(1)
    assert measure_overlap(box, half) == pytest.approx(1 / 3)
    assert measure_overlap(box, track("a", range(1), x=0.6).boxes[0]) == 0
    assert compare_appearance((1, 0), (1, 0)) == 1
    assert compare_appearance((1, 0), (0, 1)) == compare_appearance((), ()) == 0
    assert compare_appearance((1, 0), (1, 0, 0)) == 0
