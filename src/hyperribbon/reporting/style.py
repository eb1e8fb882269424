"""What all figures share: colours by architecture, sizes, labels."""

import itertools
from collections.abc import Iterable, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

# Okabe and Ito's colours, told apart by colour-blind readers, without yellow, too faint for points,
# and black, that of the geodesic; then more of Tol's.
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9",
           "#882255", "#332288", "#999933", "#999999"]  # fmt: skip
OTHERS = ["#44AA99", "#AA4499", "#DDCC77", "#117733", "#88CCEE", "#CC6677"]  # of other factors
ORDERED = "viridis"  # of what has an order, such as progress or a loss; not those of architectures
MARKERS = ["o", "^", "s", "D", "v", "P", "X", "p"]
LINE_STYLES = ["", (4, 1.5), (1, 1), (3, 1, 1, 1)]  # on and off, in widths of the line
OUTSIDE = "#bbbbbb"  # of what is near nothing
COLUMN = 3.4  # inches, a journal's column

RC = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "figure.constrained_layout.use": True,
    "font.size": 8,
    "grid.color": "0.9",
    "legend.fontsize": 7,
    "legend.frameon": False,
    "savefig.dpi": 200,
    "svg.fonttype": "none",
    "svg.hashsalt": "hyperribbon",  # equal figures are equal files
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
}


class LeftOut(Exception):
    """There is nothing to draw in this study; the message is a sentence that says why."""


def apply_style() -> None:
    """Draw to files, in the project's style."""
    mpl.use("Agg")
    mpl.rcParams.update(RC)


def palette(names: Iterable[str], colours: Sequence[str] = COLOURS) -> dict[str, str]:
    """One colour per name, by order of first appearance.

    Given all networks of the study, those of ``tables["models"]``, it is the same in every figure.
    """
    return dict(zip(dict.fromkeys(names), itertools.cycle(colours)))


def ordered(values: Iterable) -> dict:
    """One colour per value, from the first to the last, of the map of what has an order."""
    values = list(values)
    places = np.linspace(0, 0.9, max(len(values), 2))  # the end of the map is faint on white
    return dict(zip(values, map(to_hex, mpl.colormaps[ORDERED](places)), strict=False))


def colour_of(name: str, networks: dict[str, str]) -> str | None:
    """The colour of the network that a name begins with, such as that of an end of a training."""
    found = [network for network in networks if f"{name} ".startswith(f"{network} ")]
    return networks[max(found, key=len)] if found else None


def time_of(table: pd.DataFrame) -> str:
    """The column of time: epochs, or steps if some trainings were recorded without their length."""
    return "step" if table["epoch"].isna().any() else "epoch"


def network_legend(owner: Figure | Axes, colours: dict[str, str], extra=(), **kwargs) -> None:
    """Legend of architectures, and of what else is drawn."""
    handles = [
        Line2D([], [], color=colour, marker="o", linestyle="", markersize=4, label=name)
        for name, colour in colours.items()
    ]
    owner.legend(handles=[*handles, *extra], **kwargs)


def component_label(stress: pd.DataFrame, split: str, k: int) -> str:
    """Axis label of an InPCA coordinate that says whether it is time-like."""
    kind = stress.query("split == @split and dimension == @k")["kind"].iloc[0]
    return f"PC{k}" if kind == "space-like" else f"PC{k} (time-like)"
