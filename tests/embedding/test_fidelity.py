import numpy as np
import pytest

from hyperribbon.embedding import InPCA, explained_pairwise_distance, explained_stress
from hyperribbon.errors import DataError


def test_explained_stress_of_the_published_spectrum(o9_eigenvalues):
    """ImageNet: 1220 eigenvalues, 147 negative, the fourth in magnitude one of them."""
    by_magnitude = o9_eigenvalues[np.argsort(-np.abs(o9_eigenvalues))]
    stress = explained_stress(by_magnitude)
    assert stress[2] == pytest.approx(0.7119, abs=5e-5)
    assert (by_magnitude < 0).sum() == 147
    assert by_magnitude[3] < 0
    assert stress[-1] == 1
    rest = (by_magnitude[3:] ** 2).sum()
    np.testing.assert_allclose(explained_stress(by_magnitude[:3], rest), stress[:3], rtol=1e-12)


def test_an_embedding_with_that_spectrum_explains_as_much(o9_eigenvalues, minkowski):
    """Points with the 40 leading published eigenvalues, through both solvers."""
    by_magnitude = o9_eigenvalues[np.argsort(-np.abs(o9_eigenvalues))][:40]
    centred = np.random.default_rng(0).normal(size=(150, 40))
    U = np.linalg.qr(centred - centred.mean(axis=0))[0]
    D = minkowski(U * np.sqrt(np.abs(by_magnitude)), np.sign(by_magnitude))
    for solver in ("full", "block"):
        inpca = InPCA(6, "precomputed", solver, random_state=0).fit(D)
        np.testing.assert_allclose(inpca.eigenvalues_, by_magnitude[:6], rtol=1e-10)
        np.testing.assert_allclose(
            inpca.explained_stress_, explained_stress(by_magnitude)[:6], rtol=1e-9
        )
        assert inpca.signature_.tolist() == [1, 1, 1, -1, 1, 1]


def test_nothing_to_explain_is_not_a_number():
    assert np.isnan(explained_stress(np.zeros(3))).all()
    assert np.isnan(explained_pairwise_distance(np.zeros((4, 4)), np.zeros((4, 2)), [1, 1])).all()


@pytest.mark.parametrize("m", [1, 2, 127, 128, 129, 300])
@pytest.mark.parametrize("weighted", [False, True])
def test_explained_pairwise_distance_is_its_formula(m, weighted):
    rng = np.random.default_rng(m)
    X, signature = rng.normal(size=(m, 3)), np.array([1, -1, 1])
    D = rng.uniform(1, 2, size=(m, m))
    D += D.T
    w = rng.integers(0, 3, m) + (np.arange(m) == 0) if weighted else np.ones(m)
    pairs = np.outer(w, w)
    expected = []
    for d in (1, 2, 3):
        Dhat = (signature[:d] * (X[:, None, :d] - X[:, :d]) ** 2).sum(axis=-1)
        expected.append(1 - (pairs * np.abs(D - Dhat)).sum() / (pairs * D).sum())
    found = explained_pairwise_distance(D, X, signature, w if weighted else None)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("D", "X", "signature", "words"),
    [
        (np.ones((3, 4)), np.ones((3, 2)), [1, 1], "D: shape (3, 4)"),
        (np.ones((3, 3)), np.ones((4, 2)), [1, 1], "embedding, signature: shapes (4, 2) and (2,)"),
        (np.ones((3, 3)), np.ones((3, 2)), [1], "shapes (3, 2) and (1,), expected (3, k) and (k,)"),
        (np.ones((3, 3)), np.ones(3), [1], "embedding, signature: shapes (3,) and (1,)"),
    ],
)
def test_what_does_not_fit_is_refused(D, X, signature, words):
    with pytest.raises(DataError) as error:
        explained_pairwise_distance(D, X, signature)
    assert words in str(error.value)


def test_rounding_does_not_depend_on_where_memory_lies():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 5))
    D = np.square(X[:, None] - X).sum(axis=2) + rng.uniform(size=(100, 1))
    D += D.T
    kept, found = [], set()
    for _ in range(30):
        found.add(explained_pairwise_distance(D, X, np.ones(5)).tobytes())
        kept.append(np.empty(rng.integers(1, 20_000)))  # where the next buffer lies
    assert len(found) == 1
