"""Spectra of curvature."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color

import hyperribbon as hr
from hyperribbon.errors import DataError
from hyperribbon.plot.eigenvalues import MATRICES, MOMENTS
from hyperribbon.reporting.style import LeftOut

VALUES = np.exp(-0.1 * np.arange(30))


@pytest.fixture
def spectra():
    rows = []
    for network, moment, matrix in itertools.product(
        ("ViT", "LeNet"), MOMENTS, ("fisher", "hessian", "jacobian")
    ):
        sign = np.where((np.arange(30) % 3 == 2) & (matrix == "hessian"), -1, 1)
        part = pd.DataFrame({"index": np.arange(1, 31), "eigenvalue": 5 * VALUES * sign})
        names = {"configuration": f"{network}-Adam-00000000", "network": network}
        names |= {"optimiser": "Adam", "augmentation": "none", "moment": moment, "matrix": matrix}
        rows.append(part.assign(part=np.nan, **names))
    return pd.concat(rows)


def shown(axes) -> list:
    return [line for line in axes.lines if len(line.get_xdata())]


def test_matrices_of_one_network_at_the_end(spectra, words):
    axes = hr.plot.curvature_spectrum({"spectra": spectra})
    fisher, full, hollow = shown(axes)
    np.testing.assert_allclose(fisher.get_ydata(), VALUES)  # divided by the largest
    assert same_color(fisher.get_color(), MATRICES["fisher"][1])
    assert hollow.get_markerfacecolor() == "none" != full.get_markerfacecolor()
    assert hollow.get_xdata().tolist() == list(range(3, 31, 3))
    assert words(axes.figure) == ["Fisher", "Hessian", "negative"]
    assert axes.get_title() == "ViT, Adam"
    assert axes.get_ylabel() == "eigenvalue / the largest"


def test_moments_of_one_matrix(spectra):
    axes = hr.plot.curvature_spectrum(
        spectra, color="moment", configuration="LeNet-Adam-00000000", matrix="fisher"
    )
    assert [line.get_label() for line in shown(axes)] == list(MOMENTS)
    assert axes.get_title() == "LeNet, Adam"
    np.testing.assert_allclose(shown(axes)[0].get_ydata(), 5 * VALUES)


def test_configurations_of_one_matrix(spectra):
    axes = hr.plot.curvature_spectrum(spectra, color="configuration", widths={"ViT, Adam": 3})
    assert [(line.get_label(), line.get_linewidth()) for line in shown(axes)] == [
        ("ViT, Adam", 3),
        ("LeNet, Adam", 1),
    ]


def test_layers_are_shades(spectra):
    one = spectra[spectra["matrix"] == "fisher"]
    layers = pd.concat([one.assign(matrix="activations", part=part) for part in "abc"])
    lines = shown(hr.plot.curvature_spectrum(layers))
    assert len({line.get_color() for line in lines}) == 3
    assert [line.get_label()[:5] for line in lines] == ["activ", "_chil", "activ"]
    lines = shown(hr.plot.curvature_spectrum(layers, color="part"))
    assert [line.get_label() for line in lines] == ["a", "b", "c"]


@pytest.mark.parametrize("data", [VALUES, list(VALUES), {"mine": VALUES, "fisher": VALUES}])
def test_arrays_are_enough(data, words):
    axes = hr.plot.curvature_spectrum(data)
    for line in shown(axes):
        np.testing.assert_allclose(line.get_ydata(), VALUES)
        assert line.get_xdata().tolist() == list(range(1, 31))
    assert words(axes.figure) == (["Fisher", "mine"] if isinstance(data, dict) else [])


def test_one_spectrum_has_any_colour():
    (line,) = shown(hr.plot.curvature_spectrum(VALUES, color="crimson"))
    assert line.get_color() == "crimson"


def test_negative_eigenvalues_are_hollow_points():
    full, hollow = shown(hr.plot.curvature_spectrum([3.0, 1.0, -0.5]))
    assert hollow.get_ydata().tolist() == [0.5]
    assert full.get_linestyle() == hollow.get_linestyle() == "None"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"color": "seed"}, "color = 'seed': expected one of matrix, moment"),
        ({"configuration": "x"}, "configuration = 'x': expected one of ViT-Adam-00000000, LeNet"),
        ({"moment": "late"}, "moment = 'late': expected one of initialisation"),
        ({"matrix": "fisher"}, "matrix = 'fisher': all are compared, as color = 'matrix'"),
        ({"style": "part"}, "style = 'part': curvature_spectrum has no markers"),
    ],
)
def test_what_is_unknown_is_refused(spectra, options, said):
    with pytest.raises(DataError) as error:
        hr.plot.curvature_spectrum(spectra, **options)
    assert str(error.value).startswith(said) and "\n" not in str(error.value)


@pytest.mark.parametrize("data", [np.eye(2), [np.nan], [], "x", {"a": "b"}, None])
def test_what_is_no_spectrum_is_refused(data):
    with pytest.raises(DataError, match="^data"):
        hr.plot.curvature_spectrum(data)


def test_no_eigenvalues_are_said(spectra):
    with pytest.raises(LeftOut):
        hr.plot.curvature_spectrum(spectra.iloc[:0])
