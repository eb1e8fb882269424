"""Tables of a made-up study, predictions, and figures that are closed at the end."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import hyperribbon as hr
import hyperribbon.plot

from ..studies.made_tables import made, make_tables

__all__ = ["made", "make_tables"]  # fixtures


@pytest.fixture(autouse=True)
def nothing_is_left():
    """No figure stays open, and settings of matplotlib are as they were."""
    plt.close("all")  # what a doctest before it left open
    with mpl.rc_context():
        mpl.rcdefaults()
        before = dict(plt.rcParams)
        yield
        plt.close("all")
        assert dict(plt.rcParams) == before


class Study:
    """Anything with tables is a study."""

    def __init__(self, tables):
        self.tables = tables


@pytest.fixture
def tables(make_tables):
    return make_tables()


@pytest.fixture(params=["study", "tables"])
def data(request, tables):
    """A study, or its tables."""
    return Study(tables) if request.param == "study" else tables


@pytest.fixture(scope="session")
def labels():
    return np.arange(24) % 3


@pytest.fixture(scope="session")
def trainings(labels):
    """Two trainings of six checkpoints (S, K, N, C), towards the truth."""
    rng = np.random.default_rng(0)
    start, end = rng.dirichlet(np.full(3, 5.0), size=(2, 24)), hr.truth(labels, 3)
    return np.stack([hr.geodesic(p, end, np.linspace(0, 0.8, 6)) for p in start])


@pytest.fixture
def words():
    """Function that returns the texts of the legends of a figure."""

    def of(figure) -> list[str]:
        legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
        return [text.get_text() for legend in legends if legend for text in legend.get_texts()]

    return of


@pytest.fixture
def points():
    """Function that returns the points (m, 2) or (m, 3) that Axes show, of all models."""

    def of(axes) -> np.ndarray:
        if axes.name == "3d":
            shown = [np.column_stack(found._offsets3d) for found in axes.collections]
            return np.concatenate([p for p in shown if len(p) > 1 or len(shown) == 1])
        return np.concatenate([np.asarray(found.get_offsets()) for found in axes.collections])

    return of
