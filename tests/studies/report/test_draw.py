"""Drawing from tables: what is drawn, what is left out, and what an earlier run left."""

import argparse
import json
from concurrent.futures import ThreadPoolExecutor

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from hyperribbon.reporting.style import LeftOut
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
            argparse.Namespace(
                tables=[], figures=list(names), threads=1, key="abc",
                folder=tmp_path / "figures", output=tmp_path / "figures.json",
            )
        )  # fmt: skip
        files = {path.name for path in (tmp_path / "figures").iterdir()}
        return files, json.loads((tmp_path / "figures.json").read_text())

    return main


def test_a_figure_is_left_out_with_its_reason(run):
    files, listed = run("bars", "nothing")
    assert files == {"bars.png", "bars.svg"}
    reasons = {"nothing": "There is one seed only."}
    assert listed == {"key": "abc", "drawn": ["bars"], "left_out": reasons}


def test_a_palette_keeps_the_colours_of_a_picture(tmp_path):
    figure, (left, right) = plt.subplots(1, 2)
    left.imshow(np.arange(900).reshape(30, 30))
    right.plot([0, 1], color="#D55E00", linewidth=9)
    figure.savefig(tmp_path / "whole.png")
    draw.save_png(figure, tmp_path / "few.png")
    plt.close(figure)
    whole, few = (Image.open(tmp_path / f"{name}.png") for name in ("whole", "few"))
    assert few.mode == "P"
    apart = np.abs(np.asarray(whole.convert("RGB"), int) - np.asarray(few.convert("RGB"), int))
    assert apart.max() < 30
    assert apart.mean() < 0.5
    assert few.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert (tmp_path / "few.png").stat().st_size < 0.7 * (tmp_path / "whole.png").stat().st_size


def test_what_an_earlier_run_drew_goes(run, tmp_path):
    (tmp_path / "figures").mkdir()
    for name in ("nothing.png", "nothing.svg", "of_another_part.png", "notes.txt"):
        (tmp_path / "figures" / name).write_text("old")
    files, _ = run("bars", "nothing")
    assert files == {"bars.png", "bars.svg", "notes.txt"}
