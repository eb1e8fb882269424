"""What runs again after a change, and what does not: the exact jobs, by a dry run."""

import os
import random
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from running import ANALYSIS, copied, copy_repository, snakemake

pytestmark = pytest.mark.workflow

# Jobs of the whole smoke study, by rule, and which rules follow from which.
JOBS = {"prepare_data": 1, "train": 4, "curvature": 2, "spectra": 1, **ANALYSIS}
NEXT = {
    "prepare_data": ["train"],
    "train": ["distance", "progress", "trajectories", "tables", "curvature"],
    "curvature": ["spectra"],
    "spectra": ["draw", "claims"],
    "distance": ["embed", "null_model", "metrics", "subsets"],
    "embed": ["tables", "ensembles", "joint", "four_points"],
    "progress": ["trajectories", "tables", "ensembles", "four_points"],
    "trajectories": ["tables", "trajectory_space"],
    "null_model": ["draw", "claims"],
    "metrics": ["draw", "explore", "claims"],
    "subsets": ["draw", "claims"],
    "joint": ["draw", "claims"],
    "four_points": ["draw", "claims"],
    "ensembles": ["draw", "claims"],
    "trajectory_space": ["draw", "claims"],
    "tables": ["first_picture", "draw", "explore", "summarise", "claims"],
    "claims": ["gather_report"],
    "first_picture": ["gather_report"],
    "draw": ["gather_report"],
    "explore": ["gather_report"],
    "summarise": ["gather_report"],
    "gather_report": ["all"],
    "all": [],
}


def jobs_from(*rules: str, **counts: int) -> dict[str, int]:
    """Jobs of some rules and of all that follow from them, with other numbers if given."""
    found, left = set(), list(rules)
    while left:
        rule = left.pop()
        found.add(rule)
        left += NEXT[rule]
    return {rule: JOBS[rule] for rule in found} | counts


def not_looked_at(jobs: dict[str, int]) -> dict[str, int]:
    """Without those of curvature, which is of one network only."""
    return {rule: count for rule, count in jobs.items() if rule not in ("curvature", "spectra")}


@pytest.fixture(scope="module")
def edited(finished, tmp_path_factory):
    """A copy of the finished repository for tests that put back what they edit."""
    return copied(finished, tmp_path_factory.mktemp("edited") / "repository")


def plan_after(edit, repository, file, planned):
    """Jobs planned while a file is edited."""
    path = repository / file
    text = path.read_text()
    try:
        path.write_text(edit(text))
        assert path.read_text() != text
        return planned(repository)
    finally:
        path.write_text(text)


def test_nothing_changed(edited, planned):
    assert planned(edited) == {}


def add_code(text):
    return f"{text}\nADDED = 1\n"


MODULES = [
    ("data/prepare.py", jobs_from("prepare_data")),
    ("networks/vit.py", not_looked_at(jobs_from("train", train=2))),
    ("networks/allcnn.py", {}),  # the study has none
    ("probability/geodesic.py", jobs_from("distance", "trajectories")),
    ("pairwise/cpu.py", jobs_from("distance", "trajectories", "spectra")),
    ("trajectories/factors.py", jobs_from("trajectory_space", "draw")),
    ("curvature/gram.py", jobs_from("curvature")),
    ("reporting/style.py", jobs_from("first_picture", "draw", "explore")),
    ("studies/manifold/figures/trajectories.py", jobs_from("draw")),
    ("studies/report/verify.py", {}),
]
# Which steps depend on a module is tested in tests/studies/test_code_version.py, of all steps.
REPEATED = [
    ("data/mnist5k.py", jobs_from("prepare_data")),
    ("data/cifar10.py", {}),
    ("training/loop.py", jobs_from("train")),
    ("networks/__init__.py", jobs_from("train")),
    ("storage/provenance.py", jobs_from("prepare_data")),
    ("probability/centroids.py", jobs_from("ensembles")),
    ("probability/kernels.py", jobs_from("progress")),
    ("trajectories/resampling.py", jobs_from("trajectories")),
    ("trajectories/importance.py", jobs_from("trajectory_space")),
    (
        "numerics/eigenpairs.py",
        jobs_from("embed", "null_model", "metrics", "subsets", "trajectory_space", "curvature"),
    ),
    ("studies/curvature/spectra.py", jobs_from("spectra")),
    (
        "embedding/alignment.py",
        jobs_from("subsets", "four_points", "joint", "metrics", "null_model", "trajectory_space"),
    ),
    ("probability/shuffling.py", jobs_from("null_model")),
    ("studies/manifold/claims/chapter2.py", jobs_from("claims")),
    ("embedding/iskl.py", {}),
    ("studies/manifold/tables.py", jobs_from("tables")),
    ("plot/references.py", jobs_from("first_picture", "draw")),
    ("analysis/explorer.py", jobs_from("explore")),
    ("studies/manifold/summarise.py", jobs_from("summarise")),
    ("studies/study.py", {}),
    ("__init__.py", {}),
]


