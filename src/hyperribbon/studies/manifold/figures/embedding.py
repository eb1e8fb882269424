"""Figures of the InPCA embedding (thesis Figs. 2.1, 2.2, 2.4)."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import BoundaryNorm, to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperribbon.plot._embedding import embedding as draw_embedding
from hyperribbon.plot._pairs import pairs as draw_pairs
from hyperribbon.plot._spectrum import spectrum as draw_spectrum
from hyperribbon.plot.canvas import figure_of
from hyperribbon.plot.references import REFERENCES, draw_references, of_embedding
from hyperribbon.plot.tables import of_split
from hyperribbon.reporting.panels import title_left
from hyperribbon.reporting.style import (
    COLUMN,
    MARKERS,
    ORDERED,
    OTHERS,
    OUTSIDE,
    LeftOut,
    component_label,
    network_legend,
    ordered,
    palette,
    time_of,
)

FOUR_POINTS_AT = 0.2  # s of the averages whose embedding is in the table


def manifold(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """The first three coordinates, coloured by architecture, with the geodesic (2.1a, 2.4a)."""
    return figure_of(draw_embedding(tables, split=split, dimensions=3))


def pairs(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """The first three coordinates in pairs, coloured by architecture (2.1c, 2.4c)."""
    return figure_of(draw_pairs(tables, split=split)[0])


def spectrum(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """Magnitudes of the eigenvalues, by kind, with explained stress (2.1b, 2.4b)."""
    return figure_of(title_left(draw_spectrum(tables, split=split)))


@of_embedding
def loss_error(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """The first two coordinates coloured by architecture, loss and error (2.2)."""
    models = of_split(tables["models"], split)
    figure, panels = plt.subplots(1, 3, figsize=(2 * COLUMN, 0.85 * COLUMN), sharey=True)
    for axes, color, label in (
        (panels[0], "network", ""),
        (panels[1], "loss", f"{split} loss (nats)"),
        (panels[2], "error", f"{split} error"),
    ):
        scale = quantile_scale(models[color]) if label else None
        draw_embedding(
            tables, split=split, dimensions=2, color=color, norm=scale, ax=axes, legend=False
        )
        axes.set_title("")
        axes.label_outer()
        if scale is None:
            continue
        bar = figure.colorbar(
            axes.collections[0], ax=axes, label=label, location="top", aspect=12, spacing="uniform"
        )
        ticks = scale.boundaries[:: -(-len(scale.boundaries) // 4)].tolist()
        bar.set_ticks(ticks, labels=[f"{tick:.2g}" for tick in ticks])
        bar.minorticks_off()
    colours = palette(tables["models"]["network"])
    network_legend(figure, colours, REFERENCES, loc="outside lower center", ncols=4)
    return figure


def quantile_scale(values: pd.Series) -> BoundaryNorm:
    """A scale whose colours each cover equally many values, as most models are near the truth."""
    bounds = np.unique(values.quantile(np.linspace(0, 1, 11)))
    if len(bounds) == 1:
        bounds = bounds[0] + np.array([-0.5, 0.5])
    return BoundaryNorm(bounds, 256, clip=True)


@of_embedding
def near(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """Models near points of the geodesic, and near ends of trainings (2.2d, 2.18)."""
    models, curve = of_split(tables["models"], split), of_split(tables["geodesic"], split)
    networks = palette(tables["models"]["network"])
    points = sorted(set(models["near_geodesic"]) - {"none"}, key=float)
    shades = mpl.colormaps[ORDERED]  # its end is faint on white
    along = {point: (to_hex(shades(0.9 * float(point))), "o") for point in points}
    figure, panels = plt.subplots(1, 2, figsize=(2.4 * COLUMN, 0.85 * COLUMN))
    for axes, column, looks, (x, y), title in (
        (panels[0], "near_geodesic", along, (1, 2), "near progress, on the geodesic"),
        (panels[1], "near_end", _ends(models, networks), (2, 3), "nearest end of a training"),
    ):
        looks = {"none": (OUTSIDE, "o"), **looks}
        for value, (colour, marker) in looks.items():
            part = models[models[column] == value]
            axes.scatter(
                part[f"pc{x}"], part[f"pc{y}"], s=5, linewidth=0, color=colour, marker=marker
            )
        draw_references(axes, curve, (x, y))
        axes.set_xlabel(component_label(tables["explained_stress"], split, x))
        axes.set_ylabel(component_label(tables["explained_stress"], split, y))
        keys = [
            Line2D([], [], color=colour, marker=marker, label=value, linestyle="", markersize=4)
            for value, (colour, marker) in looks.items()
        ]
        axes.legend(
            handles=keys[1:] + keys[:1], loc="center left", bbox_to_anchor=(1, 0.5), title=title
        )
    return figure


def _ends(models: pd.DataFrame, networks: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each end of a training, by its network and augmentation."""
    names = set(models["near_end"])
    looks: dict[str, tuple[str, str]] = {}
    for network, colour in networks.items():
        for k, augmentation in enumerate(dict.fromkeys(models["augmentation"])):
            name = f"{network} {augmentation}"  # with one augmentation, only the network
            for end in names & {name, network}:
                looks[end] = colour, MARKERS[k % len(MARKERS)]
    return looks


