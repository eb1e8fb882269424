"""Figures of how fast models make progress (thesis Figs. 2.7, 2.8)."""

import itertools
import math

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperribbon.plot._progress import progress
from hyperribbon.plot.time import time_axis
from hyperribbon.reporting.panels import title_left
from hyperribbon.reporting.style import COLUMN, LINE_STYLES, network_legend, palette, time_of


def progress_error(tables: dict[str, pd.DataFrame]) -> Figure:
    """Progress of every model against its error, train and test (2.7)."""
    figure, panels = plt.subplots(1, 2, figsize=(1.8 * COLUMN, 0.75 * COLUMN), sharey=True)
    for axes, split in zip(panels, ("train", "test"), strict=True):
        progress(tables, x="error", split=split, ax=axes, legend=False)
        title_left(axes)
        axes.set_ylabel("progress towards the truth")
        axes.label_outer()
    network_legend(figure, palette(tables["models"]["network"]), loc="outside right center")
    return figure


def _trained_directly(models: pd.DataFrame) -> pd.DataFrame:
    """Models on train, without those of trainings by way of a corner."""
    return models.query("split == 'train' and not stage.str.contains('corner')")


def progress_epoch(tables: dict[str, pd.DataFrame]) -> Figure:
    """Progress against epochs by architecture, one panel per optimiser (2.8).

    If there are several augmentations, each has its own line style.
    """
    models = _trained_directly(tables["models"])
    time = time_of(models)
    colours = palette(tables["models"]["network"])
    optimisers = list(models["optimiser"].unique())
    styles = dict(zip(models["augmentation"].unique(), itertools.cycle(LINE_STYLES)))
    figure, panels = _panels(len(optimisers))
    for axes, optimiser in zip(panels, optimisers, strict=True):
        progress(
            models.query("optimiser == @optimiser"), x=time, palette=colours, style="augmentation",
            ax=axes, legend=False,
        )  # fmt: skip
        axes.set_title(optimiser, loc="left")
    for axes in panels:
        time_axis(axes, models[time])
    _label(panels, time)
    key = [
        Line2D([], [], color="black", dashes=dashes, linewidth=1, label=f"augmentation: {name}")
        for name, dashes in styles.items()
    ]
    network_legend(figure, colours, key if len(key) > 1 else (), loc="outside right center")
    return figure


def updates(tables: dict[str, pd.DataFrame]) -> Figure:
    """Progress after equal numbers of updates, of small and large networks (2.8).

    There is one panel for each architecture with networks of several sizes, or a single panel for
    all networks if there is none. Thin lines are configurations, thick ones their medians.
    """
    models = _trained_directly(tables["models"])
    about = tables["configurations"].set_index("configuration")
    colours = palette(tables["models"]["network"])
    sizes = about.groupby("network", sort=False)[["architecture", "parameters"]].first()
    several = sizes.groupby("architecture", sort=False).filter(lambda group: len(group) > 1)
    groups = {str(name): part.index for name, part in several.groupby("architecture", sort=False)}
    groups = groups or {"all networks (none has two sizes)": sizes.index}
    means = models.groupby(["network", "configuration", "step"], sort=False, as_index=False)
    means = means["progress"].mean()
    figure, panels = _panels(len(groups))
    shown = {}
    for axes, (title, networks) in zip(panels, groups.items(), strict=True):
        for network in networks:
            part = means.query("network == @network")
            runs = part.pivot(index="step", columns="configuration", values="progress")
            runs = runs.interpolate("index", limit_area="inside")  # batches of different sizes
            middle = runs.dropna().median(axis="columns")
            axes.plot(runs, color=colours[network], linewidth=0.4, alpha=0.6)
            axes.plot(middle, color=colours[network], linewidth=1.5)
            size = sizes.loc[network, "parameters"]
            label = network if pd.isna(size) else f"{network}\n({size:,.0f} parameters)"
            shown[label] = colours[network]
        axes.set_title(title.replace("_", " "), loc="left")
    for axes in panels:
        time_axis(axes, means["step"])
    _label(panels, "gradient updates")
    network_legend(figure, shown, loc="outside right center")
    return figure


def _panels(count: int) -> tuple[Figure, list[Axes]]:
    """Panels in rows of at most four, which share the scale of progress."""
    columns = min(count, 4)
    rows = math.ceil(count / columns)
    width = (0.8 if columns < 3 else 0.6) * COLUMN
    figure, panels = plt.subplots(
        rows, columns, figsize=(0.4 * COLUMN + width * columns, 0.2 + width * 0.9 * rows),
        sharex=True, sharey=True, squeeze=False,
    )  # fmt: skip
    for axes in panels.flat[count:]:
        axes.remove()
    return figure, list(panels.flat[:count])


def _label(panels: list[Axes], label: str) -> None:
    """Label progress left of the rows, and time below the last panel of each column."""
    for axes in panels[::4]:
        axes.set_ylabel("train progress")
    for axes in panels[-4:]:
        axes.set_xlabel(label)
        axes.tick_params(labelbottom=True)
