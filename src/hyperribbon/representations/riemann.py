"""Curvature of the pullback metric, by the Gauss equation.

A feature map embeds the space of inputs in the flat space of features. The second fundamental form
II, the part of the Hessian of the features that is normal to the image, gives the Riemann tensor

    R_ijkl = <II_ik, II_jl> - <II_il, II_jk>,

from first and second derivatives of the features; the definition by Christoffel symbols needs
third ones. The unit 2-sphere has the scalar curvature +2. Of a piecewise linear network (ReLU), the
curvature between the kinks is 0; on the kinks, where all of it is, it does not exist.

In d dimensions a point costs d (d + 1) / 2 passes through the network with nested forward-mode
derivatives and holds d (d + 1) / 2 vectors of n features. For images, restrict the metric to a
plane by ``subspace``: this gives the intrinsic curvature of the surface that is the plane's image.
"""

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.func import jvp, vmap

from hyperribbon.errors import DataError, SingularMetricWarning
from hyperribbon.representations.features import FeatureMap, checked_inputs
from hyperribbon.representations.jacobian import BLOCK_BYTES, in_blocks, sizes

_MOST_BYTES = 2**31  # of the second derivatives, or of the Riemann tensor, at one point
_BLOCK_NUMBERS = 2**18  # in one array of a block, which then stays in the cache
_RELATIVE = 1e-10  # length of a direction beyond the others, below which they are dependent


def riemann_tensor(
    features: FeatureMap,
    x: ArrayLike,
    subspace: ArrayLike | None = None,
    *,
    progress_bar: str | None = None,
) -> np.ndarray:
    """Riemann tensor of the pullback metric, with all indices down.

    Parameters
    ----------
    features : function
        It maps a float64 tensor (B, d) to (B, n), each row by itself, and is twice differentiable;
        for a layer of a network, see `layer_features`.
    x : (B, d)
    subspace : (d, k), optional
        Directions as columns, to which the metric is restricted.
    progress_bar : str, optional
        Name of a progress bar to show; none if the output is not a terminal.

    Returns
    -------
    (B, d, d, d, d), or (B, k, k, k, k)
        ``R[:, i, j, k, l]``; NaN, with a warning, where the metric is singular.

    Raises
    ------
    DataError
        If the inputs have the wrong shape or numbers that are not finite, the features cannot be
        differentiated, the metric is singular at every point, or d is so large that the second
        derivatives or the tensor of one point take over 2 GiB.

    Warns
    -----
    SingularMetricWarning
        If the metric is singular at some points.

    Examples
    --------
    >>> sphere = lambda x: 3**0.5 * torch.stack(
    ...     [x[:, 0].cos() * x[:, 1].cos(), x[:, 0].sin() * x[:, 1].cos(), x[:, 1].sin()], dim=1
    ... )
    >>> riemann_tensor(sphere, [[0.5, 0.0]])[0, 0, 1, 0, 1].round(4)
    np.float64(1.0)
    """
    return _curvature(_riemann, 4, features, x, subspace, progress_bar)


def ricci_tensor(
    features: FeatureMap,
    x: ArrayLike,
    subspace: ArrayLike | None = None,
    *,
    progress_bar: str | None = None,
) -> np.ndarray:
    """Ricci tensor of the pullback metric, R_jl = g^ik R_ijkl.

    Parameters
    ----------
    features, x, subspace, progress_bar
        As for `riemann_tensor`.

    Returns
    -------
    (B, d, d), or (B, k, k)
        Symmetric; NaN, with a warning, where the metric is singular.

    Raises
    ------
    DataError
        As `riemann_tensor`.

    Warns
    -----
    SingularMetricWarning
        If the metric is singular at some points.

    Examples
    --------
    >>> sphere = lambda x: 3**0.5 * torch.stack(
    ...     [x[:, 0].cos() * x[:, 1].cos(), x[:, 0].sin() * x[:, 1].cos(), x[:, 1].sin()], dim=1
    ... )
    >>> ricci_tensor(sphere, [[0.5, 0.0]])[0, 0, 0].round(4)
    np.float64(1.0)
    """
    return _curvature(_ricci, 2, features, x, subspace, progress_bar)


def ricci_scalar(
    features: FeatureMap,
    x: ArrayLike,
    subspace: ArrayLike | None = None,
    *,
    progress_bar: str | None = None,
) -> np.ndarray:
    """Ricci scalar of the pullback metric, ``|tr II|^2 - |II|^2``.

    On a surface it is twice the Gaussian curvature.

    Parameters
    ----------
    features, x, subspace, progress_bar
        As for `riemann_tensor`.

    Returns
    -------
    (B,)
        NaN, with a warning, where the metric is singular.

    Raises
    ------
    DataError
        As `riemann_tensor`.

    Warns
    -----
    SingularMetricWarning
        If the metric is singular at some points.

    Examples
    --------
    A sphere of radius 2 (features count by their mean square, hence the root of 3).

    >>> sphere = lambda x: 2 * 3**0.5 * torch.stack(
    ...     [x[:, 0].cos() * x[:, 1].cos(), x[:, 0].sin() * x[:, 1].cos(), x[:, 1].sin()], dim=1
    ... )
    >>> ricci_scalar(sphere, [[0.5, 1.0], [-1.0, 0.2]]).round(4)
    array([0.5, 0.5])
    """
    return _curvature(_scalar, 0, features, x, subspace, progress_bar)


