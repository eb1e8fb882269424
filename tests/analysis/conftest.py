"""Small families of trainings, as arrays and as recordings; a cache of their own."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hyperribbon.analysis.apart import Apart
from hyperribbon.analysis.explorer import SetsApart
from hyperribbon.probability import geodesic, ignorance, truth
from hyperribbon.recording.predictions import record_predictions

LABELS = {"train": np.arange(24) % 3, "test": np.arange(12) % 3}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """The folder of what is kept between two studies of the same stores."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "hyperribbon" / "analysis"


@pytest.fixture(scope="session")
def predictions():
    """Two trainings of six checkpoints, by split and name."""
    rng = np.random.default_rng(0)
    found: dict = {}
    for split, labels in LABELS.items():
        line = geodesic(ignorance(len(labels), 3), truth(labels, 3), np.linspace(0.02, 0.95, 6))
        noise = rng.dirichlet(np.ones(3), size=(2, 6, len(labels)))
        one, other = (0.8 * line + 0.2 * noise).astype(np.float32)
        found[split] = {"Net": one, "Other": other[:5]}
    return found


@pytest.fixture
def runs(predictions, tmp_path) -> Path:
    """A folder of recordings of these trainings."""
    for name, P in predictions["train"].items():
        record_predictions(
            tmp_path / "runs" / f"{name}.zarr",
            P,
            LABELS["train"],
            network=name,
            test_predictions=predictions["test"][name],
            test_labels=LABELS["test"],
        )
    return tmp_path / "runs"


@pytest.fixture(scope="session")
def tables():
    """Two trainings of five checkpoints; no number is there twice."""
    who = pd.DataFrame({"configuration": ["A-1", "B-2"], "network": ["A", "B</script>"]})
    who = who.assign(optimiser="SGD", augmentation="none", seed=[0, 1])
    models = pd.DataFrame({"split": ["train", "test"]}).merge(who, how="cross")
    models = models.merge(pd.DataFrame({"checkpoint": range(5)}), how="cross")
    models["step"] = models["epoch"] = models["checkpoint"]
    values = ["loss", "error", "progress", "distance_to_truth", "pc1", "pc2", "pc3"]
    models[values] = np.random.default_rng(0).random((20, 7)).round(5) + 1
    models.loc[0, "distance_to_truth"] = np.nan
    ends = pd.DataFrame({"alpha": [0.0, 1.0], "pc1": 0.0, "pc2": 0.1, "pc3": 0.2})
    stress = pd.DataFrame({"dimension": [1, 2, 3], "explained_stress": [0.7, 0.8, 0.9]})
    stress["kind"] = ["space-like", "time-like", "space-like"]
    split = models[["split"]].drop_duplicates()
    return {
        "models": models,
        "geodesic": split.merge(ends, how="cross"),
        "explained_stress": split.merge(stress, how="cross"),
    }


@pytest.fixture(scope="session")
def apart_of():
    """Function making up samples that set apart the ten models of each split of `tables`."""

    def make(images=None) -> dict[str, SetsApart]:
        rng = np.random.default_rng(1)
        apart = Apart(
            rng.integers(0, 6, (10, 2)),
            rng.integers(0, 3, (10, 2)),
            rng.random((10, 2)),
            rng.random(10),
        )
        labels = np.arange(6) % 3
        return {s: SetsApart(apart, labels, ["a", "<i>b", "c"], images) for s in ("train", "test")}

    return make
