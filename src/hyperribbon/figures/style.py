"""What all figures share: colours by architecture, sizes, labels."""

import textwrap
from collections.abc import Iterable

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

# Okabe and Ito's colours, told apart by colour-blind readers, without yellow, too faint for points,
# and black, that of the geodesic; then more of Tol's.
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9",
           "#882255", "#332288", "#999933", "#999999"]  # fmt: skip
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


def apply_style() -> None:
    """Draw to files, in the project's style."""
    mpl.use("Agg")
    mpl.rcParams.update(RC)


def palette(networks: Iterable[str]) -> dict[str, str]:
    """One colour an architecture, by order of first appearance: the same in every figure."""
    names = dict.fromkeys(networks)
    return {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}


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


def sentence(text: str) -> Figure:
    """A figure that says why there is nothing to draw."""
    figure = plt.figure(figsize=(COLUMN, 0.4 * COLUMN))
    figure.text(0.5, 0.5, textwrap.fill(text, 44), ha="center", va="center")
    return figure


def component_label(stress: pd.DataFrame, split: str, k: int) -> str:
    """Axis label of an InPCA coordinate that says whether it is time-like."""
    kind = stress.query("split == @split and dimension == @k")["kind"].iloc[0]
    return f"PC{k}" if kind == "space-like" else f"PC{k} (time-like)"
