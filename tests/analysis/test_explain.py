"""What sets models apart: contributions that sum to what they explain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.analysis.explain import (
    TERMS,
    explain_coordinate,
    explain_distance,
    explain_progress,
)
from hyperribbon.embedding import InPCA
from hyperribbon.errors import DataError
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.probability import geodesic, ignorance, progress, truth

seeds = st.integers(0, 2**32 - 1)
LABELS = np.array([0, 2, 1, 1, 0, 2, 2])


def two(seed, c=3, n=7):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(c, 0.3), size=(2, n))


@given(seeds, st.sampled_from(sorted(TERMS)))
def test_contributions_sum_to_the_distance(seed, metric):
    P, Q = two(seed)
    found = explain_distance(P, Q, LABELS, metric=metric)
    expected = pairwise_distance(P[None], Q[None], metric=metric, floor=FLOOR).item()
    assert found.contribution.sum().item() == pytest.approx(expected, rel=1e-6, abs=1e-12)
    assert found.by_class.sum().item() == pytest.approx(found.total, rel=1e-12)
    assert (found.contribution >= 0).all()


def test_the_sample_that_changed_is_the_one_that_counts():
    P = 0.9 * geodesic(ignorance(7, 3), truth(LABELS, 3), 0.8) + 0.1 * two(1)[0]
    Q = P.copy()
    Q[3] = [0.8, 0.1, 0.1]
    for found in (explain_distance(P, Q, LABELS), explain_progress(P, LABELS, Q)):
        others = found.contribution.drop_sel(sample=3)
        assert abs(found.contribution.sel(sample=3)) > 10 * abs(others).max()
        assert found.label.values.tolist() == ["0", "2", "1", "1", "0", "2", "2"]
        assert found.by_class.sel({"class": "1"}).item() == pytest.approx(
            found.contribution.sel(sample=[2, 3]).sum().item()
        )
        assert found.p.values[3] == "1"
        assert found.q.values[3] == "0"


@pytest.mark.parametrize("metric", ["bhattacharyya", "geodesic", "euclidean"])
def test_contributions_sum_to_the_difference_of_coordinates(random_models, metric):
    P = random_models(0, 12, 7, 3)
    inpca = InPCA(4, metric=metric).fit(P)
    for k in range(4):
        found = explain_coordinate(inpca, P[2], P[5], LABELS, component=k + 1)
        expected = inpca.embedding_[2, k] - inpca.embedding_[5, k]
        assert found.total == pytest.approx(expected, abs=1e-9)


def test_new_models_and_an_embedding_of_distances(random_models):
    P, (new, other) = random_models(0, 12, 7, 3), random_models(1, 2, 7, 3)
    inpca = InPCA(2, metric="precomputed").fit(pairwise_distance(P))
    with pytest.raises(DataError, match="fitted to distances; give fitted="):
        explain_coordinate(inpca, new, other)
    found = explain_coordinate(inpca, new, other, fitted=[P[:5], P[5:]])
    placed = inpca.transform(pairwise_distance(np.stack([new, other]), P))
    assert found.total == pytest.approx(placed[0, 0] - placed[1, 0], abs=1e-9)


@given(seeds, st.integers(2, 5), st.booleans())
def test_contributions_sum_to_progress(seed, c, from_base_rates):
    rng = np.random.default_rng(seed)
    labels, (P, Q) = rng.integers(0, c, 7), two(seed, c)
    prior = rng.dirichlet(np.ones(c)) * 0.9 + 0.1 / c if from_base_rates else None
    s = progress(np.stack([P, Q]), labels, prior=prior)
    both = explain_progress(P, labels, Q, prior=prior)
    assert both.total == pytest.approx(s[0] - s[1], abs=5e-7)  # of two classes, to 2e-7
    back = explain_progress(Q, labels, P, prior=prior)
    np.testing.assert_allclose(back.contribution, -both.contribution, atol=5e-7)
    alone = explain_progress(P, labels, prior=prior)
    assert alone.total == pytest.approx(s[0], abs=5e-7)


def test_equal_models_have_nothing_to_explain():
    P, _ = two(0)
    for found in (explain_distance(P, P, LABELS), explain_progress(P, LABELS, P)):
        assert abs(found.contribution).max() < 1e-15


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda P, Q: explain_distance(P, Q[:4]), r"P, Q: shapes \(7, 3\) and \(4, 3\)"),
        (lambda P, Q: explain_distance(P, Q * 2), "Q: a row that sums to 2"),
        (lambda P, Q: explain_distance(P, Q, LABELS[1:]), "labels: 6, expected one per sample, 7"),
        (lambda P, Q: explain_distance(P, Q, metric="hellinger"), "metric = 'hellinger': expected"),
        (lambda P, Q: explain_distance(P, Q, class_names=["a"]), "class_names: 1, expected 3"),
        (lambda P, Q: explain_progress(P, LABELS % 2 + 2), "labels: from 2 to 3"),
        (
            lambda P, Q: explain_coordinate(InPCA(1).fit(np.stack([P, Q])), P, Q, component=2),
            "component = 2: expected an integer, 1 to 1",
        ),
    ],
)
def test_what_cannot_be_explained(call, words):
    with pytest.raises(DataError, match=words):
        call(*two(0))