def away(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """Models away from the manifold by architecture and optimiser, and by epoch (2.3)."""
    found = tables["away"].query("split == @split")
    if not found["away"].any():
        raise LeftOut(
            f"No model is away from the {split} manifold: farther from the truth than 1.7 times "
            "the distance of ignorance."
        )
    optimisers = palette(found["optimiser"], OTHERS)
    figure, panels = plt.subplots(1, 2, figsize=(2.2 * COLUMN, 0.75 * COLUMN), sharey=False)
    time = time_of(found)
    for axes, column in zip(panels, ("network", "time"), strict=True):
        part = found.assign(time=pd.cut(found[time], 8).map(lambda bin: f"{bin.mid:.3g}"))
        counts = part.pivot_table(
            index=column, columns="optimiser", values="away", aggfunc="sum", sort=False,
            observed=True,
        )  # fmt: skip
        counts.plot.bar(stacked=True, ax=axes, color=optimisers, legend=False, width=0.8)
        axes.set(xlabel={"network": "architecture", "time": time}[column], ylabel="models away")
    panels[0].set_title(
        f"{split}: {found['away'].sum():,} of {found['models'].sum():,}", loc="left"
    )
    panels[1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


@of_embedding
def joint(tables: dict[str, pd.DataFrame]) -> Figure:
    """Train (full colour) and test models (pale) in the axes of the train embedding (2.5a)."""
    models, explained = tables["joint_embedding"], tables["joint_explained"]
    stress = of_split(tables["explained_stress"], "train")
    colours = palette(tables["models"]["network"])
    figure, panels = plt.subplots(1, 2, figsize=(2.2 * COLUMN, 0.9 * COLUMN))
    for axes, pair in zip(panels, ((1, 2), (1, 3)), strict=True):
        for split, alpha in (("test", 0.25), ("train", 1.0)):
            part = {"models": of_split(models, split)}
            if split == "train":
                part |= {"geodesic": tables["joint_geodesic"], "explained_stress": stress}
            draw_embedding(
                part, dimensions=pair, palette=colours, ax=axes, legend=False,
                alpha=alpha, zorder=2 if split == "train" else 1,
            )  # fmt: skip
        axes.set_title("")
    # Only of the dimensions drawn, because later axes may inflate test coordinates.
    share = explained.query("dimension == 3").set_index(["split", "axes"])
    share = share["explained_pairwise_distance"]
    own = f"{share['test', 'test']:.0%} in their own axes"
    placed = share["test", "train"]
    title = f"test models in three train axes: {placed:.0%} of pairwise distance explained"
    if placed <= 0:
        title = "train axes do not suit the test models: their distances come out wrong"
    panels[0].set_title(f"{title} ({own})", loc="left")
    kinds = [
        Line2D([], [], color="0.3", marker="o", linestyle="", markersize=4, alpha=a, label=split)
        for split, a in (("train", 1.0), ("test", 0.25))
    ]
    network_legend(figure, colours, [*kinds, *REFERENCES], loc="outside right center")
    return figure


@of_embedding
def four_points(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """All models in an embedding of four points and in that of all models (2.9, 2.10)."""
    explained = tables["four_points"].query("split == @split")
    selection = explained["selection"].iloc[-1]  # near the manifold, if some models are away
    explained = explained.query("selection == @selection and points in ('all', 'four')")
    models = tables["four_point_embedding"].query("split == @split")
    colours = palette(tables["models"]["network"])
    figure, panels = plt.subplots(1, 3, figsize=(2.4 * COLUMN, 0.85 * COLUMN))
    whole = explained.query("points == 'all'")
    panels[0].plot(
        whole["dimension"], whole["explained_pairwise_distance"], "k.--", label="all models"
    )
    values = explained["s"].dropna().unique()
    for s, colour in ordered(values).items():
        part = explained.query("s == @s")
        panels[0].plot(
            part["dimension"], part["explained_pairwise_distance"], ".-", color=colour,
            label=f"four, s = {s:g}",
        )  # fmt: skip
    panels[0].set(xlabel="dimensions", ylabel="explained pairwise distance")
    lowest = explained["explained_pairwise_distance"].min()
    panels[0].set_ylim(0 if lowest >= 0 else max(lowest, -1) - 0.05, 1)
    panels[0].legend(loc="lower right")
    panels[0].set_title(f"{split}, {selection}", loc="left")
    about = f"of four points, s = {FOUR_POINTS_AT:g}"
    for rmsd in explained.query("s == @FOUR_POINTS_AT")["rmsd"].dropna().iloc[:1]:
        about += f", RMSD {rmsd:.2g}"
    for axes, points, title in (
        (panels[1], "all", "embedding of all models"),
        (panels[2], "four", about),
    ):
        part = models[models["points"] == points]
        if part.empty:
            axes.set_axis_off()
            text = f"no models near\nprogress {FOUR_POINTS_AT:g} or {1 - FOUR_POINTS_AT:g}"
            axes.text(0.5, 0.5, text, ha="center", va="center")
            continue
        draw_embedding(part, dimensions=2, palette=colours, ax=axes, legend=False)
        title_left(axes, title)
    network_legend(figure, colours, loc="outside right center")
    return figure
