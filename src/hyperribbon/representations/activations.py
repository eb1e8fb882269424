"""Activations of a layer with their first two derivatives, by name or from any torch function."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import grad

from hyperribbon.errors import DataError, first_line

Elementwise = Callable[[Tensor], Tensor]


class Activation(NamedTuple):
    """An activation phi, entry by entry.

    Attributes
    ----------
    function, slope, bend : phi, its first and its second derivative; of tensors of any shape
    smooth : whether phi' is continuous; of a torch function, taken for granted
    """

    function: Elementwise
    slope: Elementwise
    bend: Elementwise
    smooth: bool = True


def _density(z: Tensor) -> Tensor:
    return torch.exp(z.square() / -2).mul_(1 / math.sqrt(2 * math.pi))


def _erf_slope(z: Tensor) -> Tensor:
    return _density(z).mul_(2)


def _sigmoid_slope(z: Tensor) -> Tensor:
    s = torch.sigmoid(z)
    return s.mul_(torch.sigmoid(-z))  # not 1 - s, which loses digits of a large z


def _tanh_slope(z: Tensor) -> Tensor:
    return _sigmoid_slope(2 * z).mul_(4)


ACTIVATIONS = {
    "erf": Activation(
        lambda z: torch.erf(z / math.sqrt(2)), _erf_slope, lambda z: _erf_slope(z).mul_(z).neg_()
    ),
    "sigmoid": Activation(
        torch.sigmoid, _sigmoid_slope, lambda z: _sigmoid_slope(z).mul_(torch.tanh(z / -2))
    ),
    "tanh": Activation(
        torch.tanh, _tanh_slope, lambda z: _tanh_slope(z).mul_(torch.tanh(z)).mul_(-2)
    ),
    "gelu": Activation(
        nn.functional.gelu,
        lambda z: torch.special.ndtr(z).addcmul_(z, _density(z)),
        lambda z: _density(z).mul_(2 - z.square()),
    ),
    "relu": Activation(torch.relu, lambda z: (z > 0).to(z.dtype), torch.zeros_like, smooth=False),
}


def find_activation(activation: str | Elementwise) -> Activation:
    """An activation with its derivatives.

    Parameters
    ----------
    activation : "erf", which is phi(z) = erf(z / sqrt 2), "sigmoid", "tanh", "gelu" or "relu"; or
        any torch function that acts entry by entry, which automatic differentiation takes apart

    Raises
    ------
    DataError
        If the name is unknown, or the function does not act entry by entry or is not
        differentiable.

    Examples
    --------
    >>> z = torch.tensor([0.0, 1.0], dtype=torch.float64)
    >>> find_activation("tanh").slope(z), find_activation(torch.sin).bend(z)
    (tensor([1.0000, 0.4200], dtype=torch.float64), tensor([-0.0000, -0.8415], dtype=torch.float64))
    """
    if isinstance(activation, str):
        if activation not in ACTIVATIONS:
            known = ", ".join(ACTIVATIONS)
            raise DataError(
                f"activation: {activation!r} is unknown, expected one of {known}, or a torch "
                "function"
            )
        return ACTIVATIONS[activation]
    if not callable(activation):
        kind = type(activation).__name__
        raise DataError(f"activation: {kind}, expected a name or a torch function")
    slope = grad(lambda z: activation(z).sum())
    bend = grad(lambda z: slope(z).sum())
    z = torch.linspace(-1, 1, 4, dtype=torch.float64)
    try:
        values = activation(z)
        bend(z)
    except Exception as error:
        raise DataError(
            f"activation: cannot be differentiated twice ({first_line(error)})"
        ) from None
    apart = torch.stack([activation(entry) for entry in z]).to(values)
    if values.shape != z.shape or not torch.allclose(values, apart):
        raise DataError("activation: expected a function that acts on each entry alone")
    return Activation(activation, slope, bend)
