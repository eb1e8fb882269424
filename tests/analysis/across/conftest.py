"""Families of trainings on samples of one made-up source."""

import json

import numpy as np
import pytest

from hyperribbon.analysis.study import Study
from hyperribbon.probability import geodesic, ignorance, truth
from hyperribbon.storage.shared_samples import Samples
from hyperribbon.storage.tables import TRAINING_KEYS

SOURCE = np.arange(400) % 3  # labels of the source


class MadeModels:
    """Models of arrays that also say of which source their samples are."""

    def __init__(self, arrays, data, index):
        self._arrays, self._data, self._index = arrays, data, index
        for name in ("splits", "table", "trainings", "configurations", "n_classes", "inputs"):
            setattr(self, name, getattr(arrays, name))

    def __len__(self):
        return len(self._arrays)

    def __getattr__(self, name):
        return getattr(self._arrays, name)

    def known_samples(self, split):
        known = self._arrays.known_samples(split)
        return Samples(known.n_classes, known.labels, self._data, self._index[split])


@pytest.fixture(scope="session")
def make_study():
    """Function that makes a study of two trainings, on positions of the source by split."""

    def make(index, *, steps=6, seed=0, name="made", networks=("Net", "Other"), **data) -> Study:
        rng = np.random.default_rng(seed)
        predictions: dict = {}
        for split, places in index.items():
            labels = SOURCE[places]
            n = len(labels)
            line = geodesic(ignorance(n, 3), truth(labels, 3), np.linspace(0.02, 0.95, steps))
            # What a sample is like does not depend on which others there are.
            noise = rng.dirichlet(np.ones(3), size=(len(networks), steps, 400))[:, :, places]
            both = (0.8 * line + 0.2 * noise).astype(np.float32)
            predictions[split] = dict(zip(networks, both, strict=True))
        arrays = Study.from_arrays(
            predictions["train"],
            SOURCE[index["train"]],
            test_predictions=predictions.get("test"),
            test_labels=SOURCE[index["test"]] if "test" in index else None,
        )
        section = {"name": "made", "train_size": len(index["train"]), "image_size": 8, **data}
        models = MadeModels(
            arrays.geometry().models, json.loads(json.dumps(section)),
            {split: np.asarray(places) for split, places in index.items()},
        )  # fmt: skip
        assert set(TRAINING_KEYS) <= set(models.table)
        return Study(models, name)

    return make
