"""The three directions of chapter 6, and tangents compared."""

import numpy as np
import pytest

from hyperribbon.embedding.bases import TangentBasis, compare_tangents
from hyperribbon.embedding.four_points import averages_at
from hyperribbon.errors import DataError
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability import geodesic, ignorance, progress, truth
from hyperribbon.probability.tangent_space import exp_map, log_map, transport

LABELS = np.arange(12) % 3
ENDS = ignorance(12, 3), truth(LABELS, 3)


@pytest.fixture
def trainings(random_models):
    """Three trainings that leave the geodesic, each to another side."""
    s = np.linspace(0, 1, 15)
    aside = random_models(0, 3, 12, 3)
    way = 0.3 * np.sin(np.pi * s)[:, None, None]
    return [(1 - way) * geodesic(*ENDS, s) + way * one for one in aside]


def test_directions_are_tangents_of_the_average_models(trainings):
    basis = TangentBasis(0.2).fit(trainings, LABELS)
    s = progress(trainings, LABELS)
    early, late = averages_at(trainings, s, [0.2])[0.2]
    start, end = ENDS
    expected = [
        log_map(start, end),
        log_map(start, early),
        transport(end, start, -log_map(end, late)),
    ]
    np.testing.assert_allclose(basis.directions_, expected, atol=1e-12)
    again = TangentBasis(0.2).fit(trainings, LABELS, progress_of_models=s)
    np.testing.assert_array_equal(again.directions_, basis.directions_)
    inner = np.einsum("anc,bnc->ab", basis.axes_, basis.axes_) / 12
    np.testing.assert_allclose(inner, np.eye(3), atol=1e-12)
    unit = basis.directions_ / np.linalg.norm(basis.directions_, axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(basis.cosines_, np.einsum("anc,bnc->ab", unit, unit), atol=1e-12)


def test_coordinates_are_of_least_squares(trainings):
    P = np.concatenate(trainings)
    basis = TangentBasis().fit(P, LABELS)
    X, B = basis.transform(P), basis.directions_.reshape(3, -1).T
    chart = log_map(ENDS[0], P).reshape(len(P), -1)
    for d in (1, 2, 3):
        fit = B[:, :d] @ np.linalg.lstsq(B[:, :d], chart.T)[0]
        found = X[:, :d] @ basis.axes_[:d].reshape(d, -1)
        np.testing.assert_allclose(found, fit.T, atol=1e-10)
    np.testing.assert_array_equal(X, basis.transform(trainings))


def test_models_in_the_span_are_kept(trainings):
    basis = TangentBasis().fit(trainings, LABELS)
    X = np.array([[0.3, 0.02, 0.03], [0.5, 0.0, -0.02], [0.0, 0.0, 0.0]])
    P = basis.inverse_transform(X)
    np.testing.assert_allclose(P.sum(axis=2), 1)
    np.testing.assert_allclose(basis.transform(P), X, atol=1e-12)
    assert basis.score(P) == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(P[2], ENDS[0], atol=1e-12)


def test_distances_are_those_of_the_projections(trainings):
    P = np.concatenate(trainings)
    basis, D = TangentBasis().fit(P, LABELS), pairwise_distance(P)
    X = basis.transform(P)
    for d in (1, 2, 3):
        chart = np.tensordot(X[:, :d], basis.axes_[:d], axes=1)
        expected = pairwise_distance(exp_map(ENDS[0], chart))
        np.testing.assert_allclose(basis.pairwise_distances(P, d), expected, atol=1e-10)
        share = 1 - np.abs(D - expected).sum() / D.sum()
        assert basis.score(P, n_directions=d) == pytest.approx(share)
        assert basis.score(P, D, d) == pytest.approx(share)
    assert basis.score(P, D) > 0.6


def test_a_direction_that_depends_on_others_adds_nothing():
    P = geodesic(*ENDS, np.linspace(0, 1, 11))
    basis = TangentBasis(0.3).fit(P, LABELS, progress_of_models=[0, 0.3, *[0.5] * 7, 0.7, 1])
    assert np.isfinite(basis.axes_).all()
    assert basis.score(P) == pytest.approx(basis.score(P, n_directions=1), abs=0.02)


def test_equal_tangents_agree_whatever_their_lengths():
    v = np.random.default_rng(0).normal(size=(12, 3))
    found = compare_tangents(v, 5 * v, LABELS)
    assert found.cosine == pytest.approx(1)
    assert found.scale == pytest.approx(0.2)
    np.testing.assert_allclose(found.samples["cosine"], 1)
    np.testing.assert_allclose(found.samples["missing"], 0, atol=1e-20)
    np.testing.assert_allclose(found.samples["predicted"], found.samples["measured"])


def test_what_is_missing_sums_over_samples_and_classes():
    m, k = np.random.default_rng(1).normal(size=(2, 12, 3))
    k[4] = 0
    found = compare_tangents(m, k, LABELS)
    assert found.cosine == pytest.approx((m * k).sum() / np.sqrt((m**2).sum() * (k**2).sum()))
    assert found.samples["missing"].sum() == pytest.approx(1 - found.cosine**2)
    assert found.classes["missing"].sum() == pytest.approx(1 - found.cosine**2)
    assert found.classes["share"].sum() == pytest.approx(1)
    assert found.classes["samples"].tolist() == [4, 4, 4]
    assert np.isnan(found.samples["cosine"][4])
    some = LABELS == 2
    expected = (m * k)[some].sum() / np.sqrt((m[some] ** 2).sum() * (k[some] ** 2).sum())
    assert found.classes["cosine"][2] == pytest.approx(expected)
    opposite = compare_tangents(m, -m, LABELS)
    assert opposite.cosine == pytest.approx(-1)
    assert (opposite.samples["predicted"] >= 0).all()


BAD = {
    "progress out of range": (
        lambda P: TangentBasis(0.5).fit(P, LABELS),
        "s = 0.5: expected a number above 0 and below 0.5",
    ),
    "progress that is no number": (lambda P: TangentBasis("a").fit(P, LABELS), "s = 'a'"),
    "no model near": (
        lambda P: TangentBasis(0.2).fit([one[:1] for one in P], LABELS),
        "s = 0.2: no model near progress 0.2 or none near 0.8 (progress is 0 to 0)",
    ),
    "labels": (lambda P: TangentBasis().fit(P, LABELS[:5]), "labels: 5, expected one per sample"),
    "progress of others": (
        lambda P: TangentBasis().fit(P, LABELS, progress_of_models=[0.1]),
        "progress: shape (1,), expected (45,)",
    ),
    "other samples": (
        lambda P: TangentBasis().fit(P, LABELS).transform(P[0][:, :5]),
        "P: shape (15, 5, 3), expected (models, 12, 3)",
    ),
    "coordinates": (
        lambda P: TangentBasis().fit(P, LABELS).inverse_transform(np.zeros((2, 4))),
        "X: shape (2, 4), expected coordinates (models, 1 to 3)",
    ),
    "directions": (
        lambda P: TangentBasis().fit(P, LABELS).score(P, n_directions=4),
        "n_directions = 4: expected an integer, 1 to 3",
    ),
    "distances": (
        lambda P: TangentBasis().fit(P, LABELS).score(P, np.zeros((3, 3))),
        "D: distances of 3 models, expected 45",
    ),
    "shapes": (
        lambda P: compare_tangents(np.ones((4, 3)), np.ones((5, 3)), [0, 1, 2, 0]),
        "measured, predicted: shapes (4, 3) and (5, 3)",
    ),
    "zero": (
        lambda P: compare_tangents(np.ones((4, 3)), np.zeros((4, 3)), [0, 1, 2, 0]),
        "predicted: 0 everywhere",
    ),
    "not finite": (
        lambda P: compare_tangents(np.full((4, 3), np.nan), np.ones((4, 3)), [0, 1, 2, 0]),
        "measured: NaN or infinite",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line(trainings, case):
    function, words = BAD[case]
    with pytest.raises(DataError) as caught:
        function(trainings)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
