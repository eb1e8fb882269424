"""Maps of volume and curvature in the plane as an interactive page, with a slider over training.

The page's address contains the choice, for example
``representations_maps.html#map=0&moment=5``, so that it can be shared.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from hyperribbon.reporting.interactive import interactive_page
from hyperribbon.reporting.pages import asset
from hyperribbon.studies.representations.figures import TITLES, grid_of

DIGITS = 4  # significant


def representations_maps(tables: dict[str, pd.DataFrame]) -> str:
    """HTML page of all maps.

    Parameters
    ----------
    tables : with the table ``plane_maps``
    """
    maps = []
    for (task, variant), part in tables["plane_maps"].groupby(["task", "variant"], sort=False):
        moments = []
        for epoch, rows in part.groupby("epoch"):
            x, y, margin = grid_of(rows, "margin")
            moments.append(
                {
                    "epoch": int(epoch),
                    "log_volume": _numbers(grid_of(rows, "log_volume")[2]),
                    "ricci": _numbers(grid_of(rows, "ricci")[2]),
                    "margin": _numbers(margin),
                }
            )
        first = part[part["epoch"] == part["epoch"].min()]
        maps.append(
            {
                "name": f"{TITLES[task]}, {variant}",
                "x": x.tolist(),
                "y": y.tolist(),
                "truth": _numbers(grid_of(first, "truth")[2]),
                "moments": moments,
                "ranges": {name: _range(part[name]) for name in ("log_volume", "ricci")},
            }
        )
    scripts = ["representations_figure.js", "representations_maps.js"]
    form = asset("representations_maps_form.html")
    return interactive_page(
        "representations", form, {"maps": maps}, [asset(name) for name in scripts]
    )


def _numbers(values: np.ndarray) -> list[list[float | None]]:
    """Rows of numbers with a few digits; null where there is none."""
    return [
        [float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None for value in row]
        for row in values
    ]


def _range(values: pd.Series) -> list[float] | None:
    """All but the most extreme values; null if there are none."""
    finite = values[np.isfinite(values)]
    if finite.empty:
        return None
    return [float(f"{value:.{DIGITS}g}") for value in finite.quantile([0.005, 0.995])]
