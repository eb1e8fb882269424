"""A study on disk: predictions stores as trainings leave them."""

import json
import subprocess

import numpy as np
import pytest
import zarr

from hyperribbon.storage.dataset import SPLITS, publish
from hyperribbon.storage.manifest import manifest_path
from hyperribbon.storage.predictions import create_predictions
from hyperribbon.studies.parts import step_module

from .made_tables import assert_legible, made, make_tables, style

__all__ = ["assert_legible", "made", "make_tables", "style"]  # fixtures

N_CLASSES = 3
LABELS = {"train": np.arange(12) % N_CLASSES, "test": np.arange(8) % N_CLASSES}


class Study:
    """Where it is, and what makes its configurations."""

    def __init__(self, root, random_models, preloaded):
        self.root, self._random_models, self._preloaded = root, random_models, preloaded

    def train(
        self,
        name: str,
        seeds: int = 2,
        steps: int = 20,
        diverged: tuple[int, ...] = (),
        network: str | None = None,
        stage: str = "direct",
        corner_labels: np.ndarray | None = None,
        steps_per_epoch: int | None = 5,
    ):
        """Write the predictions store of a configuration; its manifest."""
        path = self.root / "predictions" / f"{name}.zarr"
        path.parent.mkdir(exist_ok=True)

        def build(partial):
            create_predictions(
                partial,
                seeds=range(seeds),
                steps=range(steps),
                steps_per_epoch=steps_per_epoch,
                snapshot_steps=[0],
                layout=[("weight", (1,))],
                labels=LABELS,
                index=LABELS,
                n_classes=N_CLASSES,
                attributes={
                    "configuration": json.dumps(
                        {
                            "network_name": network or name,
                            "optimiser_name": "O",
                            "augmentation_name": "none",
                        }
                    ),
                    "stage": stage,
                    "configuration_id": name,
                    "data_sha256": "ab",
                },
                corner_labels=corner_labels,
            )
            arrays = zarr.open_group(partial, mode="r+")
            for split in SPLITS:
                n = len(LABELS[split])
                for seed in range(seeds):  # a seed's predictions do not depend on the others
                    made = self._random_models(ord(name[0]) + 1000 * seed, steps, n, N_CLASSES)
                    if seed == 0:  # this one learns
                        made = 0.1 * made + 0.9 * np.eye(N_CLASSES)[LABELS[split]]
                    mixed = np.linspace(1, 0, steps)[:, None, None]
                    made = mixed / N_CLASSES + (1 - mixed) * made
                    arrays[f"{split}_predictions"][seed] = made.astype("f4")
                arrays[f"{split}_loss"][:] = arrays[f"{split}_error"][:] = 0.5
            for seed in diverged:
                arrays["diverged_step"][seed] = 3

        publish(path, build, replace=True)
        return manifest_path(path)

    def step(self, name: str, *options, **environment) -> subprocess.CompletedProcess:
        """Run a step as its rule does."""
        return self._preloaded.run(
            step_module(name), *options, folder=self.root, environment=environment or None
        )


@pytest.fixture
def study(tmp_path, random_models, preloaded):
    return Study(tmp_path, random_models, preloaded)


@pytest.fixture(scope="module")
def module_study(tmp_path_factory, random_models, preloaded):
    """One for all tests of a module, which leave it as it is."""
    return Study(tmp_path_factory.mktemp("study"), random_models, preloaded)
