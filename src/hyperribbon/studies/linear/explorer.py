"""The phase diagram of linear regression as an interactive page (thesis Fig. 5.3).

Sliders set its three parameters. The page computes spectra itself, because P is in closed form and
has few rows. The page's address contains the choice, for example
``linear_explorer.html#slope=0.2&steps=1000&ratio=9``, so that it can be shared.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from hyperribbon.plot.phase import BOUNDARIES, TICKS, grid
from hyperribbon.reporting.interactive import interactive_page
from hyperribbon.reporting.pages import asset

OPERATIONS = 10**7  # most operations, n^3 per draw, with which the page follows a slider


def linear_explorer(
    tables: dict[str, pd.DataFrame], true: np.ndarray, fraction: float = 0.95
) -> str:
    """HTML page of the diagram, of its boundaries in three dimensions, and of spectra at a point.

    Parameters
    ----------
    tables : with the table ``linear_phase``
    true : (draws, n), standard normal true weights over which the diagram is averaged
    fraction : fraction of the variance that the dimensions hold
    """
    ratios, slopes, steps, dimension = grid(tables["linear_phase"])
    draws, n = true.shape
    data = {
        "ratios": ratios.tolist(),
        "slopes": slopes.tolist(),
        "steps": steps.tolist(),
        "dimension": dimension.round(3).tolist(),
        "true": true[: max(1, min(draws, OPERATIONS // n**3))].tolist(),
        "ticks": TICKS,
        "fraction": fraction,
        "boundaries": list(BOUNDARIES.items()),
    }
    scripts = ["linear_covariance.js", "linear_explorer_figure.js", "linear_explorer.js"]
    form = asset("linear_explorer_form.html")
    return interactive_page("linear regression", form, data, [asset(name) for name in scripts])
