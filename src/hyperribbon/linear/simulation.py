"""Linear models trained step by step, to compare with the closed form (thesis 5.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hyperribbon.bars import bar_over
from hyperribbon.errors import DataError
from hyperribbon.probability.arrays import as_float64

MOST_STEPS = 10**9


class PointCovariance:
    """Covariance of points that are added step by step and not kept.

    Parameters
    ----------
    n : int, number of coordinates of a point

    Examples
    --------
    >>> points = PointCovariance(1)
    >>> points.add(np.array([[1.0], [3.0]]))
    >>> points.covariance()
    array([[1.]])
    """

    def __init__(self, n: int):
        self._products, self._sum, self._count = np.zeros((n, n)), np.zeros(n), 0

    def add(self, points: np.ndarray) -> None:
        """Add points (N, n)."""
        self._products += points.T @ points
        self._sum += points.sum(axis=0)
        self._count += len(points)

    def covariance(self) -> np.ndarray:
        """Covariance (n, n) of all points so far."""
        mean = self._sum / self._count
        return self._products / self._count - np.outer(mean, mean)


def train_linear(
    X: np.ndarray,
    y: np.ndarray,
    *,
    step_size: float,
    steps: Sequence[int],
    sigma_w: float = 1.0,
    models: int = 20,
    random_state: int | np.random.Generator = 0,
    progress_bar: str | None = None,
) -> np.ndarray:
    """Train linear models by gradient descent on half the squared residuals X w - y.

    Parameters
    ----------
    X : (n, d) inputs
    y : (n,) targets
    step_size : float, alpha
    steps : lengths of training T to report, increasing integers from 1
    sigma_w : float, standard deviation of each initial weight
    models : int, N
    random_state : int or Generator, seed of the initial weights
    progress_bar : name of a bar to show; quiet when the output is not a terminal

    Returns
    -------
    (len(steps), n, n), P(N, T) of the residuals r_0, ..., r_{T-1} of all models (Eq. 5.2.3)

    Raises
    ------
    DataError
        If an argument is not as above, or training diverges.

    Examples
    --------
    >>> P = train_linear(np.eye(2), [1.0, 2.0], step_size=0.5, steps=[1, 50], models=3)
    >>> P.shape
    (2, 2, 2)
    """
    X, y = check_samples(X, y)
    due = check_steps(steps)
    w = sigma_w * np.random.default_rng(random_state).standard_normal((models, X.shape[1]))
    points = PointCovariance(len(y))
    found: list[np.ndarray] = []
    for t in bar_over(range(1, due[-1] + 1), progress_bar):
        residuals = w @ X.T - y
        if not np.isfinite(residuals).all():
            raise DataError(
                f"step_size = {step_size}: training diverged at step {t - 1}, expected less"
            )
        points.add(residuals)
        if t == due[len(found)]:
            found.append(points.covariance())
        w -= step_size * residuals @ X
    return np.array(found)


def check_samples(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs (n, d) and targets (n,) as float64; a DataError unless they are finite."""
    X, y = as_float64(X, "X"), as_float64(y, "y")
    if X.ndim != 2 or y.shape != X.shape[:1] or not (np.isfinite(X).all() and np.isfinite(y).all()):
        raise DataError(f"X, y: shapes {X.shape} and {y.shape}, expected finite (n, d) and (n,)")
    return X, y


def check_steps(steps: Sequence[int]) -> list[int]:
    """Return lengths of training; a DataError unless they are increasing integers from 1 to 10^9.

    Steps are taken one by one, so more would take days.
    """
    due = as_float64(steps, "steps")
    whole = due.ndim == 1 and due.size > 0 and (due == np.floor(due)).all()
    if not (whole and due[0] >= 1 and (np.diff(due) > 0).all()):
        raise DataError(f"steps = {steps}: expected increasing integers from 1")
    if due[-1] > MOST_STEPS:
        raise DataError(
            f"steps: {steps[-1]}, taken one by one, expected at most {MOST_STEPS}; "
            "`trajectory_covariance` computes any number in closed form"
        )
    return [int(T) for T in due]
