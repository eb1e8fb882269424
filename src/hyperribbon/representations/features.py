"""Feature maps: from inputs (B, d) to the activations of a layer (B, n)."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from hyperribbon.errors import DataError, first_line
from hyperribbon.networks.layer_output import LayerOutput, flat_rows
from hyperribbon.representations.checks import finite_array

FeatureMap = Callable[[Tensor], Tensor]


def layer_features(
    network: nn.Module, layer: str, input_shape: Sequence[int] | None = None
) -> FeatureMap:
    """The activations of a layer, as a function of the inputs, in float64.

    The layers after it are not computed.

    Parameters
    ----------
    network : torch.nn.Module
        It is left as it is: the function keeps a copy, in evaluation mode.
    layer : str
        Name of the layer in ``network.named_modules()``, such as ``features`` for all but the
        classifier of a network of this package; ``""`` for the whole network. Of a layer that
        the network calls several times, the first output counts.
    input_shape : sequence of int, optional
        Shape of one input, such as (channels, height, width); by default, (d,).

    Returns
    -------
    function
        It maps (B, d) to (B, n), with activations of more than one axis flattened.

    Raises
    ------
    DataError
        If the network has no such layer. When called: if the inputs do not have this shape, or
        the layer does not return a tensor with one row per input.

    Examples
    --------
    >>> network = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 3))
    >>> layer_features(network, "1")(torch.zeros(4, 2, dtype=torch.float64)).shape
    torch.Size([4, 5])
    >>> layer_features(network, "tanh")
    Traceback (most recent call last):
    ...
    hyperribbon.errors.DataError: layer tanh: the network has none of that name; it has 0, 1, 2
    """
    network = deepcopy(network).to(torch.float64).eval().requires_grad_(False)
    output = LayerOutput(network, layer)

    def features(x: Tensor) -> Tensor:
        if input_shape is not None:
            if x.shape[1] != prod(input_shape):
                expected = f"{prod(input_shape)} of shape {tuple(input_shape)}"
                raise DataError(f"x: {x.shape[1]} numbers per input, expected {expected}")
            x = x.reshape(len(x), *input_shape)
        return flat_rows(output(x), len(x), layer)

    return features


def checked_inputs(x: Any, subspace: Any = None) -> tuple[Tensor, Tensor]:
    """Inputs and directions as float64 tensors.

    Parameters
    ----------
    x : (B, d)
    subspace : (d, k), optional
        Directions as columns; by default, all d coordinates.

    Returns
    -------
    x : (B, d)
    directions : (d, k)

    Raises
    ------
    DataError
        If a shape is wrong, a number is not finite, or the directions are linearly dependent.
    """
    points = torch.tensor(finite_array(x, "x", "B", "d"))
    d = points.shape[1]
    if subspace is None:
        return points, torch.eye(d, dtype=torch.float64)
    directions = torch.tensor(finite_array(subspace, "subspace", "d", "k"))
    if len(directions) != d or directions.shape[1] > d:
        given = tuple(directions.shape)
        raise DataError(f"subspace: shape {given}, expected ({d}, k) with 1 <= k <= {d}")
    rank, k = int(torch.linalg.matrix_rank(directions)), directions.shape[1]
    if rank < k:
        raise DataError(f"subspace: {k} directions that span {rank} dimensions, expected {k}")
    return points, directions


def checked_features(features: FeatureMap, x: Tensor) -> Tensor:
    """Features (1, n) of the first input.

    Raises
    ------
    DataError
        If the feature map does not return real floating-point features, one row for each input.
    """
    with torch.no_grad():
        try:
            found = features(x[:1])
        except (RuntimeError, TypeError, IndexError) as error:
            message = f"features: refuse inputs of shape {(1, x.shape[1])} in float64"
            raise DataError(f"{message} ({first_line(error)})") from None
    if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != 1:
        given = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise DataError(f"features: return {given} for one input, expected a tensor (1, n)")
    if not found.is_floating_point():
        raise DataError(f"features: return {found.dtype}, which is not differentiable")
    return found
