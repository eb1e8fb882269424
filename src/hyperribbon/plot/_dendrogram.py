"""Configurations clustered by the distance of their trajectories."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.cluster.hierarchy import dendrogram as draw_tree
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from hyperribbon.errors import DataError
from hyperribbon.plot import factors as strips
from hyperribbon.plot.canvas import canvas
from hyperribbon.plot.looks import Looks, no_style
from hyperribbon.plot.tables import Tables, as_tables
from hyperribbon.reporting.style import COLUMN, LeftOut, as_text
from hyperribbon.trajectories.gaps import comparable

IDENTIFIER = re.compile(r"-[0-9a-f]{8}$")  # at the end of a configuration's name


def dendrogram(
    data: Any,
    *,
    color: Any = None,
    style: None = None,
    ax: Any = None,
    split: str | None = None,
    palette: Mapping | None = None,
    legend: bool = True,
) -> Axes:
    """Draw configurations clustered by the distance of their trajectories (average linkage).

    Next to each row are its values of all factors in which configurations differ, if the table
    ``configurations`` has them. Configurations that never reach the progress of another cannot be
    compared; as few as possible are left out for this reason, and the title says how many.

    Parameters
    ----------
    data : study, tables, DataFrame or array
        A study or its tables; the table ``configuration_distances``, with one row per pair:
        configuration, other, distance (nats); or a symmetric matrix of distances (n, n), as an
        array, or as a DataFrame whose columns are the names.
    color : str, sequence or colour, optional
        As in `hyperribbon.plot`, of the labels: a column of the table ``configurations``, by
        default the network.
    style : None
        There are no markers to tell apart.
    ax : Axes, optional
        Where to draw the tree. Factors are to the right of it.
    split : str, optional
        ``train``, the default, or ``test``.
    palette : mapping, optional
        Colours by name.
    legend : bool
        Whether to draw a legend of the factors.

    Returns
    -------
    Axes
        Of the tree.

    Raises
    ------
    DataError
        If something does not fit, or there are fewer than two configurations to compare.

    References
    ----------
    Thesis Figs. 2.6a and 2.19a; distances are averages of Eq. 2.2.5.

    Examples
    --------
    >>> import hyperribbon as hr
    >>> names = ["LeNet", "ViT", "ResNet"]
    >>> D = pd.DataFrame([[0, 3, 1], [3, 0, 2], [1, 2, 0]], names, names)
    >>> [text.get_text() for text in hr.plot.dendrogram(D).get_yticklabels()]
    ['ViT', 'LeNet', 'ResNet']
    """
    no_style(style, "dendrogram")
    found, D, about = _distances(data, split)
    kept = comparable(D)
    of_split = found.split_of("configuration_distances") if found.tables else None
    if len(kept) < 2:
        of = f"{of_split} progress" if of_split else "progress"
        raise LeftOut(f"Fewer than two configurations reach a common {of}.")
    links = linkage(squareform(D[np.ix_(kept, kept)], checks=False), "average")

    def whole(column: str) -> pd.Series | None:
        return found.names("configurations", column)

    look = Looks(about, color, palette=palette, whole=whole, names=True)
    factors = strips.factors_of(about).iloc[kept]
    networks = look.colours
    if "network" in factors and look.label != "network":
        networks = Looks(about, "network", whole=whole).colours
    shades = {str(name): strips.shades_of(factors[name], networks) for name in factors}
    labelled = len(kept) <= strips.MOST_ROWS
    height = 0.7 + 0.17 * min(len(kept), strips.MOST_ROWS)
    height = max(height, 0.14 * sum(len(values) + 1 for values in shades.values()))  # the legend
    with canvas(ax, ((2 if labelled else 1.6) * COLUMN, height)) as tree:
        drawn = draw_tree(
            links, ax=tree, orientation="left", link_color_func=lambda _: "0.3", no_labels=True
        )
        order = drawn["leaves"]
        for lines in tree.collections:
            lines.set_linewidth(1 if labelled else 0.5)
        left_out = f"; {len(D) - len(kept)} not comparable" if len(kept) < len(D) else ""
        averaged = "average linkage, averaged over seeds" if found.tables else "average linkage"
        title = f"{of_split}: {averaged}" if of_split else averaged
        tree.set_title(title + left_out)
        tree.set_xlabel(f"distance at equal {of_split + ' ' if of_split else ''}progress (nats)")
        tree.locator_params(axis="x", nbins=6)
        tree.tick_params(axis="y", left=False, labelleft=False)
        tree.spines["left"].set_visible(False)
        beside = tree
        if shades:
            beside = _right_of(tree, 0.07 * len(shades))
            beside.tick_params(labelsize=tree.yaxis.get_tick_params().get("labelsize"))
            strips.draw_strips(beside, factors.iloc[order], shades)
        if labelled:
            rows = kept[order]
            labels = [IDENTIFIER.sub("", str(about["configuration"].iloc[k])) for k in rows]
            beside.yaxis.tick_right()
            tree.set_yticks(10 * np.arange(len(labels)) + 5, list(map(as_text, labels)))
            beside.tick_params(axis="y", right=False, labelright=True, length=0)
            for text, row in zip(beside.get_yticklabels(), rows, strict=True):
                text.set_color(look.colour_of(row) if look.colours else "black")
        if legend and shades:
            keys = strips.strip_keys(shades)
            options: dict[str, Any] = {"handles": keys, "handletextpad": 0.2}
            if ax is None:
                found_legend = tree.figure.legend(loc="outside right center", **options)
            else:
                found_legend = tree.legend(loc="upper left", **options)
            strips.embolden(found_legend, shades)
    return tree


def _distances(data: Any, split: str | None) -> tuple[Tables, np.ndarray, pd.DataFrame]:
    """Symmetric distances (n, n) of configurations, and what is known about each."""
    if _is_matrix(data):
        names = list(getattr(data, "columns", range(len(data))))
        D = np.asarray(data)
        if (
            D.dtype.kind not in "iuf"
            or D.shape != D.T.shape
            or not np.allclose(D, D.T, equal_nan=True)
        ):
            raise DataError(f"data: shape {D.shape}, expected a symmetric matrix of distances")
        if split is not None:
            raise DataError(f"split = {split!r}: a matrix is of one split; leave it out")
        D = D.astype(float)
        about = pd.DataFrame({"configuration": names})
        found = Tables({})
    else:
        found = as_tables(data, "configuration_distances", split=split)
        pairs = found.rows("configuration_distances", ["configuration", "other", "distance"])
        table = pairs.pivot(index="configuration", columns="other", values="distance")
        names = list(dict.fromkeys([*pairs["configuration"], *pairs["other"]]))
        about = pd.DataFrame({"configuration": names})
        if "configurations" in found.tables:
            known = found.rows("configurations", ["configuration"])
            about = known[known["configuration"].isin(names)].reset_index(drop=True)
            names = list(about["configuration"])
        D = table.reindex(index=names, columns=names).to_numpy(dtype=float)
        D = np.fmax(D, D.T)  # the table has each pair once
    D = D.copy()
    np.fill_diagonal(D, 0.0)
    return found, D, about


def _right_of(axes: Axes, width: float) -> Axes:
    """Axes that share the rows of others, next to them; the width is relative to theirs."""
    place = axes.get_subplotspec()
    if place is None:  # they are where the user put them
        return axes.inset_axes((1.04, 0, width, 1), sharey=axes)
    # Not inset axes: where these are is not known when the figure is laid out.
    halves = place.subgridspec(1, 2, width_ratios=[1, width], wspace=0.02)
    axes.set_subplotspec(halves[0])
    return axes.figure.add_subplot(halves[1], sharey=axes)


def _is_matrix(data: Any) -> bool:
    """Whether data are an array, or a DataFrame with the same names of rows and columns."""
    if isinstance(data, pd.DataFrame):
        return len(data) > 0 and list(data.index) == list(data.columns)
    return getattr(data, "ndim", 0) == 2
