"""The metric that a feature map pulls back to the space of inputs, its volume and its spectrum.

With n features f, the metric is g = J^T J / n, where J is their Jacobian (Zavatone-Veth et al.,
arXiv:2301.11375). Everything is in float64. To restrict g to a few directions, such as a plane
through three images, give them as the columns of ``subspace``.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from hyperribbon.errors import DataError
from hyperribbon.representations.features import FeatureMap, checked_inputs
from hyperribbon.representations.jacobian import jacobians

_MOST_BYTES = 2**33  # of a metric
# With a larger ratio of pivots, the determinant of J J^T loses over ten of its digits.
_RATIO = 1e-3
_STRIP = 128  # columns of a Gram matrix at once


class VolumeElement(NamedTuple):
    """The volume element at points, and the rank of the metric there."""

    log: np.ndarray
    """(B,) half the natural logarithm of the determinant of g; of its pseudo-determinant, the
    product of the nonzero eigenvalues, where the rank is below the number of directions. NaN where
    the rank is 0."""
    rank: np.ndarray
    """(B,) int, rank of g."""


def pullback_metric(
    features: FeatureMap,
    x: ArrayLike,
    subspace: ArrayLike | None = None,
    *,
    progress_bar: str | None = None,
) -> np.ndarray:
    """Metric that a feature map pulls back to its inputs, g = J^T J / n.

    It costs d^2 n multiplications per point, and min(d, n) passes through the network.

    Parameters
    ----------
    features : function
        It maps a float64 tensor (B, d) to (B, n), each row by itself, and is differentiable; for a
        layer of a network, see `layer_features`.
    x : (B, d)
    subspace : (d, k), optional
        Directions u_a as columns; then g_ab = g(u_a, u_b).
    progress_bar : str, optional
        Name of a progress bar to show; none if the output is not a terminal.

    Returns
    -------
    (B, d, d), or (B, k, k)
        Symmetric and positive semidefinite.

    Raises
    ------
    DataError
        If the inputs have the wrong shape or numbers that are not finite, the features cannot be
        differentiated or have zero derivatives at every point, or the result takes over 8 GiB.

    Examples
    --------
    >>> sphere = lambda x: torch.stack(
    ...     [x[:, 0].cos() * x[:, 1].cos(), x[:, 0].sin() * x[:, 1].cos(), x[:, 1].sin()], dim=1
    ... )
    >>> (3 * pullback_metric(sphere, [[0.5, np.pi / 3]])).round(4)
    array([[[0.25, 0.  ],
            [0.  , 1.  ]]])
    """
    points, directions = checked_inputs(x, subspace)
    k = directions.shape[1]
    if 8 * len(points) * k**2 > _MOST_BYTES:
        most = _MOST_BYTES // (8 * k**2)
        raise DataError(
            f"x: {len(points)} metrics of {k} x {k} take over 8 GiB, expected at most {most} "
            "points at once, or a subspace"
        )
    g = np.empty((len(points), k, k))
    for rows, J in jacobians(features, points, directions, progress_bar):
        g[rows] = _gram(J)
    return g


def log_volume_element(
    features: FeatureMap,
    x: ArrayLike,
    subspace: ArrayLike | None = None,
    *,
    progress_bar: str | None = None,
) -> VolumeElement:
    """Logarithm of the volume element of the pullback metric, (1/2) ln det g, and its rank.

    With fewer features than inputs, or units that are off, g is singular: the volume element is
    then that of the directions in which it is not, and the rank says how many these are. Volume
    elements of different ranks cannot be compared.

    The determinant comes from a Cholesky decomposition of J^T J or J J^T, whichever is smaller, at
    min(d, n)^2 max(d, n) multiplications per point; from the singular values of J, some ten times
    as slow, where it is badly conditioned.

    Parameters
    ----------
    features, x, subspace, progress_bar
        As for `pullback_metric`.

    Returns
    -------
    VolumeElement
        ``log`` (B,), in nats, and ``rank`` (B,).

    Raises
    ------
    DataError
        As `pullback_metric`.

    Examples
    --------
    >>> plane = lambda x: torch.stack([3 * x[:, 0], 2 * x[:, 1]], dim=1)
    >>> log_volume_element(plane, [[0.0, 0.0]]).log.round(4), np.log(6 / 2).round(4)
    (array([1.0986]), np.float64(1.0986))
    >>> log_volume_element(lambda x: x[:, :1], np.zeros((2, 3))).rank
    array([1, 1])
    """
    points, directions = checked_inputs(x, subspace)
    log, rank = np.empty(len(points)), np.empty(len(points), dtype=int)
    for rows, J in jacobians(features, points, directions, progress_bar):
        log[rows], rank[rows] = _log_volume(J)
    return VolumeElement(log, rank)


def metric_spectrum(
    features: FeatureMap,
    x: ArrayLike,
    subspace: ArrayLike | None = None,
    *,
    progress_bar: str | None = None,
) -> np.ndarray:
    """Eigenvalues of the pullback metric, largest first, from the singular values of J.

    Parameters
    ----------
    features, x, subspace, progress_bar
        As for `pullback_metric`.

    Returns
    -------
    (B, min(k, n))
        With fewer features than the k directions, the k - n zeros are left out.

    Raises
    ------
    DataError
        As `pullback_metric`.

    Examples
    --------
    >>> plane = lambda x: torch.stack([3 * x[:, 0], 2 * x[:, 1]], dim=1)
    >>> metric_spectrum(plane, [[0.0, 0.0]])
    array([[4.5, 2. ]])
    """
    points, directions = checked_inputs(x, subspace)
    blocks = jacobians(features, points, directions, progress_bar)
    return np.concatenate([torch.linalg.svdvals(J).square().numpy() for _, J in blocks])


def _gram(J: Tensor) -> Tensor:
    """J J^T (b, k, k) of J (b, k, n), from little more than half its products."""
    b, k, _ = J.shape
    g = torch.empty(b, k, k, dtype=J.dtype)
    for start in range(0, k, _STRIP):
        stop = min(start + _STRIP, k)
        strip = J[:, :stop] @ J[:, start:stop].mT
        g[:, :stop, start:stop] = strip
        g[:, start:stop, :start] = strip[:, :start].mT
    return g


def _log_volume(J: Tensor) -> tuple[Tensor, Tensor]:
    """Half the logarithm of the determinant or pseudo-determinant of g, and its rank."""
    b, k, n = J.shape
    small = J if k <= n else J.mT
    factor, info = torch.linalg.cholesky_ex(_gram(small))
    pivots = factor.diagonal(dim1=1, dim2=2)
    log, rank = pivots.log().sum(dim=1), torch.full((b,), min(k, n))
    smallest, largest = pivots.aminmax(dim=1)
    for i in torch.nonzero((info > 0) | ~(smallest > _RATIO * largest)).ravel():
        values = torch.linalg.svdvals(J[i])
        kept = values[values > max(k, n) * torch.finfo(J.dtype).eps * values[0]]
        log[i] = kept.log().sum() if len(kept) else torch.nan
        rank[i] = len(kept)
    return log, rank
