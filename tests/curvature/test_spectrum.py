import numpy as np
import pytest

from hyperribbon.curvature import (
    Fisher,
    Hessian,
    WholeEigenpairs,
    all_eigenvalues,
    extreme_eigenpairs,
    spectral_density,
    spectrum,
)
from hyperribbon.errors import DataError


def test_leading_ones_are_those_of_the_dense_matrix(oracle_problem):
    for operator in (Hessian(oracle_problem), Fisher(oracle_problem)):
        everything = np.linalg.eigvalsh(operator.dense())
        expected = everything[np.argsort(-np.abs(everything))][:20]
        values, vectors = extreme_eigenpairs(operator, 20)
        np.testing.assert_allclose(values, expected, rtol=1e-10)
        np.testing.assert_allclose(operator @ vectors, vectors * values, atol=1e-7)


def test_the_bottom_of_a_hessian(small_problem):
    operator = Hessian(small_problem)
    values, _ = extreme_eigenpairs(operator, 6, smallest=True)
    expected = np.linalg.eigvalsh(operator.dense())[:6]
    assert expected[0] < 0
    np.testing.assert_allclose(values, expected, atol=1e-9)


def test_all(small_problem):
    operator = Hessian(small_problem)
    expected = np.linalg.eigvalsh(operator.dense())[::-1]
    np.testing.assert_allclose(all_eigenvalues(operator), expected, atol=1e-14)


@pytest.mark.parametrize("k", [0, 94, 2.5, True, 10**20])
def test_k_is_within_the_parameters(small_problem, k):
    with pytest.raises(DataError, match="k: .*, expected an integer, 1 to 93"):
        extreme_eigenpairs(Hessian(small_problem), k)


def test_the_bottom_of_a_semidefinite_matrix_is_refused(small_problem):
    with pytest.raises(DataError, match="smallest eigenvalues of Fisher: it is positive semidef"):
        extreme_eigenpairs(Fisher(small_problem), 2, smallest=True)


def test_too_many_parameters_for_all(small_problem, monkeypatch):
    monkeypatch.setattr(spectrum, "DENSE", 50)
    with pytest.raises(DataError, match="Hessian of 93 parameters: expected at most 50"):
        all_eigenvalues(Hessian(small_problem))


def test_density_is_exact_where_steps_span_the_space(small_problem):
    """With as many steps as parameters the quadrature is exact, but for the probes."""
    dense = Hessian(small_problem).dense()  # whose products take less time
    eigenvalues = np.linalg.eigvalsh(dense)
    p, probes = len(eigenvalues), 100
    v = np.random.default_rng(0).standard_normal((probes, p)).T
    v /= np.linalg.norm(v, axis=0)
    density = spectral_density(dense, steps=p, probes=probes, random_state=0)
    for function in (np.square, np.exp):
        values, vectors = np.linalg.eigh(dense)
        expected = p * (function(values)[:, None] * (vectors.T @ v) ** 2).sum(axis=0)
        trace, error = density.trace(function)
        np.testing.assert_allclose(trace, expected.mean(), rtol=1e-8)
        np.testing.assert_allclose(error, expected.std(ddof=1) / np.sqrt(probes), rtol=1e-6)


def test_errors_cover_the_truth(oracle_problem):
    """Over 40 sets of probes, counts and traces are within two errors about as often as not."""
    matrix = Hessian(oracle_problem).dense()  # whose products take less time
    eigenvalues = np.linalg.eigvalsh(matrix)
    thresholds = np.array([0.1, 0.03])
    truth = np.append((eigenvalues[:, None] > thresholds).sum(axis=0), eigenvalues.sum())
    inside = []
    for seed in range(40):
        density = spectral_density(matrix, steps=60, probes=12, random_state=seed)
        counts, errors = density.count_above(thresholds)
        trace, error = density.trace()
        deviation = np.abs(np.append(counts, trace) - truth)
        inside.append(deviation < 2.2 * np.append(errors, error))
    assert (np.mean(inside, axis=0) > 0.8).all()


def test_density_integrates_to_one(small_problem):
    density = spectral_density(Hessian(small_problem), steps=30, probes=4)
    x = np.linspace(-1, 2, 3001)
    values, errors = density.density(x, 0.01)
    assert np.trapezoid(values, x) == pytest.approx(1, abs=1e-6)
    assert (errors >= 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 1}, "steps: 1, expected an integer, 2 to 93"),
        ({"steps": 94}, "steps: 94, expected an integer, 2 to 93"),
        ({"steps": 5, "probes": 1}, "probes: 1, expected an integer, 2 to 10,000"),
    ],
)
def test_impossible_quadrature_is_refused(small_problem, options, message):
    with pytest.raises(DataError, match=message):
        spectral_density(Hessian(small_problem), **options)


def test_a_closed_space_ends_the_quadrature(small_problem):
    """The Fisher matrix of two samples has rank 8: after 9 products nothing is left."""
    from hyperribbon.curvature import Problem

    few = Problem(small_problem.network, small_problem.inputs[:2], small_problem.targets[:2])
    density = spectral_density(Fisher(few), steps=40, probes=6)
    exact = np.trace(Fisher(few).dense())
    trace, error = density.trace()
    assert np.isfinite(density.nodes).all()
    assert abs(trace - exact) < 4 * error


def test_all_eigenpairs_at_once(small_problem):
    hessian = Hessian(small_problem)
    pairs = WholeEigenpairs(hessian)
    values = all_eigenvalues(hessian)
    np.testing.assert_allclose(pairs.eigenvalues, values, atol=1e-12)
    w = small_problem.flat_weights()
    components = pairs.components(w)
    np.testing.assert_allclose(pairs.combine(components[:, None])[:, 0], w, atol=1e-12)
    leading, vectors = extreme_eigenpairs(hessian, 6)
    cosines = np.abs((pairs.leading(6) * vectors).sum(axis=0))
    np.testing.assert_allclose(cosines, 1, atol=1e-6)
    assert (leading < 0).any() or leading[0] == pytest.approx(values[0])


def test_all_eigenpairs_of_many_weights_are_refused(small_problem, monkeypatch):
    monkeypatch.setattr(spectrum, "DENSE", 50)
    with pytest.raises(DataError, match="Fisher of 93 parameters: expected at most 50"):
        WholeEigenpairs(Fisher(small_problem))
