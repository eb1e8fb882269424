"""The phase diagram of linear regression: dimensions of its hyper-ribbon (thesis Fig. 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from hyperribbon.bars import bar_over
from hyperribbon.errors import DataError
from hyperribbon.linear.covariance import trajectory_covariance
from hyperribbon.linear.dimension import ribbon_dimension
from hyperribbon.probability.arrays import as_float64, as_numpy
from hyperribbon.probability.distributions import check_size


def phase_diagram(
    slopes: Sequence[float] | np.ndarray,
    steps: Sequence[int] | np.ndarray,
    ratios: Sequence[float] | np.ndarray,
    *,
    n: int = 50,
    draws: int = 10,
    fraction: float = 0.95,
    step_size: float = 1.0,
    random_state: int = 0,
    threads: int = 1,
    progress_bar: str | None = None,
) -> xr.Dataset:
    """Dimension of the hyper-ribbon as a function of data, training and initialisation.

    Parameters
    ----------
    slopes : values of c; the correlation of the inputs has eigenvalues exp(-c (i - 1))
    steps : values of T, integers from 1
    ratios : values of sigma_* / sigma_w, the ratio of true to initial weights, above 0
    n : int, number of samples and eigenvalues
    draws : int, draws of the true weights over which dimensions are averaged; all points share them
    fraction : float in (0, 1), fraction of the variance that the dimensions hold
    step_size : float, alpha; the largest eigenvalue is 1
    random_state : int, seed of the draws
    threads : int, number of slopes computed at once
    progress_bar : name of a bar to show; quiet when the output is not a terminal

    Returns
    -------
    xarray.Dataset

    - ``dimension`` (ratio, slope, steps), mean over the draws
    - ``standard_error`` (ratio, slope, steps) of the mean; NaN for a single draw

    Raises
    ------
    DataError
        If an argument is not as above.

    Notes
    -----
    One matrix per slope and T serves all ratios and draws; each of these then needs the eigenvalues
    of a symmetric matrix, at most 0.1 ms for 50 rows. Memory is about 64 n^2 bytes per T and
    thread.

    Examples
    --------
    >>> found = phase_diagram([0.1, 1.0], [10, 1000], [0.1, 10.0], n=20, draws=3)
    >>> found["dimension"].sel(ratio=10.0, slope=0.1).values.round(2)
    array([2., 2.])
    """
    slopes, ratios = as_float64(slopes, "slopes"), as_float64(ratios, "ratios")
    steps = as_numpy(steps, "steps")
    for name, values in (("slopes", slopes), ("ratios", ratios)):
        if values.ndim != 1 or not len(values) or not (np.isfinite(values) & (values > 0)).all():
            raise DataError(f"{name} = {values}: expected a list of numbers above 0")
    for name, value, least in (("n", n, 2), ("draws", draws, 1)):
        check_size(value, name, least)
    true = true_weights(draws, n, random_state)

    def of_slope(slope: float) -> np.ndarray:
        """Dimensions (draws, ratio, steps) for a slope."""
        eigenvalues = np.exp(-slope * np.arange(n))
        y = true * np.sqrt(eigenvalues)  # X w* in the eigenbasis, with sigma_* = 1
        unit = trajectory_covariance(eigenvalues, np.ones(n), step_size=step_size, steps=steps)
        targets = unit.targets - unit.second  # (steps, n, n)
        found = np.empty((draws, len(ratios), len(steps)), int)
        for k, values in enumerate(y):
            of_targets = values[:, None] * values * targets
            for j, ratio in enumerate(ratios):
                P = ratio**2 * of_targets
                P[:, np.arange(n), np.arange(n)] += unit.initialisation
                found[k, j] = ribbon_dimension(P, fraction)
        return found

    # Matrices are too small for several threads each.
    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        work = pool.map(of_slope, slopes)
        found = np.stack(list(bar_over(work, progress_bar, total=len(slopes))))
    dims = ("ratio", "slope", "steps")
    found = found.transpose(1, 2, 0, 3)  # draws first
    error = np.full(found.shape[1:], np.nan)
    if draws > 1:
        error = found.std(axis=0, ddof=1) / np.sqrt(draws)
    return xr.Dataset(
        {
            "dimension": (dims, found.mean(axis=0)),
            "standard_error": (dims, error),
        },
        {
            "ratio": ("ratio", ratios, {"long_name": "sigma_* / sigma_w"}),
            "slope": ("slope", slopes, {"long_name": "c of the inputs"}),
            "steps": ("steps", steps, {"long_name": "steps of gradient descent T"}),
        },
        {"n": n, "draws": draws, "fraction": fraction, "step_size": step_size},
    )


def true_weights(draws: int, n: int, random_state: int) -> np.ndarray:
    """Draw standard normal true weights (draws, n) in the eigenbasis of K."""
    return np.random.default_rng(random_state).standard_normal((draws, n))
