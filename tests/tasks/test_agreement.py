from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.spatial.distance import pdist, squareform
from scipy.stats import pearsonr, spearmanr

from hyperribbon.errors import ConfigError, DataError
from hyperribbon.tasks import ClassTree, agreement, cophenetic, mantel

seeds = st.integers(0, 2**32 - 1)


def clouds(seed, n, noise=0.3):
    """Distances of points, and of the same points moved a little."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    return squareform(pdist(x)), squareform(pdist(x + noise * rng.normal(size=(n, 2))))


@settings(max_examples=20)
@given(seed=seeds, n=st.integers(3, 5), name=st.sampled_from(["pearson", "spearman"]))
def test_few_objects_are_compared_in_all_orders(seed, n, name):
    D, E = clouds(seed, n, noise=1.0)
    correlation = {"pearson": pearsonr, "spearman": spearmanr}[name]
    upper = np.triu_indices(n, 1)
    found = [
        correlation(D[np.ix_(order, order)][upper], E[upper])[0] for order in permutations(range(n))
    ]
    r, p, orders = mantel(D, E, correlation=name)
    assert r == pytest.approx(found[0], abs=1e-12)
    assert orders == len(found)
    assert p == pytest.approx(np.mean(np.array(found) >= found[0] - 1e-9))


def test_random_orders_agree_with_all_of_them(monkeypatch):
    D, E = clouds(3, 6, noise=2.0)
    exact = mantel(D, E)
    monkeypatch.setattr(agreement, "EXACT", 0)
    sampled = mantel(D, E, permutations=20_000)
    assert sampled.r == exact.r and sampled.orders == 20_001
    assert 0.01 < exact.p < 0.99
    assert sampled.p == pytest.approx(exact.p, abs=4 * np.sqrt(exact.p * (1 - exact.p) / 20_000))
    assert mantel(D, E, permutations=20_000) == sampled
    monkeypatch.setattr(agreement, "BLOCK_BYTES", 7 * 8 * 15)
    assert mantel(D, E, permutations=99, seed=1).p == pytest.approx(exact.p, abs=0.2)


def test_agreement_is_found_and_chance_is_not():
    D, E = clouds(0, 20)
    r, p, orders = mantel(D, E, permutations=199)
    assert r > 0.8 and p == 1 / 200 and orders == 200
    assert mantel(D, -E + E.max() * (1 - np.eye(20)), permutations=199).p == 1  # one-sided
    rng = np.random.default_rng(0)
    chance = [
        mantel(D, squareform(pdist(rng.normal(size=(20, 2)))), permutations=99).p
        for _ in range(100)
    ]
    assert 1 <= sum(p <= 0.1 for p in chance) <= 22
    assert 0.35 < np.mean(chance) < 0.65


@settings(max_examples=20)
@given(seed=seeds)
def test_order_and_scale_of_the_objects_do_not_count(seed):
    D, E = clouds(seed, 6)
    order = np.random.default_rng(seed).permutation(6)
    pair = np.ix_(order, order)
    r, p, _ = mantel(D, E)
    assert mantel(D[pair], E[pair]) == pytest.approx((r, p, 720))
    assert mantel(E, D) == pytest.approx((r, p, 720))
    assert mantel(3 * D, 7 * E) == pytest.approx((r, p, 720))
    r, p, _ = mantel(D, E, correlation="spearman")
    assert mantel(D**3, np.sqrt(E), correlation="spearman") == pytest.approx((r, p, 720))
    assert cophenetic(D[pair], E[pair]) == pytest.approx(cophenetic(D, E))


@pytest.mark.parametrize("method", ["average", "complete", "single", "weighted"])
def test_cophenetic_correlation_is_that_of_scipy(method):
    D, E = clouds(1, 9)
    Z = linkage(squareform(D), method)
    c, heights = cophenet(Z, squareform(D))
    assert cophenetic(D, method=method) == pytest.approx(c)
    assert cophenetic(D, E, method=method) == pytest.approx(pearsonr(heights, squareform(E))[0])


def test_distances_of_a_tree_agree_with_themselves():
    tree = ClassTree.cifar10()
    E = tree.distances(tree.leaves)
    # Not 1: heights of a dendrogram are equal for all leaves, and depths of this tree are not.
    assert 0.9 < cophenetic(E) < 0.99
    found = mantel(E, E, permutations=999)
    assert found.r == pytest.approx(1) and found.p < 0.01


BAD = {
    "D: shape (2, 2), expected (n, n) with n of 3 or more": (np.zeros((2, 2)), None),
    "D: shape (3, 4)": (np.zeros((3, 4)), None),
    "D: 2 distances are NaN or infinite": (
        np.array([[0, 1, np.nan], [1, 0, 2], [np.nan, 2, 0]]),
        None,
    ),
    "D: expected distances, symmetric": (np.arange(9).reshape(3, 3), None),
    "D: expected distances, symmetric with a zero diagonal": (np.ones((3, 3)), None),
    "D: all distances are equal": (1 - np.eye(3), None),
    "D: all distances are equal, ": (np.zeros((3, 3)), None),
    "E: shape (3,)": (None, np.zeros(3)),
    "D, E: of 3 and 4 objects, expected the same": (None, squareform(np.arange(1, 7))),
}


@pytest.mark.parametrize("message", BAD)
def test_what_is_no_matrix_of_distances_is_one_line(message):
    good = np.array([[0, 1, 2], [1, 0, 4], [2, 4, 0]])
    D, E = (good if X is None else X for X in BAD[message])
    for function, name in ((mantel, "E"), (cophenetic, "tree")):
        with pytest.raises(DataError) as error:
            function(D, E)
        assert str(error.value).startswith(
            message.replace("E:", f"{name}:").replace("D, E", f"D, {name}")
        )
        assert "\n" not in str(error.value)


def test_unknown_names_are_refused():
    good = np.array([[0, 1, 2], [1, 0, 4], [2, 4, 0]])
    with pytest.raises(ConfigError, match="correlation = 'kendall': expected one of"):
        mantel(good, good, correlation="kendall")
    with pytest.raises(ConfigError, match="method = 'ward': expected one of"):
        cophenetic(good, method="ward")
    with pytest.raises(DataError, match="permutations = 0: expected an integer, 1 or more"):
        mantel(good, good, permutations=0)
