"""Curvature of the loss: spectra, their slopes, eigenspaces, reduced models.

Thesis Figs. 4.1, 4.3 to 4.11; Fig. 3 of Cowlagi & Chaudhari.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyperribbon.figures.style import COLOURS, COLUMN, sentence

# What is drawn together, and how: the thesis' names.
MATRICES = {
    "input": ("inputs", "black", "-"),
    "activations": ("activations", "#56B4E9", "-"),
    "gradients": ("activation gradients", "#999933", "-"),
    "jacobian_summed": ("Jacobian, sum of logits", "#009E73", "-"),
    "fisher": ("Fisher", "#D55E00", "-"),
    "empirical_fisher": ("empirical Fisher", "#E69F00", "--"),
    "hessian": ("Hessian", "#0072B2", "-"),
    "kfac": ("KFAC", "#CC79A7", ":"),
}
COMPARED = ("input", "jacobian_summed", "fisher", "empirical_fisher", "hessian")
MOMENTS = {"initialisation": "#E69F00", "middle": "#009E73", "end": "#0072B2"}
SPACES = {
    "Fisher and Hessian": "-",
    "Fisher, with the initial one": "--",
    "Hessian, with the initial one": ":",
}
PANELS = 4  # configurations shown, at most
SHOWN = 200  # leading eigenvalues
LEAST = 1e-9  # of the largest eigenvalue, drawn
NOTHING = "Every seed of the networks looked at diverged."


def spectra(tables: dict[str, pd.DataFrame]) -> Figure:
    """All spectra at the end of training, each by its largest eigenvalue."""
    found = tables["spectra"].query("moment == 'end'")
    if found.empty:
        return sentence(NOTHING)
    figure, panels = _panels(found, 1.3)
    for axes, (name, part) in zip(panels[0], _configurations(found), strict=True):
        all_matrices(axes, part, name)
    panels[0, 0].set_ylabel("eigenvalue / the largest")
    _legend(panels)
    return figure


def spectra_layers(tables: dict[str, pd.DataFrame]) -> Figure:
    """Spectra by layer and by class at the end of training."""
    found = tables["spectra"].query("moment == 'end'")
    if found.empty:
        return sentence(NOTHING)
    kinds = {
        "activations": "activations by layer",
        "gradients": "activation gradients by layer",
        "jacobian": "Jacobians by class",
    }
    shown = list(_configurations(found))
    figure, panels = plt.subplots(
        len(shown), 3, figsize=(2.4 * COLUMN, 0.8 * len(shown) * COLUMN), squeeze=False
    )
    for row, (name, part) in zip(panels, shown, strict=True):
        for axes, (kind, title) in zip(row, kinds.items(), strict=True):
            wanted = ["input", kind] if kind == "activations" else [kind]
            parts = list(_parts(part[part["matrix"].isin(wanted)]))
            colours = plt.get_cmap("viridis")
            for k, (label, values) in enumerate(parts):
                axes.plot(
                    values["index"], values["eigenvalue"], linewidth=1, label=label or "inputs",
                    color=colours(k / max(len(parts) - 1, 1)),
                )  # fmt: skip
            _spectrum_axes(axes, title)
            axes.legend(fontsize=5, ncols=2 if len(parts) > 6 else 1)
        row[0].set_ylabel(f"{name}\neigenvalue")
    return figure


def spectra_training(tables: dict[str, pd.DataFrame]) -> Figure:
    """Fisher matrix and Hessian at initialisation, in the middle and at the end."""
    found = tables["spectra"]
    if found.empty:
        return sentence(NOTHING)
    shown = list(_configurations(found))
    figure, panels = plt.subplots(
        len(shown), 2, figsize=(1.8 * COLUMN, 0.75 * len(shown) * COLUMN), squeeze=False
    )
    for row, (name, part) in zip(panels, shown, strict=True):
        for axes, (matrix, title) in zip(
            row, {"fisher": "Fisher matrix", "hessian": "Hessian, magnitudes"}.items(), strict=True
        ):
            for moment, colour in MOMENTS.items():
                values = part[(part["matrix"] == matrix) & (part["moment"] == moment)]
                size = values["eigenvalue"].abs()
                axes.plot(values["index"], size, color=colour, linewidth=1, label=moment)
            axes.set(yscale="log", xlabel="index")
            axes.set_title(title, loc="left")
        row[0].set_ylabel(f"{name}\neigenvalue")
    _legend(panels)
    return figure


def spectra_compared(tables: dict[str, pd.DataFrame]) -> Figure:
    """Each matrix's spectrum at the end, of all networks and augmentations: Fig. 4.11."""
    found = tables["spectra"].query("moment == 'end'")
    if found.empty:
        return sentence(NOTHING)
    titles = {name: label for name, (label, *_) in MATRICES.items() if name in COMPARED}
    titles = {name: label for name, label in titles.items() if name in set(found["matrix"])}
    shown = list(_configurations(found, len(COLOURS)))
    figure, panels = plt.subplots(
        1, len(titles), figsize=(0.75 * len(titles) * COLUMN, 0.75 * COLUMN), squeeze=False
    )
    for axes, (matrix, title) in zip(panels[0], titles.items(), strict=True):
        for k, (name, part) in enumerate(shown):
            row = part[part["matrix"] == matrix]
            size = row["eigenvalue"].abs()
            axes.plot(row["index"], size, color=COLOURS[k], linewidth=1, label=name)
        _spectrum_axes(axes, title)
    panels[0, 0].set_ylabel("eigenvalue")
    _legend(panels)
    return figure


