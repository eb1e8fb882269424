"""A network's mean loss on data, as a function of its weights."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from hyperribbon.curvature.losses import Loss, as_loss
from hyperribbon.errors import DataError
from hyperribbon.networks import striding_by_slices

# Of a product with several vectors at once: samples times vectors in a chunk.
ROWS = 16_384

_BATCH_DEPENDENT = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)
_CONVOLUTIONS = nn.modules.conv._ConvNd


class Problem:
    """A network, the samples and targets it is to fit, and the loss: what curvature is of.

    The weights are all parameters that require a gradient, flat, in the order of
    ``named_parameters()``. The network is used as it is, in evaluation mode: BatchNorm is then the
    affine map of its running statistics, which are constants here, as are all buffers. Products are
    computed in the network's precision, on its device; ``network.double()`` for exact spectra. Its
    strided 1x1 convolutions of few channels stride as `hyperribbon.networks.striding_by_slices` has
    it, which is the same function.

    Where an activation is not smooth (ReLU at 0, a tie in max-pooling), derivatives are those that
    torch takes, ReLU'(0) = 0; the second derivative of a kink counts as 0.

    Parameters
    ----------
    network : in evaluation mode, mapping (n, ...) to outputs (n, C)
    inputs : (N, ...) Tensor or array
    targets : classes (N,) for ``"cross_entropy"``, values (N, C) for ``"squared_error"``
    loss : name, or function of (outputs, targets) that is a mean over samples
    only : names of the parameters that are the weights, such as those of one layer; the others are
        constants then
    batch_size : samples in memory at a time; by default 16,384 divided by the vectors that a
        product is with

    Attributes
    ----------
    parameters : dict of Tensor, by name
    n_parameters, n_samples, n_outputs : int; p, N and C

    Raises
    ------
    DataError
        If a layer depends on the batch or on chance, a parameter or input is not finite, targets
        do not go with the outputs, or the loss is not a mean over samples.

    Examples
    --------
    >>> network = nn.Linear(3, 2).double().eval()
    >>> x, y = torch.eye(3, dtype=torch.float64), torch.tensor([0, 1, 0])
    >>> Problem(network, x, y).n_parameters
    8
    """

    def __init__(
        self,
        network: nn.Module,
        inputs: Tensor | np.ndarray,
        targets: Tensor | np.ndarray,
        loss: str | Loss | Callable[[Tensor, Tensor], Tensor] = "cross_entropy",
        *,
        only: Collection[str] | None = None,
        batch_size: int | None = None,
    ):
        _refuse_batch_dependent(network)
        network = striding_by_slices(network)
        trained = {k: p for k, p in network.named_parameters() if p.requires_grad}
        if only is not None:
            unknown = sorted(set(only) - set(trained))
            if unknown:
                raise DataError(f"only = {unknown[0]!r}: expected one of {', '.join(trained)}")
            trained = {k: p for k, p in trained.items() if k in only}
        if not trained:
            raise DataError("network: no parameter requires a gradient, so it has no curvature")
        self.network = network
        self.parameters = {k: p.detach() for k, p in trained.items()}
        self._constants = {
            k: p.detach() for k, p in network.named_parameters() if k not in self.parameters
        }
        first = next(iter(self.parameters.values()))
        self.dtype, self.device = first.dtype, first.device
        self.inputs = torch.as_tensor(inputs).to(self.device)
        if self.inputs.is_floating_point():
            self.inputs = self.inputs.to(self.dtype)
        self.targets = torch.as_tensor(targets).to(self.device)
        if self.targets.is_floating_point():
            self.targets = self.targets.to(self.dtype)
        if not len(self.inputs) or len(self.inputs) != len(self.targets):
            raise DataError(
                f"inputs: {len(self.inputs)} samples and {len(self.targets)} targets, expected as "
                "many of each, and at least one"
            )
        for name, tensor in [*self.parameters.items(), ("inputs", self.inputs)]:
            if not tensor.isfinite().all():
                raise DataError(f"{name}: contains NaN or infinity")
        self.loss = as_loss(loss)
        self.batch_size = batch_size
        self.n_parameters = sum(p.numel() for p in self.parameters.values())
        self.n_samples = len(self.inputs)
        with torch.no_grad():
            few = self.outputs(self.parameters, self.inputs[:32])
        if few.ndim != 2:
            raise DataError(f"network: outputs of shape {tuple(few.shape)}, expected (n, C)")
        self.n_outputs = few.shape[1]
        self.loss.check(few, self.targets[:32])

    @property
    def vectorises(self) -> bool:
        """Whether products with many vectors are computed at once: not of convolutions.

        Those would become grouped ones, which are slower than one after another.
        """
        return not any(isinstance(m, _CONVOLUTIONS) for m in self.network.modules())

    def outputs(self, parameters: dict[str, Tensor], x: Tensor) -> Tensor:
        """Outputs (n, C) of some inputs, with other weights."""
        with differentiable_attention():
            return functional_call(self.network, {**self._constants, **parameters}, (x,))

    def flat_weights(self) -> np.ndarray:
        """The weights (p,), float64."""
        return self.flatten({k: p[None] for k, p in self.parameters.items()})[:, 0].astype(float)

    def flatten(self, tensors: dict[str, Tensor]) -> np.ndarray:
        """(p, b) of tensors (b, ...) by parameter, columns contiguous, in their precision."""
        rows = [tensors[k].reshape(len(tensors[k]), -1) for k in self.parameters]
        return torch.cat(rows, dim=1).cpu().numpy().T

    def unflatten(self, vectors: np.ndarray) -> dict[str, Tensor]:
        """Tensors (b, ...) by parameter of (p, b).

        Raises
        ------
        DataError
            If the vectors have not p numbers.
        """
        if vectors.ndim != 2 or len(vectors) != self.n_parameters:
            expected = f"({self.n_parameters}, b)"
            raise DataError(f"vectors: shape {vectors.shape}, expected {expected}")
        flat = torch.from_numpy(np.ascontiguousarray(vectors.T)).to(self.device, self.dtype)
        parts = flat.split([p.numel() for p in self.parameters.values()], dim=1)
        return {
            k: part.reshape(len(flat), *p.shape)
            for (k, p), part in zip(self.parameters.items(), parts, strict=True)
        }

    def with_weights(self, flat: np.ndarray) -> dict[str, Tensor]:
        """Parameters of other weights (p,)."""
        return {k: t[0] for k, t in self.unflatten(flat[:, None]).items()}

    def batches(self, vectors: int = 1) -> Iterator[tuple[Tensor, Tensor]]:
        """Inputs and targets in chunks that are right for products with so many vectors."""
        size = self.batch_size or max(1, ROWS // vectors)
        yield from zip(self.inputs.split(size), self.targets.split(size), strict=True)

    @torch.no_grad()
    def all_outputs(self, flat: np.ndarray | None = None) -> Tensor:
        """Outputs (N, C) of all samples, with the network's weights or with others (p,)."""
        parameters = self.parameters if flat is None else self.with_weights(flat)
        return torch.cat([self.outputs(parameters, x) for x, _ in self.batches(8)])


