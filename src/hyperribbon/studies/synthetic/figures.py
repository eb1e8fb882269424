"""Networks on synthetic sloppy data (thesis Figs. 2.25 to 2.28, and 4.1, bottom)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    LogLocator,
    MaxNLocator,
    NullFormatter,
    PercentFormatter,
    ScalarFormatter,
)

from hyperribbon.plot._curvature_spectrum import curvature_spectrum
from hyperribbon.plot._embedding import embedding
from hyperribbon.plot.eigenvalues import NEGATIVE, NOTHING
from hyperribbon.plot.references import REFERENCES
from hyperribbon.reporting.panels import legend_below, name_outer, title_left, wrapped
from hyperribbon.reporting.style import COLOURS, COLUMN, LeftOut, network_legend, palette
from hyperribbon.studies.curvature.figures import PANELS

if TYPE_CHECKING:
    from mpl_toolkits.mplot3d import Axes3D

TICKS = [1, 3, 10, 25, 50, 100]


def synthetic_spectra(tables: dict[str, pd.DataFrame]) -> Figure:
    """Spectra of the inputs' sample correlation, and the variances they are drawn with (2.25).

    If the table has images, also the leading eigenvalues of theirs.
    """
    table = tables["synthetic_spectra"]
    spectra = table[table["decay"].notna()]
    colours = shades(spectra["decay"])
    figure, axes = plt.subplots(figsize=(1.5 * COLUMN, 0.85 * COLUMN))
    axes.set(yscale="log", xlabel="index", ylabel="eigenvalue")
    for decay, part in spectra.groupby("decay"):
        axes.plot(part["index"], part["eigenvalue"], color=colours[decay], label=f"c = {decay:g}")
        axes.plot(part["index"], part["variance"], "--", color=colours[decay], linewidth=0.8)
    images = table[table["decay"].isna() & (table["index"] <= spectra["index"].max())]
    for name, part in images.groupby("data"):
        axes.plot(part["index"], part["eigenvalue"], color="0.3", label=name)
    # Smaller values are rounding errors of float32.
    lowest = spectra["variance"].max() * 1e-9
    least = min(spectra["variance"].min(), spectra["eigenvalue"].min())
    largest = max(part["eigenvalue"].max() for part in (spectra, images) if len(part))
    axes.set_ylim(max(lowest, 0.5 * max(least, lowest)), 3 * largest)
    drawn = Line2D(
        [], [], color="0.3", linestyle="--", linewidth=0.8, label="variance of the distribution"
    )
    handles = [*axes.get_legend_handles_labels()[0], drawn]
    axes.legend(handles=handles, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def synthetic_stress(tables: dict[str, pd.DataFrame]) -> Figure:
    """Explained stress by dimension, for a range of c (2.26a)."""
    stress = tables["synthetic_stress"]
    colours = shades(stress["decay"])
    figure, panels = plt.subplots(1, 2, figsize=(2 * COLUMN, 0.75 * COLUMN), sharey=True)
    for axes, split in zip(panels, ("train", "test"), strict=True):
        for decay, part in stress.query("split == @split").groupby("decay"):
            _stress(axes, part, colours[decay], f"c = {decay:g}")
        axes.set_title(split, loc="left")
    panels[0].set_ylabel("explained stress")
    panels[1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def synthetic_embedding(tables: dict[str, pd.DataFrame]) -> Figure:
    """The first three coordinates by architecture, for train, test and each c shown (2.26b)."""
    models, stress = tables["synthetic_embedding"], tables["synthetic_stress"]
    colours = palette(models["network"])
    decays = sorted(models["decay"].unique())
    figure = plt.figure(figsize=(2 * COLUMN, (0.1 + 0.85 * len(decays)) * COLUMN))
    for i, decay in enumerate(decays):
        for j, split in enumerate(("train", "test")):
            place = (len(decays), 2, 2 * i + j + 1)
            axes = figure.add_subplot(*place, projection="3d", computed_zorder=False)
            here = "decay == @decay and split == @split"
            part = models.query(here)
            keys = ["network", "optimiser", "batch_size", "seed"]
            found = {
                "models": part.assign(training=part.groupby(keys).ngroup()),
                "geodesic": tables["synthetic_geodesic"].query(here),
                "explained_stress": stress.query(here),
            }
            _draw_space(axes, found, f"c = {decay:g}, {split}", "network", colours)
    network_legend(figure, colours, REFERENCES, loc="outside lower center", ncols=5)
    return figure


def synthetic_separation(tables: dict[str, pd.DataFrame]) -> Figure:
    """How far apart configurations are along training, relative to seeds of one."""
    table = tables["synthetic_separation"]
    table = table.query("split == 'train' and checkpoint > 0 and within > 0")
    if table.empty:
        raise LeftOut("There is only one configuration, or only one seed.")
    colours = shades(table["decay"])
    factors = [f for f in ("network", "optimiser", "batch_size") if f in set(table["factor"])]
    last = table["checkpoint"].max()
    figure, panels = plt.subplots(
        1, len(factors), figsize=(2.2 * COLUMN, 0.75 * COLUMN), sharey=True, squeeze=False
    )
    for axes, factor in zip(panels.flat, factors, strict=True):
        part = table.query("factor == @factor")
        for decay, run in part.groupby("decay"):
            done = (run["checkpoint"] / last) ** 2  # the checkpoints' schedule
            axes.plot(done, run["between"] / run["within"], ".-", markersize=3,
                      color=colours[decay], label=f"c = {decay:g}")  # fmt: skip
        axes.axhline(1, color="0.7", linewidth=0.8, zorder=0)
        axes.set(xlabel="fraction of training", yscale="log")
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.set_title(f"{factor.replace('_', ' ')} differs", loc="left")
    panels[0, 0].set_ylabel("distance / that of seeds")
    panels[0, -1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def synthetic_corners(tables: dict[str, pd.DataFrame]) -> Figure:
    """Explained stress by dimension, by number of initialisation corners (2.27a, b)."""
    stress = tables["synthetic_corners_stress"]
    decays = sorted(stress["decay"].unique())
    colours = ranked(stress["corners"], "YlOrBr")
    figure, panels = wrapped(len(decays), 0.85, most=3, sharex=True, sharey=True)
    for axes, decay in zip(panels, decays, strict=True):
        for corners, part in stress.query("decay == @decay").groupby("corners"):
            name = "1 corner" if corners == 1 else f"{corners} corners"
            _stress(axes, part, colours[corners], name)
        axes.set_xlabel("")  # only the lowest panels have one
        axes.set_title(f"c = {decay:g}", loc="left")
    name_outer(panels, "dimensions", "explained stress")
    legend_below(figure, panels)
    return figure


def synthetic_corner_embedding(tables: dict[str, pd.DataFrame]) -> Figure:
    """The first three coordinates of trainings from corners, coloured by corner (2.27c)."""
    models, stress = tables["synthetic_corner_embedding"], tables["synthetic_corners_stress"]
    decays = sorted(models["decay"].unique())
    corners = sorted(models["corner"].unique())
    colours = {f"corner {corner}": COLOURS[k % len(COLOURS)] for k, corner in enumerate(corners)}
    columns = min(len(decays), 2)
    rows = -(-len(decays) // columns)
    figure = plt.figure(figsize=((0.3 + 0.95 * columns) * COLUMN, (0.1 + 0.9 * rows) * COLUMN))
    of_all = stress[stress["corners"] == stress["corners"].max()]
    for k, decay in enumerate(decays, start=1):
        axes = figure.add_subplot(rows, columns, k, projection="3d", computed_zorder=False)
        part = models.query("decay == @decay")
        named = part["corner"].map("corner {}".format)
        found = {
            "models": part.assign(
                training=part.groupby(["optimiser", "seed", "corner"]).ngroup(), corner=named
            ),
            "geodesic": tables["synthetic_corner_geodesic"].query("decay == @decay"),
            "explained_stress": of_all.query("decay == @decay"),
        }
        _draw_space(axes, found, f"c = {decay:g}, train", "corner", colours)
    network_legend(figure, colours, REFERENCES, loc="outside lower center", ncols=5)
    return figure


def synthetic_slices(tables: dict[str, pd.DataFrame]) -> Figure:
    """Eigenvalues of the distances of models in a slice of trainings from corners (2.28)."""
    table = tables["synthetic_slices"]
    times = list(table["when"].unique())
    corners = sorted({table["corners"].min(), table["corners"].max()})
    decays = shades(table["decay"])
    styles = dict(zip(corners, ("o", "x"), strict=False))
    figure, panels = wrapped(len(times), 0.85, most=2, sharey=True)
    for axes, when in zip(panels, times, strict=True):
        for (decay, n), part in table.query("when == @when").groupby(["decay", "corners"]):
            if n not in corners:
                continue
            size = part["eigenvalue"].abs()
            shown = size > 1e-6 * size.max()  # the others are zeros, because some models are equal
            axes.plot(
                part["index"][shown], (size / size.max())[shown], styles[n], color=decays[decay],
                markersize=4, markeredgewidth=0.8, mfc="none",
            )  # fmt: skip
        axes.set_yscale("log")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_title(f"at {when}" if when == "start" else f"after {when}", loc="left")
    name_outer(panels, "index", "|eigenvalue| / the largest")
    lines = [Line2D([], [], color=colour, label=f"c = {c:g}") for c, colour in decays.items()]
    for n, marker in styles.items():
        name = "1 corner" if n == 1 else f"{n} corners"
        lines.append(Line2D([], [], color="0.3", linestyle="", markersize=4,
                            markerfacecolor="none", marker=marker, label=name))  # fmt: skip
    legend_below(figure, [], lines)
    return figure


def synthetic_students(tables: dict[str, pd.DataFrame]) -> Figure:
    """Test error of students against c; hollow if they do not interpolate (4.1, bottom right)."""
    table = tables["synthetic_students"]
    teachers = sorted(table["teacher_width"].unique())
    widths = sorted(table["student_width"].unique())
    colours = ranked(widths, "RdPu")
    figure, panels = wrapped(len(teachers), 0.8, most=2, sharex=True, sharey=True)
    for axes, teacher in zip(panels, teachers, strict=True):
        for width in widths:
            part = table.query("teacher_width == @teacher and student_width == @width")
            colour = colours[width]
            mean = part.groupby("decay")["test_error"].mean()
            axes.plot(mean.index, mean, color=colour, linewidth=1)
            fitted = part["train_error"] == 0
            for chosen, face in ((fitted, colour), (~fitted, "white")):
                axes.plot(part["decay"][chosen], part["test_error"][chosen], "o", markersize=4,
                          markerfacecolor=face, markeredgecolor=colour, linestyle="")  # fmt: skip
        axes.set_xscale("log")
        axes.set_title(f"teacher of {teacher} hidden units", loc="left")
    panels[0].set_ylim(bottom=0)  # shared by all panels, so after all are drawn
    name_outer(panels, "c, sloppiness of the inputs", "test error")
    hollow = Line2D([], [], color="0.3", marker="o", markerfacecolor="white", linestyle="",
                    markersize=4, label="does not interpolate")  # fmt: skip
    lines = [
        Line2D([], [], color=colours[w], marker="o", markersize=4, label=f"student of {w}")
        for w in widths
    ]
    legend_below(figure, [], [*lines, hollow])
    return figure


def synthetic_student_spectra(tables: dict[str, pd.DataFrame]) -> Figure:
    """Spectra of a trained student, one panel per c (4.1, bottom left)."""
    table = tables["synthetic_student_spectra"]
    if table.empty:
        raise LeftOut(NOTHING)
    decays = np.unique(table["decay"])
    some = np.linspace(0, len(decays) - 1, min(PANELS, len(decays))).round().astype(int)
    figure, panels = wrapped(len(some), 0.7, most=2, sharex=True, sharey=True)
    for axes, decay in zip(panels, decays[some], strict=True):
        part = table[table["decay"] == decay]
        curvature_spectrum(part, relative=True, ax=axes, legend=False)
        title_left(axes, f"c = {decay:g}, student of {part['student_width'].iloc[0]}")
    name_outer(panels, "index", "eigenvalue / the largest")
    legend_below(figure, panels, NEGATIVE if "hessian" in set(table["matrix"]) else [])
    return figure


def synthetic_student_reduction(tables: dict[str, pd.DataFrame]) -> Figure:
    """Students reduced to stiff directions, and how many directions each of them needs."""
    models, critical = tables["synthetic_student_reduction"], tables["synthetic_student_critical"]
    if models.empty:
        raise LeftOut("No student is small enough for a complete Fisher matrix, or all diverged.")
    colours = shades(models["decay"])
    figure, (left, right) = plt.subplots(1, 2, figsize=(1.9 * COLUMN, 0.8 * COLUMN))
    enough = critical.set_index(["decay", "seed"])["critical_fraction"]
    for which, part in models.groupby(["decay", "seed"]):
        accuracy = 1 - part["test_error"].to_numpy()
        share, accuracy = 100 * part["fraction"].to_numpy(), accuracy / accuracy[-1]
        left.plot(share[:-1], accuracy[:-1], color=colours[which[0]], linewidth=0.8)
        at = share == 100 * enough[which]
        left.plot(share[at], accuracy[at], "o", color=colours[which[0]], markersize=4)
    left.set(xscale="log", xlabel="eigenvectors kept, % of the weights", ylim=(0, None))
    left.set_ylabel("test accuracy / that of the complete student")
    left.set_title(f"students of {models['student_width'].iloc[0]} hidden units", loc="left")
    for decay, part in critical.groupby("decay"):
        right.plot(100 * part["stiff_fraction"], 100 * part["critical_fraction"], "o",
                   color=colours[decay], markersize=4, label=f"c = {decay:g}")  # fmt: skip
    right.axline((0, 0), slope=1, color="0.6", linestyle=":", linewidth=1)
    right.set(xlim=(0, 105), ylim=(0, 105))
    right.set(xlabel="stiff directions of the inputs, %", ylabel="critical k, % of the weights")
    right.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def shades(decays: Iterable[float]) -> dict[float, Any]:
    """One colour per c, by its logarithm, darker for isotropic inputs."""
    values = sorted(set(decays))
    if len(values) == 1:
        return {values[0]: COLOURS[0]}
    norm = LogNorm(values[0], values[-1] * 2)  # without the yellow end of the map
    return {value: plt.get_cmap("viridis")(norm(value)) for value in values}


def ranked(values: Iterable[float], scale: str) -> dict[float, tuple]:
    """One colour per number of units or corners, in ascending order, from pale to dark."""
    values = sorted(set(values))
    places = np.linspace(0.35, 1, len(values))
    return {value: plt.get_cmap(scale)(place) for value, place in zip(values, places, strict=True)}


def _stress(axes: Axes, part: pd.DataFrame, colour: Any, label: str) -> None:
    axes.plot(part["dimension"], part["explained_stress"], color=colour, label=label)
    axes.fill_between(
        part["dimension"], part["low"], part["high"], color=colour, alpha=0.15, linewidth=0
    )
    axes.axhline(0.99, color="0.7", linewidth=0.6, linestyle=":", zorder=0)
    axes.set(xscale="log", xlabel="dimensions")
    axes.set_xticks(TICKS, map(str, TICKS))
    axes.minorticks_off()


def _draw_space(
    axes: Axes3D, found: dict[str, pd.DataFrame], title: str, color: str, colours: dict
) -> None:
    """Draw models in three dimensions, in a panel that is smaller than a figure."""
    embedding(found, dimensions=3, color=color, palette=colours, ax=axes, legend=False, s=2)
    axes.tick_params(pad=-4)
    axes.tick_params(axis="z", pad=1)
    axes.xaxis.labelpad = axes.yaxis.labelpad = -5
    axes.zaxis.labelpad = 1
    axes.locator_params(nbins=4)
    axes.set_box_aspect(None, zoom=0.86)
    stress = found["explained_stress"].set_index("dimension")["explained_stress"]
    axes.set_title(f"{title}: explained stress {stress[3]:.1%}", y=0.98)
