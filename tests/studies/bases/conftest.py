"""Tables of the part's steps, from a few recordings."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.probability import ignorance, truth
from hyperribbon.recording.predictions import record_predictions
from hyperribbon.storage.locks import locked
from hyperribbon.storage.manifest import manifest_path
from hyperribbon.studies.bases import model_bases, sample_bases, tangent_bases
from hyperribbon.studies.bases.config import BasesConfig
from hyperribbon.studies.bases.part import PART

SECTION = BasesConfig(models=(2, 3), samples=(4, 8), checkpoints=4, draws=2)
N, C = 24, 3


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """Manifests of four trainings of two networks."""
    folder = tmp_path_factory.mktemp("recorded")
    rng = np.random.default_rng(0)
    labels = np.arange(N) % C
    start, end = ignorance(N, C), truth(labels, C)
    manifests = []
    for network in ("A", "B"):
        for seed in (0, 1):
            noise = rng.dirichlet(np.ones(C), size=N)
            along = np.linspace(0.1, 0.98, 6)[:, None, None]
            P = (1 - along) * start + along * (0.9 * end + 0.1 * noise)
            path = folder / f"{network}{seed}.zarr"
            record_predictions(
                path, P, labels, test_predictions=P[:, ::2], test_labels=labels[::2],
                network=network, seed=seed, steps=range(6),
            )  # fmt: skip
            manifests.append(manifest_path(path))
    return manifests


@pytest.fixture(scope="session")
def section():
    return SECTION


@pytest.fixture(scope="session")
def tables(recorded, common):
    """All tables of the part but those of trained networks, by name.

    They are the same for all processes that run tests at once: the first to need them makes them.
    """
    folder, found = common / "tables_of_bases", {}
    with locked(folder), pytest.MonkeyPatch.context() as patched:
        patched.setattr(sample_bases, "BOOTSTRAP", 20)  # no test asks how wide an interval is
        modules = model_bases, sample_bases, tangent_bases
        for module, step in zip(modules, PART.steps, strict=False):
            paths = [folder / f"{name}.csv" for name in step.tables]
            if not all(path.exists() for path in paths):
                module.main(predictions=recorded, bases=SECTION, threads=1, output=tuple(paths))
            found |= {path.stem: pd.read_csv(path) for path in paths}
    return found
