"""Spectra of the curvature of networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import is_color_like

from hyperribbon.errors import DataError
from hyperribbon.plot.canvas import canvas
from hyperribbon.plot.eigenvalues import (
    MATRICES,
    MOMENTS,
    NEGATIVE,
    NOTHING,
    WIDTHS,
    draw_spectrum,
    have_signs,
    in_order,
    name_of,
    parts_of,
    set_scales,
    shade,
)
from hyperribbon.plot.looks import no_style
from hyperribbon.plot.tables import as_tables
from hyperribbon.reporting.style import COLUMN, LeftOut, as_text
from hyperribbon.reporting.style import palette as palette_of

BY_CLASS = ("jacobian", "jacobian_all")
COMPARED = ("matrix", "moment", "configuration", "part")


def curvature_spectrum(
    data: Any,
    *,
    color: Any = None,
    style: None = None,
    ax: Any = None,
    configuration: str | None = None,
    moment: str | None = None,
    matrix: str | None = None,
    relative: bool | None = None,
    palette: Mapping | None = None,
    widths: Mapping | None = None,
    legend: bool = True,
) -> Axes:
    """Draw leading eigenvalues by their index, on a logarithmic scale.

    Spectra are lines. A Hessian's are points, which are hollow where eigenvalues are negative, and
    so are those of other matrices with negative eigenvalues. Layers and classes of one matrix are
    shades of its colour, from pale to dark. Jacobians of single classes are drawn only where they
    are the only matrix.

    Parameters
    ----------
    data : study, tables, DataFrame or array
        A study with the part *curvature* or its tables; the table ``spectra`` (index, from 1;
        eigenvalue; and, if there are several, matrix, part, moment, configuration); eigenvalues
        (n,), descending; or a mapping from names to such arrays.
    color : str or colour, optional
        What is compared: ``matrix``, the default, ``moment``, ``configuration`` or ``part``; or,
        of a single spectrum, a colour of matplotlib.
    style : None
        Lines and points say which matrices have negative eigenvalues.
    ax : Axes, optional
        Where to draw.
    configuration, moment, matrix : str, optional
        Which of several is drawn, if it is not compared. By default the first configuration, the
        end of training, and the Fisher matrix.
    relative : bool, optional
        Whether each spectrum is divided by its largest eigenvalue. By default, different matrices
        are.
    palette, widths : mapping, optional
        Colours and widths of lines, by name.
    legend : bool
        Whether to draw a legend.

    Returns
    -------
    Axes

    Raises
    ------
    DataError
        If something does not fit, or there are no eigenvalues.

    References
    ----------
    Thesis Figs. 4.1, 4.3 and 4.11.

    Examples
    --------
    >>> import hyperribbon as hr
    >>> axes = hr.plot.curvature_spectrum(np.exp(-0.1 * np.arange(50)))
    >>> axes.get_yscale(), len(axes.lines)
    ('log', 1)
    """
    no_style(style, "curvature_spectrum")
    rows, named = _rows(data)
    compared = "matrix"
    single = None
    if isinstance(color, str) and color in COMPARED:
        compared = color
    elif color is not None and is_color_like(color) and not named:
        single = color
    elif color is not None:
        raise DataError(f"color = {color!r}: expected one of {', '.join(COMPARED)}")
    if compared not in rows:
        raise DataError(f"color = {compared!r}: the table spectra has {', '.join(rows)}")
    chosen = {"configuration": configuration, "moment": moment, "matrix": matrix}
    title = ""
    for column, value in chosen.items():
        if column == compared and value is not None:
            raise DataError(f"{column} = {value!r}: all are compared, as color = {compared!r}")
        if column in rows and column != compared and not (column == "matrix" and compared == "part"
                                                          and value is None):  # fmt: skip
            rows = _only(rows, column, value)
        elif value is not None and column not in rows:
            raise DataError(f"{column} = {value!r}: the table spectra has no column {column}")
    if compared == "matrix":
        rest = rows[~rows["matrix"].isin(BY_CLASS)]
        rows = rows if rest.empty else rest
    if rows.empty:
        raise LeftOut(NOTHING)
    if "configuration" in rows and compared != "configuration":
        title = name_of(rows)
    relative = (
        compared == "matrix" and rows["matrix"].nunique() > 1 if relative is None else relative
    )
    groups = _groups(rows, compared, palette, single)
    with canvas(ax, (1.5 * COLUMN, COLUMN)) as axes:
        for label, colour, line, part in groups:
            layers = list(parts_of(part))
            for k, (_, values) in enumerate(layers):
                if relative:
                    largest = values["eigenvalue"].abs().max()
                    values = values.assign(eigenvalue=values["eigenvalue"] / largest)
                shown = label if len(layers) == 1 else _end(label, k, len(layers))
                width = (widths or WIDTHS if compared == "moment" else widths or {}).get(label, 1)
                draw_spectrum(
                    axes, values, line, label=None if shown is None else as_text(shown),
                    color=shade(colour, k, len(layers)) if len(layers) > 1 else colour,
                    linewidth=width,
                )  # fmt: skip
        set_scales(axes)
        axes.set_title(as_text(title))
        axes.set(xlabel="index", ylabel="eigenvalue / the largest" if relative else "eigenvalue")
        handles, _ = axes.get_legend_handles_labels()
        if legend and (named or len(groups) > 1):
            handles += NEGATIVE if any(have_signs(part) for *_, part in groups) else []
            if ax is None:
                axes.figure.legend(handles=handles, loc="outside right center")
            else:
                axes.legend(handles=handles)
    return axes


def _rows(data: Any) -> tuple[pd.DataFrame, bool]:
    """The table of spectra, and whether they have names."""
    arrays: dict[str, Any] = {}
    if isinstance(data, Mapping) and not any(isinstance(v, pd.DataFrame) for v in data.values()):
        arrays = dict(data)
    elif not hasattr(data, "tables") and not isinstance(data, pd.DataFrame | Mapping | str):
        arrays = {"": data}
    if not arrays:
        rows = as_tables(data, "spectra").rows("spectra", ["index", "eigenvalue"])
        return (rows if "matrix" in rows else rows.assign(matrix="")), "matrix" in rows
    tables = []
    for name, values in arrays.items():
        try:
            values = np.asarray(values, dtype=float)
        except (TypeError, ValueError):
            raise DataError(f"data: {type(values).__name__}, expected eigenvalues (n,)") from None
        if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
            of = f"data[{name!r}]" if name else "data"
            raise DataError(f"{of}: shape {values.shape}, expected finite eigenvalues (n,)")
        index = np.arange(1, len(values) + 1)
        tables.append(pd.DataFrame({"matrix": name, "index": index, "eigenvalue": values}))
    return pd.concat(tables, ignore_index=True), list(arrays) != [""]


def _only(rows: pd.DataFrame, column: str, value: Any) -> pd.DataFrame:
    """Rows of one configuration, moment or matrix."""
    found = list(dict.fromkeys(rows[column]))
    if value is None:
        preferred = {"moment": "end", "matrix": "fisher"}.get(column)
        value = preferred if preferred in found else next(iter(found), None)
    elif value not in found:
        raise DataError(f"{column} = {value!r}: expected one of {', '.join(map(str, found))}")
    return rows[rows[column] == value]


def _groups(rows: pd.DataFrame, compared: str, given: Mapping | None, single: Any) -> list:
    """Label, colour, line and rows of each spectrum."""
    if compared == "part":
        parts = list(parts_of(rows))
        colours = dict(zip([name for name, _ in parts], in_order(len(parts)), strict=True))
        return [(name or "inputs", (given or colours)[name], "-", part) for name, part in parts]
    names = list(dict.fromkeys(rows[compared]))
    known: dict[Any, Any] = {"moment": MOMENTS}.get(compared, {})
    if compared == "matrix":
        known = {name: colour for name, (_, colour, _) in MATRICES.items()}
        names = [n for n in known if n in names] + [n for n in names if n not in known]
    colours = palette_of(name for name in names if name not in known) | known | dict(given or {})
    groups = []
    for name in names:
        part = rows[rows[compared] == name]
        label, line = str(name), "-"
        if compared == "matrix" and name in MATRICES:
            label, _, line = MATRICES[name]
        elif compared == "configuration":
            label = name_of(part)
        groups.append((label, colours[name] if single is None else single, line or "-", part))
    return groups


def _end(label: str, k: int, number: int) -> str | None:
    """A label for the first and the last layer only."""
    return {0: f"{label}, first layer", number - 1: f"{label}, last"}.get(k)
