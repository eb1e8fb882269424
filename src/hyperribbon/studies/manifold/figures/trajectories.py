"""Figures of trajectories as points: clusters, embedding, importance of factors (2.6, 2.19)."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperribbon.plot._dendrogram import dendrogram as draw_dendrogram
from hyperribbon.plot.canvas import figure_of
from hyperribbon.plot.factors import FACTORS, factors_of
from hyperribbon.reporting.panels import title_left
from hyperribbon.reporting.style import (
    COLUMN,
    MARKERS,
    OTHERS,
    LeftOut,
    component_label,
    network_legend,
    palette,
)


def dendrogram(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """Hierarchical clustering of configurations by trajectory distance (2.6a, 2.19a).

    Next to each row are its values of all factors in which configurations differ.
    """
    return figure_of(title_left(draw_dendrogram(tables, split=split)))


def trajectory_embedding(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """The first coordinates of trajectories, one point each, by their factors (2.6b, 2.19b)."""
    points = tables["trajectory_embedding"].query("split == @split")
    if points.empty:
        raise LeftOut(f"Fewer than four trajectories reach a common {split} progress.")
    about = tables["configurations"]
    factors = factors_of(about).set_index(about["configuration"])
    colours = palette(tables["models"]["network"])
    shape = next(name for name in ("algorithm", "optimiser", "network") if name in factors)
    names = list(dict.fromkeys(factors[shape]))
    few = len(names) <= len(MARKERS)
    markers = {name: MARKERS[k] if few else "o" for k, name in enumerate(names)}
    augmentations = list(dict.fromkeys(about["augmentation"]))
    figure, panels = plt.subplots(1, 2, figsize=(2 * COLUMN, 0.75 * COLUMN))
    for axes, y in zip(panels, (2, 3), strict=True):
        for row in points.itertuples():
            axes.plot(
                row.pc1, getattr(row, f"pc{y}"), markers[factors[shape][row.configuration]],
                color=colours[row.network], markersize=4, markeredgewidth=0.7,
                fillstyle="full" if row.augmentation == augmentations[0] else "none",
            )  # fmt: skip
        axes.set_xlabel(component_label(tables["trajectory_stress"], split, 1))
        axes.set_ylabel(component_label(tables["trajectory_stress"], split, y))
    stress = tables["trajectory_stress"].query("split == @split")["explained_stress"]
    panels[0].set_title(
        f"{split}: {len(points)} trajectories, explained stress {stress.iloc[1]:.0%} in two "
        f"dimensions, {stress.iloc[2]:.0%} in three", loc="left",
    )  # fmt: skip
    style: dict[str, Any] = {"color": "black", "linestyle": "", "markersize": 4}
    style["markeredgewidth"] = 0.7
    extra = []
    if shape != "network" and few and len(names) > 1:
        extra += [Line2D([], [], marker=markers[name], label=name, **style) for name in names]
    if len(augmentations) > 1:
        others = augmentations[1] if len(augmentations) == 2 else "another"
        for name, fill in ((augmentations[0], "full"), (others, "none")):
            shape_of: dict[str, Any] = {**style, "marker": "o", "fillstyle": fill}
            extra.append(Line2D([], [], label=f"augmentation: {name}", **shape_of))
    network_legend(figure, colours, extra, loc="outside right center")
    return figure


def importance(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """How much the random forest loses without each factor, with p-values (2.6c, 2.19c)."""
    found = tables["importance"].query("split == @split").iloc[::-1]
    if found.empty:
        raise LeftOut(
            "There are too few configurations, or none that differ in only one factor, to say "
            "which factor sets trajectories apart."
        )
    figure, axes = plt.subplots(figsize=(1.3 * COLUMN, 0.6 + 0.22 * len(found)))
    tested = found["p_value"].notna()
    axes.barh(
        [FACTORS.get(name, name) for name in found["factor"]], found["importance"],
        xerr=found["std"], color=np.where(tested, OTHERS[0], "0.7"), height=0.6,
        error_kw={"linewidth": 0.7},
    )  # fmt: skip
    end = (found["importance"] + found["std"]).clip(lower=0)
    for y, (x, p) in enumerate(zip(end, found["p_value"], strict=True)):
        text = "not tested" if np.isnan(p) else f"p = {p:.2g}"
        axes.annotate(text, (x, y), (3, 0), textcoords="offset points", va="center", fontsize=6)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlim(right=1.25 * end.max())
    axes.set_xlabel("importance (drop in $R^2$)")
    axes.set_title(f"{split}: forest with $R^2$ = {found['r_squared'].iloc[0]:.2f}", loc="left")
    return figure


def lengths(tables: dict[str, pd.DataFrame]) -> Figure:
    """Riemannian lengths of all trajectories, compared with that of the geodesic."""
    import seaborn as sns  # takes a second or two

    found = tables["trajectories"]
    colours = palette(tables["models"]["network"])
    geodesic = float(tables["summary"].set_index("quantity")["value"]["length of the geodesic"])
    figure, panels = plt.subplots(1, 2, figsize=(2 * COLUMN, 0.75 * COLUMN), sharey=True)
    for axes, split in zip(panels, ("train", "test"), strict=True):
        sns.stripplot(
            found.query("split == @split"), x="network", y="length", hue="network", order=colours,
            palette=colours, size=3, legend=False, ax=axes,
        )  # fmt: skip
        axes.axhline(geodesic, color="black", linewidth=1)
        axes.set(xlabel="", ylabel="length (radians)")
        axes.set_xticks(range(len(colours)), colours, rotation=30, ha="right")
        axes.set_title(split, loc="left")
    panels[0].set_ylim(bottom=0)
    key = Line2D([], [], color="black", label=f"geodesic, {geodesic:.2f}")
    figure.legend(handles=[key], loc="outside right center")
    return figure
