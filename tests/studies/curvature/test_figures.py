"""The figures of curvature: what is drawn where, of any study."""

import itertools
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from hyperribbon.curvature import tables as curvature_tables
from hyperribbon.plot.eigenvalues import SHOWN
from hyperribbon.studies.curvature.part import PART
from hyperribbon.studies.parts import figure_function

CURVATURE_FIGURES = {
    name: figure_function(name) for figure in PART.figures for name in figure.drawn()
}

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("style")]

WHO = ["configuration", "network", "optimiser", "augmentation"]
MOMENTS = ("initialisation", "middle", "end")
FISHER = np.exp(-0.02 * np.arange(900))


def spectra_of(layers):
    """Each matrix's eigenvalues; every third of the Hessian's is negative."""
    hessian = FISHER[:50] * np.where(np.arange(50) % 3 == 2, -1, 1)
    shrunk = [FISHER[:300] * 0.9**k for k in range(layers)]
    return {
        ("input", ""): FISHER[:40],
        **{("activations", f"layer {k}"): shrunk[k] for k in range(1, layers)},
        **{("gradients", f"layer {k}"): shrunk[k] for k in range(layers)},
        **{("jacobian", str(k)): FISHER[:200] for k in range(10)},
        ("jacobian_summed", ""): FISHER,
        ("fisher", ""): FISHER,
        ("empirical_fisher", ""): FISHER**2,
        ("hessian", ""): hessian,
        ("kfac", ""): FISHER**0.5,
    }


@cache
def tables_of(configurations, layers=3, classes=10):
    """Tables, which figures leave as they are."""
    who = pd.DataFrame(
        {"configuration": range(configurations), "network": "A", "optimiser": "SGD"}
    ).assign(augmentation=[f"random-{k}" if k else "none" for k in range(configurations)])
    spectra = pd.concat(
        curvature_tables.thinned(values).assign(matrix=matrix, part=part or np.nan, moment=moment)
        for (matrix, part), values in spectra_of(layers).items()
        for moment in MOMENTS
    )
    slopes = spectra.drop_duplicates(["matrix", "part", "moment"]).assign(
        slope=-0.1, low=-0.2, high=-0.05
    )
    spaces = ("Fisher and Hessian", "Fisher, with the initial one", "Hessian, with the initial one")
    overlaps = pd.DataFrame(
        itertools.product(spaces, MOMENTS, range(1, 6)), columns=["spaces", "moment", "k"]
    ).assign(overlap=0.5, random=1e-3)
    pairs = pd.DataFrame(itertools.product(range(1, 6), range(1, 6)), columns=["fisher", "hessian"])
    fraction = np.geomspace(1e-3, 1, 6)
    reduced = pd.DataFrame({"fraction": fraction, "kept": (1000 * fraction).astype(int)})
    labels = pd.DataFrame({"label": range(classes), "pc1": range(classes), "pc2": 0.0})
    sizes = pd.DataFrame({"magnitude": [0.01, 0.1, 1.0], "beyond": [30.0, 9.0, 1.0]})
    bounds = pd.DataFrame({"statement": ["4.3.1", "4.7.3"], "measured": [1.0, 2.0]})
    found = {
        "spectra": spectra,
        "sloppiness": slopes,
        "eigenspace_overlaps": overlaps,
        "eigenvector_products": pairs.assign(inner_product=0.5),
        "reduction": reduced.assign(train_error=0.8 - 0.6 * fraction, test_error=0.5),
        "reduction_critical": pd.DataFrame({"stiff_fraction": [0.2], "critical_fraction": [0.1]}),
        "reduction_embedding": reduced.merge(labels, how="cross"),
        "spectral_density": sizes.assign(standard_error=1.0).merge(
            pd.DataFrame({"sign": ["positive", "negative"]}), how="cross"
        ),
        "norm_bounds": bounds.assign(bound=5.0),
    }
    return {name: who.merge(table, how="cross") for name, table in found.items()}


