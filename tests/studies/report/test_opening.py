"""The report's first page, from small files."""

import json

import pytest
from PIL import Image

from hyperribbon.studies.report.opening import opening

CLAIMS = """claim,published,ours,low,high,verdict
"a <b> & c",0.76,0.9360492,,,not comparable here
third,1,2.5,2.25,2.75,reproduced
fourth,1,0.5,0.4,0.6123,contradicted
fifth,2,2,2,2,reproduced
sixth,2,2,,,undecided
"""
PAGES = {"explorer.html": "Turn it", "linear_explorer.html": "Choose"}
SUMMARY = """quantity,value,note
models,192,of trainings
"explained stress of 3 dimensions, train",0.936,
"explained stress of 3 dimensions, test",0.938,
"""


@pytest.fixture
def results(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "tables").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "figures" / "manifold_train.png")
    drawn = {"drawn": ["manifold_train", "spectrum_train"], "left_out": {}}
    (tmp_path / "figures.json").write_text(json.dumps(drawn))
    (tmp_path / "claims.csv").write_text(CLAIMS)
    (tmp_path / "tables" / "summary.csv").write_text(SUMMARY)
    (tmp_path / "explorer.html").write_text("")
    return tmp_path


def test_it_has_picture_verdict_and_findings_in_that_order(results):
    page = opening(results, PAGES)
    order = [
        'alt="manifold_train" src="data:image/png;base64,',
        "<strong>2</strong> reproduced, <strong>1</strong> contradicted, "
        "<strong>1</strong> undecided, <strong>1</strong> not comparable here",
        "<td>models</td><td>192</td><td></td>",
        "<td>explained stress of 3 dimensions</td><td>0.936</td><td>0.938</td>",
        "<td>fourth</td><td>1</td><td>0.5</td><td>0.4 to 0.612</td><td>contradicted</td>",
        "<td>third</td><td>1</td><td>2.5</td><td>2.25 to 2.75</td><td>reproduced</td>",
        "<td>sixth</td><td>2</td><td>2</td><td></td><td>undecided</td>",
        '<a href="explorer.html"',
    ]
    places = [page.index(text) for text in order]
    assert places == sorted(places)
    assert "linear_explorer.html" not in page


def test_docutils_reads_it(results):
    """Its lines have at most 10,000 characters."""
    Image.effect_noise((200, 200), 50).save(results / "figures" / "manifold_train.png")
    (results / "claims.csv").write_text(CLAIMS + "again,1,2,1,3,reproduced\n" * 200)
    page = opening(results, PAGES)
    assert len(page) > 40_000
    assert max(map(len, page.splitlines())) < 5000


def test_names_are_escaped(results):
    (results / "claims.csv").write_text(CLAIMS.replace("third", "</script>{{ 1 }}"))
    assert "&lt;/script&gt;{{ 1 }}" in opening(results, PAGES)


def test_a_study_without_models_or_figures_has_what_there_is(results):
    (results / "figures.json").write_text(json.dumps({"drawn": [], "left_out": {"a": "One."}}))
    (results / "tables" / "summary.csv").unlink()
    page = opening(results, PAGES)
    assert "<img" not in page
    assert "<strong>2</strong> reproduced" in page
