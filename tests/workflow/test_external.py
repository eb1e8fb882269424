"""Recordings of networks that the workflow did not train, alone and among those that it did."""

import importlib
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from PIL import Image
from running import (
    ANALYSIS,
    copied,
    copy_repository,
    figures_of,
    finished_study,
    left_out,
    snakemake,
)
from sklearn.linear_model import SGDClassifier

import hyperribbon as hr

pytestmark = pytest.mark.workflow

STUDY = ("--configfile", "config/external.yaml")
# All but figures, of which each is drawn of recordings in tests/studies/manifold/test_figures.py.
NOT_DRAWN = ("claims", "explore", "first_picture", "summarise")
DRAWN = {"draw": 1, "gather_report": 1, "all": 1}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> Path:
    """A repository in which the example has run, in small, and then the workflow on it."""
    repository = copy_repository(tmp_path_factory.mktemp("recorded") / "repository")
    with pytest.MonkeyPatch.context() as here:
        here.chdir(repository)
        here.syspath_prepend(repository / "examples")
        example = importlib.import_module("own_networks")
        here.setattr(example, "EPOCHS", 8)
        example.main()
    plt.close("all")
    study = repository / "config" / "external.yaml"
    few = {"progress_points": 20, "sampled_models": 40, "draws": 1}
    study.write_text(yaml.safe_dump({**yaml.safe_load(study.read_text()), "analysis": few}))
    run = snakemake(repository, "--cores", "2", *STUDY, "--until", *NOT_DRAWN)
    assert run.returncode == 0, run.stdout
    return repository


@pytest.fixture
def changeable(recorded, tmp_path) -> Path:
    return copied(recorded, tmp_path / "repository")


@pytest.mark.slow
def test_both_networks_of_the_example_are_in_one_picture(recorded):
    results = recorded / "results" / "external"
    models = pd.read_csv(results / "tables" / "models.csv")
    assert set(models["network"]) == {"MLPClassifier", "ConvNet"}
    assert set(models["seed"]) == {0, 1}
    columns = ["loss", "error", "progress", "epoch", "pc1", "pc2", "pc3"]
    assert np.isfinite(models[columns]).all(axis=None)
    assert len(models) == 2 * sum(
        xr.open_zarr(path).sizes["checkpoint"]
        for path in (recorded / "runs" / "own_networks").glob("*.zarr")
    )
    # They learn: the last checkpoints are nearer to the truth than the first.
    ends = models.groupby(["split", "network", "seed"])["progress"].agg(["first", "last"])
    assert (ends["last"] > ends["first"] + 0.3).all()
    stress = pd.read_csv(results / "tables" / "explained_stress.csv")
    three = stress.query("dimension == 3")["explained_stress"]
    assert len(three) == 2
    assert three.between(0.5, 1.1).all()
    with Image.open(recorded / "runs" / "own_networks" / "inpca.png") as image:
        assert np.asarray(image.convert("L")).std() > 5
    assert "ConvNet" in (results / "explorer.html").read_text()
    assert not (results / "predictions").exists()
    assert not (results / "data.npz").exists()


@pytest.mark.slow
def test_every_figure_of_recordings_is_in_the_report(changeable):
    finished_study(changeable, "external", *STUDY)
    results = changeable / "results" / "external"
    drawn = figures_of("manifold") - set(left_out(results, figures_of("manifold")))
    for name in drawn:
        with Image.open(results / "figures" / f"{name}.png") as image:
            assert np.asarray(image.convert("L")).std() > 5, f"{name} is blank"


