"""Figures of networks that learn tasks in the plane: maps, magnification, spectra."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import AsinhNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.stats import spearmanr

from hyperribbon.reporting.panels import legend_below, name_outer, wrapped
from hyperribbon.reporting.style import COLOURS, COLUMN, LeftOut
from hyperribbon.studies.representations.names import RANDOM, STANDARD

SHOWN = 5  # moments in a row
TITLES = {"xor": "XOR", "sinusoid": "sinusoid"}
STATISTICS = {
    "volume": "log volume",
    "volume_without_radius": "without radius",
    "change": "change since initialisation",
    "change_without_radius": "change, without radius",
}
# Boundary and whether labels are random, with label and style.
LINES: list[tuple[str, str, str, dict[str, Any]]] = [
    (STANDARD, "network", "the network's boundary", {"color": COLOURS[0]}),
    (STANDARD, "true", "true boundary", {"color": COLOURS[1]}),
    (STANDARD, "turned", "null: the network's boundary, turned",
     {"color": "0.5", "linestyle": "--"}),
    (RANDOM, "network", "null: random labels, the network's boundary",
     {"color": COLOURS[4], "linestyle": ":"}),
]  # fmt: skip
NETWORK: dict[str, Any] = {"colors": "white", "linewidths": 1.2}
TRUE: dict[str, Any] = {"colors": "black", "linewidths": 0.8, "linestyles": "--"}
VARIED = ("nothing", "width", "weight decay", "activation", "parametrisation", "labels", "depth")


def plane_maps_xor(tables: dict[str, pd.DataFrame]) -> Figure:
    """Log volume and scalar curvature of the standard network through training, on XOR."""
    return _maps(tables["plane_maps"], "xor")


def plane_maps_sinusoid(tables: dict[str, pd.DataFrame]) -> Figure:
    """Log volume and scalar curvature of the standard network through training, on the sinusoid."""
    return _maps(tables["plane_maps"], "sinusoid")


def _maps(maps: pd.DataFrame, task: str) -> Figure:
    found = maps[(maps["task"] == task) & (maps["variant"] == STANDARD)]
    if found.empty:
        raise LeftOut(f"the study has no task {task}")
    epochs = np.array(sorted(found["epoch"].unique()))
    chosen = epochs[np.unique(np.linspace(0, len(epochs) - 1, SHOWN).round().astype(int))]
    columns = [(found[found["epoch"] == epoch], f"epoch {epoch:,}") for epoch in chosen]
    return _two_rows(columns)


def plane_variants_mapped(tables: dict[str, pd.DataFrame]) -> Figure:
    """Log volume and scalar curvature at the end of training, of the networks that have maps."""
    maps = tables["plane_maps"]
    columns = []
    for (task, variant), part in maps.groupby(["task", "variant"], sort=False):
        if variant != STANDARD:
            last = part[part["epoch"] == part["epoch"].max()]
            columns.append((last, f"{TITLES[task]}, {variant}"))
    if not columns:
        raise LeftOut("the study has no variants with maps")
    return _two_rows(columns, shared=False)


def _two_rows(columns: list[tuple[pd.DataFrame, str]], shared: bool = True) -> Figure:
    """Maps of log volume above maps of curvature, with one scale each if it is shared."""
    size = 2.4 * COLUMN / max(len(columns), 3)
    height = 2 * size if shared else 1.55 * size  # beside scales of their own, maps are smaller
    figure, panels = plt.subplots(
        2, len(columns), figsize=(size * len(columns), height + 0.5), squeeze=False,
        sharex=shared, sharey=shared,
    )  # fmt: skip
    rows = (("log_volume", "log volume element"), ("ricci", "scalar curvature"))
    for line, (name, words) in zip(panels, rows, strict=True):
        scale = _scale([part[name] for part, _ in columns], name) if shared else None
        for axes, (part, title) in zip(line, columns, strict=True):
            norm = scale or _scale([part[name]], name)
            mesh = _map(axes, part, name, norm)
            if axes in panels[0]:
                axes.set_title(title, loc="left", fontsize=7)
            if not shared and mesh is not None:
                colour_bar(figure, mesh, axes, shrink=0.75)
        if shared and mesh is not None:
            colour_bar(figure, mesh, list(line), label=words, pad=0.01)
        line[0].set_ylabel(words if not shared else "")
    lines = [
        Line2D([], [], color="white", linewidth=1.2, label="the network's boundary"),
        Line2D([], [], color="black", linewidth=0.8, linestyle="--", label="true boundary"),
    ]
    legend_below(figure, [], lines)
    figure.legends[0].set_frame_on(True)
    figure.legends[0].get_frame().set(facecolor="0.6", edgecolor="none")
    return figure


def _scale(values: list[pd.Series], name: str) -> Normalize:
    """Colours from the smallest to the largest value; of curvature, symmetric about 0."""
    whole = np.concatenate([v.to_numpy(dtype=float) for v in values])
    whole = whole[np.isfinite(whole)]
    if not len(whole):
        return Normalize(0, 1)
    if name == "ricci":
        return about_zero(whole)
    low, high = np.quantile(whole, [0.005, 0.995])
    return Normalize(low, max(high, low + 1e-9))


def about_zero(values: np.ndarray) -> AsinhNorm:
    """Colours for finite values of both signs, linear about 0 and logarithmic beyond."""
    most = max(np.quantile(np.abs(values), 0.99), 1e-9)
    linear = max(np.quantile(np.abs(values), 0.3), most * 1e-2)
    return AsinhNorm(linear, vmin=-most, vmax=most)


def colour_bar(figure: Figure, mesh: QuadMesh, ax: Axes | list[Axes], **options: Any) -> None:
    """A colour bar of a map; about 0, ticks are powers of ten with room between them."""
    bar = figure.colorbar(mesh, ax=ax, **options)
    if isinstance(mesh.norm, AsinhNorm) and mesh.norm.vmax is not None:
        highest = np.floor(np.log10(mesh.norm.vmax))
        lowest = min(np.log10(mesh.norm.linear_width), highest - 1e-9)
        powers = 10.0 ** np.arange(highest, lowest, -1)[:3]
        ticks = [*-powers, 0, *powers[::-1]]
        bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
        bar.ax.minorticks_off()


def _map(axes: Axes, part: pd.DataFrame, name: str, norm: Normalize):
    """Draw a map with both boundaries; None if there is nothing to draw."""
    axes.set_aspect("equal")
    x, y, values = grid_of(part, name)
    if not np.isfinite(values).any():
        axes.text(0.5, 0.5, "0 between\nthe kinks", transform=axes.transAxes, ha="center",
                  va="center")  # fmt: skip
        axes.set(xticks=[], yticks=[])
        return None
    colours = "RdBu_r" if name == "ricci" else "viridis"
    mesh = axes.pcolormesh(x, y, values, norm=norm, cmap=colours, shading="nearest",
                           rasterized=True)  # fmt: skip
    for column, style in (("margin", NETWORK), ("truth", TRUE)):
        height = grid_of(part, column)[2]
        if height.min() < 0 < height.max():
            if name == "ricci" and column == "margin":
                style = style | {"colors": "#009E73"}
            axes.contour(x, y, height, levels=[0], **style)
    return mesh


def grid_of(part: pd.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Axes (n,) and values (n, n), rows by y, from one row per point."""
    table = part.pivot(index="y", columns="x", values=name)
    return table.columns.to_numpy(), table.index.to_numpy(), table.to_numpy()


