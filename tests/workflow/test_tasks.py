"""A study of tasks in small, by the real workflow: what it leaves, and what runs again."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from running import copy_repository, finished_study, left_out, snakemake

from hyperribbon.studies.tasks.part import PART

pytestmark = [pytest.mark.workflow, pytest.mark.slow]  # of its jobs, test_parts.py makes a plan

TREE = {"even": {"small": ["0", "2"], "large": ["4", "6", "8"]}, "odd": [*"13579"]}
TASKS = {
    "tree": "digits.yaml",
    "sets": {
        "even": "even", "odd": "odd", "small": "small", "large": "large", "pair": ["3", 5],
        "two": {"random": 2, "draws": 2},
    },
    "trainings": {
        "all": {},
        "even": {"tasks": ["even"]},
        "odd": {"tasks": ["odd"], "seeds": 1},
        "small": {"tasks": ["small"], "seeds": 1},
        "large": {"tasks": ["large"], "seeds": 1},
        "two": {"tasks": ["two"], "seeds": 1},
        "two-way": {
            "method": {"name": "prototypical", "way": 2, "shot": 5, "queries": 10}, "seeds": 1,
        },
        "contrastive": {"method": {"name": "simclr"}, "seeds": 1},
        "tuned": {"tasks": ["pair"], "start": {"training": "all", "epochs": [1, 2]}, "seeds": 1},
    },
    "comparisons": {
        "tasks": {"trainings": ["all", "even", "odd"], "reference": "all"},
        "tree": {"trainings": ["even", "odd", "small", "large"], "reference": "even"},
        "mine": {
            "trainings": ["all", "two-way", "tuned", "two", "contrastive"],
            "reference": "all",
            "split": "train",
        },
    },
    "lengths": [3, 5],
}  # fmt: skip
STUDY = {
    "study": "digits",
    "data": {"name": "digits", "train_size": 200, "test_size": 60},
    "networks": {"WRN": {"architecture": "wide_resnet", "width": 2, "widen_factor": 1}},
    "optimisers": {"SGD": {"algorithm": "sgd", "learning_rate": 0.1, "momentum": 0.9}},
    "training": {"epochs": 2, "batch_size": 20, "seeds": 2},
    "analysis": {"progress_points": 20, "draws": 1},
    "tasks": TASKS,
}


# Of the part's figures, those of these comparisons; of the manifold's, those of any models.
FIGURES = {
    "task_manifold", "class_progress", "tree_manifold", "tree_agreement", "task_distances",
    "task_stress", "task_lengths", "mappings", "imprinting_quality",
    "manifold_train", "manifold_test", "spectrum_train", "spectrum_test",
}  # fmt: skip


def write(repository, **changes):
    study = STUDY | {"tasks": TASKS | changes}
    (repository / "config" / "config.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    (repository / "digits.yaml").write_text(yaml.safe_dump(TREE))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    repository = copy_repository(tmp_path_factory.mktemp("tasks") / "repository")
    write(repository)
    finished_study(repository, "digits")
    return repository


def tables_of(results):
    return {path.stem: pd.read_csv(path) for path in (results / "tables").glob("*.csv")}


def test_it_leaves_tables_figures_and_claims_of_the_part(finished, planned):
    assert planned(finished) == {}
    results = finished / "results" / "digits"
    assert not left_out(results, FIGURES)
    tables = tables_of(results)
    expected = {name for step in PART.steps for name in step.tables}
    assert expected < set(tables)
    assert not [name for name in expected if tables[name].empty]
    assert {"null_model", "metrics", "importance"}.isdisjoint(tables)  # of chapter 2
    verified = snakemake(finished, "--cores", "1", "verify")
    assert verified.returncode == 0, verified.stdout
    claims = (results / "claims.csv").read_text()
    assert "Mantel" in claims and "Fig. 2." not in claims


def test_every_training_lies_in_the_space_of_all_classes(finished):
    results = finished / "results" / "digits"
    stores = sorted((results / "predictions").glob("*.zarr"))
    assert len(stores) == 11  # nine, with another draw and another departure
    for path in stores:
        store = xr.open_zarr(path)
        assert store.sizes["class"] == 10
        assert store["test_predictions"].shape[-2:] == (60, 10)
        assert np.isfinite(store["test_predictions"]).all()
    means = xr.open_zarr(results / "task_means" / "test.zarr")
    assert means["mean_predictions"].dims == ("group", "progress", "sample", "class")
    k = means["group"].values.tolist().index("all")
    reached = np.isfinite(means["distance"].values[k, k])
    found = means["mean_predictions"][k].values
    assert reached.any() and np.isnan(found[~reached]).all()
    np.testing.assert_allclose(found[reached].sum(axis=-1), 1, atol=1e-5)


def test_imprinting_of_kept_weights_is_what_was_recorded(finished):
    tables = tables_of(finished / "results" / "digits")
    kept = tables["mapping_models"].query("mapping == 'imprinted' and stage == 'even'")
    recorded = tables["task_checkpoints"].query("split == 'test' and stage == 'even' and seed == 0")
    both = kept.merge(recorded, on="step", suffixes=("", "_recorded"))
    assert len(both) == len(kept) > 2
    np.testing.assert_allclose(both["progress"], both["progress_recorded"], atol=1e-5)
    assert (both["error"] == both["error_recorded"]).all()


FOLLOWS = ["claims", "draw", "gather_report", "all"]
COMPARED = dict.fromkeys(["task_embedding", "task_tables", *FOLLOWS], 1)


@pytest.mark.parametrize(
    ("changes", "jobs"),
    [
        ({"comparisons": {**TASKS["comparisons"], "tasks": {**TASKS["comparisons"]["tasks"],
          "trainings": ["all", "even"]}}}, COMPARED),
        ({"lengths": [2, 4]}, COMPARED),
        ({"mapped": 2}, dict.fromkeys(["task_mappings", *FOLLOWS], 1)),
    ],
    ids=["a comparison", "lengths", "mapped seeds"],
)  # fmt: skip
def test_what_is_changed_runs_again_and_only_what_follows(finished, planned, changes, jobs):
    try:
        write(finished, **changes)
        assert planned(finished) == jobs
    finally:
        write(finished)
