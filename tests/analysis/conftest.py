"""Small families of trainings, as arrays and as recordings; a cache of their own."""

from pathlib import Path

import numpy as np
import pytest

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