@pytest.mark.parametrize(
    ("module", "jobs"),
    [*MODULES, *(pytest.param(*pair, marks=pytest.mark.slow) for pair in REPEATED)],
)
def test_a_module_runs_what_imports_it(edited, planned, module, jobs):
    assert plan_after(add_code, edited, f"src/hyperribbon/{module}", planned) == jobs


def test_comments_and_docstrings_run_nothing(edited, planned):
    def reword(text):
        return "# A word.\n" + re.sub(r'^( *)"""(?=[A-Z])', r'\1"""Indeed. ', text, flags=re.M)

    assert plan_after(reword, edited, "src/hyperribbon/training/loop.py", planned) == {}


NO_TRAINING = not_looked_at(jobs_from("train"))
del NO_TRAINING["train"]
KEYS = {
    "data.split_seed: 1": jobs_from("prepare_data"),
    "training.epochs: 9": jobs_from("train"),
    "training.seeds: 3": jobs_from("train"),
    "training.keep_weights: [1.0]": jobs_from("train"),
    "analysis.geodesic_points: 30": jobs_from("distance"),
    "analysis.components: 5": jobs_from("embed"),
    "analysis.progress_points: 30": jobs_from("trajectories"),
    "analysis.sampled_models: 40": jobs_from("null_model", "metrics", "subsets"),
    "analysis.draws: 1": jobs_from("null_model", "subsets"),
    "dask.scheduler: tcp://localhost:8786": {},
    "optimisers.SGD: {algorithm: sgd, learning_rate: 0.1}": jobs_from(
        "train", train=2, curvature=1
    ),
    "networks.Deep: {architecture: fully_connected, widths: [16, 16]}": not_looked_at(
        jobs_from("train", train=2)
    ),
    "curvature.samples: 40": jobs_from("curvature"),
    "networks.ViT: null": NO_TRAINING,  # one configuration less
    "study: other": JOBS,
}


@pytest.mark.parametrize("key", KEYS)
def test_a_key_runs_what_reads_it(edited, planned, key):
    (name, value), *_ = yaml.safe_load(key).items()

    def edit(text):
        config = yaml.safe_load(text)
        section = config
        *parents, last = name.split(".")
        for parent in parents:
            section = section.setdefault(parent, {})
        section[last] = value
        if value is None:
            del section[last]
        return yaml.safe_dump(config, sort_keys=False)

    assert plan_after(edit, edited, "config/config.yaml", planned) == KEYS[key]


def with_data(repository, data):
    path = repository / "config" / "config.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "data": data}))


def test_only_what_is_not_at_hand_is_fetched(fresh, planned):
    with_data(fresh, {"name": "mnist", "train_size": 400, "test_size": 200, "image_size": 8})
    assert planned(fresh) == {**JOBS, "fetch_data": 1}


def test_own_data_that_change_run_everything(fresh, planned):
    rng, file = np.random.default_rng(0), fresh / "own.npz"
    data = {"name": "npz", "path": "own.npz", "shape": [1, 8, 8], "classes": 2}
    with_data(fresh, {**data, "train_size": 60, "test_size": 30})
    run = snakemake(fresh, "--dry-run")
    assert 'configuration: data.path = "own.npz": not there' in run.stdout
    for _ in range(2):
        images = rng.normal(size=(90, 1, 8, 8)).astype(np.float32)
        np.savez(file, images=images, labels=np.arange(90) % 2)
        run = snakemake(fresh, "--cores", "1", "--until", "prepare_data")
        assert run.returncode == 0, run.stdout
        jobs = planned(fresh)
        assert "prepare_data" not in jobs
        assert jobs["train"] == 4
        os.utime(file, (1, 1))
        assert planned(fresh) == jobs
    store = xr.open_zarr(fresh / "results" / "smoke" / "data.zarr")
    np.testing.assert_array_equal(store["train_images"], images[store["train_index"]])


