"""Figures of trajectories as points: clusters, embedding, importance of factors (2.6, 2.19)."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from scipy.cluster.hierarchy import dendrogram as draw_dendrogram
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from hyperribbon.reporting.style import (
    COLUMN,
    MARKERS,
    OTHERS,
    LeftOut,
    component_label,
    network_legend,
    palette,
)
from hyperribbon.trajectories.factors import separate_factors
from hyperribbon.trajectories.gaps import comparable

MOST_LABELS = 60  # most configurations with labels next to a dendrogram
FACTORS = {
    "network": "architecture",
    "batch_size": "batch size",
    "learning_rate": "learning rate (1: highest)",
    "weight_decay": "weight decay (1: least)",
}


def dendrogram(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """Hierarchical clustering of configurations by trajectory distance (2.6a, 2.19a).

    Next to each row are its values of all factors in which configurations differ.
    """
    about = tables["configurations"]
    distances = tables["configuration_distances"].query("split == @split")
    table = distances.pivot(index="configuration", columns="other", values="distance")
    names = [name for name in about["configuration"] if name in table.index]
    D = table.reindex(index=names, columns=names).to_numpy()
    D = np.fmax(D, D.T)  # the table has each pair once
    np.fill_diagonal(D, 0.0)
    rows = comparable(D)
    if len(rows) < 2:
        raise LeftOut(f"Fewer than two configurations reach a common {split} progress.")
    links = linkage(squareform(D[np.ix_(rows, rows)], checks=False), "average")
    about = about.set_index("configuration").loc[names].iloc[rows].reset_index()
    colours, factors = palette(tables["models"]["network"]), _factors(about)
    shades = {name: _shades(factors[name], colours) for name in factors}
    labelled = len(about) <= MOST_LABELS
    height = 0.7 + 0.17 * min(len(about), MOST_LABELS)
    height = max(height, 0.14 * sum(len(values) + 1 for values in shades.values()))  # the legend
    figure, (tree, strips) = plt.subplots(
        1, 2, figsize=((2 if labelled else 1.6) * COLUMN, height), sharey=True,
        width_ratios=[1, 0.07 * len(shades)],
    )  # fmt: skip
    layout = figure.get_layout_engine()
    assert isinstance(layout, ConstrainedLayoutEngine), "as the style sets it"
    layout.set(wspace=0)
    drawn = draw_dendrogram(
        links, ax=tree, orientation="left", link_color_func=lambda _: "0.3", no_labels=True
    )
    for lines in tree.collections:
        lines.set_linewidth(1 if labelled else 0.5)
    left_out = len(names) - len(rows)
    title = f"{split}: average linkage, averaged over seeds"
    tree.set_title(title + (f"; {left_out} not comparable" if left_out else ""), loc="left")
    tree.set_xlabel(f"distance at equal {split} progress (nats)")
    tree.locator_params(axis="x", nbins=6)
    tree.tick_params(axis="y", left=False, labelleft=False)
    tree.spines["left"].set_visible(False)
    _draw_strips(strips, factors.iloc[drawn["leaves"]], shades)
    if labelled:
        ordered = about.iloc[drawn["leaves"]]
        labels = [name.rsplit("-", 1)[0] for name in ordered["configuration"]]
        strips.yaxis.tick_right()
        strips.set_yticks(10 * np.arange(len(labels)) + 5, labels)
        strips.tick_params(axis="y", labelright=True, length=0)
        for text, network in zip(strips.get_yticklabels(), ordered["network"], strict=True):
            text.set_color(colours[network])
    _strip_legend(figure, shades)
    return figure


def _draw_strips(axes: Axes, factors: pd.DataFrame, shades: dict[str, dict]) -> None:
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
    for edge in range(1, n_rows if n_rows <= MOST_LABELS else 0):
        axes.axhline(10 * edge, color="white", linewidth=0.5)


def trajectory_embedding(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """The first coordinates of trajectories, one point each, by their factors (2.6b, 2.19b)."""
    points = tables["trajectory_embedding"].query("split == @split")
    if points.empty:
        raise LeftOut(f"Fewer than four trajectories reach a common {split} progress.")
    about = tables["configurations"]
    factors = _factors(about).set_index(about["configuration"])
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


def _factors(about: pd.DataFrame) -> pd.DataFrame:
    """The network, and the other factors in which configurations differ."""
    factors = separate_factors(about)
    return factors[[name for name in factors if name == "network" or factors[name].nunique() > 1]]


def _shades(values: pd.Series, colours: dict[str, str]) -> dict:
    """One colour per value: the palette for architectures, greys or a colour map for others."""
    import seaborn as sns  # takes a second or two

    if values.name == "network":
        return {name: colours[name] for name in dict.fromkeys(values)}
    names = list(dict.fromkeys(values))
    if pd.api.types.is_numeric_dtype(values):
        names.sort()
    greys = [str(level) for level in np.linspace(0.85, 0.25, len(names))]
    shades = greys if len(names) <= 6 else sns.color_palette("viridis", len(names))
    return dict(zip(names, shades, strict=True))


def _strip_legend(figure: Figure, strips: dict[str, dict]) -> None:
    """Draw a legend with the values of each factor below its name."""
    keys, most = [], 12
    no_mark: dict[str, Any] = {"linestyle": ""}
    square: dict[str, Any] = {**no_mark, "marker": "s", "markersize": 5}
    headings = {FACTORS.get(factor, factor) for factor in strips}
    for factor, shades in strips.items():
        keys.append(Line2D([], [], label=FACTORS.get(factor, factor), **no_mark))
        shown = list(shades.items())[:most]
        keys += [Line2D([], [], color=shade, label=str(name), **square) for name, shade in shown]
        if len(shades) > most:
            keys.append(Line2D([], [], label=f"and {len(shades) - most} more", **no_mark))
    legend = figure.legend(handles=keys, loc="outside right center", handletextpad=0.2)
    for key, text in zip(keys, legend.get_texts(), strict=True):
        if key.get_label() in headings:
            text.set_fontweight("bold")
