"""The study linear in small, by the real workflow: what it leaves, and what runs again."""

import shutil

import pytest
import yaml
from running import ROOT, copy_repository, figures_of, finished_study, tables_of

pytestmark = [pytest.mark.workflow, pytest.mark.slow]  # of its jobs, test_parts.py makes a plan

THEORY = {"linear_phase", "linear_spectra", "linear_bounds", "linear_variants"}
TRAINED = {"linear_kernel_spectra", "linear_kernels", "linear_experiments"}


def write(repository, experiments=(), **changes):
    study = yaml.safe_load((ROOT / "config" / "linear.yaml").read_text())
    small = {"data": ["digits"], "networks": [[4]], "models": 2, "steps": 5, "samples": 40}
    coarse = {name: {"number": 4} for name in ("slopes", "steps", "ratios")}
    study["linear"] |= {"samples": 12, "draws": 2, **coarse, **changes}
    study["linear"]["experiments"] |= small | dict(experiments)
    (repository / "config" / "config.yaml").write_text(yaml.safe_dump(study))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    repository = copy_repository(tmp_path_factory.mktemp("linear") / "repository")
    write(repository)
    finished_study(repository, "linear")
    return repository


def test_it_leaves_report_tables_figures_and_a_page_and_only_its_own(finished, planned):
    assert planned(finished) == {}
    results = finished / "results" / "linear"
    tables = tables_of(results, figures_of("linear"))
    assert set(tables) == THEORY | TRAINED
    assert not any(table.empty for table in tables.values())
    assert len(tables["linear_phase"]) == 4**3
    assert tables["linear_experiments"]["data"].unique().tolist() == ["digits", "sloppy"]
    page = (results / "linear_explorer.html").read_text()
    assert "linear_explorer.html" in (results / "report.html").read_text()
    assert "<title>hyperribbon: linear regression</title>" in page


@pytest.mark.parametrize(
    ("changes", "jobs"),
    [
        (
            {"draws": 3},
            ["linear", "linear_explore", "claims", "draw", "gather_report", "all"],
        ),
        (
            {"experiments": {"data": ["digits", "mnist5k"]}},
            ["linear_inputs", "linear_experiment", "linear_tables", "claims", "draw",
             "gather_report", "all"],
        ),
        (
            {"experiments": {"decay": 0.2}},
            ["linear_experiment", "linear_tables", "claims", "draw", "gather_report", "all"],
        ),
        (
            {"experiments": {"models": 3}},
            ["linear_experiment", "linear_experiment", "linear_tables", "claims", "draw",
             "gather_report", "all"],
        ),
    ],
    ids=["another diagram", "one data set more", "other sloppy data", "other trainings"],
)  # fmt: skip
def test_what_is_changed_runs_again_and_only_what_follows(finished, planned, changes, jobs):
    try:
        write(finished, **changes)
        assert planned(finished) == {job: jobs.count(job) for job in jobs}
    finally:
        write(finished)


def test_what_is_deleted_is_made_again_alone(finished, planned, tmp_path):
    results = finished / "results" / "linear"
    kept = shutil.move(results / "linear_explorer.html", tmp_path)
    try:
        assert planned(finished) == {"linear_explore": 1, "gather_report": 1, "all": 1}
    finally:
        shutil.move(kept, results)
