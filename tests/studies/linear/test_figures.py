"""The figures of linear regression are drawn, without a warning, of any study."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex

from hyperribbon.linear import phase_diagram
from hyperribbon.linear.experiments import run_experiment, sloppy_experiment
from hyperribbon.linear.spectra import chapter_spectra, variant_spectra
from hyperribbon.plot.phase import BOUNDARIES, grid
from hyperribbon.studies.linear.part import PART
from hyperribbon.studies.parts import figure_function

LINEAR_FIGURES = {name: figure_function(name) for figure in PART.figures for name in figure.drawn()}

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("style")]


def diagram(slopes, steps, ratios, n=12):
    found = phase_diagram(slopes, steps, ratios, n=n, draws=2)
    return {"linear_phase": found.to_dataframe().reset_index()}


@pytest.fixture(scope="module")
def tables():
    of_variants, variants = variant_spectra(12, 0.95, 0)
    options = {"networks": [[4]], "models": 2, "steps": 4, "ratios": [1.0]}
    experiment = sloppy_experiment(12, 5, 0.3, 0)
    trained = [run_experiment(name, experiment, **options) for name in ("digits", "sloppy")]
    return {
        **diagram([0.05, 0.3, 1.0], [1, 10, 1000], [0.1, 1.0, 10.0], n=40),
        "linear_spectra": pd.concat([chapter_spectra(12, 0), of_variants]),
        "linear_variants": variants,
        **{name: pd.concat([part[name] for part in trained]) for name in trained[0]},
    }


@pytest.mark.parametrize("name", LINEAR_FIGURES)
def test_every_figure_is_drawn(name, tables, assert_legible):
    assert_legible(LINEAR_FIGURES[name](tables))


def test_the_smallest_diagram_is_drawn():
    found = LINEAR_FIGURES["linear_phase"](diagram([0.1, 1.0], [1, 10], [1.0, 2.0]))
    found.draw_without_rendering()
    titles = [axes.get_title(loc="left") for axes in found.axes]
    assert [title[:3] for title in titles if title] == ["(a)", "(b)", "(c)", "(d)", "(e)", "(f)"]


def test_every_cell_is_around_its_length_of_training():
    """On a scale of powers: the edge between 1 and 10,000 is 100."""
    table = diagram([0.1, 1.0], [1, 10**4, 10**8], [1.0, 2.0])
    axes = LINEAR_FIGURES["linear_phase"](table).axes[0]
    edges = axes.collections[0].get_coordinates()[:, 0, 1]
    np.testing.assert_allclose(edges, [-2, 2, 6, 10])
    assert axes.get_yscale() == "linear"


def test_more_kinds_of_models_than_colours_are_drawn(tables):
    one = tables["linear_experiments"]
    one = one[one["model"] != "linear"]
    many = pd.concat([one.assign(model=str(k)) for k in range(12)])
    figure = LINEAR_FIGURES["linear_experiments"]({**tables, "linear_experiments": many})
    named = [text.get_text() for text in figure.legends[0].texts]
    assert [name for name in named if name.endswith("units")] == [f"{k} units" for k in range(12)]


def test_a_table_in_any_order_is_the_same_grid(tables):
    table = tables["linear_phase"]
    one, other = grid(table), grid(table.sample(frac=1, random_state=0))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    row = table.iloc[7]
    ratios, slopes, steps, dimension = one
    place = np.searchsorted(ratios, row["ratio"]), np.searchsorted(slopes, row["slope"])
    assert dimension[(*place, np.searchsorted(steps, row["steps"]))] == row["dimension"]


def test_lines_of_a_spectrum_are_those_of_the_table(tables):
    figure = LINEAR_FIGURES["linear_initialisation"](tables)
    rows = tables["linear_spectra"]
    rows = rows[rows["figure"] == "5.1"]
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata())]
    assert len(lines) == 2 * rows["steps"].nunique()
    np.testing.assert_array_equal(
        lines[0].get_ydata(), rows[rows["steps"] == rows["steps"].max()]["eigenvalue"]
    )
    assert list(BOUNDARIES) == [3, 10, 30]
    widths = [line.get_linewidth() for line in lines[: len(lines) // 2]]
    assert widths == sorted(widths, reverse=True)  # what is drawn later hides nothing


@pytest.mark.parametrize(("name", "lines"), [("linear_bounds", 2), ("linear_models", 2)])
def test_each_length_of_training_has_a_panel(name, lines, tables):
    """In one, equal bounds and equal spectra were one on the other."""
    figure = LINEAR_FIGURES[name](tables)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert len(set(titles)) == len(titles) == {"linear_bounds": 8, "linear_models": 5}[name]
    assert all(len(axes.lines) == lines for axes in figure.axes)


def test_variants_that_are_equal_are_told_apart(tables):
    first, *others = LINEAR_FIGURES["linear_variants"](tables).axes[1].lines
    assert all(first.get_linewidth() > 2 * line.get_linewidth() for line in others)
    styles = [(line.get_color(), str(line._dash_pattern)) for line in others]
    assert len(set(styles)) == len(others)


def test_kernels_and_networks_have_one_colour_in_both_figures(tables):
    legends = {
        name: dict(
            zip(
                (text.get_text() for text in legend.texts),
                (to_hex(line.get_color()) for line in legend.legend_handles),
                strict=True,
            )
        )
        for name in ("linear_kernels", "linear_experiments")
        for legend in [LINEAR_FIGURES[name](tables).legends[0]]
    }
    kernels, networks = legends.values()
    assert kernels["linear"] == networks["linear"]
    assert kernels["tangent, 4"] == networks["4 units"]


def test_the_diagram_is_flat_and_its_panels_have_one_scale_of_colours(tables):
    """In three dimensions it was a tangle, with a label in the next panel."""
    figure = LINEAR_FIGURES["linear_phase"](tables)
    assert not any(hasattr(axes, "get_zlim") for axes in figure.axes)
    meshes = [c for axes in figure.axes[:4] for c in axes.collections if isinstance(c, QuadMesh)]
    assert len(meshes) == 4 and len({mesh.norm.vmax for mesh in meshes}) == 1
    found = tables["linear_phase"]
    across = found[found["slope"] == 0.3].pivot(index="steps", columns="ratio", values="dimension")
    np.testing.assert_array_equal(meshes[3].get_array(), across)
