"""Orders in which like stands beside like."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster import hierarchy

from cnnlab.analysis.confusion import class_order
from cnnlab.analysis.seriation import similarity_order


def length(order, distances) -> float:
    return float(distances[order[:-1], order[1:]].sum())


@given(st.integers(0, 40), st.integers(0, 2**32 - 1), st.integers(0, 3))
def test_every_order_is_a_permutation(n, seed, most):
    matrix = np.random.default_rng(seed).integers(0, most + 1, (n, n))  # many ties, or nothing but zeros
    for order in ("class", "size", "similarity"):
        assert sorted(class_order(matrix, order)) == list(range(n))


def test_groups_that_were_scattered_stand_together():
    group = np.random.default_rng(1).permutation(np.arange(40) % 5)
    order = similarity_order((group[:, None] == group[None]).astype(float))
    assert (np.diff(group[order]) != 0).sum() == 4


@pytest.mark.parametrize("n", [3, 12, 60])
def test_the_order_follows_the_tree_of_scipy_and_is_shorter_than_its_leaves(n):
    places = np.random.default_rng(n).normal(size=(n, 3))
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    order = similarity_order(-distances)
    tree = hierarchy.linkage(distances[np.triu_indices(n, 1)], "average")
    rank = np.argsort(order)
    members = {leaf: [leaf] for leaf in range(n)}
    for merge, (one, other, *_) in enumerate(tree):
        members[n + merge] = members[int(one)] + members[int(other)]
        ranks = rank[members[n + merge]]
        assert ranks.max() - ranks.min() == len(ranks) - 1, "each group of the tree stands together"
    assert length(order, distances) <= length(hierarchy.leaves_list(tree), distances)


def test_size_and_similarity_by_hand():
    matrix = np.array([[5, 0, 4, 0], [0, 20, 0, 1], [3, 0, 6, 0], [0, 2, 0, 9]])
    assert class_order(matrix, "size").tolist() == [1, 3, 0, 2]
    assert class_order(matrix, "similarity").tolist() in ([0, 2, 1, 3], [0, 2, 3, 1], [2, 0, 1, 3], [2, 0, 3, 1])
