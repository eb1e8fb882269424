"""Mixtures of basis models: of probabilities, of square roots, and geometric ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from hyperribbon.embedding.bases import kernels
from hyperribbon.errors import DataError
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability.distance import FLOOR
from hyperribbon.probability.distributions import as_distributions
from hyperribbon.registry import Registry


class Mixture(NamedTuple):
    """A kind of mixture: linear in the weights in some frame, then a map to distributions.

    kind : which derivatives `kernels.derivatives` computes
    frame : function of distributions; where mixtures are linear
    distributions : function of a mixture in the frame and of the axis of the classes
    convex : whether the distance of a model to the mixture is convex in the weights
    """

    kind: int
    frame: Callable[[np.ndarray], np.ndarray]
    distributions: Callable[[np.ndarray, int], np.ndarray]
    convex: bool


def _as_it_is(P: np.ndarray) -> np.ndarray:
    return P


def _logarithms(P: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(P, FLOOR))


def _normalised(v: np.ndarray, axis: int) -> np.ndarray:
    return v / v.sum(axis=axis, keepdims=True)


def _normalised_squares(v: np.ndarray, axis: int) -> np.ndarray:
    return _normalised(v**2, axis)


def _softmax(v: np.ndarray, axis: int) -> np.ndarray:
    return softmax(v, axis=axis)


MIXTURES: Registry[Mixture] = Registry(
    "mixture",
    {
        "probability": Mixture(kernels.PROBABILITY, _as_it_is, _normalised, True),
        "root": Mixture(kernels.ROOT, np.sqrt, _normalised_squares, False),
        "geometric": Mixture(kernels.GEOMETRIC, _logarithms, _softmax, False),
    },
)


def frame_of(basis: np.ndarray, mixture: Mixture) -> np.ndarray:
    """Basis models (K, N, C) in a mixture's frame, (K, C, N): sample next to sample."""
    return np.ascontiguousarray(mixture.frame(basis).swapaxes(1, 2))


def basis_from(frame: np.ndarray, mixture: Mixture) -> np.ndarray:
    """Basis models (K, N, C) from their frame (K, C, N).

    Examples
    --------
    >>> P = np.array([[[0.5, 0.5]], [[0.9, 0.1]]])
    >>> for name in MIXTURES:
    ...     assert np.allclose(basis_from(frame_of(P, MIXTURES[name]), MIXTURES[name]), P)
    """
    return np.ascontiguousarray(mixture.distributions(frame, 1).swapaxes(1, 2))


class Mixtures:
    r"""Mixtures of K basis models, computed where they are sliced.

    ===============  =========================================================================
    ``mixture``      proportional to, for each sample
    ===============  =========================================================================
    ``probability``  :math:`\sum_k w_k b_k`
    ``root``         :math:`(\sum_k w_k \sqrt{b_k})^2`
    ``geometric``    :math:`\prod_k b_k^{w_k}`, with probabilities floored at 1e-30
    ===============  =========================================================================

    They have shape, dtype and slices like an array of models, so that `pairwise_distance`, `InPCA`
    and all else that reads models block by block takes them; m mixtures are never in memory
    together.

    Parameters
    ----------
    basis : (K, N, C) distributions
    weights : (m, K), each row on the simplex
    mixture : "probability", "root" or "geometric"
    dtype : of what slices return, float32 or float64

    Raises
    ------
    DataError
        If the name is unknown, the basis is not of distributions, or weights do not fit it or are
        not on the simplex.

    Examples
    --------
    >>> basis = [[[0.5, 0.5]], [[0.9, 0.1]]]
    >>> for name in ("probability", "root", "geometric"):
    ...     print(Mixtures(basis, [[0.5, 0.5]], name)[0].round(3))
    [[0.7 0.3]]
    [[0.724 0.276]]
    [[0.75 0.25]]
    """

    def __init__(self, basis, weights, mixture: str = "probability", dtype=np.float64):
        self._mixture = MIXTURES.find(mixture)
        basis = as_distributions(basis, "basis")
        if basis.ndim != 3:
            raise DataError(f"basis: shape {basis.shape}, expected (models, samples, classes)")
        self.weights = check_simplex(weights, len(basis))
        self._frame = self._mixture.frame(basis)
        self.shape = (len(self.weights), *basis.shape[1:])
        self.dtype = np.dtype(dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key) -> np.ndarray:
        models, *rest = key if isinstance(key, tuple) else (key,)
        samples = rest[0] if rest and isinstance(rest[0], slice) else slice(None)
        inside = tuple(slice(None) if isinstance(of, slice) else of for of in rest[:1])
        v = np.tensordot(self.weights[models], self._frame[:, samples], axes=1)
        P = self._mixture.distributions(v, -1).astype(self.dtype, copy=False)
        before = (slice(None),) * (P.ndim - 2)
        return P[before + inside + tuple(rest[1:])]

    def pairwise_distances(self, **options) -> np.ndarray:
        """Bhattacharyya distances (m, m) between the mixtures, in nats.

        Mixtures are formed block by block by the engine of `pairwise_distance`, whose options may
        be given.
        """
        return pairwise_distance(self, **options)


def check_simplex(weights, n_basis: int, name: str = "weights") -> np.ndarray:
    """Return weights as (m, K) float64 whose rows sum to 1; a DataError unless they nearly do."""
    W = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    if W.ndim != 2 or W.shape[1] != n_basis:
        raise DataError(f"{name}: shape {W.shape}, expected (models, {n_basis})")
    sums = W.sum(axis=1)
    if not (W >= 0).all() or not (np.abs(sums - 1) <= 1e-6).all():
        raise DataError(
            f"{name}: from {W.min():.3g}, with sums from {sums.min():.6g} to {sums.max():.6g}; "
            "expected 0 or more, with sum 1 for each model"
        )
    return W / sums[:, None]
