"""Saved figures: their colours, their layout, and points that would make a large SVG."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from hyperribbon.reporting.saving import MANY, save

pytestmark = pytest.mark.usefixtures("style")


def test_they_look_as_by_savefig_with_few_colours(tmp_path):
    figure, (left, right) = plt.subplots(1, 2)
    left.imshow(np.arange(900).reshape(30, 30))
    right.plot([0, 1], color="#D55E00", linewidth=9)
    right.set_xlabel("a long label below")
    figure.savefig(tmp_path / "whole.png")
    save(figure, tmp_path, "few")
    whole, few = (Image.open(tmp_path / f"{name}.png") for name in ("whole", "few"))
    assert few.mode == "P"
    apart = np.abs(np.asarray(whole.convert("RGB"), int) - np.asarray(few.convert("RGB"), int))
    assert apart.max() < 30
    assert apart.mean() < 0.5
    assert few.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert (tmp_path / "few.png").stat().st_size < 0.7 * (tmp_path / "whole.png").stat().st_size


def test_light_grey_stays_grey(tmp_path):
    """The panes of axes in space, which fill most of a figure."""
    figure = plt.figure()
    axes = figure.add_subplot(projection="3d")
    x = np.linspace(0, 1, 200)
    axes.scatter(x, x, x, c=x, cmap="viridis")
    axes.scatter(x, 1 - x, x, c=x, cmap="plasma")
    figure.savefig(tmp_path / "whole.png")
    save(figure, tmp_path, "few")
    whole, few = (
        np.asarray(Image.open(tmp_path / f"{name}.png").convert("RGB"), int)
        for name in ("whole", "few")
    )
    grey = (np.ptp(whole, axis=2) == 0) & (whole[:, :, 0] > 230) & (whole[:, :, 0] < 255)
    assert grey.mean() > 0.1
    assert np.abs(whole - few)[grey].mean() < 2
    assert np.ptp(few[grey].mean(axis=0)) < 1


def test_equal_figures_are_equal_files(tmp_path):
    for name in ("a", "b"):
        figure, axes = plt.subplots()
        axes.plot([0, 1])
        save(figure, tmp_path, name)
    for suffix in ("png", "svg"):
        a, b = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in "ab")
        assert a == b


@pytest.mark.parametrize(("number", "images"), [(MANY, 0), (MANY + 1, 1)])
def test_many_points_are_an_image(tmp_path, number, images):
    figure, axes = plt.subplots()
    axes.scatter(np.arange(number), np.zeros(number))
    save(figure, tmp_path, "points")
    assert (tmp_path / "points.svg").read_text().count("<image") == images


def test_points_of_several_colours_are_counted_together(tmp_path):
    figure, axes = plt.subplots()
    for _ in range(3):
        axes.scatter(*np.random.default_rng(0).normal(size=(2, MANY // 2)))
    save(figure, tmp_path, "many")
    assert "<image" in (tmp_path / "many.svg").read_text()
