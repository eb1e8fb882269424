"""The figures of linear regression are drawn, without a warning, of any study."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.config import LinearExperimentsConfig
from hyperribbon.figures import LINEAR_FIGURES
from hyperribbon.figures.phase import BOUNDARIES, grid
from hyperribbon.linear import phase_diagram
from hyperribbon.linear.experiments import run_experiment, sloppy_experiment
from hyperribbon.linear.spectra import chapter_spectra, variant_spectra

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("style")]


def diagram(slopes, steps, ratios, n=12):
    found = phase_diagram(slopes, steps, ratios, n=n, draws=2)
    return {"linear_phase": found.to_dataframe().reset_index()}


@pytest.fixture(scope="module")
def tables():
    of_variants, variants = variant_spectra(12, 0.95, 0)
    config = LinearExperimentsConfig(networks=[[4]], models=2, steps=4, ratios=[1.0])
    experiment = sloppy_experiment(12, 5, 0.3, 0)
    trained = [run_experiment(name, experiment, config, 0.95, 0) for name in ("digits", "sloppy")]
    return {
        **diagram([0.05, 0.3, 1.0], [1, 10, 1000], [0.1, 1.0, 10.0], n=40),
        "linear_spectra": pd.concat([chapter_spectra(12, 0), of_variants]),
        "linear_variants": variants,
        **{name: pd.concat([part[name] for part in trained]) for name in trained[0]},
    }


@pytest.mark.parametrize("name", LINEAR_FIGURES)
def test_every_figure_is_drawn(name, tables, tmp_path):
    LINEAR_FIGURES[name](tables).savefig(tmp_path / "figure.png", dpi=50)


def test_the_smallest_diagram_is_drawn(tmp_path):
    found = LINEAR_FIGURES["linear_phase"](diagram([0.1, 1.0], [1, 10], [1.0, 2.0]))
    found.savefig(tmp_path / "figure.png", dpi=50)
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
    assert len(figure.legends[0].texts) == 12


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
        lines[0].get_ydata(), rows[rows["steps"] == rows["steps"].min()]["eigenvalue"]
    )
    assert list(BOUNDARIES) == [3, 10, 30]
