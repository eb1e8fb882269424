"""The step ensembles, as its rule runs it."""

import os

import numpy as np
import pandas as pd
import pytest

from hyperribbon.manifest import store_path
from hyperribbon.models import Models
from hyperribbon.probability import centroid, progress
from hyperribbon.probability.centroids import KINDS
from hyperribbon.steps.ensembles import SINGLE, configuration_of_most_seeds
from hyperribbon.store import SPLITS, open_dataset


def run(study, step, *options):
    done = study.step(step, *options, **os.environ)
    assert done.returncode == 0, done.stderr


def ensembles(study, *predictions):
    """Both tables, after the steps before."""
    made = {"distance": [], "embedding": [], "progress": []}
    for name in made:
        (study.root / name).mkdir()
    for split in SPLITS:
        paths = {name: study.root / name / f"{split}.zarr" for name in made}
        for name, path in paths.items():
            made[name].append(path.with_suffix(".json"))
        common = ("--predictions", *predictions, "--split", split, "--threads", 2, "--code", "1")
        run(study, "distance", *common, "--geodesic-points", 3, "--memory", 1000,
            "--work", study.root / "work", "--output", paths["distance"])  # fmt: skip
        run(study, "embed", "--distance", made["distance"][-1], "--components", 4, "--code", "1",
            "--output", paths["embedding"])  # fmt: skip
        run(study, "progress", *common, "--output", paths["progress"])
    output = [study.root / f"{name}.csv" for name in ("ensembles", "ensemble_embedding")]
    stores = [word for name, paths in made.items() for word in (f"--{name}", *paths)]
    run(study, "ensembles", "--predictions", *predictions, *stores, "--threads", 2,
        "--output", *output)  # fmt: skip
    return [pd.read_csv(path) for path in output]


def test_centroids_of_seeds(study):
    predictions = [
        study.train("b"),
        study.train("c", seeds=1),
        study.train("a", seeds=4, diverged=(1,)),
    ]
    scores, places = ensembles(study, *predictions)
    models = Models([store_path(path) for path in predictions])
    assert configuration_of_most_seeds(models) == "a"
    assert set(scores["configuration"]) == {"a", "b"}
    assert scores.groupby("configuration")["seeds"].unique().to_dict() == {"a": [3], "b": [2]}
    assert len(scores) == 2 * 2 * 20 * (len(KINDS) + 1)

    labels, trajectories = models.labels("test"), list(models.trajectories("test"))
    P = np.stack([seed[7] for seed in trajectories[-3:]])
    found = scores.query("split == 'test' and configuration == 'a' and checkpoint == 7")
    found = found.set_index("kind")
    q = centroid(P, "harmonic")
    assert found.loc["harmonic", "progress"] == pytest.approx(progress(q, labels))
    assert found.loc["harmonic", "error"] == (q.argmax(axis=1) != labels).mean()
    single = found.loc[SINGLE]
    assert single["progress"] == pytest.approx(progress(P, labels).mean())
    assert (single["loss"], single["step"], single["epoch"]) == (0.5, 7, 1.4)

    # At first, all seeds of the study's are at ignorance, and so is their centroid.
    assert set(places["configuration"]) == {"a"}
    assert len(places) == 2 * 20 * len(KINDS)
    embedding = open_dataset(study.root / "embedding" / "test.zarr")["embedding"].values
    first = places.query("split == 'test' and checkpoint == 0")
    expected = np.repeat(embedding[-60, None, :3], len(KINDS), axis=0)
    np.testing.assert_allclose(first[["pc1", "pc2", "pc3"]], expected, atol=1e-5)


def test_single_seeds_are_no_ensemble(study):
    scores, places = ensembles(study, study.train("a", seeds=1), study.train("b", diverged=(0,)))
    assert list(scores)[:2] == ["split", "configuration"]
    assert list(places)[-3:] == ["pc1", "pc2", "pc3"]
    assert len(scores) == len(places) == 0


def test_among_equals_allcnn_then_the_first(study):
    def chosen(*names):
        return configuration_of_most_seeds(Models([store_path(study.train(n)) for n in names]))

    assert chosen("b", "a") == "b"
    assert chosen("b", "xAllCNN", "a") == "xAllCNN"
