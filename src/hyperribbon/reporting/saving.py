"""Saving a figure as PNG and SVG: laid out once, drawn once for each."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from PIL import Image

FORMATS = (".png", ".svg")
MANY = 5000  # points; as many would make an SVG of megabytes, so they are an image in it


def save(figure: Figure, folder: str | Path, name: str) -> None:
    """Write ``name.png`` and ``name.svg``; equal figures are equal files.

    ``figure.savefig`` lays a figure out and draws it twice for each file, which takes twice as
    long. Points of a scatter plot, if a panel has more than 5,000, are an image in the SVG. The
    figure is fixed after this: what is added to it is not laid out.

    Parameters
    ----------
    figure : in the project's style (`apply_style`)
    folder : that exists
    name : of the files, without suffix
    """
    folder = Path(folder)
    for axes in figure.axes:
        groups = [
            points for points in axes.collections if type(points) is PathCollection
        ]  # not 3-D
        many = sum(len(np.asarray(points.get_offsets())) for points in groups) > MANY
        for points in groups:
            points.set_rasterized(many)
    figure.set_dpi(mpl.rcParams["savefig.dpi"])
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    figure.set_layout_engine("none")
    _with_few_colours(Image.fromarray(np.asarray(canvas.buffer_rgba()))).save(
        folder / f"{name}.png", optimize=True
    )
    FigureCanvasSVG(figure).print_svg(folder / f"{name}.svg", metadata={"Date": None})


def _with_few_colours(picture: Image.Image) -> Image.Image:
    """A picture with a palette of 256 colours: a third of the size, and it looks the same."""
    return picture.convert("RGB").quantize(
        # Means of clusters: without them, large areas of light grey turn beige. They are means when
        # at most 300 pixels change their cluster; the last ones would take most of the time.
        256,
        method=Image.Quantize.MAXCOVERAGE,
        kmeans=300,
        dither=Image.Dither.NONE,
    )
