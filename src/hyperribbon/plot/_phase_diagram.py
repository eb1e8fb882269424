"""The phase diagram of linear regression."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from hyperribbon.errors import DataError
from hyperribbon.plot.canvas import canvas
from hyperribbon.plot.looks import no_style
from hyperribbon.plot.phase import (
    BOUNDARIES,
    RATIO,
    draw_boundary,
    frame,
    grid,
    power,
    tick_dimensions,
)
from hyperribbon.plot.tables import as_tables
from hyperribbon.reporting.style import COLUMN

DIMENSIONS = "dimensions of the hyper-ribbon"


def phase_diagram(
    data: Any,
    *,
    color: str | None = None,
    style: None = None,
    ax: Any = None,
    ratio: float | None = None,
    slope: float | None = None,
    x: Any = None,
    y: Any = None,
    norm: Normalize | None = None,
    legend: bool = True,
) -> Axes:
    """Draw how many dimensions the manifold of linear regression has.

    A section of the diagram at one ratio of true to initial weights, by the slope c of the inputs'
    spectrum and by the steps T of training; or at one slope, by ratio and steps. Lines are the
    boundaries of 3, 10 and 30 dimensions.

    Parameters
    ----------
    data : study, tables, DataFrame, Dataset or array
        A study with the part *linear* or its tables; the table ``linear_phase`` (ratio, slope,
        steps, dimension); what `hyperribbon.linear.phase_diagram` returns; or dimensions
        (len(x), len(y)).
    color : str, optional
        Column that is drawn, by default ``dimension``.
    style : None
        There are no markers to tell apart.
    ax : Axes, optional
        Where to draw.
    ratio, slope : float, optional
        The section that is drawn, the nearest in the table; one of them. By default, the middle
        ratio.
    x, y : array, optional
        Slopes and steps of an array.
    norm : Normalize, optional
        Matplotlib's scale of colours, by default logarithmic from 1 dimension.
    legend : bool
        Whether to draw a colour bar and a legend of the boundaries.

    Returns
    -------
    Axes
        Its vertical axis is the decimal logarithm of T.

    Raises
    ------
    DataError
        If something does not fit.

    References
    ----------
    Thesis Fig. 5.3.

    Examples
    --------
    >>> import hyperribbon as hr
    >>> axes = hr.plot.phase_diagram([[9, 5], [7, 2]], x=[0.1, 0.5], y=[1, 100])
    >>> axes.get_xlabel(), axes.get_ylabel()
    ('slope c', 'steps T')
    """
    no_style(style, "phase_diagram")
    if ratio is not None and slope is not None:
        raise DataError(f"ratio = {ratio}, slope = {slope}: both given, expected one of them")
    across, steps, values, title = _section(data, color, ratio, slope, x, y)
    exponents = np.log10(steps)  # boundaries are interpolated linearly in log T
    is_dimension = color in (None, "dimension")
    norm = norm or (LogNorm(1, max(np.nanmax(values), 1.01)) if is_dimension else Normalize())
    by_ratio = slope is not None
    with canvas(ax, (1.4 * COLUMN, COLUMN)) as axes:
        places = np.log10(across) if by_ratio else across
        mesh = axes.pcolormesh(places, exponents, values.T, norm=norm, shading="nearest")
        for level, colour in BOUNDARIES.items() if is_dimension else ():
            draw_boundary(axes, places, exponents, values, level, colour)
        frame(axes)
        axes.set_title(title)
        if by_ratio:
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
            axes.xaxis.set_major_formatter(power)
            axes.set_xlabel(RATIO)
        if legend:
            name = DIMENSIONS if is_dimension else str(color).replace("_", " ")
            bar = axes.figure.colorbar(mesh, ax=axes, label=name, pad=0.01)
            if is_dimension:
                tick_dimensions(bar, float(norm.vmax or 0))
                keys = [
                    Line2D([], [], color=colour, label=f"{level} dimensions")
                    for level, colour in BOUNDARIES.items()
                    if np.nanmin(values) < level < np.nanmax(values)
                ]
                if keys and ax is None:
                    axes.figure.legend(handles=keys, loc="outside lower center", ncols=3)
                elif keys:
                    axes.legend(handles=keys)
    return axes


def _section(
    data: Any, color: Any, ratio: float | None, slope: float | None, x: Any, y: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Slopes or ratios, steps, values (the former, steps), and what they are at."""
    if hasattr(data, "to_dataframe"):  # of xarray
        data = data.to_dataframe().reset_index()
    is_table = isinstance(data, pd.DataFrame) or hasattr(data, "tables") or hasattr(data, "keys")
    if not is_table:
        if ratio is not None or slope is not None or color is not None:
            raise DataError("ratio, slope, color: given with an array, which is a single section")
        return *_grid_of_array(data, x, y), ""
    if x is not None or y is not None:
        raise DataError("x, y: given with a table, which has slopes and steps")
    column = color or "dimension"
    rows = as_tables(data, "linear_phase").rows("linear_phase", ["ratio", "slope", "steps", column])
    ratios, slopes, steps, values = grid(rows, column)
    if slope is not None:
        k = int(np.argmin(np.abs(slopes - slope)))
        return ratios, steps, values[:, k], f"c = {slopes[k]:.3g}"
    middle = len(ratios) // 2
    k = middle if ratio is None else int(np.argmin(np.abs(np.log(ratios) - np.log(ratio))))
    return slopes, steps, values[k], f"{RATIO} = {ratios[k]:.3g}"


def _grid_of_array(data: Any, x: Any, y: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if x is None or y is None:
        raise DataError("x, y: missing, expected the slopes and steps of an array of dimensions")
    try:
        values, x, y = (np.asarray(a, dtype=float) for a in (data, x, y))
    except (TypeError, ValueError):
        raise DataError("data: not numbers, expected dimensions (len(x), len(y))") from None
    if values.shape != (x.size, y.size) or x.ndim != 1 or min(values.shape) < 2:
        raise DataError(f"data: shape {values.shape}, expected (len(x), len(y)), two or more each")
    if not (y > 0).all():
        raise DataError("y: steps of 0 or less, expected positive ones for a logarithmic scale")
    return x, y, values
