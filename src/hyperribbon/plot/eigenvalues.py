"""Eigenvalues of curvature on a logarithmic scale: how matrices, layers and signs are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

# Matrices that are drawn together: label, colour and line. Names are those of the thesis.
MATRICES = {
    "input": ("inputs", "black", "-"),
    "activations": ("activations", "#56B4E9", "-"),
    "gradients": ("activation gradients", "#999933", "-"),
    "jacobian_summed": ("Jacobian, sum of logits", "#009E73", "-"),
    "fisher": ("Fisher", "#D55E00", "-"),
    "empirical_fisher": ("empirical Fisher", "#E69F00", "--"),
    "hessian": ("Hessian", "#0072B2", ""),  # points; its eigenvalues are close to Fisher's
    "kfac": ("KFAC", "#CC79A7", ":"),
}
# From early to late, in every figure of training.
MOMENTS = {"initialisation": "#FCA636", "middle": "#CC4778", "end": "#2A0593"}
WIDTHS = {"middle": 2.5}  # remains visible beneath the end, which it may equal
LAYERS = "viridis"  # from the first layer, or class, to the last
SHOWN = 200  # leading eigenvalues; tables have only a selection of the others
NOTHING = "Every seed of the analysed networks diverged."
LEAST = 1e-9  # smallest eigenvalue to draw, relative to the largest
# For negative eigenvalues.
HOLLOW: dict[str, Any] = {"markerfacecolor": "none", "markeredgewidth": 0.7}
NEGATIVE = [
    Line2D([], [], color="0.3", marker="o", markersize=3, linestyle="", label="negative", **HOLLOW)
]


def name_of(rows: pd.DataFrame) -> str:
    """Name of a configuration: its network, optimiser and, if there is one, augmentation."""
    known = [name for name in ("network", "optimiser", "augmentation") if name in rows]
    words = [str(rows[name].iloc[0]) for name in known]
    words = [word for word in words if word not in ("none", "nan")]
    return ", ".join(words) or str(rows["configuration"].iloc[0])


def parts_of(spectra: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and rows of each layer or class of a matrix."""
    if "part" not in spectra:
        yield "", spectra
        return
    named = spectra.assign(part=spectra["part"].astype(object).where(spectra["part"].notna(), ""))
    for (_, part), rows in named.groupby(["matrix", "part"], sort=False):
        yield part, rows


def in_order(number: int) -> list:
    """One colour per layer or class, from first to last, without the palest."""
    return [mpl.colormaps[LAYERS](0.92 * k / max(number - 1, 1)) for k in range(number)]


def shade(colour: Any, k: int, number: int) -> tuple[float, ...]:
    """A shade of a colour, from pale to dark with depth; a single layer gets the colour itself."""
    depth = k / (number - 1) if number > 1 else 0.5
    pale, dark = np.array([1.0, 1.0, 1.0]), np.zeros(3)
    towards, share = (pale, 0.5 - depth) if depth < 0.5 else (dark, 1.1 * (depth - 0.5))
    return tuple((1 - share) * np.array(to_rgb(colour)) + share * towards)


def have_signs(rows: pd.DataFrame) -> bool:
    """Whether eigenvalues are drawn as points, because some are negative beyond rounding."""
    if "matrix" in rows and set(rows["matrix"]) == {"hessian"}:
        return True
    return bool((rows["eigenvalue"] < -LEAST * rows["eigenvalue"].abs().max()).any())


def draw_spectrum(axes: Axes, rows: pd.DataFrame, line: str = "-", **style: Any) -> None:
    """Draw the magnitudes of the leading eigenvalues by index, as points if there are two signs.

    Tables have only a selection of the other eigenvalues, which a line would join to a ramp.
    """
    rows = rows[rows["index"] <= SHOWN]
    index, value = rows["index"], rows["eigenvalue"]
    if have_signs(rows):
        style = {"markersize": 3, "linestyle": "", "zorder": 3, **style}
        axes.plot(index[value > 0], value[value > 0], ".", **style)
        axes.plot(index[value < 0], -value[value < 0], "o", **style | {"label": None} | HOLLOW)
    else:
        axes.plot(index, value, line, **{"linewidth": 1, **style})


def set_scales(axes: Axes) -> None:
    """Set the scales for everything drawn, also in panels that share them."""
    axes.set_yscale("log")
    panels = axes.get_shared_y_axes().get_siblings(axes)
    lines = [line.get_xydata() for panel in panels for line in panel.lines]
    points = np.concatenate([np.ones((1, 2)), *lines])[len(lines) > 0 :]
    if len(points):
        last, largest = points.max(axis=0)
        axes.set_xlim(0, last)
        axes.set_ylim(max(LEAST * largest, 0.5 * points[:, 1].min()), 3 * largest)
