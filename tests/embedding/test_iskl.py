import dask.array as da
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperribbon.embedding import InPCA, IsKL, iskl
from hyperribbon.embedding.iskl import iskl_coordinates
from hyperribbon.numerics import blocks
from hyperribbon.pairwise import pairwise_distance

seeds = st.integers(0, 2**32 - 1)


def symmetric_kl(P, Q, floor=1e-30):
    """The formula, (len(P), len(Q)), with the logarithms floored."""
    P, Q = np.asarray(P)[:, None], np.asarray(Q)
    logs = np.log(np.maximum(P, floor)) - np.log(np.maximum(Q, floor))
    return ((P - Q) * logs).sum(axis=-1).mean(axis=-1)


def test_agrees_with_the_oracle(o1, minkowski):
    iskl = IsKL(n_components=None).fit(o1["P"][:27])
    np.testing.assert_allclose(
        minkowski(iskl.embedding_, iskl.signature_), o1["dskl_thesis"], atol=1e-10
    )


@given(seed=seeds, m=st.integers(2, 14), spread=st.sampled_from([0.05, 1.0]))
@settings(deadline=None, max_examples=30)
def test_all_components_give_back_the_divergence(random_models, minkowski, seed, m, spread):
    P = random_models(seed, m, 4, 3, spread)
    D = symmetric_kl(P, P)
    iskl = IsKL(n_components=None).fit(P)
    np.testing.assert_allclose(
        minkowski(iskl.embedding_, iskl.signature_), D, atol=1e-11 * (1 + D.max())
    )
    assert iskl.explained_pairwise_distance_[-1] == pytest.approx(1, abs=1e-9)
    assert iskl.explained_stress_[-1] == 1
    S, T = iskl_coordinates(P)
    assert S.shape == T.shape == (m, 12)
    exact = minkowski(S, np.ones(12)) - minkowski(T, np.ones(12))
    np.testing.assert_allclose(exact, D, atol=1e-11 * (1 + D.max()))


@pytest.mark.parametrize("solver", ["full", "block"])
@pytest.mark.parametrize("weights", [None, np.arange(120) % 3])
@pytest.mark.parametrize("streamed", [False, True])
def test_is_inpca_of_symmetric_kl(solver, weights, streamed, random_models, monkeypatch):
    """Without its matrix, kept in memory or read in blocks of a few models."""
    if streamed:
        monkeypatch.setattr(iskl, "_KEPT_BYTES", 0)
        monkeypatch.setattr(blocks, "BLOCK_BYTES", 5000)
    P, new = np.split(random_models(3, 130, 3, 3, spread=1), [120])
    D = symmetric_kl(P, P)
    inpca = InPCA(10, "precomputed").fit((D + D.T) / 2, sample_weight=weights)
    fitted = IsKL(10, solver, random_state=0).fit(P, sample_weight=weights)
    assert -1 in fitted.signature_
    for name in ("eigenvalues_", "explained_stress_", "explained_pairwise_distance_"):
        np.testing.assert_allclose(getattr(fitted, name), getattr(inpca, name), rtol=1e-9)
    np.testing.assert_array_equal(fitted.signature_, inpca.signature_)
    np.testing.assert_allclose(fitted.embedding_, inpca.embedding_, atol=1e-8)
    np.testing.assert_allclose(fitted.transform(P), fitted.embedding_, atol=1e-8)
    np.testing.assert_allclose(
        fitted.transform(new), inpca.transform(symmetric_kl(new, P)), atol=1e-8
    )
    assert (fitted.residuals_ < 1e-9).all()


def test_agrees_with_the_metric_of_pairwise_distance(random_models):
    P = random_models(2, 15, 6, 4)
    inpca = InPCA(4, "symmetric_kl").fit(P)
    iskl = IsKL(4).fit(P)
    np.testing.assert_allclose(iskl.embedding_, inpca.embedding_, atol=1e-9)
    D = pairwise_distance(P, metric="symmetric_kl")
    np.testing.assert_allclose(symmetric_kl(P, P), D, atol=1e-10)


@pytest.mark.parametrize("floor", [1e-30, 1e-3])
def test_zero_probabilities_are_floored_in_the_logarithm(floor, minkowski):
    P = np.array([[[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]], [[0.5, 0.25, 0.25]]])
    iskl = IsKL(3, floor=floor).fit(P)
    D = minkowski(iskl.embedding_, iskl.signature_)
    assert D[0, 1] == pytest.approx(-2 * np.log(floor), rel=1e-12)
    np.testing.assert_allclose(D, symmetric_kl(P, P, floor), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "hold",
    [
        lambda P: da.from_array(P, chunks=(7, 3, 4)),
        lambda P: zarr.array(P, chunks=(1, 6, 4)),
        lambda P: P.astype(np.float32),
    ],
)
def test_models_of_any_kind_of_array(hold, random_models, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1000)
    P = random_models(1, 40, 6, 4)
    held = hold(P)
    tolerance = 1e-12 if held.dtype == np.float64 else 1e-5
    expected = IsKL(3).fit(P)
    iskl = IsKL(3, "block", random_state=0).fit(held)
    np.testing.assert_allclose(iskl.embedding_, expected.embedding_, atol=1e-9 + tolerance)
    np.testing.assert_allclose(
        iskl.explained_stress_, expected.explained_stress_, atol=1e-9 + tolerance
    )
    np.testing.assert_allclose(iskl.transform(held), iskl.embedding_, atol=1e-9)


def test_what_is_explained_is_not_computed_before_it_is_asked_for(random_models, monkeypatch):
    def refuse(*args):
        raise AssertionError("all pairs of models")

    monkeypatch.setattr(iskl.LogProducts, "rows", refuse)
    fitted = IsKL(3, "block", random_state=0).fit(random_models(1, 40, 6, 4))
    with pytest.raises(AssertionError, match="all pairs"):
        _ = fitted.explained_stress_


def test_trajectories_are_embedded_together(random_models):
    P = random_models(0, 9, 6, 3)
    expected = IsKL(2).fit_transform(P)
    for several in ([P[:4], P[4:]], P.reshape(3, 3, 6, 3)):
        np.testing.assert_allclose(IsKL(2).fit_transform(several), expected, atol=1e-9)
