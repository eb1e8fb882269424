"""Strips of colours that show in which factors configurations differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.lines import Line2D

from hyperribbon.reporting.style import ORDERED, as_text
from hyperribbon.trajectories.factors import separate_factors

FACTORS = {
    "network": "architecture",
    "batch_size": "batch size",
    "learning_rate": "learning rate (1: highest)",
    "weight_decay": "weight decay (1: least)",
}
NEEDED = ("network", "optimiser", "augmentation", "algorithm", "batch_size", "learning_rate")
MOST_KEYS = 12  # values of a factor in a legend
MOST_ROWS = 60  # most configurations with labels, and with gaps between their colours


def factors_of(configurations: pd.DataFrame) -> pd.DataFrame:
    """The network, and the other factors in which configurations differ.

    Without a column that separates factors, there are none.

    >>> factors_of(pd.DataFrame({"configuration": ["a", "b"]})).shape
    (2, 0)
    """
    if not {*NEEDED, "weight_decay"} <= {*configurations}:
        return pd.DataFrame(index=configurations.index)
    factors = separate_factors(configurations)
    return factors[[name for name in factors if name == "network" or factors[name].nunique() > 1]]


def shades_of(values: pd.Series, networks: Mapping) -> dict[Any, Any]:
    """One colour per value: the given ones for networks, greys or a colour map for others."""
    names = list(dict.fromkeys(values))
    if values.name == "network":
        return {name: networks[name] for name in names}
    if pd.api.types.is_numeric_dtype(values):
        names.sort()
    if len(names) <= 6:
        return dict(zip(names, map(str, np.linspace(0.85, 0.25, len(names))), strict=True))
    places = np.linspace(0, 1, len(names) + 2)[1:-1]
    return dict(zip(names, map(to_hex, mpl.colormaps[ORDERED](places)), strict=True))


def draw_strips(axes: Axes, factors: pd.DataFrame, shades: Mapping[str, Mapping]) -> None:
    """Draw one column of colours per factor; rows are ten units high, as in a dendrogram."""
    n_rows, n_factors = factors.shape
    columns = [[to_rgb(shades[name][value]) for value in factors[name]] for name in factors]
    axes.imshow(
        np.swapaxes(columns, 0, 1), aspect="auto", origin="lower", interpolation="none",
        extent=(0, n_factors, 0, 10 * n_rows),
    )  # fmt: skip
    names = [FACTORS.get(name, name).split(" (")[0] for name in factors]
    axes.set_xticks(np.arange(n_factors) + 0.5, names, rotation=90)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for edge in range(1, n_factors):
        axes.axvline(edge, color="white", linewidth=2)
    for edge in range(1, n_rows if n_rows <= MOST_ROWS else 0):
        axes.axhline(10 * edge, color="white", linewidth=0.5)


def strip_keys(shades: Mapping[str, Mapping]) -> list[Line2D]:
    """Keys of a legend: the name of each factor, and its values below it."""
    keys = []
    for factor, of_value in shades.items():
        keys.append(_words(FACTORS.get(factor, factor)))
        keys += [
            Line2D([], [], color=shade, label=as_text(name), linestyle="", marker="s", markersize=5)
            for name, shade in list(of_value.items())[:MOST_KEYS]
        ]
        if len(of_value) > MOST_KEYS:
            keys.append(_words(f"and {len(of_value) - MOST_KEYS} more"))
    return keys


def embolden(legend: Any, shades: Mapping[str, Mapping]) -> None:
    """Set the names of factors in bold."""
    headings = {FACTORS.get(factor, factor) for factor in shades}
    for text in legend.get_texts():
        if text.get_text() in headings:
            text.set_fontweight("bold")


def _words(text: str) -> Line2D:
    return Line2D([], [], label=text, linestyle="")
