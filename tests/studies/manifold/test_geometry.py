"""The steps distance, embed, progress and trajectories, as their rules run them."""

import json
import os

import numpy as np
import pytest
import xarray as xr

from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability import geodesic, ignorance, progress, truth
from hyperribbon.storage.dataset import open_dataset
from hyperribbon.storage.manifest import Manifest, inputs_of, outdated, store_path
from hyperribbon.storage.models import Models

ENVIRONMENT = dict(os.environ)


def run(study, step, *options):
    done = study.step(step, *options, **ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return done.stderr


def distance(study, *manifests, code="1", points=5, folder="distance"):
    (study.root / folder).mkdir(exist_ok=True)
    output = study.root / folder / "train.zarr"
    options = {
        "split": "train",
        "geodesic-points": points,
        "threads": 2,
        "memory": 1000,
        "work": study.root / f"work-{folder}",
        "code": code,
        "output": output,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return output, run(study, "distance", "--predictions", *manifests, *words)


def test_distance_grows_with_the_study(study):
    a, b = study.train("a"), study.train("b", seeds=3, diverged=(1,))
    output, _ = distance(study, a, b)
    models = Models([store_path(path) for path in (a, b)])
    assert len(models) == 80
    P = np.concatenate(list(models.trajectories("train")))
    D = open_dataset(output).load()
    np.testing.assert_array_equal(D["distance"], pairwise_distance(P, floor=1e-30))
    labels = models.labels("train")
    curve = geodesic(ignorance(12, 3), truth(labels, 3), np.linspace(0, 1, 5))
    expected = pairwise_distance(curve, P, floor=1e-30)
    np.testing.assert_array_equal(D["geodesic_distance"], expected)
    assert D["configuration"].values.tolist() == ["a"] * 40 + ["b"] * 40
    assert D["distance"].dims == ("model", "other_model")
    assert D.attrs["code_version"] == "1"
    assert json.loads(D.attrs["parameters"]) == {
        "classes": None,
        "geodesic_points": 5,
        "smoothing": 0.0,
    }
    manifest = output.with_suffix(".json")
    assert Manifest.read(manifest).inputs == inputs_of([store_path(a), store_path(b)])
    assert not Manifest.read(manifest).damage(output)

    # One more between the two, a seed more, and the study starts from another folder.
    c, b = study.train("c"), study.train("b", seeds=4, diverged=(1,))
    assert outdated(manifest) == ["predictions/b"]
    output, log = distance(study, a, c, b)
    fresh, _ = distance(study, a, c, b, folder="fresh")
    xr.testing.assert_identical(open_dataset(output).load(), open_dataset(fresh).load())
    assert Manifest.read(manifest).files == Manifest.read(fresh.with_suffix(".json")).files
    assert "damaged" not in log

    # The published store and the folder of work are one on disk; only damage is computed again.
    chunk = output / "distance" / "c" / "0" / "1"
    chunk.write_bytes(chunk.read_bytes()[:-8] + b"00000000")
    assert Manifest.read(manifest).damage(output) == {"distance/c/0/1": "changed"}
    output, log = distance(study, a, c, b)
    assert "1 tiles damaged" in log
    assert "1 of 6 tiles were computed" in log
    assert not Manifest.read(manifest).damage(output)
    xr.testing.assert_identical(open_dataset(output).load(), open_dataset(fresh).load())


def test_the_other_steps_take_manifests(study):
    a, b = study.train("a"), study.train("b", seeds=2)
    output, _ = distance(study, a, b)
    out = {}
    for name in ("embedding", "progress", "trajectories"):
        (study.root / name).mkdir()
        out[name] = study.root / name / "train.zarr"
    manifest = output.with_suffix(".json")
    run(study, "embed", "--distance", manifest, "--components", 3, "--code", "e",
        "--output", out["embedding"])  # fmt: skip
    common = ("--predictions", a, b, "--split", "train", "--threads", 2)
    run(study, "progress", *common, "--code", "p", "--output", out["progress"])
    run(study, "trajectories", *common, "--progress", out["progress"].with_suffix(".json"),
        "--points", 7, "--code", "t", "--output", out["trajectories"])  # fmt: skip
    embedding, values, trajectories = (open_dataset(path).load() for path in out.values())
    assert embedding.attrs["code_version"] == "e"
    assert json.loads(embedding.attrs["parameters"]) == {"components": 3}
    models = Models([store_path(path) for path in (a, b)])
    P = np.concatenate(list(models.trajectories("train")))
    np.testing.assert_array_equal(values["progress"], progress(P, models.labels("train")))
    assert trajectories["distance"].shape == (4, 4)
    assert json.loads(trajectories.attrs["parameters"]) == {
        "points": 7,
        "reached": False,
        "smoothing": 0.0,
    }
    inputs = {name: Manifest.read(path.with_suffix(".json")).inputs for name, path in out.items()}
    assert set(inputs["embedding"]) == {"distance/train"}
    assert set(inputs["progress"]) == {"predictions/a", "predictions/b"}
    assert set(inputs["trajectories"]) == {"predictions/a", "predictions/b", "progress/train"}


@pytest.mark.slow  # each waits for ten seconds; tests/runtime/test_cluster.py has the same line
@pytest.mark.parametrize("step", ["distance", "progress"])
def test_a_scheduler_that_is_not_there_is_one_line(study, step):
    a = study.train("a")
    (study.root / step).mkdir()
    options = ["--predictions", a, "--split", "train", "--threads", 1, "--code", 1]
    options += ["--output", study.root / step / "train.zarr"]
    if step == "distance":
        options += ["--geodesic-points", 3, "--memory", 1000, "--work", study.root / "work"]
    environment = {**ENVIRONMENT, "DASK_SCHEDULER_ADDRESS": "tcp://127.0.0.1:9"}
    done = study.step(step, *options, **environment)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert 'ERROR dask.scheduler = "tcp://127.0.0.1:9": no scheduler answers there' in line
