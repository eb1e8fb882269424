"""Tables of the spectra of a survey: thinned eigenvalues, and how sloppy each spectrum is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import numpy as np
import pandas as pd

from hyperribbon.curvature.sloppiness import elbow, sloppy_slope
from hyperribbon.errors import DataError

SPECTRUM_COLUMNS = ["matrix", "part", "index", "eigenvalue"]
SLOPPINESS_COLUMNS = ["matrix", "part", "eigenvalues", "largest", "trace", "elbow"]
SLOPPINESS_COLUMNS += ["slope", "low", "high", "r_squared", "first", "last"]
SLOPES_FROM = 1e-12  # relative to the largest eigenvalue, in float64; below it is rounding error
WHOLE = 200  # number of leading eigenvalues that a table keeps without gaps
THINNED = 60  # number that it keeps of all others


def named_spectra(
    spectra: Mapping[str, np.ndarray], layers: Sequence[str]
) -> Iterator[tuple[dict[str, str], np.ndarray]]:
    """Name each spectrum by its matrix and part (layer or class).

    Parameters
    ----------
    spectra : as in `hyperribbon.curvature.survey.Survey`
    layers : names of the layers; the first layer's activations are the network's inputs

    Yields
    ------
    dict of ``matrix`` and ``part``, and the eigenvalues, descending

    Examples
    --------
    >>> spectra = {"activations": np.array([[2.0, 1.0], [3.0, np.nan]]), "fisher": np.array([5.0])}
    >>> for about, values in named_spectra(spectra, ["first", "second"]):
    ...     print(*about.values(), values)
    input  [2. 1.]
    activations second [3.]
    fisher  [5.]
    """
    for matrix, values in spectra.items():
        parts: Sequence[object] = [""]
        if values.ndim == 2:
            parts = range(len(values)) if matrix == "jacobian" else layers
        for k, (part, row) in enumerate(zip(parts, np.atleast_2d(values), strict=True)):
            about = {"matrix": matrix, "part": str(part)}
            if matrix == "activations" and k == 0:
                about = {"matrix": "input", "part": ""}
            yield about, row[np.isfinite(row)]


def thinned(values: np.ndarray, whole: int = WHOLE) -> pd.DataFrame:
    """A spectrum with one row per leading eigenvalue, and logarithmically fewer rows after that.

    Parameters
    ----------
    values : eigenvalues by descending magnitude; those that are rounding errors get no row
    whole : number of leading eigenvalues that all get a row

    Returns
    -------
    DataFrame with columns ``index``, counted from 1, and ``eigenvalue``

    Examples
    --------
    >>> len(thinned(np.ones(3))), 200 < len(thinned(np.ones(5000))) <= 260
    (3, True)
    """
    values = values[np.abs(values) > SLOPES_FROM * np.abs(values[0])]
    rest = np.geomspace(whole, max(len(values), whole + 1), THINNED).astype(int)
    index = np.unique(np.concatenate([np.arange(1, whole + 1), rest]))
    index = index[index <= len(values)]
    return pd.DataFrame({"index": index, "eigenvalue": values[index - 1]})


def sloppiness_row(values: np.ndarray, complete: bool = True) -> dict[str, float]:
    """How many eigenvalues of a spectrum are stiff, and how fast the sloppy ones decay.

    Parameters
    ----------
    values : all nonzero eigenvalues by descending magnitude; negative ones enter only the trace
    complete : whether these are all nonzero eigenvalues; leading ones alone give no trace and no
        slope

    Returns
    -------
    dict of columns in `SLOPPINESS_COLUMNS`; those that cannot be computed are missing

    Examples
    --------
    >>> row = sloppiness_row(np.exp(-0.1 * np.arange(60)))
    >>> row["eigenvalues"], round(row["slope"], 6)
    (60, -0.1)
    """
    row = {"eigenvalues": len(values), "largest": values[0]}
    row |= {"trace": values.sum() if complete else math.nan}
    with suppress(DataError):  # too few eigenvalues for a line
        if complete:
            row["elbow"] = elbow(values, SLOPES_FROM)
            row |= sloppy_slope(values, row["elbow"] + 1, floor=SLOPES_FROM)._asdict()
    return row
