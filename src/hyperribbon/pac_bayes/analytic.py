r"""Gaussian posteriors with known precisions in a known basis, and the analytic one (Method 1).

The prior is :math:`P = N(w_0, I / \epsilon)`; Q is :math:`N(w, U \bar\Lambda^{-1} U^T)`.
The loss is that of the thesis, cross-entropy / ln 2, so eigenvalues of the Hessian of the
cross-entropy in nats must first be divided by ln 2. Distances are squared Euclidean distances
between flat weights.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.optimize import brentq

from hyperribbon.curvature.checks import (
    check_epsilon,
    check_nonnegative,
    check_positive,
    check_samples,
    check_spectrum,
)
from hyperribbon.curvature.sloppiness import loose_bound
from hyperribbon.errors import DataError
from hyperribbon.pac_bayes.bound import GridPoint, round_to_grid
from hyperribbon.pac_bayes.tables import dimension_at
from hyperribbon.probability.distributions import as_numpy

# The prior's inverse variance is c exp(j / b), with c and b fixed before any data are seen.
GRID = {"c": 1e-3, "b": 10.0}


def analytic_precisions(eigenvalues: np.ndarray, n: int, epsilon: float) -> np.ndarray:
    r"""Precisions of the posterior that minimises the loose bound (Eq. 4.3.4).

    .. math:: \bar\lambda_i = 2 (n - 1) \max(\lambda_i, 0) + \epsilon

    Away from a minimum the Hessian has negative eigenvalues, for which the equation could give
    negative precisions; in these directions the posterior keeps the prior's precision.

    Parameters
    ----------
    eigenvalues : (k,) eigenvalues of the Hessian of cross-entropy / ln 2
    n : int, number of training samples
    epsilon : inverse variance of the prior

    Returns
    -------
    (k,) float64, epsilon or more

    Raises
    ------
    DataError
        If an argument is invalid.

    Examples
    --------
    >>> analytic_precisions([3.0, 0.5, -0.1], n=11, epsilon=5.0)
    array([65., 15.,  5.])
    """
    values = np.maximum(check_spectrum(eigenvalues), 0)
    return 2 * (check_samples(n) - 1) * values + check_positive(epsilon, "epsilon")


def expected_rise(eigenvalues: np.ndarray, precisions: np.ndarray) -> float:
    r"""How far the loss of Q exceeds the loss at its mean, to second order (4.7.2.3).

    .. math:: \frac{1}{2} \sum_i \frac{\max(\lambda_i, 0)}{\bar\lambda_i}

    in units of the loss, cross-entropy / ln 2. Negative eigenvalues do not count, because the loss
    does not keep falling along their directions as far as Q extends.

    Parameters
    ----------
    eigenvalues : (k,) eigenvalues of the Hessian of cross-entropy / ln 2; those left out count as 0
    precisions : (k,) precisions of Q, in the same basis

    Raises
    ------
    DataError
        If shapes differ, or a precision is not above 0.

    Examples
    --------
    >>> expected_rise([2.0, -1.0], [4.0, 1.0])
    0.25
    """
    values, precisions = check_spectrum(eigenvalues), _check_precisions(precisions)
    if values.shape != precisions.shape:
        raise DataError(f"precisions: shape {precisions.shape}, expected {values.shape}")
    return float((np.maximum(values, 0) / precisions).sum() / 2)


def gaussian_kl(precisions: np.ndarray, epsilon: float, squared_distance: float) -> float:
    r"""``KL(Q || P)`` in nats (Eq. 4.7.1).

    .. math:: \frac{1}{2} \left[\sum_i \left(\frac{\epsilon}{\bar\lambda_i} - 1
              + \ln \frac{\bar\lambda_i}{\epsilon}\right) + \epsilon |w - w_0|^2\right]

    Directions in which Q has the prior's precision add nothing, so they may be left out.

    Parameters
    ----------
    precisions : (k,) precisions of Q, above 0
    epsilon : inverse variance of the prior
    squared_distance : ``|w - w_0|^2``, over all weights

    Raises
    ------
    DataError
        If an argument is not as above.

    Examples
    --------
    >>> gaussian_kl([5.0, 5.0], epsilon=5.0, squared_distance=2.0)
    5.0
    """
    epsilon = check_positive(epsilon, "epsilon")
    # In terms of the excess over epsilon, so that directions with the prior's precision add 0.
    excess = (_check_precisions(precisions) - epsilon) / epsilon
    widths = np.log1p(excess) - excess / (1 + excess)
    distance = check_nonnegative(squared_distance, "squared_distance")
    return float((widths.sum() + epsilon * distance) / 2)


def loose_objective(
    eigenvalues: np.ndarray, n: int, epsilon: float | np.ndarray, squared_distance: float
) -> float | np.ndarray:
    r"""The loose bound at the analytic posterior, less the loss at its mean (4.7.2.2).

    .. math:: \breve e(Q) - \breve e(w) + \frac{\mathrm{KL}(Q \| P)}{2 (n - 1)}
              = \frac{1}{4 (n - 1)} \left[\sum_i
                \ln\left(1 + \frac{2 (n - 1) \max(\lambda_i, 0)}{\epsilon}\right)
                + \epsilon |w - w_0|^2\right]

    The rise of the loss cancels the trace in KL, which leaves this sum; it is convex in epsilon.

    Parameters
    ----------
    eigenvalues : (k,) eigenvalues of the Hessian of cross-entropy / ln 2
    n : int, number of training samples
    epsilon : inverse variance of the prior, or an array of these
    squared_distance : ``|w - w_0|^2``, over all weights

    Returns
    -------
    float, or an array in the shape of epsilon; in units of the loss, cross-entropy / ln 2

    Raises
    ------
    DataError
        If an argument is not as above.

    Examples
    --------
    >>> loose_objective([9.0], 2, [2.0], 1.0).round(4)  # (ln 10 + 2) / 4
    array([1.0756])
    """
    stiffness, epsilon = _stiffness(eigenvalues, n), check_epsilon(epsilon)
    logs = np.array([np.log1p(stiffness / e).sum() for e in epsilon.ravel()])
    distance = check_nonnegative(squared_distance, "squared_distance")
    return ((logs.reshape(epsilon.shape) + epsilon * distance) / (4 * (n - 1)))[()]


def best_epsilon(
    eigenvalues: np.ndarray, n: int, squared_distance: float, *, c: float, b: float
) -> GridPoint:
    """The scale of the prior, on the grid, at which `loose_objective` is smallest.

    The objective is convex in epsilon, so the best grid point is one of the two next to the root of
    its derivative. The penalty of the grid, which hardly changes from one point to the next, is
    left to the certificate.

    Parameters
    ----------
    eigenvalues, n : as in `loose_objective`
    squared_distance : ``|w - w_0|^2``, above 0; at 0 the objective would fall without end
    c, b : parameters of the grid, as in `hyperribbon.pac_bayes.bound.round_to_grid`

    Raises
    ------
    DataError
        If an argument is not as above.

    Examples
    --------
    >>> best_epsilon(np.exp(-0.1 * np.arange(200)), 1000, 4.0, c=0.05, b=10.0).j
    55
    """
    stiffness = _stiffness(eigenvalues, n)
    distance = check_positive(squared_distance, "squared_distance")
    stiffness = stiffness[stiffness > 0]
    if not stiffness.size:
        return round_to_grid(c, c=c, b=b)  # the objective only rises: the grid's first point

    def slope(log_epsilon: float) -> float:
        epsilon = np.exp(log_epsilon)
        return epsilon * distance - (stiffness / (stiffness + epsilon)).sum()

    # At the lower end a single direction outweighs the distance; at the upper end all do not.
    ends = np.log([min(stiffness.max(), 0.5 / distance), stiffness.size / distance])
    root = float(np.exp(brentq(slope, ends[0] - 1, ends[1] + 1, xtol=1e-12)))
    near = [round_to_grid(root * np.exp(step / b), c=c, b=b) for step in (-0.5, 0.5)]
    return min(near, key=lambda at: loose_objective(stiffness / (2 * (n - 1)), n, at[0], distance))


def dimension_row(eigenvalues: np.ndarray, n: int, squared_distance: float) -> dict[str, float]:
    """Effective dimension of a posterior, and what follows from it (thesis 4.4).

    The scale of the prior is where the loose objective is least.

    Parameters
    ----------
    eigenvalues : (p,) or those that are not 0, descending, of the Fisher matrix, which is the
        Hessian's positive semidefinite part, divided by ln 2
    n : training samples
    squared_distance : of the weights from the centre of the prior, above 0

    Returns
    -------
    dict of epsilon, effective_dimension, strength, sloppy_factor (NaN if all eigenvalues are stiff,
    or none), loose_bound (NaN without a sloppy factor above 0), objective

    Examples
    --------
    >>> row = dimension_row(np.exp(-np.arange(30.0)), n=1000, squared_distance=1.0)
    >>> 0 < row["effective_dimension"] < 30
    True
    """
    epsilon = best_epsilon(eigenvalues, n, squared_distance, **GRID).epsilon
    row = dimension_at(eigenvalues, n, epsilon)
    s, factor = row["strength"], row["sloppy_factor"]
    loose = loose_bound(s, factor, n, epsilon, squared_distance) if factor > 0 else np.nan
    objective = float(loose_objective(eigenvalues, n, epsilon, squared_distance))
    return {"epsilon": epsilon, **row, "loose_bound": loose, "objective": objective}


class Basis(Protocol):
    """Orthonormal vectors that span the space of the weights, or a subspace of it."""

    def to_basis(self, v: np.ndarray) -> np.ndarray:
        """Coordinates (k,) of the projection of flat weights (p,)."""

    def from_basis(self, z: np.ndarray) -> np.ndarray:
        """Flat weights (p,) with coordinates (k,)."""


class Subspace:
    """The span of k orthonormal vectors, as a `Basis`.

    Parameters
    ----------
    vectors : (p, k), orthonormal columns of any floating-point type, in which products are computed

    Raises
    ------
    DataError
        If they are not orthonormal.
    """

    def __init__(self, vectors: np.ndarray):
        self.vectors = as_numpy(vectors, "vectors")
        if self.vectors.ndim != 2 or not np.issubdtype(self.vectors.dtype, np.floating):
            raise DataError(
                f"vectors: shape {self.vectors.shape} of {self.vectors.dtype}, expected (p, k) of "
                "floating-point numbers"
            )
        # A random combination keeps its coordinates only if the columns are orthonormal; forming
        # V^T V would cost k times as much.
        probe = np.random.default_rng(0).standard_normal((self.vectors.shape[1],))
        off = np.abs(self.to_basis(self.from_basis(probe)) - probe).max(initial=0)
        if not off < 1e-3:
            raise DataError(f"vectors: off by {off:.2g}, expected orthonormal columns")

    def to_basis(self, v: np.ndarray) -> np.ndarray:
        """Coordinates (k,) of the projection of flat weights (p,)."""
        return self.vectors.T @ np.asarray(v, dtype=self.vectors.dtype)

    def from_basis(self, z: np.ndarray) -> np.ndarray:
        """Flat weights (p,) with coordinates (k,)."""
        return self.vectors @ np.asarray(z, dtype=self.vectors.dtype)


class GaussianPosterior:
    """A Gaussian Q with precisions in an orthonormal basis, and the prior's precision outside it.

    Parameters
    ----------
    mean : (p,) flat weights
    precisions : (k,) precisions in the basis, above 0
    epsilon : inverse variance of the prior, and of Q outside the span of the basis
    basis : `Subspace`, or any object with its two methods

    Raises
    ------
    DataError
        If an argument is not as above, or shapes do not fit.

    Examples
    --------
    >>> posterior = GaussianPosterior(np.zeros(3), [4.0], 1.0, Subspace(np.eye(3)[:, :1]))
    >>> posterior.sample(np.random.default_rng(0)).shape
    (3,)
    """

    def __init__(self, mean: np.ndarray, precisions: np.ndarray, epsilon: float, basis: Basis):
        self.mean = as_numpy(mean, "mean").astype(np.float64)
        self.precisions = _check_precisions(precisions)
        self.epsilon = check_positive(epsilon, "epsilon")
        self.basis = basis
        if self.mean.ndim != 1 or not np.isfinite(self.mean).all():
            raise DataError(f"mean: shape {self.mean.shape}, expected (p,) finite numbers")
        if isinstance(basis, Subspace) and len(basis.vectors) != len(self.mean):
            raise DataError(
                f"mean: {len(self.mean)} weights, expected {len(basis.vectors)} as in the basis"
            )
        given = np.shape(basis.to_basis(self.mean))
        if given != self.precisions.shape:
            raise DataError(
                f"precisions: shape {self.precisions.shape}, expected {given} as in the basis"
            )

    def sample(self, rng: np.random.Generator) -> np.ndarray:
        r"""Flat weights (p,) drawn from Q, float64.

        .. math:: w + z / \sqrt\epsilon
                  + U (\bar\Lambda^{-1/2} - \epsilon^{-1/2}) U^T z, \qquad z \sim N(0, I)
        """
        z = rng.standard_normal(len(self.mean))
        scale = 1 / np.sqrt(self.precisions) - 1 / np.sqrt(self.epsilon)
        inside = self.basis.from_basis(scale * self.basis.to_basis(z))
        return self.mean + z / np.sqrt(self.epsilon) + inside

    def kl(self, centre: np.ndarray) -> float:
        """``KL(Q || P)`` in nats, for the prior around flat weights (p,)."""
        centre = as_numpy(centre, "centre").astype(np.float64)
        if centre.shape != self.mean.shape or not np.isfinite(centre).all():
            raise DataError(
                f"centre: shape {centre.shape}, expected {self.mean.shape} finite numbers"
            )
        step = self.mean - centre
        return gaussian_kl(self.precisions, self.epsilon, step @ step)


def _stiffness(eigenvalues: np.ndarray, n: int) -> np.ndarray:
    return 2 * (check_samples(n) - 1) * np.maximum(check_spectrum(eigenvalues), 0)


def _check_precisions(precisions: np.ndarray) -> np.ndarray:
    array = as_numpy(precisions, "precisions").astype(np.float64)
    if array.ndim != 1 or not (np.isfinite(array) & (array > 0)).all():
        raise DataError(f"precisions: shape {array.shape}, expected (k,) finite numbers above 0")
    return array
