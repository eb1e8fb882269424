import numpy as np
import pytest

from hyperribbon.embedding.projection_change import projection_change
from hyperribbon.errors import DataError
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability import geodesic, ignorance, random_stochastic_projection, truth


@pytest.fixture(scope="module", name="P")
def ways_of_two_tasks():
    """Models of 40 classes on two ways from ignorance: to the truth, and to other labels."""
    labels = np.arange(60) % 40
    start = ignorance(60, 40)
    ends = truth(labels, 40), truth((labels + 1) % 40, 40, 0.3)
    return np.concatenate([geodesic(start, end, np.linspace(0, 0.9, 8)) for end in ends])


def test_changes_are_those_of_the_projected_distances(P):
    found = projection_change(P, [6, 30], 2)
    assert [(change.n_classes, change.draw) for change in found] == [
        (6, 0),
        (6, 1),
        (30, 0),
        (30, 1),
    ]
    whole, upper = pairwise_distance(P), np.triu_indices(16, 1)
    for change in found:
        D = pairwise_distance(random_stochastic_projection(P, change.n_classes, change.draw))
        assert change.factor == pytest.approx(whole.sum() / D.sum()) and change.factor > 1
        fitted = change.factor * D[upper]
        assert change.correlation == pytest.approx(np.corrcoef(fitted, whole[upper])[0, 1])
        error = np.abs(fitted - whole[upper]).mean() / whole[upper].mean()
        assert change.relative_error == pytest.approx(error)
        assert 0.5 < change.explained_stress <= 1
        assert change.correlation > 0.9 and change.relative_error < 0.3
    assert min(found).factor > max(found).factor  # the fewer classes, the more is lost


def test_one_factor_is_no_change(monkeypatch, P):
    """If a projection only shrinks, nothing else is left."""
    from hyperribbon.embedding import projection_change as module

    calls = []

    def shrunk(given, threads=None):
        calls.append(given)
        return pairwise_distance(P) / (1 if len(calls) == 1 else 7)

    monkeypatch.setattr(module, "pairwise_distance", shrunk)
    (change,) = projection_change(P, [5], 1)
    assert change.factor == pytest.approx(7)
    assert change.correlation == pytest.approx(1)
    assert change.relative_error == pytest.approx(0, abs=1e-12)
    assert change.rmsd == pytest.approx(0, abs=1e-6)


def test_what_it_refuses(P):
    with pytest.raises(DataError, match=r"P: shape \(60, 40\), expected \(models"):
        projection_change(P[0], [5], 1)
    with pytest.raises(DataError, match="draws = 0"):
        projection_change(P, [5], 0)
    with pytest.raises(DataError, match="n_classes = 1: expected an integer, 2 or more"):
        projection_change(P, [1], 1)
