"""The figures of synthetic data are drawn, without a warning, of any study."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.style import LeftOut
from hyperribbon.studies.parts import figure_function
from hyperribbon.studies.synthetic.part import PART

SYNTHETIC_FIGURES = {
    name: figure_function(name) for figure in PART.figures for name in figure.drawn()
}

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("style")]


def table(values, **columns):
    """All combinations of some values, with columns that are functions of their number."""
    rows = pd.DataFrame(itertools.product(*values.values()), columns=list(values))
    return rows.assign(**{name: of(len(rows)) for name, of in columns.items()})


def tables_of(decays, corners=(1, 2), networks=("A", "B"), time_like=3):
    rng = np.random.default_rng(0)
    places = {f"pc{k}": lambda n: rng.normal(size=n) for k in (1, 2, 3)}
    split, curve = {"split": ["train", "test"]}, {"alpha": [0.0, 0.5, 1.0]}
    run = {"network": networks, "optimiser": ["SGD"], "batch_size": [20], "seed": [0, 1]}
    stress = {"explained_stress": lambda n: np.linspace(0.5, 1, n),
              "low": lambda n: np.linspace(0.4, 1, n), "high": lambda n: np.ones(n)}  # fmt: skip
    dimensions = {"dimension": range(1, 5)}

    def kinds(found):
        like = np.where(found["dimension"] == time_like, "time-like", "space-like")
        return found.assign(kind=like)

    of = {"decay": decays}
    from_corners = {"optimiser": ["SGD"], "seed": [0, 1], "corner": corners}
    separated = {"factor": ["network", "optimiser", "batch_size"], "checkpoint": range(3)}
    values = lambda n: rng.uniform(0.1, 1, n)  # noqa: E731
    drawn = table(
        of | {"index": range(1, 9)},
        eigenvalue=values,
        variance=lambda n: np.geomspace(9, 1e-60, n),
    )
    images = table({"data": ["digits"], "index": range(1, 99)}, eigenvalue=values)
    return {
        "synthetic_spectra": pd.concat([drawn.assign(data="synthetic"), images]),
        "synthetic_student_spectra": table(
            of | {"matrix": ["input", "fisher"], "part": [""], "index": range(1, 9)},
            eigenvalue=values, student_width=lambda n: np.full(n, 200),
        ),
        "synthetic_student_reduction": table(
            of | {"student_width": [10], "seed": [0, 1], "fraction": [0.1, 0.5, 1.0]},
            test_error=values,
        ),
        "synthetic_student_critical": table(
            of | {"student_width": [10], "seed": [0, 1]},
            critical_fraction=values, stiff_fraction=values,
        ),
        "synthetic_stress": kinds(table(of | split | dimensions, **stress)),
        "synthetic_embedding": table(of | split | run | {"checkpoint": range(3)}, **places),
        "synthetic_geodesic": table(of | split | curve, **places),
        "synthetic_separation": table(
            of | split | separated, between=values, within=lambda n: values(n) * (len(networks) > 1)
        ),
        "synthetic_corners_stress": kinds(
            table(of | {"corners": sorted({1, len(corners)})} | dimensions, **stress)
        ),
        "synthetic_corner_embedding": table(of | from_corners | {"checkpoint": range(3)}, **places),
        "synthetic_corner_geodesic": table(of | curve, **places),
        "synthetic_slices": table(
            of | {"corners": sorted({1, len(corners)}), "when": ["start", "0.5% of training"],
                  "index": range(1, 7)},
            eigenvalue=lambda n: rng.normal(size=n),
        ),
        "synthetic_students": table(
            of | {"teacher_width": [20, 50], "student_width": [10, 500], "seed": [0, 1]},
            test_error=values, train_error=lambda n: np.arange(n) % 2 / 10,
        ),
    }  # fmt: skip


def words(figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(plt.Text))


@pytest.mark.parametrize("name", SYNTHETIC_FIGURES)
@pytest.mark.parametrize(
    "study",
    [
        {"decays": [0.001, 0.5]},
        pytest.param(
            {"decays": [0.5], "corners": (1,), "networks": ("A",)}, marks=pytest.mark.slow
        ),
        {"decays": [0.001, 0.01, 0.1, 0.5, 1.0], "corners": tuple(range(1, 13))},
    ],
)
def test_every_study_has_every_figure(name, study, assert_legible):
    if name == "synthetic_separation" and len(study.get("networks", "AB")) == 1:
        with pytest.raises(LeftOut, match="only one configuration"):
            SYNTHETIC_FIGURES[name](tables_of(**study))
        return
    figure = SYNTHETIC_FIGURES[name](tables_of(**study))
    assert_legible(figure)
    assert figure.axes
    assert words(figure)


@pytest.mark.parametrize("name", ["synthetic_embedding", "synthetic_corner_embedding"])
def test_axes_that_are_time_like_say_so(name):
    for k in (1, 2, 3):
        figure = SYNTHETIC_FIGURES[name](tables_of([0.5], time_like=k))
        found = [getattr(figure.axes[0], f"get_{axis}label")() for axis in "xyz"]
        assert [label.endswith("(time-like)") for label in found] == [k == n for n in (1, 2, 3)]


def test_students_that_are_too_large_are_not_reduced():
    none = {name: tables_of([0.5])[name][:0]
            for name in ("synthetic_student_reduction", "synthetic_student_critical")}  # fmt: skip
    with pytest.raises(LeftOut, match="small enough"):
        SYNTHETIC_FIGURES["synthetic_student_reduction"](none)


def test_students_that_do_not_interpolate_are_hollow():
    figure = SYNTHETIC_FIGURES["synthetic_students"](tables_of([0.001, 0.5]))
    faces = {line.get_markerfacecolor() for line in figure.axes[0].lines if len(line.get_xdata())}
    assert "white" in faces
    assert "does not interpolate" in words(figure)


def test_of_images_as_many_eigenvalues_are_drawn_as_inputs_have():
    tables = tables_of([0.001, 0.5])
    (line,) = [
        line
        for line in SYNTHETIC_FIGURES["synthetic_spectra"](tables).axes[0].lines
        if line.get_label() == "digits"
    ]
    assert line.get_xdata().tolist() == list(range(1, 9))
    alone = tables["synthetic_spectra"].query("data == 'synthetic'")
    figure = SYNTHETIC_FIGURES["synthetic_spectra"]({"synthetic_spectra": alone})
    assert "digits" not in words(figure)


def test_spectra_of_students_are_shown_for_four_decays_at_most():
    decays = [0.001, 0.01, 0.1, 0.5, 1.0, 2.0]
    figure = SYNTHETIC_FIGURES["synthetic_student_spectra"](tables_of(decays))
    assert len(figure.axes) == 4
    assert "c = 0.001," in words(figure)
    assert "c = 2," in words(figure)
    diverged = {"synthetic_student_spectra": tables_of([0.5])["synthetic_student_spectra"][:0]}
    with pytest.raises(LeftOut, match="diverged"):
        SYNTHETIC_FIGURES["synthetic_student_spectra"](diverged)
