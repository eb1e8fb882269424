"""A picture as scikit-learn's users expect it."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import hyperribbon as hr
from hyperribbon.errors import DataError
from hyperribbon.plot import InPCADisplay


def test_from_estimator_draws_it(trainings, labels, points):
    inpca = hr.InPCA(3).fit(trainings[0])
    display = InPCADisplay.from_estimator(inpca, labels=labels, color="progress", dimensions=2)
    np.testing.assert_allclose(points(display.ax_), inpca.embedding_[:, :2])
    assert display.figure_ is display.ax_.figure
    assert len(display.geodesic) == 11
    assert plt.get_fignums() == [display.figure_.number]


def test_from_predictions_is_the_same(trainings, labels):
    one = InPCADisplay.from_predictions(trainings[0], labels)
    other = InPCADisplay.from_estimator(hr.InPCA(3).fit(trainings[0]), labels=labels)
    np.testing.assert_array_equal(one.models, other.models)
    np.testing.assert_array_equal(one.geodesic, other.geodesic)


def test_it_is_drawn_again_where_it_is_asked_for(trainings):
    display = InPCADisplay.from_predictions(trainings, n_components=2)
    first = display.ax_
    axes = plt.figure().add_subplot()
    assert display.plot(ax=axes, color="checkpoint") is display
    assert display.ax_ is axes and axes is not first
    assert axes.has_data()


@pytest.mark.parametrize("given", [hr.InPCA(), "inpca", np.zeros((3, 2))])
def test_what_is_not_fitted_is_refused(given):
    with pytest.raises(DataError, match="expected a fitted InPCA"):
        InPCADisplay.from_estimator(given)
