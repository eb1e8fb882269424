"""What the documentation is made from; `make docs` builds it, and checks every link and name."""

import json
from pathlib import Path

import pytest

import hyperribbon as hr
from hyperribbon.studies.parts import FIGURES, PARTS
from hyperribbon.studies.report.claims import claims_of

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(autouse=True)
def _extensions(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "extensions"))


@pytest.mark.parametrize(
    "notebook", sorted((ROOT / "examples").glob("*.ipynb")), ids=lambda p: p.stem
)
def test_notebooks_are_committed_without_outputs(notebook):
    cells = json.loads(notebook.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def test_links_lead_to_the_same_page_on_the_site():
    from links import relinked

    def of(link, page):
        return relinked(f"[x]({link})", ROOT / page, DOCS)[4:-1]

    assert of("docs/linear.md#bounds", "README.md") == "/linear.md#bounds"
    assert (
        of("../config/README.md#linear", "docs/linear.md") == "/generated/configuration.md#linear"
    )
    assert of("../docs/howto/index.md", "examples/tutorial.ipynb") == "/howto/index.md"
    assert of("examples/tutorial.ipynb", "README.md") == "/generated/examples/tutorial.ipynb"
    assert of("config.yaml", "config/README.md") == "/../config/config.yaml"  # a download
    assert of("https://example.org/a.md", "README.md") == "https://example.org/a.md"
    assert of("#here", "README.md") == "#here"


def test_a_page_that_the_first_page_forgets_comes_last(tmp_path):
    from links import others

    for name in ("index", "linear", "watch"):
        (tmp_path / f"{name}.md").write_text(f"# {name}")
    named = "```{toctree}\nTitle <linear>\nclaims_by_study*\n```\n"
    assert others(named, tmp_path).split("\n")[-3:] == ["watch", "```", ""]
    assert others(named + "watch\n", tmp_path) == ""


def test_the_gallery_has_every_figure_and_every_picture(tmp_path):
    import figures_page

    found = figures_page.pictures(DOCS / "gallery", tmp_path)
    kept = {path for shown in found.values() for _, path in shown}
    assert kept == set((DOCS / "gallery").iterdir())
    drawn = tmp_path / "mine" / "figures" / "manifold_train.svg"
    drawn.parent.mkdir(parents=True)
    drawn.write_text("<svg/>")
    assert figures_page.pictures(DOCS / "gallery", tmp_path)["manifold"][0] == ("mine", drawn)
    figures_page.write(tmp_path, DOCS / "gallery", tmp_path)
    page = (tmp_path / "figures.rst").read_text().splitlines()
    assert all(name in page for name in FIGURES)


def test_the_page_of_claims_has_every_claim_and_its_verdicts(tmp_path):
    import claims_page

    claims = [claim for part in PARTS for claim in claims_of(part)]
    study = tmp_path / "mine"
    study.mkdir()
    (study / "claims.csv").write_text(f'claim,verdict\n"{claims[0].text}",reproduced\n')
    claims_page.write(tmp_path, DOCS, tmp_path)
    page = (tmp_path / "claims.md").read_text()
    assert page.count("\n| ") >= len(claims)
    assert "| reproduced (mine) |" in page


def test_the_reference_has_every_public_name():
    import api_pages

    names = {
        name
        for room in hr._ROOMS
        if room not in ("callbacks", "data")
        for name in api_pages.public_names(room, getattr(hr, room)).values()
    }
    assert {name for name in hr._HOME_OF if not name.startswith("register_")} - names <= {
        "ConfigError", "DataError", "HyperribbonError", "MissingExtra", "StoreError", "open_study",
    }  # fmt: skip  # on the pages of errors and studies
    page = api_pages.room_page("errors") + api_pages.room_page("studies")
    assert all(f"{name}" in page for name in ("DataError", "open_study", "register_claim"))
    assert "autofunction:: hyperribbon.linear.ribbon_dimension" in api_pages.room_page("linear")
