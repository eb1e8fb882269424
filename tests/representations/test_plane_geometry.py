"""Maps and magnification in the plane, against what is measured directly."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr

from hyperribbon.representations.plane_geometry import (
    EIGENVALUES,
    STATISTICS,
    Variant,
    magnification_means,
    plane_tables,
    spaced_moments,
    square,
)
from hyperribbon.representations.plane_tasks import train_stacked, xor

VARIANT = Variant("standard", "nothing", (12,), "tanh", 1e-4)
SETTINGS = {"moments": [0, 30, 200], "learning_rate": 0.05, "momentum": 0.9}


@pytest.fixture(scope="module")
def tables():
    return plane_tables(xor(), VARIANT, seeds=2, grid=15, mapped=True, **SETTINGS)


def test_maps_are_those_of_the_network(tables):
    """Volume by the Jacobian of autograd; margins and the truth at the same points."""
    *_, last = train_stacked(xor().x, xor().labels, [12], "tanh", [0, 1], **SETTINGS)
    network, x = last.networks[0], torch.from_numpy(square(1.5, 15).points)
    J = torch.stack([torch.autograd.functional.jacobian(network.features, p[None])[0, :, 0]
                     for p in x])  # fmt: skip
    expected = torch.linalg.slogdet(J.mT @ J / 12)[1] / 2
    found = tables["plane_maps"]
    assert len(found) == 3 * 15**2
    found = found[found["epoch"] == 200]
    np.testing.assert_allclose(found["log_volume"], expected, rtol=1e-10)
    logits = network(x).detach()
    np.testing.assert_allclose(found["margin"], logits[:, 1] - logits[:, 0], rtol=1e-10)
    assert ((found["truth"] > 0) == (found["x"] * found["y"] < 0)).all()
    assert np.isfinite(found["ricci"]).all()


def test_correlations_are_those_with_the_distance_from_the_true_boundary(tables):
    """Of XOR, the distance from the nearer axis, in which many points are equal."""
    found = tables["plane_magnification"]
    row = found[(found["seed"] == 0) & (found["epoch"] == 200) & (found["boundary"] == "true")]
    last, first = (
        tables["plane_maps"].query("epoch == @epoch")["log_volume"].to_numpy() for epoch in (200, 0)
    )
    distance = np.abs(square(1.5, 15).points).min(axis=1)
    assert row["volume"].item() == pytest.approx(spearmanr(last, distance)[0], abs=0.05)
    assert row["change"].item() == pytest.approx(spearmanr(last - first, distance)[0], abs=0.05)


def test_every_training_moment_and_boundary_has_a_row(tables):
    found = tables["plane_magnification"]
    assert found.groupby(["seed", "epoch"])["boundary"].apply(set).map(len).eq(3).all()
    assert len(found) == 2 * 3 * 3
    assert found.loc[found["epoch"] == 0, "change"].isna().all()
    trained = tables["plane_trainings"]
    assert (trained["log_condition"] >= 0).all() and (trained["singular"] == 0).all()
    assert trained.query("epoch == 200")["train_accuracy"].eq(1).all()


def test_without_a_boundary_there_are_no_correlations_with_it():
    """Of this many networks at their beginning, some have none in the square."""
    found = plane_tables(
        xor(), VARIANT, seeds=12, grid=8, moments=[0], learning_rate=1.0, momentum=0.0
    )["plane_magnification"]
    own = found[found["boundary"] == "network"]
    assert 0 < own["volume"].isna().sum() < 12
    assert found.loc[found["boundary"] == "true", "volume"].notna().all()


def test_of_relu_there_is_no_curvature():
    variant = VARIANT._replace(activation="relu")
    found = plane_tables(xor(), variant, seeds=1, grid=8, mapped=True, **SETTINGS)
    assert found["plane_maps"]["ricci"].isna().all()


def test_means_are_over_seeds_that_have_a_boundary():
    rows = pd.DataFrame({"seed": range(4), "volume": [-0.5, -0.3, np.nan, -0.4]})
    rows = rows.assign(task="xor", variant="standard", varied="nothing", epoch=3,
                       boundary="network", **dict.fromkeys([*STATISTICS[1:], *EIGENVALUES], np.nan)
                       )  # fmt: skip
    found = magnification_means(rows).set_index("statistic")
    assert found.loc["volume", "mean"] == pytest.approx(-0.4)
    assert found.loc["volume", "seeds"] == 3
    half = 4.3 * 0.1 / np.sqrt(3)  # by Student's t with two degrees of freedom
    for end, expected in (("low", -0.4 - half), ("high", -0.4 + half)):
        assert found.loc["volume", end] == pytest.approx(expected, abs=0.1)
    assert found.loc["change", "seeds"] == 0 and np.isnan(found.loc["change", "mean"])


def test_moments_begin_at_0_and_end_with_the_training():
    assert spaced_moments(1, 5) == [0, 1]
    found = spaced_moments(2000, 10)
    assert found[0] == 0 and found[-1] == 2000 and len(found) == 10
