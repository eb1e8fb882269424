import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from hyperribbon.numerics.eigenpairs import all_eigenpairs, leading_eigenpairs


def symmetric(eigenvalues, m, seed=0):
    """A matrix (m, m) with these eigenvalues, and 0 for the rest."""
    eigenvalues = np.pad(np.asarray(eigenvalues, float), (0, m - len(eigenvalues)))
    Q = np.linalg.qr(np.random.default_rng(seed).normal(size=(m, m)))[0]
    A = (Q * eigenvalues) @ Q.T
    return (A + A.T) / 2


def magnitudes(eigenvalues, k):
    return np.sort(np.abs(np.pad(eigenvalues, (0, k))))[::-1][:k]


SPECTRA = {
    "geometric": 3 * 0.8 ** np.arange(150) * np.where(np.arange(150) % 3, 1, -1),
    "slow": (1 + np.arange(200)) ** -0.5 * np.where(np.arange(200) % 2, 1, -1),
    "rank two": [5.0, -3.0],
    "rank one": [-2.0],
    "pairs of opposite sign": np.concatenate([[5, -5, 3, -3, 3], 0.5 * 0.9 ** np.arange(80)]),
    "one eigenvalue 199 times": np.ones(199),
    "one eigenvalue 30 times": np.concatenate([[9, -8], np.full(30, -5), 4 * 0.9 ** np.arange(90)]),
    "wide range": 10.0 ** -np.arange(0, 12, 0.5),
    "none": [],
}


@pytest.mark.parametrize("k", [1, 5, 35])
@pytest.mark.parametrize("spectrum", SPECTRA)
def test_finds_the_largest_of_any_spectrum(spectrum, k):
    m = 200
    A = symmetric(SPECTRA[spectrum], m)
    eigenvalues, vectors = leading_eigenpairs(A.__matmul__, m, k, random_state=1)
    expected = magnitudes(SPECTRA[spectrum], k)
    np.testing.assert_allclose(np.abs(eigenvalues), expected, atol=1e-13)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(k), atol=1e-12)
    residuals = np.linalg.norm(A @ vectors - vectors * eigenvalues, axis=0)
    assert (residuals <= 1e-9 * np.abs(eigenvalues) + 1e-13).all()
    reference = all_eigenpairs(A.copy())[0]
    if spectrum != "pairs of opposite sign":  # of which rounding decides the order
        significant = np.abs(reference[:k]) > 1e-12
        assert (np.sign(eigenvalues) == np.sign(reference[:k]))[significant].all()


@pytest.mark.parametrize("spectrum", ["geometric", "slow", "rank two", "wide range", "none"])
def test_goes_on_through_restarts(spectrum):
    A, products = symmetric(SPECTRA[spectrum], 200), []

    def product(Q):
        products.append(Q.shape[1])
        return A @ Q

    eigenvalues, vectors = leading_eigenpairs(
        product, 200, 6, random_state=0, block_size=4, basis_size=14
    )
    np.testing.assert_allclose(np.abs(eigenvalues), magnitudes(SPECTRA[spectrum], 6), atol=1e-13)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(6), atol=1e-12)
    assert set(products) == {4}
    if spectrum in ("geometric", "slow"):
        assert sum(products) > 3 * 14  # more than one restart


@pytest.mark.parametrize(("m", "k"), [(1, 1), (2, 2), (7, 3), (17, 17), (33, 20), (40, 33)])
def test_matrices_no_wider_than_a_few_blocks(m, k):
    A = symmetric(np.random.default_rng(m).normal(size=m), m)
    eigenvalues, vectors = leading_eigenpairs(A.__matmul__, m, k, random_state=0)
    reference = all_eigenpairs(A.copy())[0][:k]
    np.testing.assert_allclose(eigenvalues, reference, atol=1e-12)
    np.testing.assert_allclose(A @ vectors, vectors * eigenvalues, atol=1e-9)


def test_says_when_it_did_not_get_there():
    A = symmetric(SPECTRA["slow"], 200)
    with pytest.warns(ConvergenceWarning, match=r"relative residual .* after 2 block products"):
        eigenvalues, vectors = leading_eigenpairs(
            A.__matmul__, 200, 5, random_state=0, max_products=2
        )
    assert vectors.shape == (200, 5)
    assert np.abs(eigenvalues).max() <= 1 + 1e-12


def test_after_a_restart_that_was_not_enough_vectors_still_fit_their_values():
    A = symmetric(SPECTRA["slow"], 200)
    with pytest.warns(ConvergenceWarning):
        eigenvalues, vectors = leading_eigenpairs(
            A.__matmul__, 200, 6, random_state=0, block_size=4, basis_size=14, max_products=5
        )
    np.testing.assert_allclose(np.diag(vectors.T @ A @ vectors), eigenvalues, atol=1e-12)


def test_all_eigenpairs_are_sorted_by_magnitude():
    eigenvalues, vectors = all_eigenpairs(np.diag([1.0, -3.0, 0.0, 2.0]))
    assert eigenvalues.tolist() == [-3, 2, 1, 0]
    assert np.abs(vectors).argmax(axis=0).tolist() == [1, 3, 0, 2]


@pytest.mark.parametrize("k", [1, 7])
@pytest.mark.parametrize("spectrum", ["geometric", "slow", "pairs of opposite sign", "rank two"])
def test_finds_the_bottom_of_a_spectrum(spectrum, k):
    A = symmetric(SPECTRA[spectrum], 200)
    eigenvalues, vectors = leading_eigenpairs(A.__matmul__, 200, k, random_state=1, smallest=True)
    np.testing.assert_allclose(eigenvalues, np.linalg.eigvalsh(A)[:k], atol=1e-12)
    np.testing.assert_allclose(A @ vectors, vectors * eigenvalues, atol=1e-8)


def test_products_in_single_precision_are_taken_for_what_they_are():
    A = symmetric(SPECTRA["geometric"], 200)
    single = A.astype(np.float32)

    def product(V):
        return (single @ V.astype(np.float32)).astype(float)

    eigenvalues, vectors = leading_eigenpairs(product, 200, 30, random_state=0, dtype=np.float32)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(30), atol=1e-5)
    np.testing.assert_allclose(np.abs(eigenvalues), magnitudes(SPECTRA["geometric"], 30), atol=1e-5)