def plane_magnification(tables: dict[str, pd.DataFrame]) -> Figure:
    """Rank correlations of log volume and distance from a boundary, through training."""
    means = tables["plane_magnification_means"]
    tasks = list(dict.fromkeys(means["task"]))
    figure, panels = plt.subplots(
        len(tasks), len(STATISTICS), figsize=(2.4 * COLUMN, 0.75 * COLUMN * len(tasks) + 0.4),
        squeeze=False, sharey=True,
    )  # fmt: skip
    for line, task in zip(panels, tasks, strict=True):
        for axes, (statistic, words) in zip(line, STATISTICS.items(), strict=True):
            found = means[(means["task"] == task) & (means["statistic"] == statistic)]
            for variant, boundary, label, style in LINES:
                part = found[(found["variant"] == variant) & (found["boundary"] == boundary)]
                part = part.dropna(subset="mean")
                if not part.empty:
                    _band(axes, part, label, style)
            _epochs(axes, found["epoch"])
            axes.axhline(0, color="0.8", linewidth=0.8, zorder=0)
            axes.set(ylim=(-1, 1))
            axes.set_title(f"{TITLES[task]}: {words}", loc="left", fontsize=7)
        line[0].set_ylabel("rank correlation")
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
    legend_below(figure, [axes for line in panels for axes in line])
    return figure


