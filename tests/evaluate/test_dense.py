"""Vid2Seq: scores of timed events, against brute force and by hand."""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcli.errors import UsageError
from vidcli.evaluate.dense import (
    Timed,
    find_share,
    meteor_exact,
    overlap,
    read_truth,
    score_dense,
    soda_c,
)

words = st.lists(st.sampled_from(["a", "dog", "runs", "sleeps", "red"]), min_size=1, max_size=5)
timed = st.builds(
    lambda start, length, text: Timed(start, start + length, " ".join(text)),
    st.integers(0, 8), st.integers(1, 6), words,
)  # fmt: skip
few = st.lists(timed, max_size=5)


def brute_force(given: Sequence[Timed], wanted: Sequence[Timed]) -> float:
    """The best F of all pairings that keep the order, each of them tried."""
    given, wanted = (sorted(events, key=lambda e: (e.start, e.end)) for events in (given, wanted))
    best = 0.0
    for n in range(min(len(given), len(wanted)) + 1):
        for mine in itertools.combinations(given, n):
            for theirs in itertools.combinations(wanted, n):
                total = sum(
                    overlap(a, b) * meteor_exact(a.text, b.text)
                    for a, b in zip(mine, theirs, strict=True)
                )
                best = max(best, total)
    if not best:
        return float(not given and not wanted)
    precision, recall = best / len(given), best / len(wanted)
    return 2 * precision * recall / (precision + recall)


@given(few, few)
def test_soda_c_is_the_best_of_all_pairings_in_order(one: list[Timed], other: list[Timed]):
    assert soda_c(one, other) == pytest.approx(brute_force(one, other))


@given(st.lists(timed, min_size=1, max_size=5))
def test_soda_c_of_the_truth_itself_is_its_likeness_to_itself(events: list[Timed]):
    score = soda_c(events, events, likeness=lambda a, b: float(a == b))
    assert score == pytest.approx(1)


@pytest.mark.parametrize(
    ("mine", "theirs", "score"),
    [
        ("a dog runs", "a dog runs", 1 - 0.5 / 27),  # three words in one piece
        ("runs a dog", "a dog runs", 1 - 0.5 * (2 / 3) ** 3),  # in two
        ("the cat", "a dog", 0),
        ("", "a dog", 0),
        ("A dog!", "a dog, runs", (1 * 2 / 3) / (0.9 + 0.1 * 2 / 3) * (1 - 0.5 / 8)),
    ],
)
def test_meteor_exact_by_hand(mine: str, theirs: str, score: float):
    assert meteor_exact(mine, theirs) == pytest.approx(score)


def test_overlap_is_intersection_over_union():
    assert overlap(Timed(0, 4, ""), Timed(2, 6, "")) == pytest.approx(2 / 6)
    assert overlap(Timed(0, 2, ""), Timed(3, 4, "")) == 0
    assert overlap(Timed(1, 1, ""), Timed(1, 1, "")) == 0


def test_what_is_found_in_time_by_hand():
    mine = [Timed(0, 5, "x"), Timed(5, 10, "x"), Timed(20, 21, "x")]
    truth = [Timed(0, 5, "y"), Timed(6, 10, "y")]
    assert find_share(mine, truth, limit=0.5) == pytest.approx(2 / 3)
    assert find_share(truth, mine, limit=0.5) == 1
    assert find_share(truth, mine, limit=0.9) == 0.5
    score = score_dense({"a": mine, "b": mine}, {"a": truth, "c": truth})
    assert score.videos == 1
    assert (score.precision[0.5], score.recall[0.9]) == (pytest.approx(2 / 3), 0.5)


def test_two_files_about_other_videos_are_refused():
    with pytest.raises(UsageError, match="none of these"):
        score_dense({"a": []}, {"b": []})


@pytest.mark.parametrize(
    "entry",
    [
        {"duration": 9, "timestamps": [[0, 4], [4, 9]], "sentences": ["one", "two"]},
        [{"sentence": "one", "timestamp": [0, 4]}, {"sentence": "two", "timestamp": [4, 9]}],
    ],
)
def test_both_forms_of_truth_are_read(entry: object, tmp_path: Path):
    path = tmp_path / "truth.json"
    for document in ({"v": entry}, {"results": {"v": entry}}):
        path.write_text(json.dumps(document))
        assert read_truth(path) == {"v": [Timed(0, 4, "one"), Timed(4, 9, "two")]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "no list of events"),
        ('{"v": {"timestamps": [[0, 1]], "sentences": []}}', "v: not events"),
        ('{"v": [{"sentence": "x"}]}', "v: not events"),
        ('{"v": 3}', "v: not events"),
    ],
)
def test_a_truth_that_cannot_be_read_names_the_video(text: str, said: str, tmp_path: Path):
    path = tmp_path / "truth.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_truth(path)


def test_a_truth_that_is_not_there_is_a_usage_error(tmp_path: Path):
    with pytest.raises(UsageError, match="cannot be read"):
        read_truth(tmp_path / "none.json")