def _riemann(II: Tensor, _: Tensor) -> Tensor:
    """R_ijkl (b, k, k, k, k) from II_ij (b, k, k, n)."""
    b, k = II.shape[:2]
    flat = II.reshape(b, k * k, -1)
    products = (flat @ flat.mT).reshape(b, k, k, k, k)  # <II_ij, II_kl>
    return products.permute(0, 1, 3, 2, 4) - products.permute(0, 1, 3, 4, 2)


def _ricci(II: Tensor, triangle: Tensor) -> Tensor:
    """R_jl (b, k, k) from II_ij (b, k, k, n) and the triangle T of the metric T^T T."""
    b, k, _, n = II.shape
    framed, trace = _framed(II, triangle)
    # The frame is orthonormal: II_aj . II_al, summed over a and features.
    half = framed.transpose(2, 3).reshape(b, k * n, k)
    framed_ricci = (framed @ trace[:, None, :, None])[..., 0] - half.mT @ half
    return triangle.mT @ framed_ricci @ triangle


def _scalar(II: Tensor, triangle: Tensor) -> Tensor:
    """R (b,) from II_ij (b, k, k, n) and the triangle T of the metric T^T T."""
    framed, trace = _framed(II, triangle)
    return trace.square().sum(dim=1) - framed.square().sum(dim=(1, 2, 3))


def _framed(II: Tensor, triangle: Tensor) -> tuple[Tensor, Tensor]:
    """II (b, k, k, n) in an orthonormal frame, and its trace (b, n)."""
    b, k, _, n = II.shape
    inverse = torch.linalg.solve_triangular(
        triangle, torch.eye(k, dtype=II.dtype).expand(b, k, k), upper=True
    )
    once = (inverse.mT @ II.reshape(b, k, k * n)).reshape(b, k, k, n)
    framed = inverse.mT[:, None] @ once
    return framed, framed.diagonal(dim1=1, dim2=2).sum(dim=2)


def _curvature(of_form, axes, features, x, subspace, progress_bar) -> np.ndarray:
    """What a function makes of the second fundamental form and the metric's triangle."""
    points, directions = checked_inputs(x, subspace)
    k = directions.shape[1]
    n, widest = sizes(features, points)
    if n < k:
        raise DataError(
            f"features: {n} of {k} directions: the metric is singular everywhere, expected at "
            "least as many features, or a subspace"
        )

    def needed(dimensions: int) -> int:
        """Bytes of the second derivatives, or of the Riemann tensor, at one point."""
        return 8 * dimensions**2 * max(4 * n, dimensions**2 if axes == 4 else 0)

    if needed(k) > _MOST_BYTES:
        most = next((d for d in range(k, 0, -1) if needed(d) <= _MOST_BYTES), 0)
        raise DataError(
            f"x: {k} dimensions with {n} features: the curvature at one point takes "
            f"{needed(k) / 2**30:.1f} GiB, expected at most {most} dimensions; give a subspace"
        )
    i, j = torch.triu_indices(k, k)
    pair_of = torch.empty(k, k, dtype=torch.long)
    pair_of[i, j] = pair_of[j, i] = torch.arange(len(i))

    def of_block(y: Tensor) -> Tensor:
        at_once = max(1, BLOCK_BYTES // (32 * widest * len(y)))
        J, H = vmap(
            lambda v, w: vmap(lambda point: _twice(features, point, v, w))(y), chunk_size=at_once
        )(directions.T[i], directions.T[j])
        frame, triangle = _orthonormal(J[i == j].transpose(0, 1) / n**0.5)
        normal = H.transpose(0, 1) / n**0.5
        for _ in range(2):  # once more, because rounding leaves some of the tangential part
            normal = normal - (normal @ frame.mT) @ frame
        return of_form(normal[:, pair_of], triangle)

    found = np.full((len(points), *[k] * axes), np.nan)
    step = max(1, _BLOCK_NUMBERS // max(n, widest // 4))
    for rows, values in in_blocks(of_block, points, step, progress_bar):
        found[rows] = values
    singular = np.isnan(found).reshape(len(points), -1).any(axis=1)
    if singular.all():
        raise DataError("features: the metric is singular at every point; give a subspace")
    if singular.any():
        text = f"the metric is singular at {singular.sum()} of {len(points)} points: NaN there"
        warnings.warn(text, SingularMetricWarning, stacklevel=3)
    return found


def _twice(features: FeatureMap, point: Tensor, v: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """Derivatives (n,) of the features of a point (d,): along v, and along v and w."""
    along: Any = jvp(lambda p: jvp(lambda q: features(q[None])[0], (p,), (v,))[1], (point,), (w,))
    return along


def _orthonormal(J: Tensor) -> tuple[Tensor, Tensor]:
    """Orthonormal rows (b, k, n) with the span of J's rows, and their triangle (b, k, k).

    The Gram-Schmidt process, twice, so that it is as exact as Householder's. J = T^T Q; T's columns
    are NaN from a row on that the rows before it span.
    """
    b, k, _ = J.shape
    Q, T = torch.empty_like(J), torch.zeros(b, k, k, dtype=J.dtype)
    for i in range(k):
        row = J[:, i]
        length = row.norm(dim=1)
        for _ in range(2):
            parts = torch.einsum("bkn,bn->bk", Q[:, :i], row)
            row = row - torch.einsum("bk,bkn->bn", parts, Q[:, :i])
            T[:, :i, i] += parts
        left = row.norm(dim=1)
        T[:, i, i] = torch.where(left > _RELATIVE * length, left, torch.nan)
        Q[:, i] = row / T[:, i, i, None]
    return Q, T
