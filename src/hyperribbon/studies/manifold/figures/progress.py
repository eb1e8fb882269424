"""Figures of how fast models make progress (thesis Figs. 2.7, 2.8)."""

import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from hyperribbon.reporting.style import COLUMN, LINE_STYLES, network_legend, palette, time_of


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


def _trained_directly(models: pd.DataFrame) -> pd.DataFrame:
    """Models on train, without those of trainings by way of a corner."""
    return models.query("split == 'train' and not stage.str.contains('corner')")


def progress_epoch(tables: dict[str, pd.DataFrame]) -> Figure:
    """Progress against epochs by architecture, one panel per optimiser (2.8).

    If there are several augmentations, each has its own line style.
    """
    import seaborn as sns  # takes a second or two

    models = _trained_directly(tables["models"])
    time = time_of(models)
    colours = palette(tables["models"]["network"])
    optimisers = list(models["optimiser"].unique())
    styles = dict(zip(models["augmentation"].unique(), itertools.cycle(LINE_STYLES)))
    figure, panels = _panels(len(optimisers))
    for axes, optimiser in zip(panels, optimisers, strict=True):
        sns.lineplot(
            models.query("optimiser == @optimiser"), x=time, y="progress", hue="network",
            palette=colours, style="augmentation", dashes=styles, errorbar=("pi", 100), ax=axes,
            legend=False, linewidth=1,
        )  # fmt: skip
        axes.set_title(optimiser, loc="left")
    _time_axis(panels, models[time])
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
    _time_axis(panels, means["step"])
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


def _time_axis(panels: list[Axes], times: pd.Series) -> None:
    """Set a logarithmic scale of time that begins at 0, before the first step."""
    first = times[times > 0].min() if (times > 0).any() else 1.0
    decades = 10.0 ** np.arange(np.ceil(np.log10(first)), np.log10(max(times.max(), 10 * first)))
    minor = np.outer(np.append(decades[0] / 10, decades), np.arange(2, 10)).ravel()
    for axes in panels:
        # Between 0 and the first checkpoint the scale is linear.
        axes.set_xscale("symlog", linthresh=first, linscale=0.5)
        axes.set_xticks([0, *decades], [f"{time:g}" for time in (0, *decades)])
        axes.set_xticks(minor[(minor > first) & (minor < times.max())], minor=True)
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set(xlim=(-first / 10, times.max()), xlabel="", ylabel="")


def _label(panels: list[Axes], label: str) -> None:
    """Label progress left of the rows, and time below the last panel of each column."""
    for axes in panels[::4]:
        axes.set_ylabel("train progress")
    for axes in panels[-4:]:
        axes.set_xlabel(label, visible=True)  # seaborn hides it where panels are below
        axes.tick_params(labelbottom=True)
