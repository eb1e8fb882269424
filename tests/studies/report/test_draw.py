"""Drawing from tables: what is drawn, what is left out, and what an earlier run left."""

import json
from concurrent.futures import ThreadPoolExecutor

import matplotlib.pyplot as plt
import pytest
from PIL import Image

from hyperribbon.reporting.style import LeftOut
from hyperribbon.studies.manifold import first_picture
from hyperribbon.studies.report import draw


def bars(tables):
    figure, axes = plt.subplots()
    axes.plot([0, 1])
    return figure


def nothing(tables):
    raise LeftOut("There is one seed only.")


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Function that draws two figures, one of which there is nothing to draw of."""
    monkeypatch.setattr(draw, "ProcessPoolExecutor", lambda n, context: ThreadPoolExecutor(n))
    monkeypatch.setattr(draw, "figure_function", {"bars": bars, "nothing": nothing}.get)

    def main(*names):
        draw.main(
            tables=[], figures=list(names), threads=1, key="abc",
            folder=tmp_path / "figures", output=tmp_path / "figures.json",
        )  # fmt: skip
        files = {path.name for path in (tmp_path / "figures").iterdir()}
        return files, json.loads((tmp_path / "figures.json").read_text())

    return main


def test_a_figure_is_left_out_with_its_reason(run):
    files, listed = run("bars", "nothing")
    assert files == {"bars.png", "bars.svg"}
    reasons = {"nothing": "There is one seed only."}
    assert listed == {"key": "abc", "drawn": ["bars"], "left_out": reasons}


def test_what_an_earlier_run_drew_goes(run, tmp_path):
    (tmp_path / "figures").mkdir()
    for name in ("nothing.png", "nothing.svg", "of_another_part.png", "notes.txt"):
        (tmp_path / "figures" / name).write_text("old")
    files, _ = run("bars", "nothing")
    assert files == {"bars.png", "bars.svg", "notes.txt"}


@pytest.mark.parametrize("figure", [bars, nothing])
def test_there_is_a_first_picture_even_if_it_only_says_why_there_is_none(
    monkeypatch, tmp_path, figure
):
    monkeypatch.setattr(first_picture, "figure_function", {"manifold_train": figure}.get)
    path = tmp_path / "first_picture.png"
    first_picture.main(tables=[], output=path)
    with Image.open(path) as picture:
        assert picture.convert("L").getextrema()[0] < 128  # not blank
