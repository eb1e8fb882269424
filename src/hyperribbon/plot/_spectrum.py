"""Eigenvalues of an embedding."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from hyperribbon.errors import DataError
from hyperribbon.plot._embedding import stress_of
from hyperribbon.plot.canvas import canvas
from hyperribbon.plot.looks import Looks
from hyperribbon.plot.tables import as_tables
from hyperribbon.reporting.style import COLUMN

KINDS = {"space-like": "#0072B2", "time-like": "#D55E00"}
MARKED = (1, 3, 10, 25, 50)  # dimensions whose explained stress is written
FEW = 25
IN_NATS = ("bhattacharyya", "symmetric_kl")
KNOWN = 50  # dimensions that are computed of predictions


def spectrum(
    data: Any,
    *,
    color: Any = None,
    style: Any = None,
    ax: Any = None,
    split: str | None = None,
    legend: bool = True,
) -> Axes:
    """Draw the magnitudes of the eigenvalues of an embedding, with the stress they explain.

    Positive eigenvalues belong to space-like coordinates, negative ones to time-like coordinates.
    The numbers are the explained stress of the first 1, 3, 10, 25 and 50 dimensions.

    Parameters
    ----------
    data : study, tables, DataFrame, InPCA or array
        A study or its tables, or the table ``explained_stress`` (dimension, eigenvalue, kind,
        explained_stress); a fitted `InPCA` or `IsKL`; or predictions, whose InPCA is computed, as
        in `hyperribbon.plot.embedding`.
    color, style : str, sequence or colour, optional
        As in `hyperribbon.plot`. By default, eigenvalues are coloured by kind.
    ax : Axes, optional
        Where to draw.
    split : str, optional
        ``train``, the default, or ``test``.
    legend : bool
        Whether to draw a legend.

    Returns
    -------
    Axes

    Raises
    ------
    DataError
        If something does not fit, or all models make the same predictions.

    References
    ----------
    Thesis Figs. 2.1b and 2.4b.

    Examples
    --------
    >>> import hyperribbon as hr
    >>> P = np.random.default_rng(0).dirichlet(np.ones(3), size=(20, 30))
    >>> hr.plot.spectrum(hr.InPCA(10).fit(P)).get_ylabel()
    'eigenvalue, magnitude (nats)'
    """
    found = as_tables(data, "explained_stress", split=split, components=KNOWN)
    if getattr(data, "ndim", 0) == 2 and not hasattr(data, "columns"):
        raise DataError("data: coordinates, whose eigenvalues are not known; expected an InPCA")
    stress_of(found)
    rows = found.rows("explained_stress", ["dimension", "eigenvalue", "kind", "explained_stress"])
    rows = rows[rows["eigenvalue"] != 0].reset_index(drop=True)
    look = Looks(rows, "kind" if color is None else color, style,
                 palette=KINDS if color is None else None)  # fmt: skip
    with canvas(ax, (COLUMN, 0.75 * COLUMN)) as axes:
        points = np.column_stack([rows["dimension"], rows["eigenvalue"].abs()])
        look.scatter(axes, points, s=9, linewidth=1)
        axes.set(xscale="log", yscale="log", xlabel="dimension")
        nats = getattr(data, "metric", "bhattacharyya") in IN_NATS
        axes.set_ylabel("eigenvalue, magnitude" + (" (nats)" if nats else ""))
        top = axes.get_ylim()[1]
        axes.set_ylim(top=top * 6)
        if rows["dimension"].max() < FEW:  # room for the legend
            axes.set_ylim(bottom=axes.get_ylim()[0] / 10)
        for d in MARKED:
            row = rows[rows["dimension"] == d]
            if len(row):
                axes.axvline(d, color="0.85", linewidth=0.7, zorder=0)
                text = f"{row['explained_stress'].iloc[0]:.1%}"
                axes.annotate(text, (d, top * 2), ha="left" if d == 1 else "center", fontsize=6)
        ticks = [d for d in (*MARKED, 100) if d <= max(rows["dimension"].max(), 10)]
        axes.set_xticks(ticks, [str(d) for d in ticks])
        of_split = found.split_of("explained_stress")
        title = "explained stress of the first dimensions"
        axes.set_title(f"{of_split}: {title}" if of_split else title)
        if legend:
            if look.handles():
                axes.legend(handles=look.handles(), loc="lower left")
            look.draw_bar(axes)
    return axes
