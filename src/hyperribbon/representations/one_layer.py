"""The metric and curvature of one hidden layer in closed form.

The features phi(W x + b) / sqrt n have the metric g_ab = (1/n) sum_j phi'_j^2 w_ja w_jb, whose
derivative T_abc = (2/n) sum_j phi'_j phi''_j w_ja w_jb w_jc does not change when its indices do.
So second derivatives of g cancel in the Riemann tensor, and T alone gives it:

    R_abcd = (1/4) g^pq (T_adp T_bcq - T_acp T_bdq).

The unit 2-sphere has the scalar R = +2. (The factor is 3/4 in the code of arXiv:2301.11375, which
is three times too large.)
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import permutations

import numpy as np
import torch
from torch import Tensor

from hyperribbon.errors import DataError, SingularMetricWarning
from hyperribbon.representations.activations import Elementwise, find_activation
from hyperribbon.representations.checks import finite_array

BLOCK = 2**17  # entries of an array of points by units: a few of them fit into the cache
FEWEST = 16  # points in a block, to which the same products of weights belong
PRODUCTS = 2**20  # entries of an array of units by products of weights
LARGEST = {3: 64, 4: 32}  # d of tensors with so many indices: 2 and 8 MB for each point


class OneLayer:
    """The geometry that one hidden layer pulls back to the space of its inputs.

    Parameters
    ----------
    weights : (n, d), W
    biases : (n,), b
    activation : "erf", which is phi(z) = erf(z / sqrt 2), "sigmoid", "tanh", "gelu" or "relu"; or
        any torch function that acts entry by entry
    subspace : (d, k), directions U to which all tensors are restricted; all of the space by default

    Raises
    ------
    DataError
        If shapes do not match, entries are not finite, or the activation is unknown.

    Notes
    -----
    For B points, the metric takes B n d^2 / 2 multiplications and the curvature B n d^3 / 6, in
    products of matrices, with little more memory than the result. Rounding errors of the curvature
    grow with the condition number of g. A layer with ReLU is flat, except on its kinks, where units
    change from inactive to active: there it has neither metric nor curvature, and points on them
    are refused.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> layer = OneLayer(rng.standard_normal((50, 2)), rng.standard_normal(50), "erf")
    >>> x = np.zeros((3, 2))
    >>> layer.metric(x).shape, layer.ricci_scalar(x).shape, layer.riemann_tensor(x).shape
    ((3, 2, 2), (3,), (3, 2, 2, 2, 2))
    """

    def __init__(
        self,
        weights: np.ndarray,
        biases: np.ndarray,
        activation: str | Elementwise,
        *,
        subspace: np.ndarray | None = None,
    ):
        self._activation = find_activation(activation)
        W, b = finite_array(weights, "weights", "n", "d"), finite_array(biases, "biases", "n")
        if len(W) != len(b):
            raise DataError(f"biases: {len(b)} for {len(W)} units, expected one for each unit")
        along = W
        if subspace is not None:
            U = finite_array(subspace, "subspace", "d", "k")
            if len(U) != W.shape[1]:
                raise DataError(
                    f"subspace: shape {U.shape}, expected ({W.shape[1]}, k): one direction per "
                    "column"
                )
            along = W @ U
        self._W, self._b = torch.from_numpy(W), torch.from_numpy(b)
        self._along = torch.from_numpy(np.ascontiguousarray(along))

    def metric(self, x: np.ndarray) -> np.ndarray:
        """Metric g (B, d, d) at points x (B, d); (B, k, k) in a subspace of k dimensions.

        Raises
        ------
        DataError
            If x is not of this shape, or one of the points is on a kink of ReLU.
        """
        slope = self._activation.slope
        found = [
            _symmetric(_moments(slope(z).square(), self._along, 2), self._along.shape[1], 2)
            for z in self._preactivations(x, 2)
        ]
        return torch.cat(found).numpy() / len(self._W)

    def ricci_scalar(self, x: np.ndarray) -> np.ndarray:
        """Ricci scalar (B,) at points x (B, d); NaN, with a warning, where the metric is singular.

        Raises
        ------
        DataError
            If x is not of this shape, one of the points is on a kink of ReLU, the metric is
            singular at every point, or there are more than 64 dimensions.

        Warns
        -----
        SingularMetricWarning
            If the metric is singular at some points.
        """

        def scalar(T: Tensor, _frame: Tensor) -> Tensor:
            traces = torch.einsum("xaac->xc", T)
            return (T.square().sum((1, 2, 3)) - traces.square().sum(1)) / 4

        return self._curvature(x, scalar, 0)

    def ricci_tensor(self, x: np.ndarray) -> np.ndarray:
        """Ricci tensor R_bd = g^ac R_abcd (B, d, d), lower indices, at points x (B, d).

        Raises
        ------
        DataError
            As `ricci_scalar`.
        """

        def ricci(T: Tensor, frame: Tensor) -> Tensor:
            traces = torch.einsum("xaac->xc", T)
            found = torch.einsum("xabp,xadp->xbd", T, T)
            found = (found - torch.einsum("xbdp,xp->xbd", T, traces)) / 4
            return frame @ found @ frame.mT

        return self._curvature(x, ricci, 2)

    def riemann_tensor(self, x: np.ndarray) -> np.ndarray:
        """Riemann tensor R_abcd (B, d, d, d, d), lower indices, at points x (B, d).

        R_abab > 0 is the sign of a sphere.

        Raises
        ------
        DataError
            As `ricci_scalar`, but with at most 32 dimensions.
        """

        def riemann(T: Tensor, frame: Tensor) -> Tensor:
            T = torch.einsum("xai,xbj,xijp->xabp", frame, frame, T)
            products = torch.einsum("xadp,xbcp->xabcd", T, T)
            return (products - products.transpose(3, 4)) / 4

        return self._curvature(x, riemann, 4)

    def _curvature(
        self, x: np.ndarray, combine: Callable[[Tensor, Tensor], Tensor], rank: int
    ) -> np.ndarray:
        """Tensor of this rank, from T in the orthonormal frames of Cholesky factors of g."""
        (n, k), found = self._along.shape, []
        if n < k:
            raise DataError(
                f"weights: {n} units for {k} dimensions, so the metric is singular everywhere and "
                "has no curvature; expected at least as many units, for example with subspace="
            )
        order = max(3, rank)
        if k > LARGEST[order]:
            raise DataError(
                f"x: {k} dimensions, so a tensor takes {k}^{order} = {k**order:,} numbers per "
                f"point; expected at most {LARGEST[order]}, for example with subspace="
            )
        for z in self._preactivations(x, order):
            slope, bend = self._activation.slope(z), self._activation.bend(z)
            g = _symmetric(_moments(slope.square(), self._along, 2), k, 2) / n
            T = _symmetric(_moments(slope.mul(bend), self._along, 3), k, 3) * (2 / n)
            frame = _cholesky(g)
            for _ in range(3):  # the first index, to the frame and to the end
                T = torch.linalg.solve_triangular(frame, T.flatten(2), upper=False)
                T = T.unflatten(2, (k, k)).permute(0, 2, 3, 1)
            found.append(combine(T, frame))
        values = torch.cat(found).numpy()
        singular = np.isnan(values).any(axis=tuple(range(1, values.ndim)))
        if singular.all():
            raise DataError("weights: the metric is singular at every point; give a subspace")
        if singular.any():
            text = f"the metric is singular at {singular.sum()} of {len(values)} points: NaN there"
            warnings.warn(text, SingularMetricWarning, stacklevel=3)
        return values

    def _preactivations(self, x: np.ndarray, rank: int) -> Iterator[Tensor]:
        """W x + b (block, n) of blocks of points, for tensors of this rank."""
        points = torch.from_numpy(np.ascontiguousarray(finite_array(x, "x", "B", "d")))
        (n, d), k = self._W.shape, self._along.shape[1]
        if points.shape[1] != d:
            raise DataError(f"x: shape {tuple(points.shape)}, expected (B, {d})")
        step = max(FEWEST, BLOCK // max(n, k**rank))
        for start in range(0, len(points), step):
            z = torch.addmm(self._b, points[start : start + step], self._W.T)
            if not self._activation.smooth:
                kinks = ((z == 0) & self._W.any(1)).any(1).nonzero()
                if len(kinks):
                    raise DataError(
                        f"x: row {start + int(kinks[0])} is on a kink of the activation, where "
                        "the layer has neither metric nor curvature"
                    )
            yield z


@lru_cache(maxsize=8)
def _products(d: int, order: int) -> tuple[Tensor, Tensor]:
    """Indices (c, order) of the different products, and which of them each entry is."""
    every = np.indices((d,) * order).reshape(order, -1)
    index = every[:, (np.diff(every, axis=0) >= 0).all(0)]
    entry = np.empty((d,) * order, dtype=np.int64)
    for axes in permutations(index):
        entry[axes] = np.arange(index.shape[1])
    return torch.from_numpy(index.T.copy()), torch.from_numpy(entry.ravel())


def _moments(values: Tensor, weights: Tensor, order: int) -> Tensor:
    """sum_j v_j w_ja w_jb... (B, c) for values (B, n), weights (n, d) and c different products."""
    index, _ = _products(weights.shape[1], order)
    step = max(1, PRODUCTS // len(weights))
    return torch.cat([values @ weights[:, part].prod(2) for part in index.split(step)], 1)


def _symmetric(different: Tensor, d: int, order: int) -> Tensor:
    _, entry = _products(d, order)
    return different[:, entry].unflatten(1, (d,) * order)


def _cholesky(g: Tensor) -> Tensor:
    """Lower Cholesky factors of metrics; NaN where a metric is singular."""
    frame, failed = torch.linalg.cholesky_ex(g)
    smallest, largest = frame.diagonal(dim1=1, dim2=2).aminmax(dim=1)
    floor = g.shape[1] * torch.finfo(g.dtype).eps
    singular = (failed > 0) | ~(smallest.square() > floor * largest.square())
    return frame.masked_fill(singular[:, None, None], torch.nan)
