"""Eigenvalues of an embedding."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

import hyperribbon as hr
from hyperribbon.errors import DataError
from hyperribbon.plot._spectrum import KINDS


def test_eigenvalues_are_coloured_by_kind(data, points, words):
    axes = hr.plot.spectrum(data, split="test")
    space, time = axes.collections
    assert space.get_offsets().tolist() == [[1, 4], [2, 2], [4, 0.1]]
    assert time.get_offsets().tolist() == [[3, 1]]
    colours = [to_hex(found.get_facecolor()[0]).upper() for found in (space, time)]
    assert colours == list(KINDS.values())
    assert words(axes.figure) == ["space-like", "time-like"]
    assert axes.get_title().startswith("test: ")
    assert [text.get_text() for text in axes.texts] == ["60.0%", "90.0%"]


def test_colour_and_style_are_taken(tables):
    axes = hr.plot.spectrum(tables, color="black", style="kind")
    assert [to_hex(found.get_facecolor()[0]) for found in axes.collections] == ["#000000"] * 2


@pytest.mark.parametrize("kind", ["estimator", "predictions"])
def test_an_estimator_and_predictions_have_a_spectrum(trainings, kind, points):
    inpca = hr.InPCA(5).fit(trainings[0])
    axes = hr.plot.spectrum(inpca if kind == "estimator" else trainings[0])
    shown = np.sort(points(axes)[:, 1])[::-1][:4]
    np.testing.assert_allclose(shown, np.sort(np.abs(inpca.eigenvalues_))[::-1][:4], rtol=1e-6)


def test_units_are_said_where_they_are_known(trainings):
    D = hr.pairwise_distance(trainings[0])
    unknown = hr.InPCA(3, metric="precomputed").fit(D)
    assert "nats" not in hr.plot.spectrum(unknown).get_ylabel()
    assert "nats" in hr.plot.spectrum(hr.InPCA(3).fit(trainings[0])).get_ylabel()


def test_a_column_that_is_not_there_is_named(tables):
    with pytest.raises(DataError, match="^color = 'network': expected a column .split"):
        hr.plot.spectrum(tables, color="network")