@contextmanager
def differentiable_attention() -> Iterator[None]:
    """Attention by plain products, which alone has second derivatives on the CPU."""
    with sdpa_kernel(SDPBackend.MATH):
        yield


def kinks(problem: Problem) -> int:
    """How many inputs of ReLU are exactly 0, where the loss is not smooth.

    Zero weights, or a bias of 0 behind inputs of 0, make many.
    """
    count = 0

    def hook(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        nonlocal count
        count += int((inputs[0] == 0).sum())

    kinked = [m for m in problem.network.modules() if isinstance(m, nn.ReLU | nn.LeakyReLU)]
    handles = [module.register_forward_pre_hook(hook) for module in kinked]
    try:
        problem.all_outputs()
    finally:
        for handle in handles:
            handle.remove()
    return count


def _refuse_batch_dependent(network: nn.Module) -> None:
    for name, module in network.named_modules():
        where = f"network: {type(module).__name__} {name!r}"
        if isinstance(module, _BATCH_DEPENDENT) and module.training:
            raise DataError(f"{where} is in training mode, where outputs depend on the batch or on "
                            "chance; call network.eval() first")  # fmt: skip
        if isinstance(module, _BATCH_DEPENDENT[0]) and module.running_mean is None:
            raise DataError(f"{where} keeps no running statistics, so that outputs depend on the "
                            "batch; expected track_running_stats=True")  # fmt: skip
        if isinstance(module, nn.RNNBase) and module.training and module.dropout:
            raise DataError(f"{where} drops out at random; call network.eval() first")