def words(figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(plt.Text))


@pytest.mark.parametrize("name", CURVATURE_FIGURES)
@pytest.mark.parametrize("configurations", [pytest.param(1, marks=pytest.mark.slow), 4])
def test_every_study_has_every_figure(name, configurations, assert_legible):
    figure = CURVATURE_FIGURES[name](tables_of(configurations, layers=3 * configurations))
    assert figure.axes
    assert_legible(figure)


@pytest.mark.parametrize(
    "name", ["spectra", "spectra_layers", "spectra_training", "spectra_compared"]
)
def test_on_a_linear_axis_no_eigenvalue_is_left_out(name):
    """Of those far along, tables have some: a line would join them to a ramp."""
    figure = CURVATURE_FIGURES[name](tables_of(2))
    lines = [line for axes in figure.axes for line in axes.lines if line.get_linestyle() != "None"]
    assert len(lines) > 5
    for line in lines:
        assert np.array_equal(line.get_xdata(), np.arange(1, len(line.get_xdata()) + 1))
    assert max(len(line.get_xdata()) for line in lines) == curvature_tables.WHOLE == SHOWN


@pytest.mark.parametrize("name", ["spectra", "spectra_training", "spectra_compared"])
def test_the_hessian_is_points_hollow_where_negative(name):
    figure = CURVATURE_FIGURES[name](tables_of(1))
    points = [line for axes in figure.axes for line in axes.lines if line.get_linestyle() == "None"]
    for full, hollow in zip(points[::2], points[1::2], strict=True):
        assert hollow.get_markerfacecolor() == "none" != full.get_markerfacecolor()
        assert hollow.get_xdata().tolist() == list(range(3, 51, 3))
        assert len(full.get_xdata()) + len(hollow.get_xdata()) == 50
        assert full.get_zorder() > 2  # above lines
    assert "negative" in words(figure)


def test_layers_differ_in_colour():
    figure = CURVATURE_FIGURES["spectra"](tables_of(1, layers=6))
    colours = [to_hex(line.get_color()) for line in figure.axes[0].lines]
    lines = len(spectra_of(6)) - 10 + 1  # without those of classes; the Hessian's are two
    assert len(colours) == lines
    assert len(set(colours)) == lines - 1
    assert "activations, first layer" in words(figure) and "activations, last" in words(figure)


@pytest.mark.parametrize(("layers", "named"), [(3, True), (20, False)])
def test_many_layers_are_in_a_colour_bar(layers, named):
    figure = CURVATURE_FIGURES["spectra_layers"](tables_of(1, layers=layers))
    assert bool(figure.axes[1].get_legend()) == named
    bars = [axes.get_ylabel() for axes in figure.axes[3:]]
    assert bars == (["class"] if named else ["layer", "layer", "class"])


def test_moments_that_are_equal_are_all_seen():
    left = CURVATURE_FIGURES["spectra_training"](tables_of(1)).axes[0]
    first, middle, end = (line.get_linewidth() for line in left.lines)
    assert middle > 2 * end == 2 * first


def test_overlaps_of_two_kinds_are_in_two_panels():
    figure = CURVATURE_FIGURES["eigenspaces"](tables_of(1))
    assert [len(axes.lines) for axes in figure.axes[1:3]] == [3 + 1, 2 * 2 + 1]
    names = [text.get_text() for text in figure.legends[0].texts]
    assert len(names) == len(set(names)) == 6


@pytest.mark.parametrize("classes", [10, 12])
def test_every_class_has_a_colour(classes):
    figure = CURVATURE_FIGURES["reduction_embedding"](tables_of(1, classes=classes))
    points = figure.axes[0].collections[0]
    figure.canvas.draw()
    assert len(np.unique(points.get_facecolors(), axis=0)) == classes
    assert figure.axes[-1].get_ylabel() == "true class"
