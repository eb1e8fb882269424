"""How far distances of coarse-grained models may be from those of the models themselves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import slices
from hyperribbon.pairwise.matrix import pairwise_distance
from hyperribbon.pairwise.stack import one_array
from hyperribbon.probability.distributions import as_distributions, check_shape


class DistanceBounds(NamedTuple):
    """Bounds (m, k) on Bhattacharyya distances, nats.

    lower : the distances of the coarse-grained models
    upper : the distances if no two models shared anything in the remainder
    """

    lower: np.ndarray
    upper: np.ndarray


def distance_bounds(P, Q=None, *, threads: int | None = None) -> DistanceBounds:
    r"""Bounds on the Bhattacharyya distances of models whose last class is a remainder.

    The models have C classes, of which k are kept, the set K of each sample, and the others are
    added up to :math:`r_p = 1 - \sum_{c \in K} p_c`. Their coefficient is

    .. math:: \sum_{c \in K} \sqrt{p_c q_c} \le \sum_c \sqrt{p_c q_c}
        \le \sum_{c \in K} \sqrt{p_c q_c} + \sqrt{r_p r_q},

    by Cauchy-Schwarz in the remainder. The right side is the coefficient of the coarse-grained
    models, so that their distance is a lower bound. Both bounds can be attained: on the right where
    two models divide the remainder in equal proportions, on the left where they share none of it.
    They are apart by the mean over samples of :math:`\ln (1 + \sqrt{r_p r_q} / \sum_K \sqrt{p q})`.

    Parameters
    ----------
    P : (m, N, k + 1) distributions, as for `pairwise_distance`; the last class is the remainder.
        Recorded with `hyperribbon.Recorder`, ``top_classes=``.
    Q : the same for other models, or None for the distances of P's models among themselves
    threads : int, number of threads; all cores by default

    Returns
    -------
    DistanceBounds
        lower, upper : (m, m) or (m, m') float64, nats. A model is at 0 from itself. Computed in
        float64; what was rounded to float32 is off by up to 1e-6 nats, and by 1e-3 in half
        precision. The upper bound is infinite where two models share no class that is kept.

    Raises
    ------
    DataError
        If there are fewer than two classes, rows are not distributions, or shapes differ.

    Examples
    --------
    >>> P = np.array([[[0.6, 0.3, 0.1]], [[0.3, 0.3, 0.4]]])
    >>> bounds = distance_bounds(P)
    >>> round(float(bounds.lower[0, 1]), 3), round(float(bounds.upper[0, 1]), 3)
    (0.079, 0.323)
    """
    named = [(P, "P")] if Q is None else [(P, "P"), (Q, "Q")]
    coarse = [_Coarse(models, name) for models, name in named]
    lower = pairwise_distance(*coarse, threads=threads)
    upper = pairwise_distance(*(_Kept(one) for one in coarse), floor=0, threads=threads)
    losses = [one.loss() for one in coarse]
    upper += (losses[0][:, None] + losses[-1]) / 2
    if Q is None:
        np.fill_diagonal(upper, 0)
    return DistanceBounds(lower, np.maximum(upper, lower))


class _Coarse:
    """Models (m, N, k + 1), read where they are sliced, in float64."""

    def __init__(self, P, name: str):
        self._P, self._name = one_array(P, name), name
        self.shape, self.dtype = check_shape(self._P, name, 3), np.dtype(np.float64)
        if self.shape[2] < 2:
            raise DataError(f"{name}: one class, expected k classes and a remainder")

    def __getitem__(self, key) -> np.ndarray:
        return as_distributions(self._P[key], self._name)

    def loss(self) -> np.ndarray:
        """Mean over samples (m,) of -ln of what is kept."""
        found = np.empty(self.shape[0])
        for block in slices(self._P):
            with np.errstate(divide="ignore"):  # all is in the remainder
                found[block] = -np.log(self[block][..., :-1].sum(-1)).mean(-1)
        return found


class _Kept:
    """The distributions (m, N, k) over the classes that are kept."""

    def __init__(self, coarse: _Coarse):
        self._coarse, self.dtype = coarse, coarse.dtype
        self.shape = (*coarse.shape[:2], coarse.shape[2] - 1)

    def __getitem__(self, key) -> np.ndarray:
        kept = self._coarse[key][..., :-1]
        total = kept.sum(-1, keepdims=True)
        # Where all is in the remainder, the loss is infinite, and any distribution will do.
        uniform = 1 / kept.shape[-1]
        return np.divide(kept, total, out=np.full(kept.shape, uniform), where=total > 0)