def _band(axes: Axes, part: pd.DataFrame, label: str, style: dict[str, Any]) -> None:
    """A line of means by epoch, with its intervals."""
    axes.plot(part["epoch"], part["mean"], linewidth=1.2, label=label, **style)
    axes.fill_between(
        part["epoch"], part["low"], part["high"], color=style["color"], alpha=0.2, linewidth=0
    )


def _epochs(axes: Axes, epochs: pd.Series) -> None:
    """An axis of epochs, logarithmic beyond the first one after 0."""
    later = epochs[epochs > 0]
    if not later.empty:
        axes.set_xscale("symlog", linthresh=later.min())
        axes.set_xlim(0, later.max())


def plane_variants(tables: dict[str, pd.DataFrame]) -> Figure:
    """Magnification at the end of training, by variant: change of volume, radius taken out."""
    means = tables["plane_magnification_means"]
    means = means[means["statistic"] == "change_without_radius"]
    tasks = list(dict.fromkeys(means["task"]))
    figure, panels = plt.subplots(
        1, len(tasks), figsize=(1.2 * COLUMN * len(tasks), 1.3 * COLUMN), squeeze=False
    )
    styles = {
        "network": ("o", COLOURS[0], "the network's boundary", -0.18),
        "true": ("s", COLOURS[1], "true boundary", 0.0),
        "turned": ("x", "0.5", "null: the network's boundary, turned", 0.18),
    }
    for axes, task in zip(panels[0], tasks, strict=True):
        found = means[means["task"] == task]
        found = found[found["epoch"] == found["epoch"].max()]
        names = list(dict.fromkeys(found["variant"]))
        for boundary, (marker, colour, label, shift) in styles.items():
            part = found[found["boundary"] == boundary].set_index("variant").reindex(names)
            places = np.arange(len(names)) + shift
            spread = [part["mean"] - part["low"], part["high"] - part["mean"]]
            axes.errorbar(
                part["mean"], places, xerr=np.nan_to_num(np.abs(spread)), fmt=marker,
                color=colour, markersize=4, linewidth=0.9, label=label,
            )  # fmt: skip
        axes.axvline(0, color="0.8", linewidth=0.8, zorder=0)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set(xlim=(-1, 1), xlabel="rank correlation with distance")
        axes.set_title(TITLES[task], loc="left")
    legend_below(figure, list(panels[0]))
    return figure


