"""How low-dimensional the manifold is: null models, few samples and other distances.

Thesis Figs. 2.5b, 2.13, 2.14, 2.22 and 2.23.
"""

from itertools import cycle

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hyperribbon.pairwise.metrics import label_of
from hyperribbon.plot._embedding import embedding
from hyperribbon.plot.references import REFERENCES, of_embedding
from hyperribbon.reporting.panels import title_left
from hyperribbon.reporting.style import COLUMN, LeftOut, network_legend, ordered, palette

KINDS = {
    "observed": "#0072B2",
    "shuffled by training": "#E69F00",
    "shuffled by model": "#D55E00",
}
LINES = ["-", "--", "-.", ":"]
SHARE = "explained pairwise distance"


@of_embedding
def null_model(tables: dict[str, pd.DataFrame]) -> Figure:
    """Explained stress by dimension, as observed and for the null models."""
    import seaborn as sns  # takes a second or two

    figure, panels = plt.subplots(1, 2, figsize=(2 * COLUMN, 0.75 * COLUMN), sharey=True)
    for axes, split in zip(panels, ("train", "test"), strict=True):
        sns.lineplot(
            tables["null_model"].query("split == @split"), x="dimension", y="explained_stress",
            hue="kind", palette=KINDS, errorbar=("pi", 100), ax=axes, legend=axes is panels[1],
        )  # fmt: skip
        _dimensions(axes, split, tables["null_model"]["dimension"].max())
        axes.set_ylabel("explained stress")
    sns.move_legend(panels[1], "center left", bbox_to_anchor=(1, 0.5), title=None)
    return figure


@of_embedding
def metrics(tables: dict[str, pd.DataFrame]) -> Figure:
    """Explained stress by dimension for each distance."""
    figure, panels = plt.subplots(1, 2, figsize=(2 * COLUMN, 0.75 * COLUMN), sharey=True)
    for axes, split in zip(panels, ("train", "test"), strict=True):
        found = tables["metrics"].query("split == @split")
        colours = palette(found["metric"])
        for (metric, part), style in zip(found.groupby("metric", sort=False), cycle(LINES)):
            axes.plot(
                part["dimension"], part["explained_stress"], style, color=colours[metric],
                label=_label(metric),
            )  # fmt: skip
        _dimensions(axes, split, found["dimension"].max())
    panels[0].set_ylabel("explained stress")
    panels[1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


@of_embedding
def metric_embedding(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """The first two coordinates for each distance, with the geodesic, by architecture."""
    models = tables["metric_embedding"].query("split == @split")
    curve = tables["metric_geodesic"].query("split == @split")
    colours = palette(tables["models"]["network"])
    shown = models["metric"].unique()
    rows = -(-len(shown) // 2)
    figure, panels = plt.subplots(
        rows, 2, figsize=(1.8 * COLUMN, 0.7 * rows * COLUMN), squeeze=False
    )
    for axes in panels.flat[len(shown) :]:
        axes.set_axis_off()
    for axes, metric in zip(panels.flat, shown, strict=False):
        part, of_curve = models[models["metric"] == metric], curve[curve["metric"] == metric]
        embedding(
            {"models": part, "geodesic": of_curve}, dimensions=2, palette=colours, ax=axes,
            legend=False,
        )  # fmt: skip
        row = tables["metrics"].query("split == @split and metric == @metric and dimension == 3")
        explained = row["explained_stress"].iloc[0]
        title_left(axes, f"{_label(metric)}\nexplained stress in 3-D: {explained:.0%}")
    network_legend(figure, colours, REFERENCES[:2], loc="outside right center")
    return figure


@of_embedding
def subsets(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """Explained pairwise distance from few samples, and from random mixtures of classes."""
    import seaborn as sns  # takes a second or two

    found = tables["subsets"].query("split == @split")
    whole = found.query("kind == 'samples'")["size"].max()
    figure, panels = plt.subplots(1, 2, figsize=(2.2 * COLUMN, 0.8 * COLUMN), sharey=True)
    for axes, kind in zip(panels, ("samples", "classes"), strict=True):
        part = found.query("kind == @kind and size < @whole")
        colours = ordered(sorted(part["size"].unique()))
        for size, colour in colours.items():
            sns.lineplot(
                part.query("size == @size"), x="dimension", y="explained_pairwise_distance",
                errorbar=("pi", 100), color=colour, ax=axes, label=f"{size:,}",
            )  # fmt: skip
        all_of_it = found.query("kind == 'samples' and size == @whole")
        axes.plot(
            all_of_it["dimension"], all_of_it["explained_pairwise_distance"], color="black",
            linestyle="--", label=f"all {whole:,}" if kind == "samples" else "all",
        )  # fmt: skip
        axes.set(xlabel="dimensions", ylabel=SHARE, ylim=(min(0, axes.get_ylim()[0]), 1))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_title(f"{split}: from some {kind}", loc="left")
        axes.legend(title=f"{kind}", loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


@of_embedding
def subset_embedding(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """The first two coordinates from few samples or mixed classes, aligned with the original."""
    found = tables["subset_embedding"].query("split == @split")
    shown = [
        (kind, size)
        for kind, at_most in (("samples", 4), ("classes", 2))
        for size in sorted(found.query("kind == @kind")["size"].unique())[:at_most]
    ]
    if not shown:
        raise LeftOut(f"There are too few {split} samples and classes to leave some out.")
    colours = palette(tables["models"]["network"])
    rows = -(-len(shown) // 3)
    figure, panels = plt.subplots(
        rows, min(3, len(shown)), figsize=(2 * COLUMN, (0.2 + 0.65 * rows) * COLUMN),
        sharex=True, sharey=True, squeeze=False,
    )  # fmt: skip
    for axes, (kind, size) in zip(panels.flat, shown, strict=False):
        part = found.query("kind == @kind and size == @size")
        embedding(part, dimensions=2, palette=colours, ax=axes, legend=False)
        title_left(axes, f"{split}: {size:,} {kind}")
        axes.set(xlabel="", ylabel="")
    for axes in panels.flat[len(shown) :]:
        axes.set_axis_off()
    figure.supxlabel("PC1", fontsize=8)
    figure.supylabel("PC2", fontsize=8)
    network_legend(figure, colours, loc="outside right center")
    return figure


def _label(metric: str) -> str:
    return label_of(metric).replace("$", r"\$")  # not mathematics


def _dimensions(axes: Axes, split: str, most: int) -> None:
    axes.set(xscale="log", xlabel="dimensions")
    ticks = [d for d in (1, 3, 10, 25, 50, 100) if d <= most]
    axes.set_xticks(ticks, [str(d) for d in ticks])
    axes.minorticks_off()
    axes.set_title(split, loc="left")
