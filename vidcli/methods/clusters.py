"""Groups of vectors that point the same way: k-means and Ward's linkage on unit vectors.

Small and deterministic: a few hundred vectors at most, so that everything is a matrix product. The
starts of k-means are the farthest points, not random ones.

Source: spherical k-means (Dhillon and Modha, 2001) from farthest-first starts (Gonzalez, 1985);
Ward's criterion by the recurrence of Lance and Williams (1967).
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]
Labels = NDArray[np.int64]

ROUNDS = 100
SAME = 2e-3  # cosine distance below which two frames look the same: noise of a still shot


def to_unit(vectors: NDArray[np.floating]) -> Vectors:
    """Vectors of length 1, float64 `[n, d]`; a zero vector stays one."""
    data: Vectors = np.asarray(vectors, np.float64)
    lengths = np.linalg.norm(data, axis=1, keepdims=True)
    unit: Vectors = data / np.where(lengths > 0, lengths, 1.0)
    return unit


def pick_distinct(unit: Vectors, order: Iterable[int], *, same: float = SAME) -> list[int]:
    """Those that differ by more than `same` from all that were picked before.

    Args:
        unit: float64 `[n, d]`, each of length 1.
        order: Indexes into `unit`, the most wanted first.
        same: Cosine distance.
    """
    kept: list[int] = []
    for number in order:
        if not kept or float(np.max(unit[kept] @ unit[number])) < 1 - same:
            kept.append(number)
    return kept


def cluster(unit: Vectors, k: int) -> tuple[Labels, Vectors]:
    """k-means by cosine distance.

    Args:
        unit: float64 `[n, d]`, each of length 1.
        k: Clusters, 1 to n.

    Returns:
        The cluster of each vector, numbered by the first vector in it, and the centroids as unit
        vectors `[k, d]`; no cluster is empty.
    """
    assert 1 <= k <= len(unit), "there are as many vectors as clusters"
    centroids = unit[_farthest_first(unit, k)]
    labels = np.full(len(unit), -1, np.int64)
    for _ in range(ROUNDS):
        nearest = np.argmax(unit @ centroids.T, axis=1).astype(np.int64)
        _fill_empty(nearest, unit @ centroids.T, k)
        if np.array_equal(nearest, labels):
            break
        labels = nearest
        centroids = to_unit(np.stack([unit[labels == c].sum(axis=0) for c in range(k)]))
    order = np.argsort([int(np.argmax(labels == c)) for c in range(k)], kind="stable")
    rank = np.empty(k, np.int64)
    rank[order] = np.arange(k)
    return rank[labels], centroids[order]


def _farthest_first(unit: Vectors, k: int) -> list[int]:
    chosen = [0]
    nearest = unit @ unit[0]
    while len(chosen) < k:
        nearest[chosen] = np.inf
        following = int(np.argmin(nearest))
        chosen.append(following)
        nearest = np.maximum(nearest, unit @ unit[following])
    return chosen


def _fill_empty(labels: Labels, likeness: Vectors, k: int) -> None:
    """Give each empty cluster the vector that fits its own worst, of a cluster of several."""
    for empty in sorted(set(range(k)) - set(labels.tolist())):
        sizes = np.bincount(labels, minlength=k)
        fit = likeness[np.arange(len(labels)), labels]
        movable = np.where(sizes[labels] > 1, fit, np.inf)
        labels[int(np.argmin(movable))] = empty


def nearest_to(unit: Vectors, members: Sequence[int], centre: Vectors) -> int:
    """The member that points most like a centre; the first of equals."""
    return members[int(np.argmax(unit[list(members)] @ centre))]


def split_ward(unit: Vectors, members: Sequence[int], parts: int) -> list[list[int]]:
    """Part members into at most so many groups by Ward's linkage, in order of their first one.

    Args:
        unit: float64 `[n, d]`.
        members: Indexes into `unit`, at least one.
        parts: Groups wanted; fewer where there are fewer members.
    """
    groups = [[member] for member in members]
    points = unit[list(members)]
    distances = np.square(points[:, None] - points[None]).sum(axis=2) / 2
    np.fill_diagonal(distances, np.inf)
    while len(groups) > max(1, parts):
        a, b = sorted(divmod(int(np.argmin(distances)), len(groups)))
        distances = _merge(distances, [len(group) for group in groups], a, b)
        groups[a] += groups.pop(b)
    return sorted((sorted(group) for group in groups), key=lambda group: group[0])


def _merge(distances: Vectors, sizes: Sequence[int], a: int, b: int) -> Vectors:
    """Distances after groups `a` and `b` became one in the place of `a` (Lance and Williams)."""
    n = np.asarray(sizes, np.float64)
    total = n + n[a] + n[b]
    with np.errstate(invalid="ignore"):  # of the diagonal, which is set anew
        joined = (
            (n + n[a]) * distances[a] + (n + n[b]) * distances[b] - n * distances[a, b]
        ) / total
    distances = distances.copy()
    distances[a], distances[:, a] = joined, joined
    distances[a, a] = np.inf
    kept = np.delete(np.arange(len(n)), b)
    merged: Vectors = distances[np.ix_(kept, kept)]
    return merged
