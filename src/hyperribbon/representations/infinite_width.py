r"""The geometry of infinitely wide networks with Gaussian weights, which is spherically symmetric.

A metric depends on r = |x|^2 only and is g = a(r) 1 + b(r) x x^T. Let q(r) be the variance of the
pre-activations of a layer, and A(v) = E[phi'(u)^2] over u ~ N(0, v). The layer takes the metric g
of its pre-activations to A(q) g + (1/2) A'(q) dq dq^T (by Stein's lemma), and q to
s^2 E[phi(u)^2] + z^2. The first layer has g = s^2 and q = s^2 r + z^2.

With f = sqrt(a r) and the distance t from the origin, a radial metric is dt^2 + f^2 times the
metric of the unit sphere; its scalar curvature is
R = -2 (d - 1) f''/f + (d - 1) (d - 2) (1 - f'^2) / f^2.

References: arXiv:2301.11375 (shallow erf networks); arXiv:1806.07572 (the NTK).
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from math import comb
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from hyperribbon.errors import DataError
from hyperribbon.representations.activations import Elementwise
from hyperribbon.representations.checks import finite_array
from hyperribbon.representations.gaussian_moments import EXACT, squared_moments

KERNELS = ("nngp", "ntk")
SMALLEST = 1e-6  # variance from which second derivatives by quadrature are accurate enough


class _Radial(NamedTuple):
    """A metric a 1 + b x x^T at B radii: a (3, B) with two derivatives by r, b (2, B) with one."""

    a: np.ndarray
    b: np.ndarray


class InfiniteWidth:
    """The geometry of the features of an infinitely wide network with random weights.

    Parameters
    ----------
    activation : "erf", which is phi(z) = erf(z / sqrt 2), "sigmoid", "tanh", "gelu" or "relu"; or
        any torch function that acts entry by entry. For erf and ReLU all is in closed form; for the
        others, means over Gaussians are one-dimensional quadratures.
    kernel : "nngp", the features phi(h) / sqrt n of the last hidden layer; or "ntk", the gradient
        of the output by all weights and biases, including those of the read-out
    depth : int, number of hidden layers
    weight_variance, bias_variance : s^2 and z^2, the same in all layers

    Raises
    ------
    DataError
        If an argument is not as above.

    Notes
    -----
    Pre-activations are s W x + z b in the first layer, where the inputs are not scaled, and
    s W phi / sqrt n + z b in later ones and in the read-out; all entries of W and b are standard
    normal. The NTK's gradient is by W and b (the NTK parametrisation): its metric follows from
    Theta_1 = K_1 and Theta_(l+1) = K_(l+1) + s^2 E[phi'(u) phi'(u')] Theta_l. ReLU has no finite
    metric of the NTK.

    Examples
    --------
    >>> network = InfiniteWidth("erf", weight_variance=1.3, bias_variance=0.4)
    >>> x = np.array([[0.2, 1.1]])
    >>> network.metric(x).shape, network.log_volume(x).round(3), network.ricci_scalar(x).round(3)
    ((1, 2, 2), array([-1.515]), array([-2.524]))
    """

    def __init__(
        self,
        activation: str | Elementwise,
        *,
        kernel: str = "nngp",
        depth: int = 1,
        weight_variance: float = 1.0,
        bias_variance: float = 1.0,
    ):
        if kernel not in KERNELS:
            raise DataError(f"kernel: {kernel!r}, expected one of {', '.join(KERNELS)}")
        if isinstance(depth, bool) or not isinstance(depth, int | np.integer) or depth < 1:
            raise DataError(f"depth: {depth}, expected a number of hidden layers, at least 1")
        check_variances(weight_variance, bias_variance)
        self._moments = squared_moments(activation)
        self._exact = isinstance(activation, str) and activation in EXACT
        self._kernel, self._depth = kernel, depth
        self._s2, self._z2 = float(weight_variance), float(bias_variance)
        if kernel == "ntk":
            self._moments(np.ones(1), 2)  # refuses an activation whose slope has a jump

    def metric(self, x: np.ndarray) -> np.ndarray:
        """Metric g (B, d, d) at points x (B, d).

        Raises
        ------
        DataError
            If x is not of this shape, or quadrature fails.
        """
        x = finite_array(x, "x", "B", "d")
        r = np.square(x).sum(1)
        radial = self._radial(r)
        along = np.where(r > 0, radial.b[0], 0)  # at the origin b does not count
        g = along[:, None, None] * x[:, :, None] * x[:, None, :]
        g += radial.a[0, :, None, None] * np.eye(x.shape[1])
        return g

    def log_volume(self, x: np.ndarray) -> np.ndarray:
        """Log volume element (1/2) ln det g (B,) at points x (B, d), of any dimension d.

        Raises
        ------
        DataError
            As `metric`, or if the metric is singular.
        """
        x = finite_array(x, "x", "B", "d")
        r = np.square(x).sum(1)
        tangential, outward = _factors(self._radial(r), r)
        return ((x.shape[1] - 1) * np.log(tangential) + np.log(outward)) / 2

    def ricci_scalar(self, x: np.ndarray) -> np.ndarray:
        """Ricci scalar (B,) at points x (B, d); 0 for d = 1.

        Raises
        ------
        DataError
            As `log_volume`; or if pre-activations have variances below 1e-6 and the activation is
            not erf or ReLU: there second derivatives by quadrature are lost in rounding errors.
        """
        x = finite_array(x, "x", "B", "d")
        r = np.square(x).sum(1)
        d = x.shape[1]
        radial = self._radial(r, curved=True)
        a, h = _factors(radial, r)
        (_, a1, a2), (b, b1) = radial
        # In terms of r: f' = top / sqrt(a h), with top = a + r a' and h = a + r b.
        top, top_slope = a + r * a1, 2 * a1 + r * a2
        ah, ah_slope = a * h, a1 * h + a * (a1 + b + r * b1)
        bent = 2 * (top_slope / ah - top * ah_slope / (2 * ah**2))  # f'' / f
        cone = (a * b - 2 * a * a1 - r * a1**2) / (a * ah)  # (1 - f'^2) / f^2
        return -2 * (d - 1) * bent + (d - 1) * (d - 2) * cone

    def _radial(self, r: np.ndarray, curved: bool = False) -> _Radial:
        """The metric of the features at squared radii r (B,)."""
        s2, z2 = self._s2, self._z2
        one, zero = np.ones_like(r), np.zeros_like(r)
        q = np.stack([s2 * r + z2, s2 * one, zero])
        of_inputs = _Radial(np.stack([s2 * one, zero, zero]), np.stack([zero, zero]))
        g, ntk, theta = of_inputs, of_inputs, q
        for _ in range(self._depth):
            if curved and not self._exact and not (q[0] >= SMALLEST).all():
                row = int(np.argmin(q[0]))
                raise DataError(
                    f"x: row {row} has pre-activations of variance {q[0, row]:.3g}, expected at "
                    f"least {SMALLEST:g} for the curvature with this activation"
                )
            slopes = self._moments(q[0], 1)
            features = _through(slopes, q, g)
            after = s2 * _after(self._moments(q[0], 0), q)
            after[0] += z2
            if self._kernel == "ntk":
                A = _after(slopes, q)
                change = _through(self._moments(q[0], 2), q, g)
                cross = 2 * _times(A[1:], theta[1:])
                ntk = _Radial(
                    s2 * (features.a + _times(A, ntk.a) + _times(theta, change.a)),
                    s2 * (features.b + _times(A, ntk.b) + _times(theta, change.b) + cross),
                )
                theta = after + s2 * _times(A, theta)
            q, g = after, _Radial(s2 * features.a, s2 * features.b)
        return ntk if self._kernel == "ntk" else features


def ntk_features(network: nn.Module, output: int = 0) -> Callable[[Tensor], Tensor]:
    """The feature map of a network's tangent kernel: the gradient of an output by all parameters.

    Parameters
    ----------
    network : module that maps (B, ...) to (B, C) or (B,); copied, in evaluation mode and float64
    output : int, which of the C outputs

    Returns
    -------
    function of inputs (B, ...) that returns gradients (B, P), in the order of the network's
    parameters. It can be differentiated further, as `pullback_metric` does, which divides by P.
    Gradients are by the parameters that the network has: a torch layer follows the standard
    parametrisation, not that of `InfiniteWidth`.

    Raises
    ------
    DataError
        If the network has no parameters; the function, if it has no such output.

    Examples
    --------
    >>> features = ntk_features(nn.Linear(2, 1))
    >>> features(torch.tensor([[3.0, 4.0]]))
    tensor([[3., 4., 1.]], dtype=torch.float64)
    """
    network = deepcopy(network).double().eval()
    parameters = {name: p.detach() for name, p in network.named_parameters()}
    buffers = dict(network.named_buffers())
    if not parameters:
        raise DataError("network: no parameters, expected a network that can be trained")

    def one(parameters: dict[str, Tensor], sample: Tensor) -> Tensor:
        outputs = functional_call(network, (parameters, buffers), (sample[None],)).flatten()
        if not 0 <= output < len(outputs):
            raise DataError(f"output: {output}, but the network has {len(outputs)} outputs")
        return outputs[output]

    def features(x: Tensor) -> Tensor:
        gradients = vmap(grad(one), (None, 0))(parameters, x.double())
        return torch.cat([gradients[name].flatten(1) for name in parameters], 1)

    return features


def check_variances(weight_variance: float, bias_variance: float) -> None:
    """Refuse variances that no weights or biases have.

    Raises
    ------
    DataError
        If the weights' is not above 0, the biases' is below 0, or one is not finite.
    """
    if not 0 < weight_variance < np.inf:
        raise DataError(f"weight_variance: {weight_variance}, expected a number above 0")
    if not 0 <= bias_variance < np.inf:
        raise DataError(f"bias_variance: {bias_variance}, expected a number, at least 0")


def _times(f: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Product with its derivatives, as many as both factors have (Leibniz)."""
    orders = range(min(len(f), len(g)))
    return np.stack([sum(comb(n, k) * f[k] * g[n - k] for k in range(n + 1)) for n in orders])


def _after(F: np.ndarray, q: np.ndarray) -> np.ndarray:
    """F(q(r)) with its derivatives by r, from those of F by q and of q by r (chain rule)."""
    rows = [F[0], F[1] * q[1]]
    if len(F) > 2:
        rows.append(F[2] * q[1] ** 2 + F[1] * q[2])
    return np.stack(rows)


def _through(F: np.ndarray, q: np.ndarray, g: _Radial) -> _Radial:
    """F(q) g + (1/2) F'(q) dq dq^T."""
    value, slope = _after(F, q), _after(F[1:], q)
    b = _times(value, g.b) + 2 * _times(slope, _times(q[1:], q[1:]))
    return _Radial(_times(value, g.a), b)


def _factors(radial: _Radial, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues of g across and along x (B,)."""
    across = radial.a[0]
    along = across + np.where(r > 0, radial.b[0] * r, 0)
    singular = ~((across > 0) & (along > 0))
    if singular.any():
        raise DataError(
            f"x: the metric is singular at row {int(np.argmax(singular))}; expected points where "
            "the features move in all directions"
        )
    return across, along