def spectral_density(tables: dict[str, pd.DataFrame]) -> Figure:
    """How many eigenvalues of the Hessian are beyond each size; those known exactly as points."""
    found, exact = tables["spectral_density"], tables["spectra"]
    if found.empty:
        return sentence(
            "The networks looked at have so few weights that all eigenvalues are known."
        )
    figure, panels = _panels(found, 0.9)
    for axes, (name, part) in zip(panels[0], _configurations(found), strict=True):
        configuration = part["configuration"].iloc[0]
        known = (exact["configuration"] == configuration) & (exact["moment"] == "end")
        leading = exact[known & (exact["matrix"] == "hessian")]["eigenvalue"]
        for sign, direction, colour in (("positive", 1, "#0072B2"), ("negative", -1, "#D55E00")):
            curve = part[part["sign"] == sign]
            low = (curve["beyond"] - 2 * curve["standard_error"]).clip(lower=0.5)
            high = curve["beyond"] + 2 * curve["standard_error"]
            axes.plot(curve["magnitude"], curve["beyond"], color=colour, linewidth=1, label=sign)
            axes.fill_between(curve["magnitude"], low, high, color=colour, alpha=0.25, linewidth=0)
            some = (direction * leading[direction * leading > 0]).sort_values(ascending=False)
            axes.plot(some, range(1, len(some) + 1), ".", color=colour, markersize=2.5)
        axes.plot([], [], ".", color="0.5", markersize=2.5, label="by Lanczos")
        axes.set(xscale="log", yscale="log", xlabel="size", ylim=(0.5, None))
        axes.set_title(name, loc="left")
    panels[0, 0].set_ylabel("eigenvalues of the Hessian beyond")
    _legend(panels)
    return figure


def norm_bounds(tables: dict[str, pd.DataFrame]) -> Figure:
    """What is measured against its bound by the norms of the weights; they hold below the line."""
    found = tables["norm_bounds"]
    if found.empty:
        return sentence(
            "The bounds are of linear layers without biases, with ReLU or tanh between them, and "
            "of few samples: none of the networks looked at is such a one."
        )
    figure, panels = _panels(found, 0.9)
    statements = list(found["statement"].unique())
    for axes, (name, part) in zip(panels[0], _configurations(found), strict=True):
        for k, statement in enumerate(statements):
            some = part[part["statement"] == statement]
            axes.plot(some["bound"], some["measured"], "o", color=COLOURS[k], markersize=3,
                      markeredgewidth=0, alpha=0.7, label=statement)  # fmt: skip
        ends = [part[["bound", "measured"]].min().min(), part["bound"].max()]
        axes.plot(ends, ends, color="0.5", linewidth=1)
        axes.set(xscale="log", yscale="log", xlabel="bound")
        axes.set_title(name, loc="left")
    panels[0, 0].set_ylabel("measured")
    _legend(panels)
    return figure


