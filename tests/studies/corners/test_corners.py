"""The step corners, as its rule runs it, and its parts."""

import math
import os

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability import bhattacharyya_distance, ignorance, truth
from hyperribbon.storage.dataset import SPLITS, write_dataset
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.studies.corners.corners import geodesics, rejoining_table

CORNERS = {k: np.random.default_rng(k).integers(3, size=12) for k in (1, 2)}
STEPS = 8


def corner_study(study, **diverged):
    """Manifests of a study with two corners, and of a network that has no others beside it."""

    def train(name, network, stage, k=None):
        return study.train(
            name, steps=STEPS, network=network, stage=stage, corner_labels=CORNERS.get(k),
            diverged=diverged.get(name, ()),
        )  # fmt: skip

    return [
        train("a", "A", "direct"),
        train("b", "A", "to corner 1", 1),
        train("c", "A", "from corner 1", 1),
        train("d", "A", "from corner 2", 2),
        train("e", "B", "direct"),
    ]


def run(study, manifests):
    """Run the step; the models and both tables."""
    models = Models([store_path(path) for path in manifests])
    inputs = {"distance": [], "progress": []}
    for split in SPLITS:
        P = np.concatenate(list(models.trajectories(split)))
        to_ignorance = pairwise_distance(ignorance(*P.shape[1:])[None], P)
        found = {
            "distance": xr.Dataset(
                {
                    "distance": (("model", "other_model"), pairwise_distance(P)),
                    "geodesic_distance": (("alpha", "model"), to_ignorance),
                },
                {**models.coordinates(), "alpha": [0.0]},
            ),
            "progress": xr.Dataset(
                {"progress": ("model", np.linspace(0, 1, len(P)))}, models.coordinates()
            ),
        }
        for kind, dataset in found.items():
            (study.root / kind).mkdir(exist_ok=True)
            write_dataset(dataset, study.root / kind / f"{split}.zarr")
            inputs[kind].append(study.root / kind / f"{split}.json")
    outputs = [study.root / f"{name}.csv" for name in ("corners", "rejoining")]
    words = [word for name, paths in inputs.items() for word in (f"--{name}", *paths)]
    words += ["--output", *outputs]
    done = study.step(
        "corners", "--predictions", *manifests, *words, "--threads", 2, **dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    return models, *map(pd.read_csv, outputs)


def test_distances_are_those_of_the_predictions(study):
    models, corners, rejoining = run(study, corner_study(study, c=(1,)))
    assert len(models) == 9 * STEPS
    table = models.table
    by_corner = table.index[table["configuration"].isin(["b", "c", "d"])]
    for split in SPLITS:
        P = np.concatenate(list(models.trajectories(split)))
        part = corners[corners["split"] == split]
        assert part["configuration"].tolist() == table["configuration"][by_corner].tolist()
        assert part["corner"].tolist() == [1] * 3 * STEPS + [2] * 2 * STEPS
        np.testing.assert_allclose(part["progress"], by_corner / (len(table) - 1))
        expected = bhattacharyya_distance(P[by_corner], ignorance(*P.shape[1:]))
        np.testing.assert_allclose(part["distance_to_ignorance"], expected, atol=1e-7)
        direct = table.index[table["configuration"] == "a"]  # not those of the other network
        nearest = [min(bhattacharyya_distance(P[k], P[direct])) for k in by_corner]
        np.testing.assert_allclose(part["distance_to_manifold"], nearest, atol=1e-7)
        for (k, row), p in zip(part.iterrows(), P[by_corner], strict=True):
            if split == "test":
                assert math.isnan(row["distance_to_corner"])
                assert math.isnan(row["error_on_corner_labels"])
                continue
            labels = CORNERS[row["corner"]]
            half_loss = -np.log(p[np.arange(12), labels].astype(float)).mean() / 2
            assert row["distance_to_corner"] == pytest.approx(half_loss, abs=1e-6), k
            assert row["error_on_corner_labels"] == (p.argmax(axis=1) != labels).mean()
    assert rejoining["configuration"].tolist() == ["c", "d", "d"] * 2
    for row in rejoining.itertuples():
        run_ = corners.query(
            "split == @row.split and configuration == @row.configuration and seed == @row.seed"
        )
        assert row.min_distance_to_ignorance == run_["distance_to_ignorance"].min()
        near = run_[run_["distance_to_manifold"] < 0.15].iloc[0]
        assert (row.rejoining_progress, row.rejoining_epoch) == (near["progress"], near["epoch"])
        assert math.isnan(row.geodesic_distance_to_ignorance) == (row.split == "test")


def test_a_study_whose_trainings_from_corners_diverged_has_empty_tables(study):
    every = (0, 1)
    _, corners, rejoining = run(study, corner_study(study, b=every, c=every, d=every))
    assert corners.empty and rejoining.empty
    assert "rejoining_progress" in rejoining and "distance_to_manifold" in corners


def test_without_direct_trainings_there_is_no_distance_to_them(study):
    _, corners, rejoining = run(study, corner_study(study, a=(0, 1)))
    assert corners["distance_to_manifold"].isna().all()
    assert rejoining["rejoining_progress"].isna().all()
    assert rejoining["min_distance_to_ignorance"].notna().all()


def test_a_training_rejoins_when_it_first_comes_near():
    distance = [0.5, 0.16, 0.14, 0.2, 0.01]
    keys = {"split": "train", "network": "A", "optimiser": "O", "augmentation": "none", "corner": 1}
    run_ = pd.DataFrame(
        {
            **keys, "configuration": "f", "stage": "from corner 1", "seed": 0,
            "distance_to_manifold": distance, "distance_to_ignorance": [0.8, 0.3, 0.2, 0.1, 0.9],
            "progress": [0.0, 0.1, 0.2, 0.3, 0.9], "epoch": [0, 1, 2, 3, 4], "error": 0.25,
        }
    )  # fmt: skip
    to = run_.assign(stage="to corner 1", configuration="t")
    far = run_.assign(seed=1, distance_to_manifold=0.15)
    curves = pd.DataFrame(
        {"split": "train", "configuration": "f", "seed": [0], "start_geodesic": [0.8]}
    )
    first, second = rejoining_table(pd.concat([to, run_, far], ignore_index=True), curves).iloc
    assert (first["rejoining_progress"], first["rejoining_epoch"]) == (0.2, 2)
    assert (first["min_distance_to_ignorance"], first["progress_at_min"]) == (0.1, 0.3)
    assert first["start_geodesic"] == 0.8
    assert math.isnan(second["rejoining_progress"]) and second["final_error"] == 0.25


def test_the_geodesic_keeps_away_from_ignorance_as_the_formula_says(study):
    """Thesis 2.5.4, for the fraction of random labels that are true."""
    models = Models([store_path(path) for path in corner_study(study)])
    labels, P0 = models.labels("train"), ignorance(12, 3)
    found = geodesics(models, "train", smoothing=0.0, threads=1)
    assert found["configuration"].tolist() == ["c", "c", "d", "d"]
    expected = math.log(3) / 6 + 2 * math.log(3 / 2) / 6
    np.testing.assert_allclose(found["geodesic_distance_expected"], expected)
    for row, P in zip(found.itertuples(), list(models.trajectories("train"))[4:8], strict=True):
        corner = CORNERS[int(row.stage[-1])]
        agreed = (corner == labels).mean()
        expected = (agreed * math.log(3) + (1 - agreed) * math.log(3 / 2)) / 2
        assert row.geodesic_distance_to_ignorance == pytest.approx(expected, rel=1e-9)
        ends = [bhattacharyya_distance(truth(x, 3), P0) for x in (labels, corner)]
        assert row.geodesic_distance_to_ignorance < min(ends)
        start = bhattacharyya_distance(P[0], P0)
        assert row.start_geodesic_distance_to_ignorance <= start + 1e-9
    test = geodesics(models, "test", smoothing=0.0, threads=1)
    assert "geodesic_distance_to_ignorance" not in test
    assert test["start_geodesic_distance_to_ignorance"].notna().all()
