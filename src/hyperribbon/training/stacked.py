"""Fully-connected networks of one architecture, stacked: one batched matrix product per layer.

`hyperribbon.training.stacked_loop` trains them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from hyperribbon.errors import HyperribbonError
from hyperribbon.networks.fully_connected import ACTIVATIONS, FullyConnected
from hyperribbon.training.loop import slices, tf32
from hyperribbon.training.state import random_state, seed_all, set_random_state

# torch's own products are MKL's, which uses no AVX-512 on AMD: 98 GFLOP/s per core of a Zen 5 EPYC,
# where oneDNN reaches 175 to 220. torch.compile calls the same operation.
_ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
_NARROW = 16  # oneDNN is slower below
_SEED = 2_27  # of the weights, together with the corner's number; the number of the figure


class StackedFullyConnected(nn.Module):
    """S networks `FullyConnected` of one architecture, each with its own weights.

    Activations have the layout (S, units, batch), so that the weights multiply from the left and
    one BatchNorm normalises all S * units channels.

    Parameters
    ----------
    networks : sequence of FullyConnected
        S networks of one architecture, whose weights and BatchNorm statistics are copied.

    Attributes
    ----------
    weights : torch.nn.ParameterList
        Weights (S, out, in) of each linear layer.
    biases : torch.nn.ParameterList
        Biases (S, out, 1) of each linear layer, if it has them.
    norms : torch.nn.ModuleList
        BatchNorm of the S * units channels of each hidden layer, if it has it.

    Raises
    ------
    HyperribbonError
        If there are no networks, they are of another kind, or differ in more than their weights.

    Examples
    --------
    >>> networks = [FullyConnected((4,), 3, widths=[8]) for _ in range(2)]
    >>> stack = StackedFullyConnected(networks)
    >>> stack(torch.zeros(5, 4)).shape
    torch.Size([2, 3, 5])
    """

    def __init__(self, networks: Sequence[nn.Module]):
        super().__init__()
        networks = _checked(networks)
        self.size = len(networks)
        first = networks[0]
        self._names = list(first.state_dict())
        kinds = {type(module) for module in first.features} & set(ACTIVATIONS.values())
        (kind,) = kinds
        self.activation = nn.ReLU(inplace=True) if kind is nn.ReLU else kind()
        layers = {name: m for name, m in first.named_modules() if isinstance(m, nn.Linear)}
        norms = {name: m for name, m in first.named_modules() if isinstance(m, nn.BatchNorm1d)}
        self._layers, self._norms = list(layers), list(norms)
        states = [network.state_dict() for network in networks]

        def stacked(name: str) -> Tensor:
            return torch.stack([state[name] for state in states])

        self.weights = nn.ParameterList(stacked(f"{name}.weight") for name in layers)
        with_bias = first.classifier.bias is not None
        self.biases = nn.ParameterList(
            stacked(f"{name}.bias").unsqueeze(2) for name in (layers if with_bias else ())
        )
        self.norms = nn.ModuleList()
        for name, norm in norms.items():
            channels = self.size * norm.num_features
            whole = _BatchNorm(channels, norm.eps, norm.momentum, affine=False)
            whole.running_mean = stacked(f"{name}.running_mean").flatten()
            whole.running_var = stacked(f"{name}.running_var").flatten()
            whole.num_batches_tracked = states[0][f"{name}.num_batches_tracked"].clone()
            self.norms.append(whole)

    @classmethod
    def from_seeds(
        cls, seeds: Sequence[int], input_shape: tuple[int, ...], n_classes: int, **parameters
    ) -> StackedFullyConnected:
        """Networks built after `seed_all` of each seed; the global random state is restored.

        Parameters
        ----------
        seeds : sequence of int
            One per network.
        input_shape, n_classes, **parameters
            Arguments of `FullyConnected`.
        """
        return cls([seeded_network(k, input_shape, n_classes, **parameters) for k in seeds])

    def forward(self, x: Tensor) -> Tensor:
        """Logits (S, C, B) of samples (B, d) that all networks see, or (S, B, d) of their own."""
        h = x.mT.expand(self.size, -1, -1)
        last = len(self.weights) - 1
        for k, weight in enumerate(self.weights):
            h = _Product.apply(weight, h, self.biases[k] if self.biases else None)
            if k < last:
                h = self.activation(h)
                if self.norms:
                    h = self.norms[k](h.view(1, -1, h.shape[2])).view(h.shape)
        return h

    def state_dicts(self) -> list[dict[str, Tensor]]:
        """State of each network as its own `load_state_dict` takes it; copies."""
        values = {}
        for k, name in enumerate(self._layers):
            values[f"{name}.weight"] = self.weights[k]
            if self.biases:
                values[f"{name}.bias"] = self.biases[k].squeeze(2)
        for name, norm in zip(self._norms, self.norms, strict=True):
            assert isinstance(norm, _BatchNorm)
            values[f"{name}.running_mean"] = norm.running_mean.view(self.size, -1)
            values[f"{name}.running_var"] = norm.running_var.view(self.size, -1)
            values[f"{name}.num_batches_tracked"] = norm.num_batches_tracked.expand(self.size)
        return [
            {name: values[name][k].detach().clone() for name in self._names}
            for k in range(self.size)
        ]


def seeded_network(
    seed: int, input_shape: tuple[int, ...], n_classes: int, **parameters
) -> FullyConnected:
    """A network built after `seed_all`; the global random state is restored."""
    here = torch.device("cpu")
    before = random_state(here)
    seed_all(seed)
    network = FullyConnected(input_shape, n_classes, **parameters)
    set_random_state(before, here)
    return network


class _BatchNorm(nn.BatchNorm1d):
    """BatchNorm of (1, channels, batch), in training on the CPU with faster sums than torch's.

    Torch's sums are sequential: for 10 x 512 channels of 100 they take 0.65 ms, these 0.17 ms.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or x.device.type != "cpu":
            return super().forward(x)
        self.num_batches_tracked += 1
        rate = self.momentum if self.momentum is not None else 1 / float(self.num_batches_tracked)
        normalised, mean, variance = _Normalised.apply(x, self.eps)
        n = x.shape[2]
        self.running_mean.lerp_(mean, rate)
        self.running_var.lerp_(variance * (n / (n - 1)), rate)
        return normalised


