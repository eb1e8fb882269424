"""The study boston in small, by the real workflow: what it leaves, and what runs again."""

import pytest
import yaml
from running import ROOT, copy_repository, figures_of, finished_study, tables_of

pytestmark = [pytest.mark.workflow, pytest.mark.slow]  # of its jobs, test_parts.py makes a plan


def write(repository, **changes):
    study = yaml.safe_load((ROOT / "config" / "boston.yaml").read_text())
    study["regression"] |= {"networks": [[6], [3, 3]], "epochs": 10, "seeds": 1, **changes}
    (repository / "config" / "config.yaml").write_text(yaml.safe_dump(study))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    repository = copy_repository(tmp_path_factory.mktemp("regression") / "repository")
    write(repository)
    finished_study(repository, "boston")
    return repository


def test_it_leaves_report_tables_and_figure_and_only_its_own(finished, planned):
    assert planned(finished) == {}
    tables = tables_of(finished / "results" / "boston", figures_of("regression"))
    assert set(tables) == {"regression_spectra", "regression_sloppiness"}
    assert not any(table.empty for table in tables.values())


def test_another_network_runs_it_again(finished, planned):
    try:
        write(finished, networks=[[6], [4]])
        follows = ["claims", "draw", "gather_report", "all"]
        assert planned(finished) == dict.fromkeys(["regression", *follows], 1)
    finally:
        write(finished)
