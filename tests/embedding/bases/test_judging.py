import numpy as np
import pandas as pd
import pytest

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.bases import (
    ModelBasis,
    SampleBasis,
    judge_inpca,
    judge_model_basis,
    judge_sample_basis,
    size_reaching,
)
from hyperribbon.embedding.fidelity import explained_by, explained_stress_by
from hyperribbon.errors import DataError
from hyperribbon.pairwise import pairwise_distance


@pytest.fixture(scope="module")
def models():
    rng = np.random.default_rng(0)
    ends = rng.dirichlet(np.ones(3), size=(3, 20))
    return np.einsum("mk,knc->mnc", rng.dirichlet(np.ones(3), size=16), ends)


@pytest.mark.parametrize("method", ["subset", "free"])
def test_bases_of_models_are_judged_as_a_fit_of_that_size_would_be(models, method):
    fitted, judged = models[:10], models[10:]
    D = pairwise_distance(judged)
    table = judge_model_basis(
        ModelBasis(method=method, max_iter=5), fitted, judged, D, [2, 3]
    ).set_index("size")
    for size in (2, 3):
        basis = ModelBasis(size, method=method, max_iter=5).fit(fitted)
        row = table.loc[size]
        assert row["explained_pairwise_distance"] == pytest.approx(basis.score(judged, D), abs=1e-6)
        with_residuals = basis.score(judged, D, with_residuals=True)
        assert row["explained_with_residuals"] == pytest.approx(with_residuals, abs=1e-6)
        assert row["residual"] == pytest.approx(basis.residuals(judged).mean(), abs=1e-7)
        assert row["worst_residual"] == pytest.approx(basis.residuals(judged).max(), abs=1e-7)


def test_bases_of_samples_are_judged_as_a_fit_of_that_size_would_be(models):
    fitted, judged = models[:10], models[10:]
    D = pairwise_distance(judged)
    table = judge_sample_basis(SampleBasis(method="greedy"), fitted, judged, D, [2, 5, 20])
    explained = table.set_index("size")["explained_pairwise_distance"]
    for size in (2, 5):
        expected = SampleBasis(size).fit(fitted).score(judged, D)
        assert explained[size] == pytest.approx(expected, abs=1e-6)
    assert explained[2] < explained[5] < explained[20]


def test_inpca_is_judged_by_the_coordinates_in_which_others_are_placed(models):
    D = pairwise_distance(models)
    within, between, among = D[:10, :10], D[10:, :10], D[10:, 10:]
    table = judge_inpca(within, between, among, [1, 4]).set_index("size")
    inpca = InPCA(4, metric="precomputed").fit(within)
    X, signs = inpca.transform(between), inpca.signature_
    for size in (1, 4):
        found = (signs[:size] * (X[:, None, :size] - X[:, :size]) ** 2).sum(axis=2)
        explained, stress = explained_by(among, found), explained_stress_by(among, found)
        assert table.loc[size, "explained_pairwise_distance"] == pytest.approx(explained)
        assert table.loc[size, "explained_stress"] == pytest.approx(stress)


def test_stress_of_inpcas_own_dimensions_is_that_of_its_eigenvalues(models):
    D = pairwise_distance(models)
    inpca = InPCA(5, metric="precomputed").fit(D)
    X, signs = inpca.embedding_, inpca.signature_
    found = (signs * (X[:, None] - X) ** 2).sum(axis=2)
    assert explained_stress_by(D, found) == pytest.approx(inpca.explained_stress_[-1], abs=1e-6)
    assert np.isnan(explained_stress_by(np.zeros((3, 3)), np.zeros((3, 3))))
    with pytest.raises(DataError, match=r"approximate: shape \(2, 2\), expected \(16, 16\)"):
        explained_stress_by(D, D[:2, :2])


@pytest.mark.parametrize("sizes", [[], [3, 2], [2, 2]])
def test_sizes_increase(models, sizes):
    with pytest.raises(DataError, match="sizes"):
        judge_model_basis(ModelBasis(), models, models, pairwise_distance(models), sizes)


def test_the_least_size_that_is_enough():
    table = pd.DataFrame({"size": [2, 5, 9], "explained_pairwise_distance": [0.8, 0.96, 0.94]})
    assert size_reaching(table, 0.9) == 5
    assert np.isnan(size_reaching(table, 0.99))