@pytest.mark.slow  # of what was trained, the same is in test_changes.py
def test_a_changed_recording_runs_the_analysis_and_a_touched_one_nothing(changeable, planned):
    assert planned(changeable, *STUDY) == DRAWN
    manifests = sorted((changeable / "runs" / "own_networks").glob("*.json"))
    for manifest in manifests:
        manifest.touch()
    assert planned(changeable, *STUDY) == DRAWN
    assert snakemake(changeable, "--cores", "1", "verify", *STUDY).returncode == 0
    store = manifests[0].with_suffix(".zarr")
    shutil.rmtree(store)
    labels = xr.open_zarr(manifests[1].with_suffix(".zarr"))
    hr.record_predictions(
        store,
        np.full((2, labels.sizes["train_sample"], 10), 0.1),
        labels["train_label"].values,
        test_predictions=np.full((2, labels.sizes["test_sample"], 10), 0.1),
        test_labels=labels["test_label"].values,
        network="Ignorant",
    )
    assert planned(changeable, *STUDY) == ANALYSIS
    run = snakemake(changeable, "--cores", "1", "verify", *STUDY)
    assert f"computed from content other than what now lies in runs/own_networks/{store.stem}" in (
        run.stdout
    )
    run = snakemake(changeable, "--cores", "2", *STUDY, "--until", "summarise")
    assert run.returncode == 0, run.stdout
    models = pd.read_csv(changeable / "results" / "external" / "tables" / "models.csv")
    assert "Ignorant" in set(models["network"])
    assert models.query("network == 'Ignorant'")["epoch"].isna().all()
    assert snakemake(changeable, "--cores", "1", "verify", *STUDY).returncode == 0
    done = {"distance", "embed", "progress", "trajectories", "tables", "summarise"}
    left = {rule: jobs for rule, jobs in ANALYSIS.items() if rule not in done}
    assert planned(changeable, *STUDY) == left


def test_what_is_no_recording_is_refused_before_any_job(fresh, finished, tmp_path):
    shutil.copytree(finished / "results" / "smoke" / "distance" / "test.zarr", fresh / "D.zarr")
    for listed, message in (
        ("runs/other/*.zarr", 'external = "runs/other/*.zarr": no such store'),
        ("D.zarr", "D.zarr: not a recorded store; expected one"),
    ):
        study = tmp_path / "study.yaml"
        study.write_text(yaml.safe_dump({"study": "refused", "external": [listed]}))
        run = snakemake(fresh, "--cores", "1", "--configfile", str(study))
        assert run.returncode != 0
        assert message in run.stdout
        assert "Traceback" not in run.stdout
        assert not (fresh / "results" / "refused").exists()


def record_linear(repository: Path, flip: bool = False) -> None:
    """A linear model of scikit-learn on the samples of the smoke study."""
    store = xr.open_zarr(next((repository / "results/smoke/predictions").glob("ViT-Adam-*.zarr")))
    labels = {split: store[f"{split}_label"].values for split in ("train", "test")}
    if flip:
        labels["test"] = labels["test"][::-1]
    features = {split: np.eye(10)[y] + 0.1 for split, y in labels.items()}
    model = SGDClassifier(loss="log_loss", random_state=0)
    with hr.Recorder(
        repository / "runs" / "linear.zarr",
        features["train"],
        labels["train"],
        test_inputs=features["test"],
        test_labels=labels["test"],
        network="Linear",
        outputs="probabilities",
        steps_per_epoch=1,
    ) as rec:
        for step in range(6):
            model.partial_fit(features["train"][:20], labels["train"][:20], classes=range(10))
            rec.checkpoint(model.predict_proba, step=step)


@pytest.fixture
def among_trained(finished, tmp_path) -> Path:
    """The finished smoke study, which now lists a recording that is not there yet."""
    repository = copied(finished, tmp_path / "repository")
    path = repository / "config" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**config, "external": ["runs/linear.zarr"]}))
    return repository


def test_a_recording_joins_what_was_trained(among_trained, planned):
    record_linear(among_trained)
    assert planned(among_trained) == ANALYSIS  # and no training
    run = snakemake(among_trained, "--cores", "2", "--until", "summarise")
    assert run.returncode == 0, run.stdout
    models = pd.read_csv(among_trained / "results" / "smoke" / "tables" / "models.csv")
    assert set(models["network"]) == {"FullyConnected", "ViT", "Linear"}
    assert models["pc3"].notna().all()
    assert "Linear" in (among_trained / "results" / "smoke" / "summary.html").read_text()


def test_a_recording_of_other_samples_is_one_line(among_trained):
    record_linear(among_trained, flip=True)
    run = snakemake(among_trained, "--cores", "1", "--retries", "0", "--until", "progress")
    assert run.returncode != 0
    assert "runs/linear.zarr: test sample 0 has label" in run.stdout
    assert "Traceback" not in run.stdout
