"""Distances of models from the geodesic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd  # noqa: F401  the example's
from matplotlib.axes import Axes

from hyperribbon.plot.bands import PARTLY, draw_bands, looks_of_tubes
from hyperribbon.plot.canvas import canvas, finish
from hyperribbon.plot.looks import no_style
from hyperribbon.plot.tables import as_tables
from hyperribbon.reporting.style import COLUMN, LeftOut

NOWHERE = "No training makes enough progress to be compared with the geodesic."


def to_geodesic(
    data: Any,
    *,
    color: Any = None,
    style: None = None,
    ax: Any = None,
    split: str | None = None,
    palette: Mapping | None = None,
    legend: bool = True,
) -> Axes:
    """Draw how far models are from the point of the geodesic that has their progress.

    Lines are medians over configurations and seeds, and bands contain half of them. Lines are solid
    as far as all trainings get and dotted where some are missing, with a break where a training
    drops out.

    Parameters
    ----------
    data : study, tables or DataFrame
        A study or its tables, or the table ``tubes``: one row per training and value of progress,
        with the columns progress and to_geodesic (nats).
    color : str, sequence or colour, optional
        As in `hyperribbon.plot`; by default, lines are coloured by network.
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
        If something does not fit, or no training makes progress.

    References
    ----------
    Thesis Fig. 2.17.

    Examples
    --------
    >>> import hyperribbon as hr
    >>> table = pd.DataFrame({"progress": [0.1, 0.5, 0.9], "to_geodesic": [0.1, 0.2, 0.1]})
    >>> hr.plot.to_geodesic(table).get_xlim()
    (np.float64(0.0), np.float64(1.0))
    """
    no_style(style, "to_geodesic")
    found = as_tables(data, "tubes", split=split)
    rows = found.rows("tubes", ["progress", "to_geodesic"]).dropna(subset="to_geodesic")
    rows = rows.reset_index(drop=True)
    if rows.empty:
        raise LeftOut(NOWHERE)
    look = looks_of_tubes(found, rows, color, palette)
    of_split = found.split_of("tubes")
    with canvas(ax, (1.2 * COLUMN, 0.85 * COLUMN)) as axes:
        draw_bands(axes, rows, "to_geodesic", look)
        axes.set_xlabel(f"{of_split} progress" if of_split else "progress")
        axes.set_ylabel("distance from the\ngeodesic (nats)")
        if legend:
            finish(axes, [*look.handles(), *PARTLY], ax is None)
    return axes
