"""The step trajectory_space, as its rule runs it."""

import os

import numpy as np
import pandas as pd

from hyperribbon.store import open_dataset

ENVIRONMENT = dict(os.environ)


def run(study, *manifests):
    """The three tables of a study."""
    tables, out = study.root / "tables", {"progress": [], "trajectories": []}
    for split in ("train", "test"):
        common = ["--predictions", *manifests, "--split", split, "--threads", 2, "--code", 1]
        for step, options in (("progress", []), ("trajectories", ["--points", 7])):
            (study.root / step).mkdir(exist_ok=True)
            out[step].append(study.root / step / f"{split}.json")
            if step == "trajectories":
                options += ["--progress", out["progress"][-1]]
            output = ["--output", out[step][-1].with_suffix(".zarr")]
            done = study.step(step, *common, *options, *output, **ENVIRONMENT)
            assert done.returncode == 0, done.stderr
    tables.mkdir(exist_ok=True)
    options = ["--predictions", *manifests, "--trajectories", *out["trajectories"]]
    options += ["--permutations", 3, "--threads", 1, "--output", tables]
    done = study.step("trajectory_space", *options, **ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return {path.stem: pd.read_csv(path) for path in tables.glob("*.csv")}


def test_trajectories_are_points_and_what_cannot_be_tested_has_no_rows(study):
    found = run(study, study.train("a", seeds=3), study.train("b", seeds=3, diverged=(1,)))
    points, stress = found["trajectory_embedding"], found["trajectory_stress"]
    assert points["configuration"].tolist() == ["a", "a", "a", "b", "b"] * 2
    assert points["seed"].tolist() == [0, 1, 2, 0, 2] * 2
    assert points["split"].tolist() == ["train"] * 5 + ["test"] * 5
    assert stress.groupby("split")["explained_stress"].last().to_numpy().round(9).tolist() == [1, 1]
    # All coordinates but the last give the distances; here the first three most of them.
    D = open_dataset(study.root / "trajectories" / "train.zarr")["distance"].values
    X = points.query("split == 'train'")[["pc1", "pc2", "pc3"]].to_numpy()
    shown = ((X[:, None] - X) ** 2).sum(axis=-1)
    assert np.corrcoef(shown.ravel(), D.ravel())[0, 1] > 0.9
    assert found["importance"].empty  # one optimiser a network
    assert "p_value" in found["importance"]


def test_one_training_has_tables_without_rows(study):
    for table in run(study, study.train("a", seeds=1)).values():
        assert table.empty
        assert "split" in table
