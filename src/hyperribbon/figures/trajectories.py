"""Pictures of progress and of trajectories (thesis Figs. 2.6a, 2.7, 2.8, 2.16)."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter
from scipy.cluster.hierarchy import dendrogram as draw_dendrogram
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from hyperribbon.figures.style import COLUMN, network_legend, palette

LINE_STYLES = ["", (4, 1.5), (1, 1), (3, 1, 1, 1)]  # on and off, in widths of the line


def progress_error(tables: dict[str, pd.DataFrame]) -> Figure:
    """Progress of every model against its error, train and test (2.7)."""
    models = tables["models"]
    colours = palette(models["network"])
    summary = tables["summary"].set_index("quantity")["value"]
    figure, panels = plt.subplots(1, 2, figsize=(1.8 * COLUMN, 0.75 * COLUMN), sharey=True)
    for axes, split in zip(panels, ("train", "test"), strict=True):
        part = models.query("split == @split")
        axes.scatter(
            part["error"], part["progress"], s=3, linewidth=0, c=part["network"].map(colours)
        )
        r_squared = float(summary[f"R^2 of progress and error, {split}"])
        axes.set_title(f"{split}: $R^2$ = {r_squared:.2f}", loc="left")
        axes.set_xlabel(f"{split} error")
    panels[0].set_ylabel("progress towards the truth")
    network_legend(figure, colours, loc="outside right center")
    return figure


def progress_epoch(tables: dict[str, pd.DataFrame]) -> Figure:
    """Progress against epochs by architecture, one panel an optimiser (2.8).

    Augmentations, where there are several, are told apart by the style of the lines.
    """
    models = tables["models"].query(
        "split == 'train' and step > 0 and not stage.str.contains('corner')"
    )
    colours = palette(models["network"])
    optimisers = list(models["optimiser"].unique())
    styles = dict(zip(models["augmentation"].unique(), itertools.cycle(LINE_STYLES)))
    figure, panels = plt.subplots(
        1, len(optimisers), figsize=(0.4 + 0.8 * COLUMN * len(optimisers), 0.75 * COLUMN),
        sharey=True, squeeze=False,
    )  # fmt: skip
    for axes, optimiser in zip(panels[0], optimisers, strict=True):
        sns.lineplot(
            models.query("optimiser == @optimiser"), x="epoch", y="progress", hue="network",
            palette=colours, style="augmentation", dashes=styles, errorbar=("pi", 100), ax=axes,
            legend=False, linewidth=1,
        )  # fmt: skip
        axes.set(xscale="log", xlabel="epoch", ylabel="train progress")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_title(optimiser, loc="left")
    key = [Line2D([], [], color="black", dashes=s, linewidth=1, label=n) for n, s in styles.items()]
    network_legend(figure, colours, key if len(key) > 1 else (), loc="outside right center")
    return figure


def dendrogram(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """Hierarchical clustering of configurations by trajectory distance (2.6a, 2.19a)."""
    networks = tables["trajectories"].groupby("configuration", sort=False)["network"].first()
    colours = palette(networks)
    distances = tables["configuration_distances"].query("split == @split")
    table = distances.pivot(index="configuration", columns="other", values="distance")
    D = table.reindex(index=networks.index, columns=networks.index).to_numpy()
    D = np.fmax(D, D.T)  # the table has each pair once
    np.fill_diagonal(D, 0.0)
    comparable = np.ones(len(D), dtype=bool)
    while (missing := np.isnan(D[np.ix_(comparable, comparable)]).sum(axis=1)).any():
        comparable[np.flatnonzero(comparable)[missing.argmax()]] = False
    names = networks.index[comparable]
    figure, axes = plt.subplots(figsize=(1.5 * COLUMN, 0.6 + 0.17 * len(names)))
    if len(names) < 2:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "fewer than two configurations reach a common progress", ha="center")
        return figure
    links = linkage(squareform(D[np.ix_(comparable, comparable)], checks=False), "average")
    drawn = draw_dendrogram(
        links, ax=axes, orientation="left", link_color_func=lambda _: "0.3",
        labels=[name.rsplit("-", 1)[0] for name in names], leaf_font_size=7,
    )  # fmt: skip
    for text, leaf in zip(axes.get_yticklabels(), drawn["leaves"], strict=True):
        text.set_color(colours[networks[names[leaf]]])
    axes.set_xlabel(f"distance at equal {split} progress (nats)")
    left_out = len(networks) - len(names)
    title = f"{split}: average linkage, averaged over seeds"
    axes.set_title(title + (f"; {left_out} not comparable" if left_out else ""), loc="left")
    axes.spines["left"].set_visible(False)
    return figure


def tubes(tables: dict[str, pd.DataFrame]) -> Figure:
    """Distances of seeds from their configuration's mean model at equal progress (2.16)."""
    found = tables["tubes"].dropna(subset="to_mean")
    bins = np.linspace(0, 1, 11)
    middle = pd.cut(found["progress"], bins, include_lowest=True, labels=(bins[1:] + bins[:-1]) / 2)
    figure, panels = plt.subplots(1, 2, figsize=(2 * COLUMN, 0.75 * COLUMN), sharey=True)
    for axes, split in zip(panels, ("train", "test"), strict=True):
        part = found.assign(middle=middle).query("split == @split")
        sns.boxplot(
            part, x="middle", y="to_mean", ax=axes, color="#56B4E9", fliersize=1, linewidth=0.7
        )
        labels = [f"{low:.1f}-{low + 0.1:.1f}" for low in bins[:-1]]
        axes.set_xticks(range(10), labels, rotation=60)
        axes.set(xlabel=f"{split} progress", ylabel="distance from the seeds' mean (nats)")
        axes.set_title(split, loc="left")
    return figure