class _Normalised(torch.autograd.Function):
    """Normalise channels (1, channels, batch) to mean 0 and variance 1; also give both before."""

    @staticmethod
    def forward(ctx, x: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        mean = x.mean(dim=2, keepdim=True)
        out = x - mean
        variance = torch.linalg.vector_norm(out, dim=2, keepdim=True).square_().div_(x.shape[2])
        scale = (variance + eps).rsqrt_()
        out *= scale
        mean, scale, variance = mean.flatten(), scale.flatten(), variance.flatten()
        ctx.save_for_backward(x, mean, scale)
        ctx.eps = eps
        ctx.mark_non_differentiable(mean, variance)
        return out, mean, variance

    @staticmethod
    def backward(ctx, gradient: Tensor, *_: Tensor) -> tuple[Tensor, None]:
        x, mean, scale = ctx.saved_tensors
        found = torch.ops.aten.native_batch_norm_backward(
            gradient, x, None, None, None, mean, scale, True, ctx.eps, [True, False, False]
        )
        return found[0], None


class _Product(torch.autograd.Function):
    """Products (S, m, n) of the stacks (S, m, k) and (S, k, n), with biases (S, m, 1) or None."""

    @staticmethod
    def forward(ctx, weight: Tensor, h: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(weight, h)
        return _products(weight, h, bias)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        weight, h = ctx.saved_tensors
        of_weight, of_h, of_bias = ctx.needs_input_grad
        return (
            _products(gradient, h.mT) if of_weight else None,
            _products(weight.mT, gradient) if of_h else None,
            gradient.sum(dim=2, keepdim=True) if of_bias else None,
        )


def _products(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """``a @ b + bias``, one product after another by oneDNN where that is faster than `bmm`."""
    narrowest = min(*a.shape[1:], b.shape[2])
    if a.device.type != "cpu" or a.dtype != torch.float32 or narrowest < _NARROW or not _ONEDNN:
        return torch.bmm(a, b) if bias is None else torch.baddbmm(bias, a, b)
    out = a.new_empty(len(a), a.shape[1], b.shape[2])
    for k in range(len(a)):
        product = torch.ops.mkldnn._linear_pointwise(a[k], b[k].T, None, "none", [], "")
        if bias is None:
            out[k] = product
        else:
            torch.add(product, bias[k], out=out[k])
    return out


def _checked(networks: Sequence[nn.Module]) -> list[FullyConnected]:
    found = []
    if not networks:
        raise HyperribbonError("a stack of no networks: expected at least one")
    for k, network in enumerate(networks):
        if not isinstance(network, FullyConnected):
            given = type(network).__name__
            raise HyperribbonError(f"network {k} of a stack: {given}, expected FullyConnected")
        if str(network) != str(networks[0]):  # the text shows all settings
            raise HyperribbonError(
                f"network {k} of a stack: other layers than network 0, expected the same"
            )
        found.append(network)
    return found


@torch.no_grad()
def predict_stacked(stack: StackedFullyConnected, x: Tensor, *, logits: bool = False) -> Tensor:
    """Predictions of all networks in evaluation mode, float32 throughout.

    Parameters
    ----------
    stack : StackedFullyConnected
        The networks; they are left in evaluation mode.
    x : Tensor, shape (N, d) or (N, ...)
        Samples on the device of the stack.
    logits : bool
        Whether to return logits instead of probabilities, which are computed in float64.

    Returns
    -------
    Tensor, shape (S, N, C)
        In float32.
    """
    stack.eval()
    x = x.flatten(1)
    with tf32(allowed=False):
        found = torch.cat([stack(x[batch]).mT for batch in slices(len(x))], dim=1)
    return found if logits else found.double().softmax(dim=2).float()


@torch.no_grad()
def add_corner(network: nn.Module, corner: int) -> None:
    """Move initial weights to an initialisation corner (thesis 2.5.5, Fig. 2.27).

    A corner's own weights and biases, drawn from N(0, 1) without scaling by the fan-in, are added
    to those of every linear layer, so that the largest initial probability is near 1. Networks of
    one corner differ by their own initialisations around it.

    Parameters
    ----------
    network : torch.nn.Module
        It is changed in place. With BatchNorm it is at the corner once BatchNorm is calibrated.
    corner : int
        Number of the corner, which is its seed.

    Examples
    --------
    >>> a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    >>> difference = a.weight - b.weight
    >>> for network in (a, b):
    ...     add_corner(network, corner=1)
    >>> torch.allclose(a.weight - b.weight, difference, atol=1e-6)
    True
    """
    rng = np.random.default_rng((_SEED, corner))
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            for parameter in layer.parameters():
                drawn = rng.standard_normal(parameter.shape, dtype=np.float32)
                parameter.add_(torch.from_numpy(drawn).to(parameter.device))