def plane_spectra(tables: dict[str, pd.DataFrame]) -> Figure:
    """Condition number of the metric, its rank, and magnification of each eigenvalue."""
    trainings, means = tables["plane_trainings"], tables["plane_magnification_means"]
    tasks = list(dict.fromkeys(trainings["task"]))
    figure, panels = plt.subplots(
        len(tasks), 3, figsize=(2.4 * COLUMN, 0.85 * COLUMN * len(tasks) + 0.4), squeeze=False
    )
    for line, task in zip(panels, tasks, strict=True):
        found = trainings[(trainings["task"] == task) & (trainings["varied"] != "labels")]
        for _, part in found.groupby("variant", sort=False):
            kind = part["varied"].iloc[0]
            colour = COLOURS[VARIED.index(kind) % len(COLOURS)]
            style: dict[str, Any] = {"color": colour, "linewidth": 2 if kind == "nothing" else 0.8}
            style["zorder"] = 3 if kind == "nothing" else 2
            by_epoch = part.groupby("epoch")
            line[0].plot(10 ** by_epoch["log_condition"].mean(), **style)
            line[1].plot(by_epoch["singular"].mean(), **style)
        line[0].set(yscale="log", ylabel="condition number of g, median")
        line[1].set(ylabel="share of points with rank < 2", ylim=(-0.02, 1))
        of_standard = means[(means["task"] == task) & (means["variant"] == STANDARD)]
        of_standard = of_standard[of_standard["boundary"] == "network"]
        for statistic, label, colour in (
            ("first_eigenvalue", "larger eigenvalue", COLOURS[5]),
            ("second_eigenvalue", "smaller eigenvalue", COLOURS[6]),
            ("volume", "log volume", "black"),
        ):
            part = of_standard[of_standard["statistic"] == statistic].dropna(subset="mean")
            if not part.empty:
                _band(line[2], part, label, {"color": colour})
        line[2].axhline(0, color="0.8", linewidth=0.8, zorder=0)
        line[2].set(ylabel="rank correlation, standard", ylim=(-1, 1))
        line[2].legend(fontsize=6)
        for axes in line:
            _epochs(axes, found["epoch"])
            axes.set_xlabel("epoch")
            axes.set_title(TITLES[task], loc="left")
    legend_below(figure, [], _varied_handles(trainings, marker=False))
    return figure


def plane_accuracy(tables: dict[str, pd.DataFrame]) -> Figure:
    """Magnification against accuracy on the square, at the end of training, by network."""
    found = at_end(tables)
    tasks = list(dict.fromkeys(found["task"]))
    figure, panels = wrapped(2 * len(tasks), 0.9, most=2)
    names = {"volume_without_radius": "log volume, without radius",
             "change_without_radius": "change of log volume, without radius"}  # fmt: skip
    pairs = [(task, statistic) for task in tasks for statistic in names]
    for axes, (task, statistic) in zip(panels, pairs, strict=True):
        part = found[(found["task"] == task) & (found["varied"] != "labels")]
        part = part.dropna(subset=statistic)
        for kind in VARIED:
            rows = part[part["varied"] == kind]
            axes.plot(
                rows[statistic], rows["accuracy"], "o", markersize=3.5, alpha=0.8,
                color=COLOURS[VARIED.index(kind) % len(COLOURS)],
            )  # fmt: skip
        rho = spearmanr(part[statistic], part["accuracy"])[0] if len(part) > 2 else np.nan
        axes.set_title(f"{TITLES[task]}: all, rank correlation {rho:.2f}", loc="left")
        axes.set_xlabel(f"rank correlation with distance:\n{names[statistic]}")
    name_outer([], "", "")
    for axes in panels[::2]:
        axes.set_ylabel("accuracy on the square")
    legend_below(figure, [], _varied_handles(found))
    return figure


def at_end(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per training: magnification at the network's boundary at the end, and accuracies."""
    found, trainings = tables["plane_magnification"], tables["plane_trainings"]
    keys = ["task", "variant", "seed", "epoch"]
    found = found[found["boundary"] == "network"]
    found = found[found["epoch"] == found.groupby("task")["epoch"].transform("max")]
    return found.merge(trainings[[*keys, "accuracy", "train_accuracy", "loss"]], on=keys)


def _varied_handles(found: pd.DataFrame, marker: bool = True) -> list[Line2D]:
    """A legend of what is varied."""
    known = set(found["varied"]) - {"labels"}
    style: dict[str, Any] = {"marker": "o", "linestyle": "", "markersize": 4} if marker else {}
    return [
        Line2D([], [], color=COLOURS[k % len(COLOURS)], **style,
               label="standard" if kind == "nothing" else f"another {kind}")
        for k, kind in enumerate(VARIED)
        if kind in known
    ]  # fmt: skip
