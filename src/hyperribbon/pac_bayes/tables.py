"""Tables of certificates: how stiff a spectrum is, and scales of a posterior by rank."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from hyperribbon.curvature.checks import check_spectrum
from hyperribbon.curvature.sloppiness import effective_dimension, sloppy_factor, strength
from hyperribbon.errors import DataError

RANGES = 60  # of ranks, in a table of scales
SCALE_COLUMNS = ["first", "last", "eigenvalue", "prior_scale", "posterior_scale", "low", "high"]
SPREAD = 0.1, 0.9  # quantiles


def dimension_at(eigenvalues: np.ndarray, n: int, epsilon: float) -> dict[str, float]:
    """Effective dimension at a scale of the prior, and what follows from it (thesis 4.4).

    Parameters
    ----------
    eigenvalues : (p,) or those that are not 0, of a positive semidefinite matrix: the Hessian of
        cross-entropy / ln 2, or what stands for it
    n : int, number of training samples
    epsilon : inverse variance of the prior

    Returns
    -------
    dict of effective_dimension, strength, sloppy_factor (NaN if all eigenvalues are stiff, or none)

    Raises
    ------
    DataError
        If an argument is invalid.

    Examples
    --------
    >>> row = dimension_at(np.exp(-np.arange(30.0)), n=501, epsilon=1.0)
    >>> row["effective_dimension"], round(row["sloppy_factor"], 6)
    (7, 1.0)
    """
    stiff = int(effective_dimension(eigenvalues, n, epsilon))
    sloppy = 0 < stiff < len(eigenvalues)
    return {
        "effective_dimension": stiff,
        "strength": strength(eigenvalues, n, epsilon),
        "sloppy_factor": sloppy_factor(eigenvalues, stiff) if sloppy else np.nan,
    }


def scales_by_rank(
    eigenvalue: np.ndarray, prior_scale: np.ndarray, posterior_scale: np.ndarray
) -> pd.DataFrame:
    """Scales of a posterior along its directions, by ranges of ranks of their eigenvalues.

    Ranges are of equal length on a logarithmic scale; the stiffest directions have one each.

    Parameters
    ----------
    eigenvalue, prior_scale, posterior_scale : (p,) eigenvalues in any order, and standard
        deviations along the same directions, as in
        `hyperribbon.pac_bayes.optimised.OptimisedCertificate`

    Returns
    -------
    DataFrame with columns ``SCALE_COLUMNS``: first and last rank, counted from 1, medians of the
    others, and the quantiles 0.1 and 0.9 of the posterior's scales

    Raises
    ------
    DataError
        If shapes differ.

    Examples
    --------
    >>> found = scales_by_rank([1.0, 4.0, 2.0], [1.0, 1.0, 1.0], [0.7, 0.4, 0.6])
    >>> found["eigenvalue"].tolist(), found["posterior_scale"].tolist()
    ([4.0, 2.0, 1.0], [0.4, 0.6, 0.7])
    """
    values = check_spectrum(eigenvalue)
    order = np.argsort(-values, kind="stable")
    prior = _as_scales(prior_scale, values, "prior_scale")
    posterior = _as_scales(posterior_scale, values, "posterior_scale")
    values, prior, posterior = values[order], prior[order], posterior[order]
    edges = np.unique(np.geomspace(1, len(values) + 1, RANGES + 1).astype(int))
    edges[-1] = len(values) + 1
    rows = []
    for first, end in pairwise(edges):
        part = slice(first - 1, end - 1)
        medians = [float(np.median(a[part])) for a in (values, prior, posterior)]
        rows.append([first, end - 1, *medians, *np.quantile(posterior[part], SPREAD)])
    return pd.DataFrame(rows, columns=SCALE_COLUMNS).astype({"first": int, "last": int})


def scale_correlation(eigenvalue: np.ndarray, posterior_scale: np.ndarray) -> float:
    """Rank correlation of a posterior's scales with eigenvalues (Remark 4.3.5).

    It is -1 if each direction is more spread out than all that are stiffer, and NaN if all
    eigenvalues or all scales are equal.

    Parameters
    ----------
    eigenvalue, posterior_scale : (p,), as in `scales_by_rank`

    Raises
    ------
    DataError
        If shapes differ.

    Examples
    --------
    >>> scale_correlation([1.0, 4.0, 2.0], [0.7, 0.4, 0.6])
    -1.0
    """
    values = check_spectrum(eigenvalue)
    scales = _as_scales(posterior_scale, values, "posterior_scale")
    if np.ptp(values) == 0 or np.ptp(scales) == 0:
        return float("nan")
    return round(float(spearmanr(values, scales).statistic), 12)


def _as_scales(scales: np.ndarray, values: np.ndarray, name: str) -> np.ndarray:
    array = np.asarray(scales, dtype=np.float64)
    if array.shape != values.shape:
        raise DataError(f"{name}: shape {array.shape}, expected {values.shape} as the eigenvalues")
    return array
