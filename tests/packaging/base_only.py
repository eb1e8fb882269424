"""What must work where hyperribbon is installed without extras; run in an empty folder.

`try_wheel.py` runs it in an environment with nothing else, and `test_base.py` with the optional
packages hidden.
"""

import sys
from importlib import import_module
from pathlib import Path

import matplotlib as mpl
import numpy as np
import zarr
from sklearn.linear_model import SGDClassifier

import hyperribbon as hr
from hyperribbon.studies.workflow_files import default_config, snakefile

EXTRAS = {"torch", "dask", "distributed", "pydantic", "tqdm", "seaborn", "snakemake"}
rng = np.random.default_rng(0)
m, N, C = 12, 30, 3
labels = np.arange(N) % C


def models():
    """Models (m, N, C) on their way from random predictions to the truth."""
    P = rng.dirichlet(np.ones(C), size=(m, N))
    trained = np.linspace(0, 1, m)[:, None, None]
    return (1 - trained) * P + trained * hr.truth(labels, C)


def distances(P):
    """In every metric, of every kind of array, in memory and on disk."""
    for metric in ("bhattacharyya", "symmetric_kl", "geodesic", "hellinger", "euclidean"):
        D = hr.pairwise_distance(P, metric=metric, floor=1e-9)
        assert D.shape == (m, m)
        out = zarr.create_array(f"{metric}.zarr", shape=(m, m), chunks=(4, 4), dtype="f8")
        hr.pairwise_distance([P[:5], *P[5:]], metric=metric, floor=1e-9, out=out)
        np.testing.assert_allclose(out[:], D, atol=1e-9)
    hr.pairwise_distance(P, progress_bar=True, device="cpu")


def geometry(P):
    """Embeddings, progress, trajectories, linear models, tasks."""
    for estimator in (hr.InPCA(n_components=3), hr.IsKL(n_components=3)):
        assert estimator.fit_transform(P).shape == (m, 3)
    s = hr.progress(P, labels)
    assert hr.geodesic(hr.ignorance(N, C), hr.truth(labels, C), s).shape == (m, N, C)
    assert hr.centroid(P, "arithmetic").shape == (N, C)
    hr.joint_embedding(hr.pairwise_distance(P), hr.pairwise_distance(P[:, :20]), 3)
    grid = np.linspace(0.2, 0.8, 5)
    hr.resample_trajectory(P, labels, grid)
    assert hr.trajectory_distance(P, P, labels=labels) < 1e-12
    hr.compare_trajectories([P, P], [s, s], labels, grid, [0, 1])
    assert hr.linear.ribbon_dimension(np.diag([4.0, 2.0, 1.0]), 0.8) == 2
    hr.linear.trajectory_covariance(np.array([2.0, 1.0]), np.ones(2), step_size=0.1, steps=[5])
    features = rng.standard_normal((N, 4))
    assert hr.imprinted_predictions(features, hr.imprint(features, labels, C)).shape == (N, C)
    assert hr.ClassTree.cifar10().task("vehicles")


def recordings(P):
    """Recordings of scikit-learn's predictions, from arrays and from a loop, to their picture."""
    X = rng.standard_normal((N, 4)) + 3 * np.eye(C, 4)[labels]
    for seed in range(2):
        classifier = SGDClassifier(loss="log_loss", random_state=seed)
        made = [
            classifier.partial_fit(X, labels, classes=np.arange(C)).predict_proba(X)
            for _ in range(6)
        ]
        hr.record_predictions(f"runs/linear-{seed}.zarr", made, labels, network="Linear", seed=seed)
    with hr.Recorder("runs/loop.zarr", X, labels, network="Loop") as recorder:
        for step in range(4):
            recorder.checkpoint(classifier.partial_fit(X, labels), step=step)
    study = hr.Study.from_runs("runs")
    assert len(study) == 16
    hr.plot.embedding(study).figure.savefig("picture.png")
    hr.plot.spectrum(study)
    assert "class Cloud" in study.explore("page.html").read_text()
    hr.explain_distance(P[0], P[-1], labels)
    assert Path("picture.png").stat().st_size > 1e4


def refusals(P):
    """What is missing is named in one line that says what to install."""
    for needy in (
        lambda: hr.curvature,
        lambda: hr.representations,
        lambda: hr.pac_bayes,
        lambda: hr.data.prepare,
        lambda: hr.networks.build_network("lenet", (1, 28, 28), 10),
        lambda: import_module("hyperribbon.config"),
        lambda: import_module("hyperribbon.linear.networks"),
        lambda: hr.pairwise_distance(P, device="cuda"),
    ):
        try:
            needy()
        except hr.MissingExtra as error:
            print(error)
            assert "pip install 'hyperribbon[" in str(error) and "\n" not in str(error)
        else:
            raise AssertionError("an optional package is there")
    assert not EXTRAS & set(sys.modules), EXTRAS & set(sys.modules)


def workflow():
    """The files of the workflow are found."""
    assert default_config().is_file() and snakefile().is_file()
    assert {"rules", "Snakefile"} <= {
        path.name for path in (snakefile().parent / "workflow").iterdir()
    }


if __name__ == "__main__":
    mpl.use("agg")
    distances(models())
    geometry(models())
    recordings(models())
    refusals(models())
    workflow()
