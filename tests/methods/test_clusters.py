"""Clusters against their definitions, written out on small cases."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcli.methods.clusters import (
    cluster,
    nearest_to,
    pick_distinct,
    split_ward,
    to_unit,
)


def vectors(n: int, d: int, seed: int) -> np.ndarray:
    return to_unit(np.random.default_rng(seed).normal(size=(n, d)))


def blobs(*sizes: int) -> np.ndarray:
    """Groups of vectors around the axes, well apart."""
    rng = np.random.default_rng(3)
    axes = np.eye(len(sizes) + 2)
    rows = [axes[i] + 0.05 * rng.normal(size=(n, len(axes))) for i, n in enumerate(sizes)]
    return to_unit(np.concatenate(rows))


def test_groups_that_are_well_apart_are_found():
    labels, centroids = cluster(blobs(3, 4, 2), 3)
    assert labels.tolist() == [0] * 3 + [1] * 4 + [2] * 2
    assert np.argmax(centroids, axis=1).tolist() == [0, 1, 2]


@given(n=st.integers(1, 24), k=st.integers(1, 24), seed=st.integers(0, 50))
def test_no_cluster_is_empty_and_each_vector_is_with_its_nearest(n: int, k: int, seed: int):
    unit, k = vectors(n, 5, seed), min(k, n)
    labels, centroids = cluster(unit, k)
    assert sorted(set(labels.tolist())) == list(range(k))
    firsts = [labels.tolist().index(c) for c in range(k)]
    assert firsts == sorted(firsts)
    for c in range(k):
        assert centroids[c] == pytest.approx(to_unit(unit[labels == c].sum(axis=0)[None])[0])


def test_equal_vectors_can_be_clustered():
    unit = to_unit(np.ones((6, 4)))
    labels, _ = cluster(unit, 3)
    assert sorted(set(labels.tolist())) == [0, 1, 2]
    assert pick_distinct(unit, [4, 1, 2]) == [4]
    assert pick_distinct(blobs(3, 3), range(6), same=0.5) == [0, 3]


def ward_by_definition(unit: np.ndarray, parts: int) -> list[list[int]]:
    """Always join the two groups whose union has the least more variance."""

    def cost(group: list[int]) -> float:
        points = unit[group]
        return float(np.square(points - points.mean(axis=0)).sum())

    groups = [[i] for i in range(len(unit))]
    while len(groups) > parts:
        a, b = min(
            combinations(range(len(groups)), 2),
            key=lambda pair: (
                cost(groups[pair[0]] + groups[pair[1]])
                - cost(groups[pair[0]])
                - cost(groups[pair[1]])
            ),
        )
        groups[a] += groups.pop(b)
    return sorted(sorted(group) for group in groups)


@given(n=st.integers(1, 14), parts=st.integers(1, 6), seed=st.integers(0, 60))
def test_ward_joins_what_adds_least_variance(n: int, parts: int, seed: int):
    unit = vectors(n, 4, seed)
    assert split_ward(unit, range(n), parts) == ward_by_definition(unit, parts)


def test_ward_parts_the_members_and_nothing_else():
    unit = blobs(3, 3, 3)
    assert split_ward(unit, [0, 1, 6, 7, 8], 2) == [[0, 1], [6, 7, 8]]
    assert split_ward(unit, [4], 4) == [[4]]


def test_the_nearest_member_is_the_first_of_equals():
    unit = to_unit(np.array([[1.0, 0], [0, 1], [0, 1]]))
    assert nearest_to(unit, [0, 1, 2], np.array([0.1, 0.9])) == 1
