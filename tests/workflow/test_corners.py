"""A study with corners, by the real workflow: what it leaves, and what runs again after what."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from PIL import Image
from running import ROOT, copied, copy_repository, figures_of, finished_undrawn, snakemake

from hyperribbon.studies.bases.part import PART as BASES
from hyperribbon.studies.parts import figure_named
from hyperribbon.studies.report.draw import draw
from hyperribbon.studies.study import parse_study

pytestmark = [pytest.mark.workflow, pytest.mark.slow]  # of its jobs, test_parts.py makes a plan

CONFIG = {
    "study": "tiny",
    "data": {"name": "mnist5k", "train_size": 100, "test_size": 50, "image_size": 8},
    "networks": {"Net": {"architecture": "fully_connected", "widths": [32]}},
    "optimisers": {"Adam": {"algorithm": "adam", "learning_rate": 0.01}},
    "training": {"epochs": 6, "batch_size": 25, "seeds": 2},
    "corners": {"count": 1, "epochs": 30},
    "bases": {"models": [2, 3], "samples": [5, 10], "checkpoints": 3, "draws": 1},
    "analysis": {
        "progress_points": 10, "geodesic_points": 6, "sampled_models": 20, "draws": 1,
    },
}  # fmt: skip
STUDY = parse_study(CONFIG)
DIRECT, TO, FROM = (configuration.id for configuration in STUDY.configurations())


def write(repository, config):
    (repository / "config" / "config.yaml").write_text(yaml.safe_dump(config))


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    repository = copy_repository(tmp_path_factory.mktemp("corners") / "repository")
    write(repository, CONFIG)
    finished_undrawn(repository, "tiny")
    return repository


@pytest.fixture
def edited(trained, tmp_path) -> Path:
    return copied(trained, tmp_path / "repository")


@pytest.fixture(scope="module")
def results(trained):
    return trained / "results" / "tiny"


def test_the_tables_speak_of_the_stores(results):
    corners, rejoining, models = (
        pd.read_csv(results / "tables" / f"{name}.csv")
        for name in ("corners", "rejoining", "models")
    )
    assert models["stage"].unique().tolist() == ["direct", "to corner 1", "from corner 1"]
    keys = ["split", "configuration", "seed", "checkpoint"]
    both = corners.merge(models, on=keys, suffixes=("", "_there"))
    assert len(both) == len(corners) == (models["stage"] != "direct").sum()
    for name in ("stage", "step", "epoch", "error", "progress"):
        assert (both[name] == both[f"{name}_there"]).all(), name
    to, start = (xr.open_zarr(results / "predictions" / f"{id}.zarr").load() for id in (TO, FROM))
    np.testing.assert_array_equal(start["train_predictions"][:, 0], to["train_predictions"][:, -1])
    # The corner is reached, and left for the truth.
    train = corners.query("split == 'train'").groupby("stage")["error_on_corner_labels"]
    assert train.last()["to corner 1"] < 0.1
    assert train.last()["from corner 1"] > 0.5
    begin = corners.query("checkpoint == 0 and split == 'train'").groupby("stage")
    to_corner = begin["distance_to_corner"].mean()
    assert to_corner["from corner 1"] < 0.5 * to_corner["to corner 1"]
    assert len(rejoining) == 2 * 2
    assert (rejoining["min_distance_to_ignorance"] < 0.8).all()
    level = rejoining.query("split == 'train'")
    assert level["geodesic_distance_to_ignorance"].between(0.75, 0.9).all()
    np.testing.assert_allclose(level["geodesic_distance_expected"], 0.8394, atol=1e-4)


def test_all_figures_of_corners_and_bases_are_drawn(results, tmp_path):
    """Those of the manifold, and how figures come into the report, are seen in test_study.py."""
    names = sorted(figures_of("corners", "bases"))
    assert draw(sorted((results / "tables").glob("*.csv")), tmp_path, names) == {}
    for name in names:
        with Image.open(tmp_path / f"{name}.png") as image:
            assert np.asarray(image.convert("L")).std() > 5, f"{name} is blank"
    assert all("Thesis Fig" in figure_named(name).caption for name in figures_of("corners"))


def test_bases_are_of_all_trainings_and_tangents_of_the_direct_one(results):
    tables = {name: pd.read_csv(results / "tables" / f"{name}.csv") for step in BASES.steps
              for name in step.tables}  # fmt: skip
    empty = {name for name, table in tables.items() if table.empty}
    assert empty <= {"tangent_angles"}  # if no model is near one of the ends
    fitted = tables["sample_bases"].query("held_out == 'none'")
    assert (fitted["judged"] == 3 * 2 * 3).all()  # stages, seeds, checkpoints
    assert tables["kernel_tangents"]["configuration"].unique().tolist() == [DIRECT]
    assert tables["kernel_tangents"]["cosine"].between(0, 1).all()
    assert tables["basis_samples"]["picture"].str.startswith("data:image/png;base64,").all()


def test_every_file_of_corners_is_in_the_map(results):
    text = (ROOT / "results" / "README.md").read_text()
    for name in ("tables/corners.csv", "tables/rejoining.csv"):
        assert f"| `{name}` |" in text
        assert (results / name).exists()
    for name in ("rejoining", "corners_{train,test}"):
        assert f"| `figures/{name}.png` |" in text


def test_a_second_run_has_nothing_to_do_and_all_is_whole(trained):
    assert "Nothing to be done" in snakemake(trained, "--cores", "1").stdout
    run = snakemake(trained, "--cores", "1", "verify")
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize(
    ("corners", "trainings"),
    [
        ({"count": 1, "epochs": 31}, 2),  # both ways
        ({"count": 2, "epochs": 30}, 2),  # those of the new corner
        (None, 0),
    ],
)
def test_another_corner_leaves_the_others(edited, planned, corners, trainings):
    write(edited, {**CONFIG, "corners": corners})
    jobs = planned(edited)
    assert jobs.get("train", 0) == trainings
    assert jobs["distance"] == 2
    assert jobs.get("corners", 0) == (corners is not None)


def test_with_copied_results_only_what_was_added_is_trained(edited, planned):
    """Though by their times second stages would be older than the first."""
    shutil.rmtree(edited / ".snakemake")
    for number, id in enumerate((FROM, TO, DIRECT)):
        manifest = edited / "results" / "tiny" / "predictions" / f"{id}.json"
        os.utime(manifest, (1.7e9 + number, 1.7e9 + number))
    assert planned(edited) == {}
    another = {"algorithm": "adam", "learning_rate": 0.02}
    write(edited, {**CONFIG, "optimisers": {**CONFIG["optimisers"], "Other": another}})
    assert planned(edited)["train"] == 3


def test_the_step_runs_after_its_code(edited, planned):
    with (edited / "src/hyperribbon/studies/corners/corners.py").open("a") as module:
        module.write("\nADDED = 1\n")
    assert planned(edited) == {
        "corners": 1, "claims": 1, "draw": 1, "gather_report": 1, "all": 1,
    }  # fmt: skip


def test_a_first_stage_that_was_deleted_is_made_again_alone(edited, planned):
    shutil.rmtree(edited / "results" / "tiny" / "predictions" / f"{TO}.zarr")
    assert planned(edited) == {"train": 1, "all": 1}


def test_after_another_first_stage_the_second_is_trained_again(edited, planned):
    """As when the first was made again on a GPU, which is not bit-equal."""
    manifest = edited / "results" / "tiny" / "predictions" / f"{TO}.json"
    content = json.loads(manifest.read_text())
    name = next(name for name in content["files"] if name.startswith("weights/c/1/2"))
    content["files"][name] = "0" * 64
    manifest.write_text(json.dumps(content))
    jobs = planned(edited)
    assert jobs["train"] == 1
    assert jobs["distance"] == 2
    assert f"predictions/{FROM}" in snakemake(edited, "--dry-run").stdout
