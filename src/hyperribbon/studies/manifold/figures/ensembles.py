"""Figures of ensembles: centroids of the models of several seeds (thesis Fig. 2.24)."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from hyperribbon.plot.references import REFERENCES, draw_references
from hyperribbon.reporting.style import COLUMN, LeftOut, component_label, network_legend, palette

# Words, colours and line widths by kind; lines that coincide are drawn inside one another.
SINGLE = "single network"
KINDS = {
    "arithmetic": ("arithmetic mean", "#0072B2", 1.0),
    "sqrt_arithmetic": ("mean of square roots", "#56B4E9", 2.4),
    "geometric": ("geometric mean", "#E69F00", 1.0),
    "harmonic": ("harmonic mean", "#009E73", 1.0),
    "bhattacharyya": ("Bhattacharyya centroid", "#CC79A7", 1.5),
    "jeffreys": ("Jeffreys centroid", "#D55E00", 0.6),
}
TOO_FEW = "No configuration has two seeds that did not diverge, so there are no ensembles."


def ensembles(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """Centroids of one configuration in the embedding, and their error by progress (2.24)."""
    places = tables["ensemble_embedding"].query("split == @split")
    if places.empty:
        raise LeftOut(TOO_FEW)
    chosen = places["configuration"].iloc[0]
    scores = tables["ensembles"].query("split == @split and configuration == @chosen")
    seeds = tables["models"].query("split == @split and configuration == @chosen")
    curve = tables["geodesic"].query("split == @split")
    figure, (left, right) = plt.subplots(1, 2, figsize=(2 * COLUMN, 0.8 * COLUMN))
    for _, run in seeds.groupby("seed"):
        left.plot(run["pc1"], run["pc2"], color="0.75", linewidth=0.7)
        right.plot(run["progress"], run["error"], color="0.75", linewidth=0.7)
    for kind, (_, colour, width) in KINDS.items():
        place, score = places[places["kind"] == kind], scores[scores["kind"] == kind]
        for axes, x, y in (
            (left, place["pc1"], place["pc2"]),
            (right, score["progress"], score["error"]),
        ):
            axes.plot(x, y, color=colour, linewidth=width)
            axes.plot(x.iloc[-1:], y.iloc[-1:], "o", color=colour, markersize=2.5 + width)
    draw_references(left, curve, (1, 2))
    left.set_xlabel(component_label(tables["explained_stress"], split, 1))
    left.set_ylabel(component_label(tables["explained_stress"], split, 2))
    right.set(xlabel=f"{split} progress", ylabel=f"{split} error")
    # This scale separates small errors and includes 0.
    right.set_yscale("function", functions=(np.sqrt, np.square))
    highest = max(scores["error"].max(), seeds["error"].max())
    right.set_ylim(0.9 * scores["error"].min(), 1.02 * highest)
    right.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    name = chosen.rsplit("-", 1)[0]
    left.set_title(f"{name}, {seeds['seed'].nunique()} seeds", loc="left")
    right.set_title(f"{split} data", loc="left")
    key = [Line2D([], [], color="0.75", label="single networks"), *REFERENCES]
    network_legend(
        figure,
        {words: colour for words, colour, _ in KINDS.values()},
        key,
        loc="outside right center",
    )
    return figure


def ensemble_gain(tables: dict[str, pd.DataFrame]) -> Figure:
    """Final test error of centroids less that of single networks and of the arithmetic mean."""
    import seaborn as sns  # takes a second or two

    scores = tables["ensembles"].query("split == 'test'")
    if scores.empty:
        raise LeftOut(TOO_FEW)
    colours = palette(tables["models"]["network"])
    last = scores.groupby(["network", "configuration", "kind"], sort=False)["error"].last()
    error = last.unstack("kind") * 100
    figure, panels = plt.subplots(1, 2, figsize=(2 * COLUMN, 0.75 * COLUMN), sharey=True)
    for axes, other, name in (
        (panels[0], SINGLE, "single networks"),
        (panels[1], "arithmetic", "the arithmetic mean"),
    ):
        kinds = [kind for kind in KINDS if kind != other]
        gain = error[kinds].sub(error[other], axis=0).melt(ignore_index=False).reset_index()
        gain["kind"] = gain["kind"].map(lambda kind: KINDS[kind][0])
        axes.axvline(0, color="0.8", linewidth=0.8, zorder=0)
        sns.stripplot(
            gain, x="value", y="kind", hue="network", palette=colours, size=3, ax=axes,
            legend=False, jitter=False, dodge=True,
        )  # fmt: skip
        sns.pointplot(
            gain, x="value", y="kind", color="black", linestyle="none", marker="|", markersize=9,
            errorbar=("ci", 95), seed=0, err_kws={"linewidth": 1.2}, ax=axes,
        )  # fmt: skip
        axes.set(xlabel="", ylabel="")
        axes.set_title(f"against {name}", loc="left")
    figure.supxlabel("final test error, difference (percentage points)", fontsize=8)
    shown = {name: colour for name, colour in colours.items() if name in set(gain["network"])}
    mean = Line2D([], [], color="black", marker="|", markersize=7, label="mean, 95% interval")
    network_legend(figure, shown, [mean], loc="outside right center")
    return figure
