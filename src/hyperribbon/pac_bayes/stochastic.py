r"""Networks whose weights are Gaussian, independent in a basis of each layer.

A layer's weights are :math:`V (M + \sqrt{S} \circ Z) U^T`, with Z standard normal, so that its
outputs for inputs a are :math:`V y`, where y is Gaussian with mean :math:`M U^T a` and variance
:math:`S (U^T a)^2`. Each sample gets outputs drawn from this distribution, as if it met a network
of its own (Kingma, Salimans & Welling 2015). Neither a matrix of the size of the basis nor the
weights of a network are formed: a draw costs two products with M and S, and one with each of U and
V, for a batch of activations. Layers whose outputs at different places share weights, such as
convolutions, draw weights once per batch instead, as do layers of few outputs during a descent,
where it is much cheaper.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from hyperribbon.curvature.kfac import Block, LayerBasis
from hyperribbon.curvature.layers import Layer

TINY = 1e-30  # gradients below are taken as 0


class Gradients(NamedTuple):
    """Gradients of a layer's parameters, (O, I) each."""

    mean: Tensor
    variance: Tensor
    log_variance: Tensor


class StochasticLayer(nn.Module):
    """A linear layer or convolution with Gaussian weights.

    Attributes
    ----------
    shares : whether outputs of one sample, at different places, share weights
    mean, log_variance, variance : (O, I), in the basis; the variance is to be kept up to date
    gradients : Gradients, which are also their ``grad``; a pass backward leaves the former two
    entered : (n, I) inputs in the basis that replace those of the next call, or None
    """

    def __init__(
        self, layer: Layer, block: Block, shares: bool, like: Tensor, generator: torch.Generator
    ):
        super().__init__()
        self.layer = (layer,)  # not a module of this one, whose parameters would be found
        self.shares = shares
        self.has_bias = block.bias is not None
        self.generator = generator
        self.entered: Tensor | None = None
        self.rotations = [
            None if rotation is None else torch.from_numpy(rotation).to(like)
            for rotation in (block.ingoing, block.returning)
        ]
        self.mean, self.log_variance, self.variance = (
            like.new_zeros(block.shape) for _ in range(3)
        )
        self.variance.fill_(1)
        for leaf in (self.mean, self.variance):
            leaf.requires_grad_()
        self.gradients = Gradients(*(torch.zeros_like(self.mean) for _ in range(3)))
        self.mean.grad, self.variance.grad, self.log_variance.grad = self.gradients

    def into_basis(self, x: Tensor) -> Tensor:
        """Inputs (n, I) of a linear layer, with a 1 for the bias, in the basis."""
        if self.has_bias:
            x = torch.cat([x, x.new_ones(*x.shape[:-1], 1)], dim=-1)
        return x if self.rotations[0] is None else x @ self.rotations[0]

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of one draw for each sample; of one for all where places share weights."""
        outputs, inputs = self.mean.shape
        cheaper = outputs * (outputs + inputs) < len(x) * inputs
        if self.shares or (self.training and self.rotations[0] is not None and cheaper):
            return self._of_drawn_weights(x)
        entered, self.entered = self.entered, None
        shape = x.shape[:-1]
        a = (self.into_basis(x) if entered is None else entered).view(-1, inputs)
        noise = torch.empty(len(a), outputs, dtype=a.dtype, device=a.device)
        noise.normal_(generator=self.generator)
        y: Tensor = _Draw.apply(a, self.mean, self.variance, noise)
        y = y if self.rotations[1] is None else y @ self.rotations[1].T
        return y.view(*shape, outputs)

    def _of_drawn_weights(self, x: Tensor) -> Tensor:
        self.gradients.mean.zero_()  # to which torch adds
        self.gradients.variance.zero_()
        noise = torch.empty_like(self.mean, requires_grad=False)
        noise.normal_(generator=self.generator)
        matrix = torch.addcmul(self.mean, self.variance.sqrt(), noise)
        ingoing, returning = self.rotations
        matrix = matrix if ingoing is None else matrix @ ingoing.T
        matrix = matrix if returning is None else returning @ matrix
        weight, bias = (matrix[:, :-1], matrix[:, -1]) if self.has_bias else (matrix, None)
        layer = self.layer[0]
        if isinstance(layer, nn.Linear):
            return nn.functional.linear(x, weight, bias)
        assert not isinstance(layer.padding, str), "such layers are left out"
        weight = weight.reshape(layer.weight.shape)
        return conv2d(x, weight, bias, layer.stride, layer.padding, layer.dilation)


class _Draw(torch.autograd.Function):
    """Gaussian outputs; gradients of the parameters are written where the last ones were."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, mean: Tensor, variance: Tensor, noise: Tensor) -> Tensor:
        square = a * a
        spread = (square @ variance.T).clamp_min_(torch.finfo(a.dtype).tiny).sqrt_()
        y = (noise * spread).addmm_(a, mean.T)  # in place: fresh memory costs as much as its use
        ctx.save_for_backward(a, square, noise.div_(spread), mean, variance)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        # Confident predictions have gradients so small that products with them are slow.
        g = nn.functional.hardshrink(gradients[0], TINY)
        a, square, half, mean, variance = ctx.saved_tensors
        of_variance = half.mul_(g).mul_(0.5)
        torch.mm(g.T, a, out=mean.grad)
        torch.mm(of_variance.T, square, out=variance.grad)
        back = None
        if ctx.needs_input_grad[0]:
            back = torch.addcmul(g @ mean, a, of_variance @ variance, value=2)
        return back, None, None, None


