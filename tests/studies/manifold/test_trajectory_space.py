"""The step trajectory_space, as its rule runs it."""

import os

import numpy as np
import pandas as pd

from hyperribbon.storage.dataset import open_dataset

ENVIRONMENT = dict(os.environ)


def run(study, *manifests):
    """The tables of a study, whose test split is for once its train split."""
    common = ["--predictions", *manifests, "--split", "train", "--threads", 2, "--code", 1]
    progress, trajectories = (study.root / f"{name}.zarr" for name in ("progress", "trajectories"))
    after = ["--progress", progress.with_suffix(".json"), "--points", 7]
    manifest, tables = trajectories.with_suffix(".json"), study.root / "tables"
    tables.mkdir()
    names = ("importance", "importance_without", "trajectory_embedding", "trajectory_stress")
    files = [tables / f"{name}.csv" for name in names]
    for step, *options in (
        ("progress", *common, "--output", progress),
        ("trajectories", *common, *after, "--output", trajectories),
        ("trajectory_space", "--predictions", *manifests, "--trajectories", manifest, manifest,
         "--permutations", 3, "--threads", 1, "--output", *files),
    ):  # fmt: skip
        done = study.step(step, *options, **ENVIRONMENT)
        assert done.returncode == 0, done.stderr
    return {path.stem: pd.read_csv(path) for path in tables.glob("*.csv")}


def test_trajectories_are_points_and_what_cannot_be_tested_has_no_rows(study):
    found = run(study, study.train("a", seeds=3), study.train("b", seeds=2, diverged=(0,)))
    points, stress = found["trajectory_embedding"], found["trajectory_stress"]
    assert points["configuration"].tolist() == ["a", "a", "a", "b"] * 2
    assert points["seed"].tolist() == [0, 1, 2, 1] * 2
    assert points["split"].tolist() == ["train"] * 4 + ["test"] * 4
    # Four points have three coordinates.
    D = open_dataset(study.root / "trajectories.zarr")["distance"].values
    X = points.query("split == 'train'")[["pc1", "pc2", "pc3"]].to_numpy()
    signs = np.sign(stress.query("split == 'train'")["eigenvalue"].to_numpy()[:3])
    np.testing.assert_allclose((signs * (X[:, None] - X) ** 2).sum(axis=-1), D, atol=1e-12)
    np.testing.assert_allclose(stress.query("dimension == 3")["explained_stress"], 1)
    assert found["importance"].empty  # one optimiser a network
    assert "p_value" in found["importance"]


def test_one_training_has_tables_without_rows(study):
    for table in run(study, study.train("a", seeds=1)).values():
        assert table.empty
        assert "split" in table
