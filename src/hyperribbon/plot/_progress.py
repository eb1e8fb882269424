"""Progress towards the truth, by time or by error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hyperribbon.errors import DataError
from hyperribbon.plot._embedding import looks_of
from hyperribbon.plot.canvas import canvas, finish
from hyperribbon.plot.looks import Looks
from hyperribbon.plot.tables import as_tables, in_order, run_columns
from hyperribbon.plot.time import time_axis
from hyperribbon.reporting.style import COLUMN, LINE_STYLES, as_text, time_of


def progress(
    data: Any,
    *,
    color: Any = None,
    style: Any = None,
    ax: Any = None,
    x: str | None = None,
    split: str | None = None,
    labels: Any = None,
    palette: Mapping | None = None,
    legend: bool = True,
) -> Axes:
    """Draw the progress of models towards the truth, by time or by another column.

    By time (``epoch``, ``step`` or ``checkpoint``), there is a line for each colour and style: the
    mean over trainings, with a band from the lowest to the highest. Where trainings of one colour
    were recorded at different times, each has a line of its own. By any other column, such as
    ``error``, models are points, and the title has the R squared of a linear regression.

    Parameters
    ----------
    data : study, tables, DataFrame or array
        A study or its tables, or the table ``models`` with the column ``progress``; or predictions
        (m, N, C) of one training, (S, K, N, C), a list of trainings, or a mapping from their names
        to them, with ``labels``.
    color, style : str, sequence or colour, optional
        As in `hyperribbon.plot`; numbers are names of lines here. By default, models are coloured
        by network or training. A style decides how lines are dashed.
    ax : Axes, optional
        Where to draw.
    x : str, optional
        Column on the horizontal axis. By default time: epochs, or steps where these are not known,
        or checkpoints.
    split : str, optional
        ``train``, the default, or ``test``.
    labels : array of int, optional
        (N,) true classes of predictions.
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
        If something does not fit.

    References
    ----------
    Thesis Figs. 2.7 and 2.8; progress is Eq. 2.2.4.

    Examples
    --------
    >>> import hyperribbon as hr
    >>> y = np.arange(30) % 3
    >>> ends = hr.ignorance(30, 3), hr.truth(y, 3)
    >>> fast, slow = (hr.geodesic(*ends, np.linspace(0, end, 6)) for end in (0.9, 0.5))
    >>> axes = hr.plot.progress({"fast": fast, "slow": slow}, labels=y)
    >>> [round(float(line.get_ydata()[-1]), 3) for line in axes.lines]
    [0.9, 0.5]
    """
    found = as_tables(data, "models", split=split, labels=labels)
    models = found.rows("models", ["progress"])
    if not found.rows("models").columns.intersection(["epoch", "step", "checkpoint"]).size:
        models = models.assign(checkpoint=np.arange(len(models)))  # of one training
    if models.empty:
        raise DataError("data: the table models has no rows, so there is nothing to draw")
    time = _time(models)
    column = time if x is None else x
    if column not in models:
        raise DataError(f"x = {x!r}: expected a column ({', '.join(map(str, models))})")
    if not pd.api.types.is_numeric_dtype(models[column]):
        raise DataError(f"x = {column!r}: names, expected a column of numbers")
    is_time = column in ("epoch", "step", "checkpoint")
    look = looks_of(found, models, color, style, palette)
    if is_time:
        whole = lambda name: found.names("models", name)  # noqa: E731
        look = Looks(models, color, style, palette=palette, whole=whole, names=True)
    of_split = found.split_of("models")
    with canvas(ax, (1.3 * COLUMN, 0.9 * COLUMN)) as axes:
        if is_time:
            draw_lines(axes, models, column, look)
            time_axis(axes, models[column])
        else:
            look.scatter(axes, models[[column, "progress"]].to_numpy(dtype=float), s=3, linewidth=0)
            r_squared = _r_squared(models[column], models["progress"])
            axes.set_title(f"{of_split + ': ' if of_split else ''}$R^2$ = {r_squared:.2f}")
        name = column if is_time or not of_split else f"{of_split} {column}"
        axes.set_xlabel(as_text(name.replace("_", " ")))
        axes.set_ylabel(f"{of_split} progress" if of_split else "progress")
        if legend:
            finish(axes, _keys(look) if is_time else look.handles(), ax is None)
            if not is_time:
                look.draw_bar(axes)
    return axes


def draw_lines(axes: Axes, models: pd.DataFrame, time: str, look: Looks) -> None:
    """Draw the mean progress by time of each colour and style, and a band; or each training."""
    dashes = dict(zip(look.markers.values(), LINE_STYLES, strict=False))
    for group in look.groups():
        rows = models.iloc[group.rows]
        line: dict[str, Any] = {"color": group.colour, "linewidth": 1}
        if dashes.get(group.marker):
            line["dashes"] = dashes[group.marker]
        keys = run_columns(rows)
        runs = [in_order(run) for _, run in rows.groupby(keys, sort=False)] if keys else [rows]
        times = {tuple(run[time]) for run in runs}
        if len(times) == 1 and len(runs) > 1:
            of_time = rows.groupby(time)["progress"]
            mean = of_time.mean()
            axes.plot(mean.index, mean, **line)
            axes.fill_between(
                mean.index, of_time.min(), of_time.max(), color=group.colour, alpha=0.2
            )
            continue
        for run in runs:
            axes.plot(run[time], run["progress"], **line)


def _time(models: pd.DataFrame) -> str:
    """The column of time: epochs, steps or checkpoints, the first that is known throughout."""
    if {"epoch", "step"} <= {*models}:
        return time_of(models)
    return next(name for name in ("epoch", "step", "checkpoint") if name in models)


def _r_squared(x: pd.Series, y: pd.Series) -> float:
    known = np.isfinite(x) & np.isfinite(y)
    if x[known].nunique() < 2 or y[known].nunique() < 2:
        return float("nan")
    return float(np.corrcoef(x[known], y[known])[0, 1] ** 2)


def _keys(look: Looks) -> list:
    """Keys of lines, which tell styles apart by their dashes."""
    keys = look.handles()
    if look.markers and look.label != look.style_label:
        for key, dashes in zip(keys[-len(look.markers) :], LINE_STYLES, strict=False):
            key.set(marker="", linestyle="-", linewidth=1, color="black")
            if dashes:
                key.set_dashes(dashes)  # type: ignore[arg-type]
    return keys
