"""Linear networks of two layers, trained step by step (thesis 5.3, Eq. 5.3.3)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hyperribbon.bars import bar_over
from hyperribbon.errors import DataError
from hyperribbon.linear.simulation import PointCovariance, check_samples


class TwoLayerTrainings(NamedTuple):
    """Results of N trainings of f(x) = u^T v x.

    Attributes
    ----------
    covariance : (n, n), P(N, T) of all residuals
    losses : (N,), half the sum of squared residuals after T steps
    kernel_change : (N,), Frobenius norm of the change of the kernel ``X (v^T v + |u|^2) X^T``
        relative to that of the initial kernel; 0 for a linear model
    imbalance_change : (N,), norm of the change of v v^T - u u^T, which gradient flow conserves,
        relative to the initial norm of v v^T + u u^T
    """

    covariance: np.ndarray
    losses: np.ndarray
    kernel_change: np.ndarray
    imbalance_change: np.ndarray


def train_two_layers(
    X: np.ndarray,
    y: np.ndarray,
    *,
    width: int,
    step_size: float,
    steps: int,
    scale: float = 1.0,
    balanced: bool = False,
    models: int = 20,
    random_state: int | np.random.Generator = 0,
    progress_bar: str | None = None,
) -> TwoLayerTrainings:
    r"""Train linear networks of one hidden layer by gradient descent on half the squared residuals.

    Parameters
    ----------
    X : (n, d) inputs
    y : (n,) targets
    width : int, p, number of hidden units
    step_size, steps : alpha and T
    scale : float; initial weights of both layers have standard deviation scale / sqrt(width)
    balanced : bool, begin with v v^T = u u^T, that is v = u s^T with a random unit vector s. The
        thesis says that the kernel is then constant; in fact v v^T - u u^T is, while weights grow
    models : int, N
    random_state : int or Generator, seed of the weights
    progress_bar : name of a bar to show; quiet when the output is not a terminal

    Returns
    -------
    TwoLayerTrainings

    Raises
    ------
    DataError
        If an argument is not as above, or a training diverges.

    Notes
    -----
    There is no closed form: each step takes O(N p d + N n d) operations.

    Examples
    --------
    >>> X = np.diag([1.0, 0.5])
    >>> found = train_two_layers(X, [1.0, -1.0], width=8, step_size=0.1, steps=400, models=3)
    >>> bool((found.losses < 1e-3).all())
    True
    """
    X, y = check_samples(X, y)
    for name, value in (("width", width), ("steps", steps), ("models", models)):
        if not value >= 1:
            raise DataError(f"{name} = {value}: expected 1 or more")
    for name, number in (("step_size", step_size), ("scale", scale)):
        if not number > 0:
            raise DataError(f"{name} = {number}: expected a number above 0")
    rng, (n, d) = np.random.default_rng(random_state), X.shape
    u = scale / np.sqrt(width) * rng.standard_normal((models, width))
    if balanced:
        s = rng.standard_normal((models, 1, d))
        v = u[:, :, None] * s / np.linalg.norm(s, axis=2, keepdims=True)
    else:
        v = scale / np.sqrt(width) * rng.standard_normal((models, width, d))
    first, kernel = _layers(u, v), _kernel(X, u, v)
    signs = np.array([*np.ones(d), -1.0])  # v v^T - u u^T
    points = PointCovariance(n)
    for t in bar_over(range(steps), progress_bar):
        residuals = _outputs(X, u, v) - y
        if not np.isfinite(residuals).all():
            raise DataError(
                f"step_size = {step_size}: a training diverged at step {t}, expected less"
            )
        points.add(residuals)
        back = step_size * residuals @ X  # (N, d)
        u, v = u - (v @ back[:, :, None])[:, :, 0], v - u[:, :, None] * back[:, None, :]
    losses = ((_outputs(X, u, v) - y) ** 2).sum(axis=1) / 2
    return TwoLayerTrainings(
        points.covariance(),
        losses,
        _norm(_kernel(X, u, v) - kernel) / _norm(kernel),
        _norm_of_product(
            np.concatenate([_layers(u, v), first], axis=2), np.concatenate([signs, -signs])
        )
        / _norm_of_product(first, np.ones(d + 1)),
    )


def _outputs(X: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Outputs (N, n) of the networks."""
    return (u[:, None, :] @ v)[:, 0] @ X.T


def _kernel(X: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Tangent kernels (N, n, n) of the networks."""
    Z = v @ X.T
    return Z.transpose(0, 2, 1) @ Z + (u**2).sum(axis=1)[:, None, None] * (X @ X.T)


def _layers(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Concatenate v and u to (N, p, d + 1)."""
    return np.concatenate([v, u[:, :, None]], axis=2)


def _norm_of_product(W: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Frobenius norms (N,) of W diag(signs) W^T, without forming it."""
    G = W.transpose(0, 2, 1) @ W * signs
    return np.sqrt(np.maximum(np.einsum("nij,nji->n", G, G), 0))


def _norm(matrices: np.ndarray) -> np.ndarray:
    return np.linalg.norm(matrices, axis=(1, 2))
