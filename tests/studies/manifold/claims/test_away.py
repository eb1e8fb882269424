"""Models away from the manifold: who they belong to, and which trainings fail."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere
from hyperribbon.studies.manifold.claims import away as claims

NETWORKS = {"AllCNN": "allcnn", "Small": "wide_resnet", "Large": "wide_resnet", "ViT": "vit"}


def tables(seeds=4):
    """Adam's models are away at epochs 8 and 9, those of large batches of SGD at epoch 1."""
    configurations = pd.DataFrame([
        {
            "configuration": f"{network}-{algorithm}-{batch}", "network": network,
            "architecture": architecture, "parameters": 100 * (1 + (network == "Large")),
            "optimiser": f"{algorithm}-{batch}", "algorithm": algorithm, "batch_size": batch,
            "weight_decay": 0.0, "augmentation": "none",
        }
        for network, architecture in NETWORKS.items()
        for algorithm, batch in (("sgd", 200), ("sgd", 500), ("adam", 200))
    ])  # fmt: skip
    models = configurations[["configuration", "network", "optimiser"]]
    for more in ({"seed": range(seeds)}, {"epoch": range(10)}, {"split": ["train", "test"]}):
        models = models.merge(pd.DataFrame(more), how="cross")
    about = configurations.set_index("configuration").loc[models["configuration"]]
    adam, large = (about["algorithm"] == "adam").to_numpy(), (about["batch_size"] == 500).to_numpy()
    epoch = models["epoch"]
    models["away"] = (adam & (epoch >= 8)) | (large & (epoch == 1))
    models = models.assign(checkpoint=epoch, step=epoch, stage="direct", error=0.5)
    ends = models[epoch == 9].assign(final_error=np.where(large[epoch == 9], 0.0, 0.3))
    return {
        "configurations": configurations, "models": models, "trajectories": ends,
        "diverged": pd.DataFrame(columns=["configuration", "network", "seed"]),
    }  # fmt: skip


def test_shares_of_those_that_are_away():
    found = tables()
    assert claims.by_adam(found).value == pytest.approx(2 / 3)
    assert claims.by_adam_of_some(found).value == pytest.approx(2 / 3)
    assert claims.by_large_batches(found).value == pytest.approx(1 / 3)
    assert claims.adam_is_later(found).value == pytest.approx(7.5)
    # Half of the trainings with models away are by large batches, and these fit.
    ours = claims.fitted_in_the_end(found)
    assert ours.value == pytest.approx(0.5) and "16 of 32 trainings" in ours.note
    assert claims.away_on_both(found).value == 1
    models = found["models"]
    models.loc[(models["split"] == "train") & (models["epoch"] == 8), "away"] = False
    assert claims.away_on_both(found).value == pytest.approx(2 / 3)


def test_models_with_the_error_of_ignorance():
    found = tables()
    models = found["models"]
    bad = models["away"] & (models["configuration"] == "ViT-adam-200") & (models["seed"] < 3)
    models.loc[bad | (models["step"] == 0), "error"] = 0.9  # those at the start are not away
    assert claims.as_ignorant(found).value == pytest.approx(6 / 480)
    with pytest.raises(NotHere, match="five trainings"):
        claims.concentrated(found)
    models.loc[models["away"], "error"] = 0.9
    # Of 32 trainings, 13 of the 16 with two models each, of 48.
    assert claims.concentrated(found).value == pytest.approx(26 / 48)


def test_failures_are_diverged_or_as_bad_as_ignorance():
    found = tables()
    with pytest.raises(NotHere, match="no training failed"):
        claims.failing_networks(found)
    ends = found["trajectories"]
    ends.loc[ends["configuration"] == "Large-sgd-200", "final_error"] = 0.9
    gone = {"configuration": ["ViT-sgd-200"] * 2, "network": ["ViT"] * 2, "seed": [8, 9]}
    found["diverged"] = pd.DataFrame(gone)
    assert claims.failing(found).value == pytest.approx(6 / 50)
    assert claims.failing_networks(found).value == pytest.approx(6 / 26)


def test_accurate_models():
    found = tables()
    with pytest.raises(NotHere, match="below 10%"):
        claims.accurate_to_truth(found)
    models = found["models"]
    good = models["network"].isin(["Large", "ViT"]) & (models["epoch"] > 7)
    models.loc[good, "error"] = 0.05
    models["distance_to_truth"] = models["epoch"] / 10
    assert claims.accurate_networks(found).value == pytest.approx(0.5)
    ours = claims.accurate_to_truth(found)
    assert ours.value == pytest.approx(0.9) and "largest is 0.9" in ours.note


def test_what_a_study_lacks_is_said():
    found = tables()
    found["models"] = found["models"].assign(away=False)
    for measure in (claims.by_adam, claims.by_large_batches, claims.adam_is_later):
        with pytest.raises(NotHere, match="no model is away"):
            measure(found)
    found = tables()
    found["configurations"]["batch_size"] = 100
    with pytest.raises(NotHere, match="at least 500"):
        claims.by_large_batches(found)
    found["configurations"]["algorithm"] = "adam"
    with pytest.raises(NotHere, match="by SGD"):
        claims.by_adam(found)
