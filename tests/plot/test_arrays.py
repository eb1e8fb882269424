"""Arrays and estimators become tables of the same numbers as the library's."""

import numpy as np
import pytest

import hyperribbon as hr
from hyperribbon.errors import DataError
from hyperribbon.plot.arrays import tables_of_arrays, tables_of_estimator


def test_every_kind_of_predictions_is_the_same_embedding(trainings, labels):
    flat = trainings.reshape(-1, *trainings.shape[2:])
    kinds = [flat, trainings, list(trainings), {"a": trainings[0], "b": trainings[1]}]
    first, *others = (tables_of_arrays(data, labels, 3) for data in kinds)
    for other in others:
        for name in ("pc1", "pc2", "pc3", "loss", "error", "progress"):
            np.testing.assert_allclose(other["models"][name], first["models"][name], atol=1e-6)
        np.testing.assert_allclose(other["geodesic"], first["geodesic"], atol=1e-6)
    assert "training" not in first["models"]
    assert others[0]["models"]["training"].tolist() == [0] * 6 + [1] * 6
    assert others[2]["models"]["training"].tolist() == ["a"] * 6 + ["b"] * 6
    assert others[1]["models"]["checkpoint"].tolist() == [*range(6)] * 2


def test_numbers_are_those_of_the_library(trainings, labels):
    P = trainings[0]
    inpca = hr.InPCA(3).fit(P)
    found = tables_of_estimator(inpca, labels)
    np.testing.assert_array_equal(found["models"][["pc1", "pc2", "pc3"]], inpca.embedding_)
    np.testing.assert_array_equal(found["models"]["progress"], hr.progress(P, labels))
    np.testing.assert_array_equal(
        found["explained_stress"]["explained_stress"], inpca.explained_stress_
    )
    curve = hr.geodesic(hr.ignorance(24, 3), hr.truth(labels, 3), [0, 1])
    ends = found["geodesic"].iloc[[0, -1]]
    np.testing.assert_allclose(ends[["pc1", "pc2", "pc3"]], inpca.transform(curve))
    assert ends["alpha"].tolist() == [0, 1]


def test_the_truth_is_not_placed_where_it_is_infinitely_far(trainings, labels):
    for estimator in (hr.IsKL(2), hr.InPCA(2, metric="symmetric_kl")):
        found = tables_of_estimator(estimator.fit(trainings[0]), labels)
        assert found["geodesic"]["alpha"].max() < 1


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        (np.zeros((3, 2, 2, 2, 2)), {}, "data: shape"),
        (np.zeros(3), {}, "data: shape"),
        ([[np.nan, 1.0]], {}, "data: coordinates that are NaN"),
        ({}, {}, "data: "),
        ({"a": np.full((2, 3, 4, 5), 0.2)}, {}, "data['a']: 2 trainings"),
        (np.full((2, 3, 4), 0.5), {}, ""),  # rows that sum to 2
        (np.full((2, 3, 4), 0.25), {"labels": [0, 1]}, "labels"),
        (np.full((2, 3, 4), 0.25), {"split": "test"}, "split = 'test'"),
        (hr.InPCA(), {}, "data: InPCA, expected a fitted InPCA"),
        (hr.InPCA(1, metric="precomputed").fit([[0.0, 1], [1, 0]]), {"labels": [0]}, "labels: "),
    ],
)
@pytest.mark.filterwarnings("ignore::hyperribbon.errors.OnePointWarning")
def test_what_does_not_fit_is_refused(data, options, said):
    with pytest.raises(DataError) as error:
        hr.plot.embedding(data, **options)
    assert str(error.value).startswith(said) and "\n" not in str(error.value)


def test_progress_needs_labels(trainings):
    with pytest.raises(DataError, match="^labels: missing"):
        hr.plot.progress(trainings)


def test_coordinates_have_no_spectrum():
    with pytest.raises(DataError, match="^data: coordinates, whose eigenvalues"):
        hr.plot.spectrum(np.zeros((5, 2)))
