"""Certificates in small, by the real workflow: what it leaves, and what runs again."""

import pandas as pd
import pytest
import yaml
from running import copy_repository, snakemake

from hyperribbon.studies.certificates.part import PART

pytestmark = [pytest.mark.workflow, pytest.mark.slow]  # of its jobs, test_parts.py makes a plan

STUDY = {
    "study": "small",
    "data": {"name": "digits", "train_size": 200, "test_size": 60, "groups": [[0, 1, 2, 3, 4],
             [5, 6, 7, 8, 9]]},
    "networks": {"MLP": {"architecture": "fully_connected", "widths": [8], "batchnorm": False}},
    "optimisers": {"Adam": {"algorithm": "adam", "learning_rate": 0.01}},
    "training": {"epochs": 3, "batch_size": 20, "seeds": 2},
}  # fmt: skip
SECTION = {
    "networks": ["MLP"], "methods": ["analytic", "fisher_prior"], "set_aside": 50, "epochs": 2,
    "batch_size": 50, "draws": 5,
}  # fmt: skip
# The tables alone: figures, claims and report wait for those of all models, too.
TABLES = [f"results/small/tables/{name}.csv" for name in PART.steps[-1].tables]


def write(repository, **changes):
    study = STUDY | {"certificates": SECTION | changes}
    (repository / "config" / "config.yaml").write_text(yaml.safe_dump(study, sort_keys=False))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    repository = copy_repository(tmp_path_factory.mktemp("certificates") / "repository")
    write(repository)
    run = snakemake(repository, "--cores", "2", *TABLES)
    assert run.returncode == 0, run.stdout
    return repository


def test_it_leaves_a_certificate_of_each_seed_and_method(finished, planned):
    assert planned(finished, *TABLES) == {}
    found = {name.split("/")[-1]: pd.read_csv(finished / name) for name in TABLES}
    certificates = found["certificates.csv"]
    assert set(certificates[["seed", "method"]].itertuples(index=False, name=None)) == {
        (seed, method) for seed in (0, 1) for method in SECTION["methods"]
    }
    assert (certificates["n_bounded"] == 150).all() and (certificates["bound"] <= 1).all()
    assert set(found["certificate_optimisation.csv"]["method"]) == {"fisher_prior"}


@pytest.mark.parametrize(
    ("changes", "jobs"),
    [
        ({"methods": ["analytic", "fisher_prior", "stiff"]}, {"certify": 1}),
        ({"methods": ["fisher_prior"]}, {}),
        ({"draws": 6}, {"certify": 2}),
    ],
    ids=["another method", "one method fewer", "more draws"],
)
def test_what_is_changed_runs_again_and_only_what_follows(finished, planned, changes, jobs):
    try:
        write(finished, **changes)
        assert planned(finished, *TABLES) == jobs | {"certificate_tables": 1}
    finally:
        write(finished)


def test_a_network_without_certificates_is_refused_before_any_job(finished):
    try:
        network = {**STUDY["networks"]["MLP"], "batchnorm": True}
        study = STUDY | {"networks": {"MLP": network}, "certificates": SECTION}
        (finished / "config" / "config.yaml").write_text(yaml.safe_dump(study))
        run = snakemake(finished, "--dry-run")
        assert run.returncode != 0 and "Traceback" not in run.stdout
        assert 'certificates.networks = "MLP": networks of linear and convolutional' in run.stdout
    finally:
        write(finished)
