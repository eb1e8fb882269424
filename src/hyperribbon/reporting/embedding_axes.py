"""Axes of an InPCA embedding, with the geodesic from ignorance to truth."""

from collections.abc import Callable
from functools import wraps

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperribbon.reporting.style import COLUMN, LeftOut, component_label

REFERENCES = [
    Line2D([], [], color="black", label="geodesic"),
    Line2D([], [], color="black", marker="s", linestyle="", markersize=4, label="ignorance"),
    Line2D([], [], color="black", marker="*", linestyle="", markersize=7, label="truth"),
]


def space(tables: dict[str, pd.DataFrame], split: str) -> tuple[Figure, Axes]:
    """Axes of the first three coordinates, with the geodesic, before any model is drawn."""
    models, curve = of_split(tables, split)
    figure = plt.figure(figsize=(1.7 * COLUMN, 1.2 * COLUMN))
    axes = figure.add_subplot(projection="3d", computed_zorder=False)
    axes.plot(curve["pc1"], curve["pc2"], curve["pc3"], color="black", linewidth=1.2, zorder=10)
    for row, marker, size in ((0, "s", 18), (-1, "*", 60)):
        point = curve[["pc1", "pc2", "pc3"]].iloc[row]
        axes.scatter(*point, marker=marker, color="black", s=size, depthshade=False, zorder=11)
    stress = tables["explained_stress"]
    for k, set_label in enumerate((axes.set_xlabel, axes.set_ylabel, axes.set_zlabel), start=1):
        set_label(component_label(stress, split, k), labelpad=-4 if k < 3 else 4)
    axes.tick_params(pad=-3, labelsize=6)
    axes.tick_params(axis="z", pad=3)  # room for the minus signs
    axes.locator_params(nbins=6)
    axes.view_init(elev=22, azim=-60)
    axes.set_box_aspect(None, zoom=0.9)
    explained = stress.query("split == @split and dimension == 3")["explained_stress"].iloc[0]
    axes.set_title(
        f"{split} predictions of {len(models):,} models: explained stress {explained:.0%}", y=0.97
    )
    return figure, axes


def of_split(tables: dict[str, pd.DataFrame], split: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A split's rows of the tables *models* and *geodesic*."""
    models, curve = tables["models"], tables["geodesic"]
    return models[models["split"] == split], curve[curve["split"] == split]


def draw_references(axes: Axes, curve: pd.DataFrame, x: int, y: int) -> None:
    """Draw the geodesic in coordinates x and y, with ignorance and truth at its ends."""
    u, v = (np.asarray(curve[f"pc{k}"]) for k in (x, y))
    axes.plot(u, v, color="black", linewidth=1)
    axes.plot(u[:1], v[:1], "s", color="black", markersize=4)
    axes.plot(u[-1:], v[-1:], "*", color="black", markersize=7)


def of_embedding(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Decorate a figure of an embedding, so that it is left out if all models coincide."""

    @wraps(draw)
    def drawn(tables: dict[str, pd.DataFrame], **split: str) -> Figure:
        stress = tables.get("explained_stress")
        if stress is not None:
            found = stress[stress["split"].isin([*split.values()] or stress["split"].unique())]
            if len(found) and found["explained_stress"].isna().all():
                of = "".join(f" {name}" for name in split.values())
                raise LeftOut(
                    f"All models make the same{of} predictions: they are a single point, so there "
                    "is nothing to embed."
                )
        return draw(tables, **split)

    return drawn
