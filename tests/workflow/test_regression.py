"""The study boston in small, by the real workflow: what it leaves, and what runs again."""

import pandas as pd
import pytest
import yaml
from PIL import Image
from running import ROOT, copy_repository, snakemake

from hyperribbon.figures import REGRESSION_FIGURES

pytestmark = pytest.mark.workflow


def write(repository, **changes):
    study = yaml.safe_load((ROOT / "config" / "boston.yaml").read_text())
    study["regression"] |= {"networks": [[6], [3, 3]], "epochs": 10, "seeds": 1, **changes}
    (repository / "config" / "config.yaml").write_text(yaml.safe_dump(study))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    repository = copy_repository(tmp_path_factory.mktemp("regression") / "repository")
    write(repository)
    run = snakemake(repository, "--cores", "2")
    assert run.returncode == 0, run.stdout
    assert "Open results/boston/report.html" in run.stdout
    return repository


def test_it_leaves_report_tables_and_figure_and_only_its_own(finished, planned):
    results = finished / "results" / "boston"
    assert planned(finished) == {}
    report = (results / "report.html").read_text()
    map_ = (ROOT / "results" / "README.md").read_text()
    assert {path.stem for path in (results / "figures").glob("*.png")} == set(REGRESSION_FIGURES)
    for name in REGRESSION_FIGURES:
        assert f"figures/{name}.png" in report
        assert f"`figures/{name}.png`" in map_
        with Image.open(results / "figures" / f"{name}.png") as picture:
            assert min(picture.size) > 300
    written = {path.stem for path in (results / "tables").glob("*.csv")}
    assert written == {"regression_spectra", "regression_sloppiness"}
    for name in written:
        assert f"`tables/{name}.csv`" in map_
        assert not pd.read_csv(results / "tables" / f"{name}.csv").empty
    verified = snakemake(finished, "--cores", "1", "verify")
    assert verified.returncode == 0, verified.stdout


def test_another_network_runs_it_again(finished, planned):
    try:
        write(finished, networks=[[6], [4]])
        follows = ["claims", "draw", "gather_report", "all"]
        assert planned(finished) == dict.fromkeys(["regression", *follows], 1)
    finally:
        write(finished)
