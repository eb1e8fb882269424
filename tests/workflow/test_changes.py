"""What runs again after a change of the configuration, and what does not."""

import shutil

import pandas as pd
import pytest
import xarray as xr
import yaml
from running import snakemake

pytestmark = pytest.mark.workflow

DOWNSTREAM = {
    "distance": 2,
    "embed": 2,
    "progress": 2,
    "trajectories": 2,
    "tables": 1,
    "draw": 13,
    "explore": 1,
    "summarise": 1,
    "gather_report": 1,
    "all": 1,
}


def change(repository, section, **values):
    path = repository / "config" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config.setdefault(section, {}).update(values)
    path.write_text(yaml.safe_dump(config))


def test_nothing_changed(changeable, planned):
    assert planned(changeable) == {}


def test_another_optimiser_runs_only_its_trainings(changeable, planned):
    change(changeable, "optimisers", SGD={"algorithm": "sgd", "learning_rate": 0.1})
    assert planned(changeable) == {"train": 2, **DOWNSTREAM}


def test_another_network_runs_only_its_trainings(changeable, planned):
    change(changeable, "networks", Deep={"architecture": "fully_connected", "widths": [16, 16]})
    assert planned(changeable) == {"train": 2, **DOWNSTREAM}


def test_more_epochs_train_everything(changeable, planned):
    change(changeable, "training", epochs=9)
    assert planned(changeable) == {"train": 4, **DOWNSTREAM}


def test_more_seeds_train_everything_but_keep_the_data(changeable, planned):
    change(changeable, "training", seeds=3)
    assert planned(changeable) == {"train": 4, **DOWNSTREAM}


def test_another_split_prepares_the_data_again(changeable, planned):
    change(changeable, "data", split_seed=1)
    assert planned(changeable) == {"prepare_data": 1, "train": 4, **DOWNSTREAM}


def test_analysis_keys_train_nothing(changeable, planned):
    change(changeable, "analysis", components=5)
    jobs = dict(DOWNSTREAM)
    for rule in ("distance", "progress", "trajectories"):
        del jobs[rule]
    assert planned(changeable) == jobs
    change(changeable, "analysis", components=10, progress_points=30)
    jobs = dict(DOWNSTREAM)
    for rule in ("distance", "embed", "progress"):
        del jobs[rule]
    assert planned(changeable) == jobs


def test_a_deleted_figure_is_drawn_again(changeable, planned):
    (changeable / "results" / "smoke" / "figures" / "tubes.png").unlink()
    assert planned(changeable) == {"draw": 1, "gather_report": 1, "all": 1}


def test_a_study_by_configfile_stands_alone(changeable, planned):
    """Snakemake would merge the networks of both files."""
    config = yaml.safe_load((changeable / "config" / "config.yaml").read_text())
    config["networks"] = {"Tiny": {"architecture": "fully_connected", "widths": [4]}}
    config["study"] = "other"
    (changeable / "other.yaml").write_text(yaml.safe_dump(config))
    jobs = planned(changeable, "--configfile", "other.yaml")
    assert jobs == {"prepare_data": 1, "train": 2, **DOWNSTREAM}


def test_the_smallest_study_has_all_its_figures(fresh):
    """One network, one optimiser, one seed: no tubes, nothing to cluster."""
    path = fresh / "config" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    del config["networks"]["ViT"], config["optimisers"]["Adam"]
    config["training"].update(seeds=1, epochs=2)
    path.write_text(yaml.safe_dump(config))
    run = snakemake(fresh, "--cores", "2")
    assert run.returncode == 0, run.stdout
    assert len(list((fresh / "results" / "smoke" / "figures").glob("*.png"))) == 13


def test_diverged_trainings_are_named_and_left_out(changeable):
    results = changeable / "results" / "smoke"
    before = {
        path: path.stat().st_mtime_ns for path in (results / "predictions").glob("*/zarr.json")
    }
    shutil.rmtree(results / "figures")
    change(changeable, "optimisers", Wild={"algorithm": "sgd", "learning_rate": 1e30})
    run = snakemake(changeable, "--cores", "2")
    assert run.returncode == 0, run.stdout
    assert {path: path.stat().st_mtime_ns for path in before} == before

    diverged = pd.read_csv(results / "tables" / "diverged.csv")
    assert set(diverged["optimiser"]) == {"Wild"}
    assert len(diverged) == 4
    assert (diverged["diverged_step"] > 0).all()
    models = pd.read_csv(results / "tables" / "models.csv")
    assert set(models["optimiser"]) == {"SGD-Nesterov", "Adam"}
    summary = pd.read_csv(results / "tables" / "summary.csv").set_index("quantity")
    page = (results / "summary.html").read_text()
    note = summary.loc["diverged trainings, left out", "note"]
    for row in diverged.itertuples():
        assert f"{row.configuration} seed {row.seed}" in note
        assert f"<td>{row.configuration}</td>" in page
        store = xr.open_zarr(results / "predictions" / f"{row.configuration}.zarr")
        last = store["train_predictions"].sel(seed=row.seed).isel(checkpoint=-1)
        assert last.isnull().all()
    assert note in run.stdout