def sloppy_slopes(tables: dict[str, pd.DataFrame]) -> Figure:
    """Slope of each spectrum's sloppy range at the end, with intervals."""
    found = tables["sloppiness"].query("moment == 'end'").dropna(subset="slope")
    if found.empty:
        return sentence(NOTHING)
    shown = list(_configurations(found))
    order = [m for m in (*MATRICES, "jacobian", "jacobian_all") if m in set(found["matrix"])]
    figure, axes = plt.subplots(figsize=(1.5 * COLUMN, (0.3 + 0.14 * len(order)) * COLUMN))
    for k, (name, part) in enumerate(shown):
        for _, row in part.iterrows():
            at = order.index(row["matrix"]) + 0.7 * (k + 0.5) / len(shown) - 0.35
            axes.plot(
                [-row["high"], -row["low"]], [at, at], color=COLOURS[k], linewidth=1, alpha=0.6
            )
            axes.plot(-row["slope"], at, "o", color=COLOURS[k], markersize=2.5)
        axes.plot([], [], "o-", color=COLOURS[k], markersize=2.5, linewidth=1, label=name)
    labels = {"jacobian": "Jacobian of a logit", "jacobian_all": "Jacobians of all logits"}
    labels |= {name: label for name, (label, *_) in MATRICES.items()}
    axes.set_yticks(range(len(order)), [labels[name] for name in order])
    axes.invert_yaxis()
    axes.set(xscale="log", xlabel="decay of ln(eigenvalue) per index, sloppy range")
    axes.grid(axis="x")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def eigenspaces(tables: dict[str, pd.DataFrame]) -> Figure:
    """Whether stiff directions agree: of Fisher matrix and Hessian, and with those at first."""
    products, found = tables["eigenvector_products"], tables["eigenspace_overlaps"]
    if found.empty:
        return sentence(NOTHING)
    shown = list(_configurations(found))
    figure, panels = plt.subplots(
        len(shown), 2, figsize=(2.1 * COLUMN, 0.85 * len(shown) * COLUMN), squeeze=False
    )
    for (left, right), (name, part) in zip(panels, shown, strict=True):
        configuration = part["configuration"].iloc[0]
        square = products[products["configuration"] == configuration].pivot(
            index="fisher", columns="hessian", values="inner_product"
        )
        size = square.shape[1], square.shape[0]
        extent = (0.5, size[0] + 0.5, size[1] + 0.5, 0.5)
        image = left.imshow(square, cmap="magma", vmin=0, vmax=1, extent=extent)
        left.set(xlabel="eigenvector of the Hessian", ylabel=f"{name}\nof the Fisher matrix")
        left.set_title("|inner products| at the end", loc="left")
        figure.colorbar(image, ax=left, shrink=0.8)
        for (spaces, moment), curve in part.groupby(["spaces", "moment"], sort=False):
            if moment == "initialisation" and "initial" in spaces:
                continue  # with itself
            label = f"{spaces}: {moment}"
            line = {"color": MOMENTS[moment], "linestyle": SPACES[spaces]}
            right.plot(curve["k"], curve["overlap"], linewidth=1, label=label, **line)
        random = part.drop_duplicates("k")
        right.plot(random["k"], random["random"], color="0.6", linewidth=1, label="random spaces")
        right.set(xlabel="leading eigenvectors", yscale="log", ylim=(None, 1.5))
        right.set_title("overlap of the spaces", loc="left")
    panels[0, 1].legend(fontsize=6, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def reduction(tables: dict[str, pd.DataFrame]) -> Figure:
    """Error of models reduced to their first Fisher eigenvectors."""
    found, critical = tables["reduction"], tables["reduction_critical"]
    if found.empty:
        return sentence("There are no complete Fisher spectra: too many samples were asked for.")
    figure, panels = _panels(found, 0.9)
    for axes, (name, part) in zip(panels[0], _configurations(found), strict=True):
        some, whole = part.iloc[:-1], part.iloc[-1]
        for split, colour in (("train", COLOURS[0]), ("test", COLOURS[3])):
            column = f"{split}_error"
            axes.plot(100 * some["fraction"], some[column], "o-", color=colour, markersize=3,
                      linewidth=1, label=split)  # fmt: skip
            axes.axhline(whole[column], color=colour, linestyle=":", linewidth=1)
        of_this = critical["configuration"] == whole["configuration"]
        stiff, enough = critical.loc[of_this, ["stiff_fraction", "critical_fraction"]].iloc[0]
        axes.axvline(100 * stiff, color="0.5", linewidth=1, label="stiff part of the inputs")
        axes.axvline(100 * enough, color="0.5", linewidth=1, linestyle="--", label="critical")
        axes.set(xscale="log", xlabel="eigenvectors kept, % of the weights", ylim=(0, 1))
        axes.set_title(name, loc="left")
    panels[0, 0].set_ylabel("error; dotted: whole model")
    _legend(panels)
    return figure


def reduction_embedding(tables: dict[str, pd.DataFrame]) -> Figure:
    """Each sample's prediction as a point, of reduced models and of the whole one."""
    found = tables["reduction_embedding"]
    if found.empty:
        return sentence("There are no complete Fisher spectra: too many samples were asked for.")
    name, part = next(_configurations(found))
    counts = sorted(part["kept"].unique())
    shown = [counts[k] for k in sorted({0, len(counts) // 3, 2 * len(counts) // 3})]
    shown = sorted({*shown, *counts[-2:]})
    figure, panels = plt.subplots(
        1, len(shown), figsize=(0.62 * len(shown) * COLUMN, 0.72 * COLUMN), squeeze=False
    )
    for axes, kept in zip(panels[0], shown, strict=True):
        points = part.query("kept == @kept")
        image = axes.scatter(points["pc1"], points["pc2"], c=points["label"], s=4, cmap="tab10",
                             linewidth=0, vmin=-0.5, vmax=9.5)  # fmt: skip
        share = f"{points['fraction'].iloc[0]:.1%} of the weights"
        axes.set_title(
            "the whole model" if kept == counts[-1] else f"{kept:,}: {share}", loc="left"
        )
        axes.set(xticks=[], yticks=[], xlabel="PC1")
    panels[0, 0].set_ylabel(f"{name}\nPC2")
    if part["label"].max() < 10:
        bar = figure.colorbar(image, ax=panels[0], ticks=range(10), shrink=0.9)
        bar.set_label("true class")
    return figure


def all_matrices(axes: Axes, spectra: pd.DataFrame, title: str) -> None:
    """Spectra of all matrices of one network, each by its largest eigenvalue."""
    for matrix, (label, colour, line) in MATRICES.items():
        for k, (_, row) in enumerate(_parts(spectra[spectra["matrix"] == matrix])):
            axes.plot(
                row["index"], row["eigenvalue"].abs() / row["eigenvalue"].abs().max(),
                line, color=colour, linewidth=1, label=label if k == 0 else None,
            )  # fmt: skip
    _spectrum_axes(axes, title)


def _configurations(found: pd.DataFrame, most: int = PANELS):
    """Name and rows of each configuration, of the first few."""
    for k, (_, part) in enumerate(found.groupby("configuration", sort=False)):
        if k == most:
            return
        network, optimiser, augmentation = part.iloc[0][["network", "optimiser", "augmentation"]]
        extra = "" if augmentation == "none" else f", {augmentation}"
        yield f"{network}, {optimiser}{extra}", part


def _parts(spectra: pd.DataFrame):
    """Each layer or class of a matrix, with its name."""
    for (_, part), rows in spectra.fillna({"part": ""}).groupby(["matrix", "part"], sort=False):
        yield part, rows


def _panels(found: pd.DataFrame, height: float):
    n = min(PANELS, found["configuration"].nunique())
    size = ((0.3 + 0.85 * n) * COLUMN, 0.75 * height * COLUMN)
    return plt.subplots(1, n, figsize=size, squeeze=False, sharey=True)


def _spectrum_axes(axes: Axes, title: str) -> None:
    axes.set(yscale="log", xlabel="index", xlim=(0, SHOWN))
    panels = axes.get_shared_y_axes().get_siblings(axes)
    lines = [line.get_xydata() for panel in panels for line in panel.lines]
    drawn = np.concatenate([xy[xy[:, 0] <= SHOWN, 1] for xy in lines]) if lines else np.ones(1)
    axes.set_ylim(max(LEAST * drawn.max(), 0.5 * drawn.min()), 3 * drawn.max())
    axes.set_title(title, loc="left")


def _legend(panels) -> None:
    panels[0, -1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
