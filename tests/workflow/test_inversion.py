"""The study inversion in small, by the real workflow: what it leaves, and what runs again."""

import pytest
import yaml
from running import ROOT, copy_repository, figures_of, finished_study, tables_of

from hyperribbon.studies.inversion.part import PART

pytestmark = [pytest.mark.workflow, pytest.mark.slow]  # of its jobs, test_parts.py makes a plan

SMALL = {
    "samples": 300, "runs": 3, "fewer_runs": 2, "widths": [6], "depths": [2],
    "subsamples": [200], "adam": [], "batch_size": 50, "groupings": 1, "convolutional_runs": 0,
    "watched": 100,
}  # fmt: skip


def write(repository, data=("mnist5k", "digits"), **changes):
    study = yaml.safe_load((ROOT / "config" / "inversion.yaml").read_text())
    study["inversion"] |= SMALL | changes
    study["inversion"]["data"] = {
        name: {"learning_rate": 0.3, "epochs": 150, "image_size": 8} for name in data
    }
    (repository / "config" / "config.yaml").write_text(yaml.safe_dump(study, sort_keys=False))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    repository = copy_repository(tmp_path_factory.mktemp("inversion") / "repository")
    write(repository)
    finished_study(repository, "inversion")
    return repository


def test_it_leaves_report_tables_and_figures_and_only_its_own(finished, planned):
    assert planned(finished) == {}
    tables = tables_of(finished / "results" / "inversion", figures_of("inversion"))
    assert set(tables) == set(PART.steps[-1].tables)
    assert not any(table.empty for table in tables.values())
    assert tables["inversion_points"]["data"].unique().tolist() == ["mnist5k", "digits"]


FOLLOWS = ["inversion_tables", "claims", "draw", "gather_report", "all"]


@pytest.mark.parametrize(
    ("changes", "jobs"),
    [
        ({"runs": 4}, {"inversion": 2}),
        ({"samples": 310}, {"inversion_inputs": 2, "inversion": 2}),
        ({"data": ("digits",)}, {}),
        ({"data": ("digits", "mnist5k")}, None),
    ],
    ids=["more runs", "more samples", "one data set fewer", "another order"],
)
def test_what_is_changed_runs_again_and_only_what_follows(finished, planned, changes, jobs):
    try:
        write(finished, **changes)
        expected = {} if jobs is None else jobs | dict.fromkeys(FOLLOWS, 1)
        assert planned(finished) == expected
    finally:
        write(finished)
