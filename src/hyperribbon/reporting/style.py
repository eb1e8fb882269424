"""What all figures share: one colour per architecture, sizes and labels."""

from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperribbon.errors import DataError

# Okabe and Ito's colours, which colour-blind readers can distinguish, without yellow (too faint for
# points) and black (the geodesic's), followed by some of Tol's.
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9",
           "#882255", "#332288", "#999933", "#999999"]  # fmt: skip
OTHERS = ["#44AA99", "#AA4499", "#DDCC77", "#117733", "#88CCEE", "#CC6677"]  # for other factors
MANY = "turbo"  # for more names than there are colours
ORDERED = "viridis"  # for quantities with an order, such as progress or a loss
MARKERS = ["o", "^", "s", "D", "v", "P", "X", "p"]
LINE_STYLES = ["", (4, 1.5), (1, 1), (3, 1, 1, 1)]  # dashes and gaps, in line widths
OUTSIDE = "#bbbbbb"  # for models that are near no other
COLUMN = 3.4  # inches, a journal's column

RC: dict[Any, object] = {  # keys are literals to matplotlib's stubs
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
    "svg.hashsalt": "hyperribbon",  # equal figures give equal files
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
}


class LeftOut(DataError):
    """A figure has nothing to draw in this study; the message is a sentence that says why."""


def apply_style() -> None:
    """Set the project's style, and a backend that draws to files."""
    mpl.use("Agg")
    mpl.rcParams.update(RC)


def palette(names: Iterable[str], colours: Sequence[str] = COLOURS) -> dict[str, str]:
    """One colour per name, by order of first appearance.

    Pass all networks of the study, as in ``tables["models"]``, so that colours agree in all
    figures. If there are more names than colours, all are from a colour map instead.

    >>> palette(["ViT", "LeNet", "ViT"])
    {'ViT': '#0072B2', 'LeNet': '#E69F00'}
    """
    names = list(dict.fromkeys(names))
    if len(names) > len(colours):
        colours = [to_hex(c) for c in mpl.colormaps[MANY](np.linspace(0.02, 0.98, len(names)))]
    return dict(zip(names, colours, strict=False))


def ordered(values: Iterable) -> dict:
    """One colour per value, from the colour map for quantities with an order."""
    values = list(values)
    places = np.linspace(0, 0.9, max(len(values), 2))  # the end of the map is faint on white
    return dict(zip(values, map(to_hex, mpl.colormaps[ORDERED](places)), strict=False))


def colour_of(name: str, networks: dict[str, str]) -> str | None:
    """The colour of the network with whose name a name begins, or None."""
    found = [network for network in networks if f"{name} ".startswith(f"{network} ")]
    return networks[max(found, key=len)] if found else None


def time_of(table: pd.DataFrame) -> str:
    """The column of time: epochs, or steps if a recording does not give the length of an epoch."""
    return "step" if table["epoch"].isna().any() else "epoch"


def network_legend(owner: Figure | Axes, colours: dict[str, str], extra=(), **kwargs) -> None:
    """Draw a legend of architectures and of extra handles."""
    handles = [
        Line2D([], [], color=colour, marker="o", linestyle="", markersize=4, label=name)
        for name, colour in colours.items()
    ]
    owner.legend(handles=[*handles, *extra], **kwargs)


def component_label(stress: pd.DataFrame, split: str, k: int) -> str:
    """Axis label of InPCA coordinate k on a split, which says if it is time-like."""
    return coordinate_label(stress.query("split == @split"), k)


def coordinate_label(stress: pd.DataFrame | None, k: int) -> str:
    """Axis label of coordinate k, which says if it is time-like, where that is known.

    >>> coordinate_label(pd.DataFrame({"dimension": [1], "kind": ["time-like"]}), 1)
    'PC1 (time-like)'
    """
    known = stress is not None and (stress["kind"] == "time-like") & (stress["dimension"] == k)
    return f"PC{k} (time-like)" if np.any(known) else f"PC{k}"


def as_text(name: object) -> str:
    r"""A name as matplotlib shows it literally, without mathematics between dollar signs.

    >>> as_text("$5 network$")
    '\\$5 network\\$'
    """
    return str(name).replace("$", r"\$")
