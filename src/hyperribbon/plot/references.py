"""What every picture of an embedding refers to: ignorance, the truth, the geodesic, stress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperribbon.reporting.style import LeftOut

GEODESIC = Line2D([], [], color="black", label="geodesic")
IGNORANCE = Line2D([], [], color="black", marker="s", linestyle="", markersize=4, label="ignorance")
TRUTH = Line2D([], [], color="black", marker="*", linestyle="", markersize=7, label="truth")
REFERENCES = [GEODESIC, IGNORANCE, TRUTH]


def draw_references(axes: Any, curve: pd.DataFrame, coordinates: Sequence[int]) -> list[Line2D]:
    """Draw the geodesic, with ignorance and truth at its ends.

    Parameters
    ----------
    axes : Axes
        Of a plane or in 3-D.
    curve : DataFrame
        Points of the geodesic, in order: pc1, pc2, ... and, if known, ``alpha``, from 0 at
        ignorance to 1 at the truth. An end that the curve does not reach is not marked.
    coordinates : sequence of int
        Numbers of the two or three coordinates.

    Returns
    -------
    list of Line2D
        Keys for a legend.
    """
    points = curve[[f"pc{k}" for k in coordinates]].to_numpy().T
    alpha = np.asarray(curve["alpha"]) if "alpha" in curve else np.array([0.0, 1.0])
    keys = [GEODESIC]
    in_space = len(coordinates) == 3
    line: dict[str, Any] = {"linewidth": 1.2, "zorder": 10} if in_space else {"linewidth": 1}
    axes.plot(*points, color="black", **line)
    for key, end, place in ((IGNORANCE, 0, slice(None, 1)), (TRUTH, 1, slice(-1, None))):
        if not np.isclose(alpha[place], end).all():
            continue
        keys.append(key)
        marker, size = str(key.get_marker()), key.get_markersize()
        if in_space:
            options = {"s": {"s": 18, "*": 60}[marker], "depthshade": False, "zorder": 11}
            axes.scatter(*points[:, place], marker=marker, color="black", **options)
        else:
            axes.plot(*points[:, place], marker, color="black", markersize=size)
    return keys


def explained(stress: pd.DataFrame | None, dimensions: int) -> float | None:
    """The stress that the first dimensions explain, where it is known."""
    if stress is None:
        return None
    found = stress.loc[stress["dimension"] == dimensions, "explained_stress"].dropna()
    return float(found.iloc[0]) if len(found) else None


def of_embedding(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Decorate a figure of an embedding, so that it is left out if all models coincide."""

    @wraps(draw)
    def drawn(tables: dict[str, pd.DataFrame], **split: str) -> Figure:
        stress = tables.get("explained_stress")
        if stress is not None:
            found = stress[stress["split"].isin([*split.values()] or stress["split"].unique())]
            refuse_one_point(found, "".join(f" {name}" for name in split.values()))
        return draw(tables, **split)

    return drawn


def refuse_one_point(stress: pd.DataFrame | None, of: str = "") -> None:
    """Raise `LeftOut` if nothing is explained, because all models coincide."""
    if stress is not None and len(stress) and stress["explained_stress"].isna().all():
        raise LeftOut(
            f"All models make the same{of} predictions: they are a single point, so there is "
            "nothing to embed."
        )
