"""The first three coordinates in pairs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.colors import Normalize

from hyperribbon.errors import DataError
from hyperribbon.plot._embedding import draw_models, looks_of, name_axes, stress_of
from hyperribbon.plot.canvas import check_axes, finish, keep_style, new_figure
from hyperribbon.plot.references import draw_references
from hyperribbon.plot.tables import as_tables
from hyperribbon.reporting.style import COLUMN

PAIRS = tuple(itertools.combinations((1, 2, 3), 2))


def pairs(
    data: Any,
    *,
    color: Any = None,
    style: Any = None,
    ax: Any = None,
    split: str | None = None,
    labels: Any = None,
    palette: Mapping | None = None,
    norm: Normalize | None = None,
    legend: bool = True,
    **points: Any,
) -> np.ndarray:
    """Draw the first three coordinates of an embedding in pairs, in three panels.

    Parameters
    ----------
    data, color, style, split, labels, palette, norm, legend, **points
        As in `hyperribbon.plot.embedding`.
    ax : sequence of three Axes, optional
        Where to draw.

    Returns
    -------
    numpy.ndarray
        The three Axes: coordinates 1 and 2, 1 and 3, 2 and 3.

    Raises
    ------
    DataError
        If something does not fit, or all models make the same predictions.

    References
    ----------
    Thesis Figs. 2.1c and 2.4c.

    Examples
    --------
    >>> import hyperribbon as hr
    >>> X = np.random.default_rng(0).normal(size=(20, 3))
    >>> [axes.get_ylabel() for axes in hr.plot.pairs(X, color=X[:, 0])]
    ['PC2', 'PC3', 'PC3']
    """
    found = as_tables(data, "models", split=split, labels=labels, components=3)
    stress = stress_of(found)
    models = found.rows("models", ["pc1", "pc2", "pc3"])
    if models.empty:
        raise DataError("data: the table models has no rows, so there is nothing to draw")
    curve = found.optional("geodesic", ["pc1", "pc2", "pc3"])
    look = looks_of(found, models, color, style, palette, norm)

    def draw(panels: np.ndarray) -> None:
        keys: list = []
        for axes, pair in zip(panels, PAIRS, strict=True):
            draw_models(axes, models, pair, look, **points)
            keys = [] if curve is None else draw_references(axes, curve, pair)
            name_axes(axes, stress, pair)
        if legend:
            finish(panels[-1], [*look.handles(), *keys], ax is None)
            look.draw_bar(panels[-1])

    if ax is not None:
        panels = np.asarray(ax, dtype=object).ravel()
        if len(panels) != 3:
            raise DataError(f"ax: {len(panels)} Axes, expected three")
        for k, axes in enumerate(panels):
            check_axes(axes, 2, f"ax[{k}]")
        draw(panels)
        return panels
    with new_figure((2 * COLUMN, 0.7 * COLUMN)) as figure:
        panels = figure.subplots(1, 3)
        for axes in panels:
            keep_style(axes)
        draw(panels)
    return panels
