"""Radii of the tubes of seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hyperribbon.plot.bands import PARTLY, draw_bands, looks_of_tubes
from hyperribbon.plot.canvas import canvas, finish
from hyperribbon.plot.looks import no_style
from hyperribbon.plot.tables import as_tables
from hyperribbon.reporting.style import COLUMN, LeftOut

ONE_SEED = "Each configuration has at most one seed at any progress, so there are no tubes."


def tubes(
    data: Any,
    *,
    color: Any = None,
    style: None = None,
    ax: Any = None,
    split: str | None = None,
    palette: Mapping | None = None,
    legend: bool = True,
) -> Axes:
    """Draw how far models that differ only in their seed are from their mean, by progress.

    Without ``color``, boxes hold all configurations: lines are medians, boxes quartiles, and
    whiskers extend to 1.5 interquartile ranges. With it, there are medians and bands that contain
    half of the models, solid as far as all trainings get and dotted where some are missing.

    Parameters
    ----------
    data : study, tables or DataFrame
        A study or its tables, or the table ``tubes``: one row per training and value of progress,
        with the columns progress and to_mean (nats).
    color : str or sequence, optional
        A column, such as ``network``, or one value per row.
    style : None
        There are no markers to tell apart.
    ax : Axes, optional
        Where to draw.
    split : str, optional
        ``train``, the default, or ``test``.
    palette : mapping, optional
        Colours by name.
    legend : bool
        Whether to draw a legend.

    Returns
    -------
    Axes

    Raises
    ------
    DataError
        If something does not fit, or there are no seeds to compare.

    References
    ----------
    Thesis Figs. 2.15 and 2.16.

    Examples
    --------
    >>> import hyperribbon as hr
    >>> table = pd.DataFrame({"progress": [0.1, 0.1, 0.5], "to_mean": [0.01, 0.02, 0.02]})
    >>> hr.plot.tubes(table).get_xlabel()
    'progress'
    """
    no_style(style, "tubes")
    found = as_tables(data, "tubes", split=split)
    rows = found.rows("tubes", ["progress", "to_mean"]).dropna(subset="to_mean")
    rows = rows.reset_index(drop=True)
    if rows.empty:
        raise LeftOut(ONE_SEED)
    look = None if color is None else looks_of_tubes(found, rows, color, palette)
    of_split = found.split_of("tubes")
    with canvas(ax, (1.2 * COLUMN, 0.85 * COLUMN)) as axes:
        if look is None:
            _draw_boxes(axes, rows)
        else:
            draw_bands(axes, rows, "to_mean", look)
        axes.set_xlabel(f"{of_split} progress" if of_split else "progress")
        axes.set_ylabel("distance from the\nseeds' mean (nats)")
        if look is not None and legend:
            finish(axes, [*look.handles(), *PARTLY], ax is None)
    return axes


def _draw_boxes(axes: Axes, rows: pd.DataFrame) -> None:
    """One box for each tenth of progress."""
    bins = np.linspace(0, 1, 11)
    where = pd.cut(rows["progress"], bins, include_lowest=True, labels=False)
    axes.boxplot(
        [rows["to_mean"][where == k] for k in range(10)], positions=range(10), widths=0.8,
        patch_artist=True, boxprops={"facecolor": "0.8"},
        medianprops={"color": "black"}, flierprops={"marker": ".", "markersize": 1},
    )  # fmt: skip
    edges = np.arange(0, 11, 2)  # boxes are between them
    axes.set_xticks(edges - 0.5, [f"{bins[k]:.1f}" for k in edges])
    axes.set(xlim=(-0.5, 9.5))
    axes.set_ylim(bottom=0, auto=None)  # other panels may share the axis
