"""Every figure is drawn, without a warning, of any study."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from hyperribbon.figures import FIGURES
from hyperribbon.figures.style import apply_style

DRAWN = sorted(FIGURES)
SENTENCES = {
    "away",
    "dendrogram",
    "ensemble_gain",
    "ensembles",
    "importance",
    "subset_embedding",
    "trajectory_embedding",
    "tubes",
    "tubes_by",
}

pytestmark = pytest.mark.filterwarnings("error")


def words(figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(plt.Text))


@pytest.fixture(autouse=True)
def style():
    apply_style()
    yield
    plt.close("all")


@pytest.mark.parametrize("name", DRAWN)
def test_an_ordinary_study(make_tables, name, tmp_path):
    figure = FIGURES[name](make_tables())
    figure.savefig(tmp_path / "figure.png", dpi=50)
    assert len(figure.axes) > 0


@pytest.mark.parametrize("name", DRAWN)
def test_one_training(make_tables, name, tmp_path):
    tables = make_tables({"ViT": "vit"}, {"Adam": ("adam", 10, 0.0)}, ("none",), seeds=1)
    figure = FIGURES[name](tables)
    figure.savefig(tmp_path / "figure.png", dpi=50)
    base = name.removesuffix("_train").removesuffix("_test")
    assert (len(figure.axes) == 0) == (base in SENTENCES), words(figure)


@pytest.mark.parametrize("name", ["dendrogram_train", "to_geodesic", "tubes", "tubes_by"])
def test_nobody_gets_anywhere(make_tables, name):
    figure = FIGURES[name](make_tables(reach=0.0))
    assert not figure.axes
    assert words(figure)


@pytest.mark.parametrize("name", ["dendrogram_test", "progress_epoch", "updates", "tubes_by"])
def test_a_grid(make_tables, name, tmp_path):
    optimisers = {
        f"{algorithm}-{batch}{'-wd' * (decay > 0)}": (algorithm, batch, decay)
        for algorithm in ("sgd", "sgd-nesterov", "adam")
        for batch in (200, 500, 1000)
        for decay in (0.0, 0.001)
    }
    figure = FIGURES[name](make_tables(optimisers=optimisers))
    figure.savefig(tmp_path / "figure.png", dpi=50)
    if name == "dendrogram_test":
        for factor in ("architecture", "algorithm", "batch size", "weight decay", "augmentation"):
            assert factor in words(figure)
        assert "Small-" not in words(figure)  # too many rows for labels


def test_sizes_of_one_architecture_have_a_panel(make_tables):
    figure = FIGURES["updates"](make_tables())
    assert [axes.get_title("left") for axes in figure.axes] == ["wide resnet"]
    assert "Large\n(200 parameters)" in words(figure)
    assert "ViT" not in words(figure)


@pytest.mark.parametrize("name", DRAWN)
def test_recordings_without_epochs(make_tables, name, tmp_path):
    tables = make_tables()
    tables |= {k: t.assign(epoch=float("nan")) for k, t in tables.items() if "epoch" in t}
    figure = FIGURES[name](tables)
    figure.savefig(tmp_path / "figure.png", dpi=50)
    if name in ("progress_epoch", "away_test"):
        assert "step" in words(figure)


@pytest.mark.parametrize("name", ["manifold_train", "spectrum_test", "joint", "metrics"])
def test_one_point_is_said_instead_of_drawn(name):
    """All that a figure of an embedding needs to know; others are not asked for."""
    stress = pd.DataFrame({"split": ["train", "test"], "explained_stress": np.nan})
    figure = FIGURES[name]({"explained_stress": stress})
    assert "they are one point" in " ".join(figure.texts[0].get_text().split())
