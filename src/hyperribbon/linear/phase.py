"""The phase diagram of linear regression: how many dimensions its hyper-ribbon has (Fig. 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from hyperribbon.errors import DataError
from hyperribbon.linear.covariance import trajectory_covariance
from hyperribbon.linear.dimension import ribbon_dimension
from hyperribbon.probability.arrays import as_float64, as_numpy
from hyperribbon.probability.distributions import check_size


def phase_diagram(
    slopes: Sequence[float],
    steps: Sequence[int],
    ratios: Sequence[float],
    *,
    n: int = 50,
    draws: int = 10,
    fraction: float = 0.95,
    step_size: float = 1.0,
    random_state: int = 0,
    threads: int = 1,
    progress: str | None = None,
) -> xr.Dataset:
    """Dimension of the hyper-ribbon over data, training and initialisation.

    Parameters
    ----------
    slopes : c of the inputs, whose correlation has eigenvalues exp(-c (i - 1))
    steps : T, whole numbers from 1
    ratios : sigma_* / sigma_w, of true and initial weights, above 0
    n : samples, and eigenvalues
    draws : of the true weights, over which dimensions are averaged; the same ones everywhere
    fraction : of the variance that the dimensions hold
    step_size : alpha; the largest eigenvalue is 1
    random_state : of the draws
    threads : of slopes that are worked on at once
    progress : name of a bar to show; quiet when the output is not a terminal

    Returns
    -------
    xarray.Dataset

    - ``dimension`` (ratio, slope, steps), mean over the draws
    - ``standard_error`` (ratio, slope, steps), of that mean; NaN of one draw

    Raises
    ------
    DataError
        If an argument is not as above.

    Notes
    -----
    Of each slope and T one matrix serves all ratios and draws; then each takes the eigenvalues of a
    symmetric matrix, of 50 rows at most 0.1 ms. Memory is some 64 n^2 bytes for each T and thread.

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
        """(draws, ratio, steps)"""
        eigenvalues = np.exp(-slope * np.arange(n))
        y = true * np.sqrt(eigenvalues)  # of X w*, with sigma_* of 1
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

    quiet = None if progress else True
    # Matrices are too small for several threads each.
    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        work = pool.map(of_slope, slopes)
        found = np.stack(list(tqdm(work, progress, len(slopes), leave=False, disable=quiet)))
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
    """Draws (draws, n) of standard normal true weights, each in K's eigenbasis."""
    return np.random.default_rng(random_state).standard_normal((draws, n))
