"""Figures of the metric of networks of images: paths, contrasts, planes, spectra."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from hyperribbon.reporting.panels import legend_below, name_outer, wrapped
from hyperribbon.reporting.style import COLOURS, COLUMN, LeftOut, ordered
from hyperribbon.studies.representations.figures import about_zero, colour_bar, grid_of

PAIRS = ("different classes", "same class")
KINDS = {"straight": "straight", "neighbours": "by neighbours"}
COLOUR = {"different classes": COLOURS[3], "same class": COLOURS[0]}
MOST = 5  # networks next to each other


def image_paths(tables: dict[str, pd.DataFrame]) -> Figure:
    """Log volume along one path of each kind and pair, with images on it, by network."""
    paths, pictures = _first(tables["image_paths"]), tables["image_pictures"]
    crossed = _first(tables["image_crossings"])
    networks = _networks(paths)
    shown = dict(zip(sorted(pictures["path"].unique()), PAIRS, strict=True))
    columns = [(path, kind) for path in shown for kind in KINDS]
    figure, panels = plt.subplots(
        len(networks) + 1, len(columns),
        figsize=(2.4 * COLUMN, 0.62 * COLUMN * len(networks) + 0.5), squeeze=False,
        height_ratios=[*[1] * len(networks), 0.28], sharex=True,
    )  # fmt: skip
    epochs = sorted(paths["epoch"].unique())
    colours = ordered(epochs)
    for k, network in enumerate(networks):
        for axes, (path, kind) in zip(panels[k], columns, strict=True):
            part = _where(paths, network=network, path=path, kind=kind)
            for epoch, line in part.groupby("epoch"):
                ends = line["log_volume"].iloc[[0, -1]].mean()
                above = line["log_volume"] - ends
                axes.plot(
                    line["position"], above, color=colours[epoch], linewidth=1.2,
                    label=f"epoch {epoch:.3g}",
                )  # fmt: skip
            last = _where(crossed, network=network, path=path, kind=kind)
            for position in last.loc[last["epoch"] == epochs[-1], "position"]:
                axes.axvline(position, color="0.4", linestyle=":", linewidth=0.9, zorder=0)
            if k == 0:
                axes.set_title(f"{shown[path]}, {KINDS[kind]}", loc="left", fontsize=7)
        panels[k][0].set_ylabel(f"{network}\nlog volume")
    for axes, (path, kind) in zip(panels[-1], columns, strict=True):
        for _, row in _where(pictures, path=path, kind=kind).iterrows():
            _put(axes, row)
        axes.set(xlim=(-0.06, 1.06), ylim=(-1, 1), yticks=[], xlabel="position on the path")
        axes.spines[["left", "bottom"]].set_visible(False)
    crossing = Line2D([], [], color="0.4", linestyle=":", label="class changes, last epoch")
    legend_below(figure, list(panels[0]), [crossing])
    return figure


def _put(axes: Axes, row: pd.Series) -> None:
    """Draw an image of a path at its position."""
    image = image_of(row["pixels"], row["shape"])
    if image is not None:
        zoom = 15 / max(image.shape[:2])
        box = OffsetImage(image, zoom=zoom, cmap="gray_r", interpolation="nearest")
        axes.add_artist(AnnotationBbox(box, (row["position"], 0), frameon=False, pad=0))


def image_of(pixels: str, shape: str) -> np.ndarray | None:
    """An image (height, width) or (height, width, 3) of a table; None of what is no image.

    >>> image_of("00ff", "1x1x2")
    array([[  0, 255]], dtype=uint8)
    """
    sizes = [int(n) for n in str(shape).split("x")]
    if len(sizes) != 3 or sizes[0] not in (1, 3):
        return None
    values = np.frombuffer(bytes.fromhex(pixels), np.uint8).reshape(sizes)
    return values[0] if sizes[0] == 1 else values.transpose(1, 2, 0)


def image_contrasts(tables: dict[str, pd.DataFrame]) -> Figure:
    """Contrasts of log volume of all paths, with means, by network, snapshot and kind of pair."""
    found, means = tables["image_contrasts"], tables["image_contrast_means"]
    found, means = _one_training(found), _one_training(means)
    means = means[means["statistic"] == "contrast"]
    networks = _networks(found)
    figure, panels = plt.subplots(
        len(KINDS), len(networks), figsize=(min(2.4, 0.9 * len(networks)) * COLUMN, 1.5 * COLUMN),
        squeeze=False, sharex=True,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    for line, kind in zip(panels, KINDS, strict=True):
        for axes, network in zip(line, networks, strict=True):
            part = _where(found, network=network, kind=kind)
            epochs = sorted(part["epoch"].unique())
            for shift, pair in zip((-0.17, 0.17), PAIRS, strict=True):
                for k, epoch in enumerate(epochs):
                    values = _where(part, pair=pair, epoch=epoch)["contrast"].dropna()
                    spread = k + shift + rng.uniform(-0.06, 0.06, len(values))
                    axes.plot(spread, values, ".", color=COLOUR[pair], markersize=3, alpha=0.5,
                              markeredgewidth=0)  # fmt: skip
                    row = _where(means, network=network, kind=kind, pair=pair, epoch=epoch)
                    row = row.dropna(subset="mean")
                    if not row.empty:
                        mean, low, high = row[["mean", "low", "high"]].iloc[0]
                        error = np.nan_to_num([[mean - low], [high - mean]])
                        axes.errorbar(k + shift + 0.1, mean, error, fmt="o", color=COLOUR[pair],
                                      markersize=4, label=pair)  # fmt: skip
            axes.axhline(0, color="0.8", linewidth=0.8, zorder=0)
            if part["contrast"].isna().all():
                axes.text(0.5, 0.6, "the rank changes\nalong every path", ha="center",
                          transform=axes.transAxes)  # fmt: skip
                axes.set(yticks=[], xlim=(-0.5, len(epochs) - 0.5))
            axes.set_xticks(range(len(epochs)), [f"{epoch:.3g}" for epoch in epochs])
            axes.set_title(f"{network}, {KINDS[kind]}", loc="left", fontsize=7)
        line[0].set_ylabel("contrast of log volume / nats")
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
    legend_below(figure, [axes for line in panels for axes in line])
    return figure


def image_peaks(tables: dict[str, pd.DataFrame]) -> Figure:
    """Positions of the largest log volume relative to the crossing, cumulative, by network."""
    found = _one_training(tables["image_contrasts"])
    found = found[(found["pair"] == PAIRS[0]) & (found["crossings"] > 0)].dropna(subset="peak")
    if found.empty:
        raise LeftOut("no path between images of different classes has a metric of constant rank")
    epochs = sorted(tables["image_contrasts"]["epoch"].unique())
    networks = _networks(found)
    figure, panels = wrapped(len(networks), 0.9, sharex=True, sharey=True)
    for axes, network in zip(panels, networks, strict=True):
        part = _where(found, network=network)
        for epoch, line in {epochs[0]: "--", epochs[-1]: "-"}.items():
            for kind, colour in zip(KINDS, COLOURS, strict=False):
                rows = _where(part, kind=kind, epoch=epoch)
                away = np.sort(rows["peak"] - rows["position"])
                if len(away):
                    axes.step(
                        [-1, *away, 1], [0, *np.arange(1, len(away) + 1) / len(away), 1], line,
                        where="post", color=colour, label=f"{KINDS[kind]}, epoch {epoch:.3g}",
                    )  # fmt: skip
        axes.axvline(0, color="0.8", linewidth=0.8, zorder=0)
        axes.set(xlim=(-1, 1))
        axes.set_title(network, loc="left")
    name_outer(panels, "largest volume less crossing", "share of paths")
    legend_below(figure, panels)
    return figure


def image_planes(tables: dict[str, pd.DataFrame]) -> Figure:
    """Log volume and scalar curvature of a plane through three images at the end, by network."""
    planes, corners = _first(tables["image_planes"]), tables["image_plane_corners"]
    if planes.empty:
        raise LeftOut("representations.images.planes is 0")
    planes = planes[(planes["plane"] == 0) & (planes["epoch"] == planes["epoch"].max())]
    corners = corners[corners["plane"] == 0]
    networks = _networks(planes)
    size = min(2.4 * COLUMN / len(networks), COLUMN)
    figure, panels = plt.subplots(
        2, len(networks), figsize=(size * len(networks), 1.55 * size + 0.3), squeeze=False,
        sharex=True, sharey=True, layout="compressed",
    )  # fmt: skip
    for line, name in zip(panels, ("log_volume", "ricci"), strict=True):
        for axes, network in zip(line, networks, strict=True):
            part = planes[planes["network"] == network]
            x, y, values = grid_of(part, name)
            axes.set_aspect("equal")
            finite = np.abs(values[np.isfinite(values)])
            flat = name == "ricci" and not (len(finite) and finite.max() > 1e-6)
            if flat:
                words = "0 between\nthe kinks" if len(finite) else "none"
                axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center")
            else:
                mesh = axes.pcolormesh(
                    x, y, values, norm=_norm(values, name), shading="nearest", rasterized=True,
                    cmap="RdBu_r" if name == "ricci" else "viridis",
                )  # fmt: skip
                colour_bar(figure, mesh, axes, shrink=0.8)
            _classes(axes, part, "#009E73" if name == "ricci" else "white")
            for _, corner in corners.iterrows():
                axes.text(
                    corner["x"], corner["y"], f"{corner['label']:.0f}", ha="center", va="center",
                    fontsize=7, bbox={"boxstyle": "circle,pad=0.15", "fc": "white", "lw": 0.6},
                )  # fmt: skip
            if name == "log_volume":
                axes.set_title(network, loc="left")
    for line, words in zip(panels, ("log volume", "scalar curvature"), strict=True):
        line[0].set_ylabel(words)
    return figure


def _norm(values: np.ndarray, name: str) -> Normalize:
    """Colours of a map, without its most extreme values."""
    finite = values[np.isfinite(values)]
    if name == "ricci":
        return about_zero(finite)
    low, high = np.quantile(finite, [0.005, 0.995]) if len(finite) else (0, 1)
    return Normalize(low, max(high, low + 1e-9))


def _classes(axes: Axes, part: pd.DataFrame, colour: str) -> None:
    """Draw the boundaries of predicted classes."""
    x, y, predicted = grid_of(part, "predicted")
    for label in np.unique(predicted):
        inside = (predicted == label).astype(float)
        if inside.min() < inside.max():
            axes.contour(x, y, inside, levels=[0.5], colors=colour, linewidths=0.8)


def image_spectra(tables: dict[str, pd.DataFrame]) -> Figure:
    """Eigenvalues of the metric at test images, by network and snapshot."""
    found = _one_training(tables["image_spectra"])
    networks = _networks(found)
    figure, panels = wrapped(len(networks), 0.9, sharey=True)
    for axes, network in zip(panels, networks, strict=True):
        part = _where(found, network=network)
        colours = ordered(sorted(part["epoch"].unique()))
        for epoch, rows in part.groupby("epoch"):
            positive = rows[rows["eigenvalue"] > 0]
            mean = np.exp(np.log(positive["eigenvalue"]).groupby(positive["index"]).mean())
            rank, condition = rows["rank"].median(), rows["condition"].median()
            label = f"epoch {epoch:.3g}: rank {rank:.0f}, condition {condition:.2g}"
            axes.plot(mean, color=colours[epoch], linewidth=1.2, label=label)
        axes.set(yscale="log")
        axes.set_title(network, loc="left")
        axes.legend(loc="lower left", fontsize=6)
    # Rounding errors beyond the rank, and room for the legends.
    top = found["eigenvalue"].max()
    low = max(found.loc[found["eigenvalue"] > 0, "eigenvalue"].min(), top * 1e-14)
    panels[0].set_ylim(low / (top / low) ** 0.3, 3 * top)
    name_outer(panels, "index", "eigenvalue of the metric")
    return figure


def _where(table: pd.DataFrame, **equal: Any) -> pd.DataFrame:
    """Rows with given values in some columns."""
    for column, value in equal.items():
        table = table[table[column] == value]
    return table


def _networks(table: pd.DataFrame) -> list[str]:
    """Names of the networks that a figure has room for."""
    if table.empty:
        raise LeftOut("all trainings of its networks diverged")
    return list(dict.fromkeys(table["network"]))[:MOST]


def _one_training(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the first optimiser and augmentation of each network."""
    if table.empty:
        return table
    first = table.groupby("network")["configuration"].transform("first")
    return table[table["configuration"] == first]


def _first(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the first optimiser, augmentation and seed of each network."""
    table = _one_training(table)
    if table.empty:
        return table
    return table[table["seed"] == table.groupby("network")["seed"].transform("min")]