def test_the_order_of_keys_and_words_of_explanation_do_not_count(edited, planned):
    def edit(text):
        return "# A word.\n" + yaml.safe_dump(yaml.safe_load(text), sort_keys=True)

    assert plan_after(edit, edited, "config/config.yaml", planned) == {}


def shuffle_times(folder):
    """Touch every file and folder, in an order of chance."""
    paths = sorted(folder.rglob("*"))
    random.Random(0).shuffle(paths)
    for n, path in enumerate(paths):
        os.utime(path, (1.7e9 + n, 1.7e9 + n))


def test_touching_files_runs_nothing(changeable, planned):
    shuffle_times(changeable)
    assert planned(changeable) == {}


def test_a_fresh_checkout_beside_copied_results_runs_nothing(finished, planned, tmp_path):
    checkout = copy_repository(tmp_path / "checkout")
    shutil.copytree(finished / "results", checkout / "results")
    shutil.rmtree(checkout / "results" / "smoke" / "work")
    shuffle_times(checkout)
    assert planned(checkout) == {}
    # What was copied is used when a configuration is added.
    config = yaml.safe_load((checkout / "config" / "config.yaml").read_text())
    config["optimisers"]["SGD"] = {"algorithm": "sgd", "learning_rate": 0.1}
    (checkout / "config" / "config.yaml").write_text(yaml.safe_dump(config))
    assert planned(checkout) == jobs_from("train", train=2, curvature=1)


def test_what_was_deleted_is_made_again_and_nothing_else(edited, planned):
    results = edited / "results" / "smoke"
    deleted = {
        "figures/tubes.png": {"draw": 1, "all": 1},  # the report holds it already
        "report.html": {"gather_report": 1, "all": 1},
        "embedding/test.zarr": {"embed": 1, "all": 1},
        "distance/test.zarr": {"distance": 1, "all": 1},
        "data.zarr": {"prepare_data": 1, "all": 1},
        f"{next((results / 'predictions').glob('*.zarr'))}": {"train": 1, "all": 1},
    }
    for name, jobs in deleted.items():
        path, hidden = results / name, results / "hidden"
        path.rename(hidden)
        assert planned(edited) == jobs, name
        hidden.rename(path)
    assert planned(edited) == {}


def test_what_was_left_undone_is_done_later(changeable, planned):
    """A key changed, then the run was stopped after the first rule that it concerns."""
    path = changeable / "config" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["analysis"]["geodesic_points"] = 30
    path.write_text(yaml.safe_dump(config))
    run = snakemake(changeable, "--cores", "2", "--until", "distance")
    assert run.returncode == 0, run.stdout
    left = jobs_from("distance")
    del left["distance"]
    assert planned(changeable) == left
    shutil.rmtree(changeable / "results" / "smoke" / "figures")
    assert planned(changeable) == left


def test_a_study_by_configfile_stands_alone(changeable, planned):
    """Snakemake would merge the networks of both files."""
    config = yaml.safe_load((changeable / "config" / "config.yaml").read_text())
    config["networks"] = {"Tiny": {"architecture": "fully_connected", "widths": [4]}}
    config["curvature"]["networks"] = ["Tiny"]
    config["study"] = "other"
    (changeable / "other.yaml").write_text(yaml.safe_dump(config))
    jobs = planned(changeable, "--configfile", "other.yaml")
    assert jobs == {**JOBS, "train": 2}


def test_diverged_trainings_are_named_and_left_out(changeable):
    results = changeable / "results" / "smoke"
    before = {
        path: path.stat().st_mtime_ns for path in (results / "predictions").glob("*/zarr.json")
    }
    path = changeable / "config" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["optimisers"]["Wild"] = {"algorithm": "sgd", "learning_rate": 1e30}
    path.write_text(yaml.safe_dump(config))
    run = snakemake(changeable, "--cores", "2", "--until", "summarise")
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