class StochasticNetwork:
    """A network with Gaussian weights, all in the given basis.

    Parameters
    ----------
    network : in evaluation mode, whose parameters are those of the basis
    basis : LayerBasis
    seed : of the draws
    """

    def __init__(self, network: nn.Module, basis: LayerBasis, seed: int):
        self.basis = basis
        network = deepcopy(network).eval()
        like = next(network.parameters()).detach()
        self.generator = torch.Generator(like.device).manual_seed(seed)
        shares = _sharing(network, basis)
        self.layers: list[StochasticLayer] = []
        for block in basis.blocks:
            given: Any = network.get_submodule(block.layer)
            layer = StochasticLayer(given, block, shares[block.layer], like, self.generator).eval()
            self.layers.append(layer)
            if block.layer:
                network.set_submodule(block.layer, layer)
            else:
                network = layer
        self.network = network

    @property
    def independent(self) -> bool:
        """Whether each sample meets a network of its own, outside a descent."""
        return not any(layer.shares for layer in self.layers)

    def descending(self, mode: bool) -> None:
        """Say whether a descent is going on, where layers of few outputs draw once per batch."""
        for layer in self.layers:
            layer.train(mode)

    def split(self, coordinates: np.ndarray) -> list[Tensor]:
        """Coordinates (p,) by layer, (O, I)."""
        sizes = [layer.mean.numel() for layer in self.layers]
        parts = np.split(coordinates, np.cumsum(sizes)[:-1])
        return [
            torch.from_numpy(part.reshape(layer.mean.shape)).to(layer.mean)
            for part, layer in zip(parts, self.layers, strict=True)
        ]

    def joined(self, name: str) -> np.ndarray:
        """Coordinates (p,) of an attribute of all layers, float64."""
        parts = [getattr(layer, name).detach().flatten() for layer in self.layers]
        return torch.cat(parts).double().cpu().numpy()

    @torch.no_grad()
    def assign(self, mean: np.ndarray, log_variance: np.ndarray) -> None:
        """Set the means (p,) and the logarithms of the variances (p,)."""
        both = self.split(mean), self.split(log_variance)
        for layer, m, v in zip(self.layers, *both, strict=True):
            layer.mean.copy_(m)
            layer.log_variance.copy_(v)
        self.refresh()

    @torch.no_grad()
    def refresh(self) -> None:
        """Bring the variances up to date with their logarithms."""
        for layer in self.layers:
            torch.exp(layer.log_variance, out=layer.variance)

    @torch.no_grad()
    def entered(self, inputs: Tensor, batch: int = 1000) -> Tensor | None:
        """What enters the first layer, in the basis: it depends on no weights, so once is enough.

        None if it shares weights among places.
        """
        first = self.layers[0]
        if first.shares:
            return None
        kept: list[Tensor] = []
        handle = first.register_forward_pre_hook(
            lambda _, args: kept.append(first.into_basis(args[0]))
        )
        try:
            for x in inputs.split(batch):
                self.network(x)
        finally:
            handle.remove()
        return torch.cat(kept)

    def outputs(self, inputs: Tensor, entered: Tensor | None = None) -> Tensor:
        """Outputs (n, C) of drawn networks; ``entered`` as from the method, for these inputs."""
        self.layers[0].entered = entered
        return self.network(inputs)


@torch.no_grad()
def _sharing(network: nn.Module, basis: LayerBasis) -> dict[str, bool]:
    """Whether each layer uses its weights at several places of a sample."""
    found: dict[str, bool] = {}

    def keep(name: str) -> Any:
        def hook(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            found[name] = isinstance(layer, nn.Conv2d) or inputs[0].ndim > 2

        return hook

    modules = {block.layer: network.get_submodule(block.layer) for block in basis.blocks}
    handles = [layer.register_forward_pre_hook(keep(name)) for name, layer in modules.items()]
    try:
        network(basis.problem.inputs[:2].to(next(network.parameters()).dtype))
    finally:
        for handle in handles:
            handle.remove()
    return found
