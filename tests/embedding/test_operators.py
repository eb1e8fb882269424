"""Distances that lie elsewhere than in numpy's memory, or are not quite symmetric."""

import numpy as np
import pytest

from hyperribbon.embedding import InPCA, explained_pairwise_distance
from hyperribbon.embedding.operators import CentredDistances
from hyperribbon.numerics import blocks


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of a few rows, of matrices as small as those here."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 5000)


@pytest.mark.parametrize("solver", ["full", "block"])
def test_an_array_of_any_kind_gives_the_same(solver, held, small_blocks, random_distances):
    D = random_distances(1, 90)
    weights = np.arange(90) % 3
    inpca = InPCA(4, "precomputed", solver, random_state=0)
    expected = inpca.fit_transform(D, sample_weight=weights), inpca.explained_stress_
    lying = held(D)
    inpca.fit(lying, sample_weight=weights)
    np.testing.assert_allclose(inpca.embedding_, expected[0], atol=1e-12)
    np.testing.assert_allclose(inpca.explained_stress_, expected[1], atol=1e-12)
    np.testing.assert_allclose(
        explained_pairwise_distance(lying, inpca.embedding_, inpca.signature_, weights),
        inpca.explained_pairwise_distance_,
        atol=1e-12,
    )
    assert inpca.n_features_in_ == 90
    inpca.fit(D)
    np.testing.assert_allclose(inpca.transform(held(D[:40])), inpca.transform(D[:40]), atol=1e-12)


class Rows:
    """A matrix that is never given whole, and counts what was read of it."""

    def __init__(self, D, most):
        self.D, self.most, self.read = D, most, 0
        self.shape, self.dtype = D.shape, D.dtype

    def __getitem__(self, index):
        block = self.D[index]
        assert block.size <= self.most, f"{block.shape} read at once"
        self.read += block.size
        return block

    def __array__(self, *args, **kwargs):
        raise AssertionError("read whole")


def test_the_block_solver_reads_blocks_and_few_times(small_blocks, random_models):
    x = np.random.default_rng(0).normal(size=(150, 6)) * [9, 5, 3, 2, 1, 1]
    D = (np.array([1, -1, 1, 1, 1, 1]) * (x[:, None] - x) ** 2).sum(axis=-1)
    rows = Rows(D, 5000 // 8)
    inpca = InPCA(4, "precomputed", "block", random_state=0).fit(rows)
    # Once and a half to check it, once a product, once to measure what is explained.
    assert rows.read < 6 * D.size
    expected = InPCA(4, "precomputed").fit_transform(D)
    np.testing.assert_allclose(inpca.embedding_, expected, atol=1e-9)


@pytest.mark.parametrize("solver", ["full", "block"])
def test_float32_distances_keep_their_precision(solver, held, random_distances):
    D = random_distances(1, 60).astype(np.float32)
    expected = InPCA(4, "precomputed", "full").fit_transform(D.astype(np.float64))
    inpca = InPCA(4, "precomputed", solver, random_state=0).fit(held(D))
    np.testing.assert_allclose(inpca.embedding_, expected, atol=1e-8)


@pytest.mark.parametrize(
    ("dtype", "error", "scale"), [(np.float64, 1e-12, 1), (np.float32, 3e-7, 1000)]
)
@pytest.mark.parametrize("holder", [np.asarray, lambda D: Rows(D, D.size)])
def test_asymmetry_of_rounding_is_averaged(dtype, error, scale, holder, random_distances):
    D = scale * random_distances(4, 50)
    noise = np.random.default_rng(0).uniform(-1, 1, D.shape)
    np.fill_diagonal(noise, 0)
    D = (D * (1 + error * noise)).astype(dtype)
    assert (D != D.T).any()
    symmetric = (D.astype(np.float64) + D.T) / 2
    expected = InPCA(5, "precomputed", "full").fit(symmetric)
    for solver in ("full", "block"):
        inpca = InPCA(5, "precomputed", solver, random_state=0).fit(holder(D))
        np.testing.assert_allclose(inpca.eigenvalues_, expected.eigenvalues_, rtol=1e-12)


@pytest.mark.parametrize("weights", [np.ones(40), np.arange(40.0)])
def test_products_are_those_of_the_centred_matrix(weights, small_blocks, random_distances):
    D = random_distances(2, 40)
    mu = weights / weights.sum()
    L = np.eye(40) - mu
    W = -0.5 * L @ D @ L.T
    A = np.sqrt(weights)[:, None] * W * np.sqrt(weights)
    V = np.random.default_rng(0).normal(size=(40, 3))
    for holder in (np.asarray, lambda D: Rows(D, 5000 // 8)):
        operator = CentredDistances(holder(D), weights)
        np.testing.assert_allclose(operator.matmul(V), A @ V, atol=1e-11)
        np.testing.assert_allclose(operator.dense(), A, atol=1e-11)
        np.testing.assert_allclose(
            np.concatenate([operator.rows(at)[1] for at in operator.slices()]), W
        )


@pytest.mark.parametrize("holder", [np.asarray, lambda D: Rows(D, 5000 // 8)])
def test_products_average_an_asymmetry_too(holder, small_blocks, random_distances):
    D = random_distances(2, 40)
    D = D + 3e-11 * np.triu(np.random.default_rng(0).uniform(-1, 1, D.shape), 1)
    operator = CentredDistances(holder(D), np.ones(40))
    V = np.random.default_rng(0).normal(size=(40, 3))
    expected = CentredDistances((D + D.T) / 2, np.ones(40)).matmul(V)
    np.testing.assert_allclose(operator.matmul(V), expected, atol=2e-13)
    np.testing.assert_allclose(operator.dense() @ V, expected, atol=2e-13)


@pytest.mark.parametrize(("u", "v"), [(3, 47), (47, 3), (10, 12), (48, 49)])
@pytest.mark.parametrize("fault", ["asymmetry", "NaN", "infinity", "diagonal"])
def test_one_wrong_entry_is_found_in_any_block(fault, u, v, small_blocks, random_distances):
    D = random_distances(2, 50)
    if fault == "diagonal":
        D[u, u], words = 0.125, "X: 0.125 on the diagonal"
    elif fault == "asymmetry":
        D[u, v], words = D[v, u] + 1e-3, "X: not symmetric .entries differ by up to 0.001"
    else:
        D[u, v] = D[v, u] = {"NaN": np.nan, "infinity": np.inf}[fault]
        words = "X: entries that are NaN or infinite"
    for solver in ("full", "block"):
        with pytest.raises(ValueError, match=words):
            InPCA(3, "precomputed", solver).fit(Rows(D, 5000 // 8))
