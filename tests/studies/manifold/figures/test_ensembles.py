"""Pictures of ensembles from small tables."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.style import LeftOut
from hyperribbon.studies.manifold.figures.ensembles import KINDS, SINGLE, ensemble_gain, ensembles


@pytest.fixture
def tables():
    """Two configurations of two seeds and three checkpoints."""
    times = pd.DataFrame({"checkpoint": range(3), "progress": [0, 0.5, 0.9]})
    times = times.assign(error=[0.9, 0.5, 0.0], pc1=times.index, pc2=times.index, pc3=0.0)
    every = pd.DataFrame({"split": ["train", "test"]}).merge(times, how="cross")
    who = pd.DataFrame({"configuration": ["A-0", "B-0"], "network": ["A", "B"]})
    kinds = pd.DataFrame({"kind": [SINGLE, *KINDS]})
    scores = who.merge(kinds, how="cross").merge(every, how="cross")
    scores.loc[scores["kind"] == SINGLE, "error"] += 0.02
    return {
        "models": who.merge(pd.DataFrame({"seed": [0, 1]}), how="cross").merge(every, how="cross"),
        "ensembles": scores,
        "ensemble_embedding": scores[
            (scores["configuration"] == "A-0") & (scores["kind"] != SINGLE)
        ],
        "geodesic": every.assign(alpha=every["progress"]),
        "explained_stress": pd.DataFrame(
            {"split": ["train", "test"] * 2, "dimension": [1, 1, 2, 2], "kind": "space-like"}
        ),
    }


def test_seeds_in_grey_and_six_centroids(tables):
    figure = ensembles(tables, split="train")
    left, right = figure.axes
    assert right.get_ylabel() == "train error"
    assert left.get_title(loc="left") == "A, 2 seeds"
    assert len(right.lines) == 2 + 2 * len(KINDS)
    plt.close(figure)


def test_gain_is_in_percentage_points(tables):
    figure = ensemble_gain(tables)
    left, right = figure.axes
    points = np.concatenate([dots.get_offsets() for dots in left.collections])
    np.testing.assert_allclose(points[:, 0], -2)
    assert len(points) == 2 * len(KINDS)
    assert right.get_title(loc="left") == "against the arithmetic mean"
    plt.close(figure)


def test_a_study_of_single_seeds_says_so(tables):
    tables |= {name: tables[name].iloc[:0] for name in ("ensembles", "ensemble_embedding")}
    with pytest.raises(LeftOut, match="two seeds"):
        ensembles(tables, split="test")
    with pytest.raises(LeftOut, match="two seeds"):
        ensemble_gain(tables)
