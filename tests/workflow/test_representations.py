"""The study representations in small, by the real workflow: what it leaves, what runs again."""

import pytest
import yaml
from running import copy_repository, figures_of, finished_study, tables_of

pytestmark = [pytest.mark.workflow, pytest.mark.slow]  # of its jobs, test_parts.py makes a plan

SMALL = {
    "planes": {
        "xor": {"epochs": 4}, "sinusoid": None, "width": 6, "widths": [4], "weight_decays": [],
        "activations": ["relu"], "seeds": 2, "variant_seeds": 1, "moments": 3, "grid": 8,
    },
    "widths": {"activations": ["erf"], "widths": [10, 20, 40], "radii": [1.0], "draws": 3},
}  # fmt: skip
FIGURES = ["plane_maps_xor", "plane_variants_mapped", "plane_magnification", "plane_variants"]
FIGURES += ["plane_spectra", "plane_accuracy", "width_deviations"]


def write(repository, **changes):
    study = {"study": "small", "representations": SMALL | changes}
    (repository / "config" / "config.yaml").write_text(yaml.safe_dump(study))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    repository = copy_repository(tmp_path_factory.mktemp("representations") / "repository")
    write(repository)
    finished_study(repository, "small")
    return repository


def test_it_leaves_report_tables_figures_and_a_page_and_only_its_own(finished, planned):
    assert planned(finished) == {}
    results = finished / "results" / "small"
    assert set(FIGURES) < set(figures_of("representations"))
    tables = tables_of(results, FIGURES)
    assert all(name.startswith(("plane_", "width_")) for name in tables)
    assert len(tables) == 6 and not any(table.empty for table in tables.values())
    page = (results / "representations_maps.html").read_text()
    assert "<title>hyperribbon: representations</title>" in page
    assert "representations_maps.html" in (results / "report.html").read_text()


@pytest.mark.parametrize(
    ("changes", "jobs"),
    [
        (
            {"planes": SMALL["planes"] | {"seeds": 3}},
            ["plane_geometry", "plane_tables", "plane_explore"],
        ),
        ({"widths": SMALL["widths"] | {"draws": 4}}, ["width_geometry"]),
        ({"planes": None}, []),
    ],
    ids=["more seeds", "more draws", "no planes, and so no page"],
)
def test_what_is_changed_runs_again_and_only_what_follows(finished, planned, changes, jobs):
    try:
        write(finished, **changes)
        follows = ["claims", "draw", "gather_report", "all"]
        assert planned(finished) == dict.fromkeys([*jobs, *follows], 1)
    finally:
        write(finished)
