"""Rates of progress, and progress beside the error: what is put in is what is measured."""

import itertools

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere
from hyperribbon.studies.manifold.claims import rates as claims

NETWORKS = {"AllCNN": "allcnn", "Small": "wide_resnet", "Large": "wide_resnet"}
OPTIMISERS = {
    "SGD": ("sgd", 0.0), "SGD-wd": ("sgd", 0.1), "SGD-Nesterov": ("sgd", 0.0),
    "Adam": ("adam", 0.0),
}  # fmt: skip
AHEAD = {"AllCNN": 0.0, "Small": 0.1, "Large": 0.3}


def tables(noise=0.0, seeds=3):
    """Progress is 0.6 of the way, ahead by network; the error is what is left of it."""
    rng = np.random.default_rng(0)
    configurations = pd.DataFrame([
        {
            "configuration": f"{network}-{optimiser}", "network": network,
            "architecture": architecture, "parameters": 100 * (1 + (network == "Large")),
            "optimiser": optimiser, "algorithm": algorithm, "batch_size": 10,
            "weight_decay": decay, "augmentation": "none",
        }
        for (network, architecture), (optimiser, (algorithm, decay)) in
        itertools.product(NETWORKS.items(), OPTIMISERS.items())
    ])  # fmt: skip
    names = ["configuration", "network", "optimiser", "augmentation"]
    models = configurations[names]
    for more in ({"seed": range(seeds)}, {"step": range(7)}, {"split": ["train", "test"]}):
        models = models.merge(pd.DataFrame(more), how="cross")
    part = models["step"] / 6
    models["progress"] = part * (0.6 + models["network"].map(AHEAD))
    models["progress"] += noise * rng.standard_normal(len(models))
    models = models.assign(epoch=models["step"], error=1 - part, stage="direct")
    ends = models[models["step"] == 6]
    ends = ends.assign(final_progress=ends["progress"], final_error=ends["error"])
    return {"configurations": configurations, "models": models, "trajectories": ends}


def test_the_larger_network_is_ahead_with_every_algorithm():
    found = tables()
    assert claims.larger_in_the_end(found).value == pytest.approx(0.2)
    ours = claims.larger_with_any_algorithm(found)
    assert ours.value == pytest.approx(0.2 * 3.5 / 6)  # mean over steps 1 to 6
    models = found["models"]
    slow = models["configuration"] == "Large-Adam"
    models.loc[slow, "progress"] -= 0.5 * models.loc[slow, "step"] / 6
    worse = claims.larger_with_any_algorithm(found)
    assert worse.value == pytest.approx(-0.3 * 3.5 / 6) and "adam" in worse.note
    with pytest.raises(NotHere, match="two sizes"):
        claims.larger_in_the_end(
            {**found, "configurations": found["configurations"].assign(parameters=1)}
        )


def test_ends_are_compared_in_pairs_that_are_alike_otherwise():
    found = tables()
    ends = found["trajectories"]
    apart = pd.Series(0.001 * (pd.factorize(ends["network"])[0] - 1), ends.index)
    ends.loc[ends["optimiser"] == "SGD-wd", "final_progress"] -= 0.1 + apart
    ends.loc[ends["optimiser"] == "SGD-Nesterov", "final_progress"] += 0.02
    ours = claims.weight_decay_in_the_end("train")(found)
    assert ours.value == pytest.approx(-0.1) and ours.high < 0
    assert claims.nesterov_in_the_end(found).value == pytest.approx(0.02 + 0.1 / 3)
    ends.loc[ends["optimiser"] == "Adam", "final_error"] += 0.2
    assert claims.adam_errs_more(found).value == pytest.approx(0.2)
    assert claims.final_progress(found).value == pytest.approx(
        ends["final_progress"][ends["split"] == "train"].mean()
    )


def test_progress_without_train_error():
    found = tables()
    ours = claims.fits_without_progress(found)
    assert ours.value == pytest.approx(0.6 - (3 * 0.6 + 4 * 0.7 + 4 * 0.9) / 11)
    found["trajectories"]["final_error"] = 0.2
    with pytest.raises(NotHere, match="without train error"):
        claims.fits_without_progress(found)


def test_at_low_error_networks_lie_beside_the_line_through_all():
    found = tables()
    own = claims.progress_at_low_error("test", "AllCNN")(found)
    assert own.value == pytest.approx(-0.2 * 11 / 12)  # at errors of 0 and 1/6
    assert claims.progress_at_low_error("test")(found).value == pytest.approx(0.25 * 11 / 12)
    # Networks diverge with progress, so they differ less at high error.
    assert claims.alike_at_high_error(found).value < -0.1
    with pytest.raises(NotHere, match="LeNet"):
        claims.progress_at_low_error("train", "LeNet")(found)


def test_seeds_against_configurations():
    assert claims.spread_of_seeds(tables(noise=0.001)).high < 0.1
    assert claims.spread_of_seeds(tables(noise=1.0)).value > 0.5
    with pytest.raises(NotHere, match="two seeds"):
        claims.spread_of_seeds(tables(seeds=1))
