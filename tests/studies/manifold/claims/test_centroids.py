"""Errors of networks and ensembles: which rows count."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere
from hyperribbon.studies.manifold.claims import centroids as claims

ERRORS = {
    "single network": 0.3, "arithmetic": 0.25, "sqrt_arithmetic": 0.22, "geometric": 0.21,
    "harmonic": 0.19, "bhattacharyya": 0.24, "jeffreys": 0.2,
}  # fmt: skip


def tables():
    configurations = pd.DataFrame([
        {
            "configuration": f"{network}-{optimiser}", "network": network, "architecture": "allcnn",
            "parameters": parameters, "optimiser": optimiser, "algorithm": "sgd", "batch_size": 10,
            "weight_decay": 0.0, "augmentation": "none",
        }
        for network, parameters in (("AllCNN", claims.ALLCNN), ("Other", 10))
        for optimiser in ("SGD", "SGD-Nesterov")
    ])  # fmt: skip
    rows = [
        {"split": "test", "configuration": c, "kind": kind, "checkpoint": k, "seeds": 3,
         "error": error + (k == 0) + 0.1 * c.startswith("Other"), "progress": 1 - error}
        for c in configurations["configuration"] for kind, error in ERRORS.items() for k in (0, 1)
    ]  # fmt: skip
    return {"configurations": configurations, "ensembles": pd.DataFrame(rows)}


def test_of_ensembles_the_last_checkpoint_counts():
    found = tables()
    assert claims.worst_is("arithmetic")(found).value == pytest.approx(1)
    assert claims.worst_is("harmonic")(found).value == pytest.approx(-6)
    similar = claims.centroid_less("arithmetic", "bhattacharyya", "error", 100)(found)
    assert similar.value == pytest.approx(1)
    better = claims.centroid_less("harmonic", claims.SINGLE, "progress", 1)(found)
    assert better.value == pytest.approx(0.11)


def test_the_published_ensemble_is_of_one_network():
    found = tables()
    assert claims.error_of("harmonic")(found).value == pytest.approx(19)
    found["configurations"]["parameters"] = 10
    with pytest.raises(NotHere, match="399,486"):
        claims.error_of("harmonic")(found)
    found["ensembles"] = found["ensembles"][:0]
    with pytest.raises(NotHere, match="one seed"):
        claims.worst_is("harmonic")(found)


def test_quartiles_are_of_networks_with_as_many_parameters():
    found = tables()
    ends = pd.DataFrame({"configuration": ["AllCNN-SGD"] * 5 + ["Other-SGD"], "seed": range(6)})
    errors = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.9])
    found["trajectories"] = ends.assign(split="test", final_error=errors)
    for upper, value in ((False, 10), (True, 30)):
        ours = claims.quartile("AllCNN", "test", claims.ALLCNN, upper)(found)
        assert ours.value == pytest.approx(value) and ours.low <= value <= ours.high
    with pytest.raises(NotHere, match="7 parameters, like ViT"):
        claims.quartile("ViT", "test", 7, True)(found)


def test_centroids_are_as_far_out_as_the_nearest_model():
    kinds = [name for name in ERRORS if name != claims.SINGLE]
    far = {"arithmetic": 3.0, "harmonic": 2.0}
    points = pd.DataFrame({"kind": kinds, "pc1": 0.0, "pc2": [far.get(k, 0.5) for k in kinds]})
    points = points.assign(split="train", configuration="a", pc3=0.0)
    models = pd.DataFrame({"split": "train", "configuration": ["a", "b"], "pc1": 0.0,
                           "pc2": [0.0, 3.0], "pc3": 0.0})  # fmt: skip
    ours = claims.outside({"ensemble_embedding": points, "models": models})
    assert ours.value == pytest.approx(1.5) and ours.drawn.startswith("no interval")
