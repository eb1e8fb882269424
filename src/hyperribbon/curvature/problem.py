"""A network's mean loss on data, as a function of its weights."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from hyperribbon.curvature.checks import check_count
from hyperribbon.curvature.derivatives import (
    WAYS,
    Linearised,
    Tangents,
    Way,
    gradients,
    leaves,
    second,
    way_of_hessian,
    way_of_jacobian,
    without_second_derivatives,
)
from hyperribbon.curvature.evaluation import Evaluation
from hyperribbon.curvature.given import as_network, as_samples, trained_parameters
from hyperribbon.curvature.losses import Loss, as_loss
from hyperribbon.curvature.trial import tried_outputs
from hyperribbon.errors import DataError, first_line
from hyperribbon.networks import striding_by_slices
from hyperribbon.probability.distributions import as_numpy

# Samples in a chunk times vectors, in a product with several vectors at once.
ROWS = 16_384

_CONVOLUTIONS = nn.modules.conv._ConvNd
_INPUTS = ""  # stands for the inputs among the names of buffers


class Problem:
    """A network, the samples and targets that it fits, and the loss whose curvature is wanted.

    The weights are all parameters that require a gradient, flattened in the order of
    ``named_parameters()``. The network stays in evaluation mode: BatchNorm is then an affine map
    with its running statistics, which are constants here, like all buffers. Products are computed
    in the network's precision and on its device; use ``network.double()`` for exact spectra.
    Strided 1x1 convolutions of few channels are evaluated as in
    `hyperribbon.networks.striding_by_slices`, which is the same function.

    Where an activation is not smooth (ReLU at 0, a tie in max-pooling), derivatives follow torch,
    ReLU'(0) = 0; the second derivative of a kink counts as 0.

    Parameters
    ----------
    network : network in evaluation mode that maps (n, ...) to outputs (n, C); wrappers made by
        torch.compile or DataParallel are removed
    inputs : (N, ...) Tensor, array or table
    targets : classes (N,) for ``"cross_entropy"``, of an integer type or boolean; values (N, C)
        for ``"squared_error"``
    loss : name, or function of (outputs, targets) that is a mean over samples
    only : names of the parameters to take as the weights, such as those of one layer; all others
        are then constants
    batch_size : samples in memory at a time; by default 16,384 divided by the number of vectors in
        a product

    Attributes
    ----------
    parameters : dict of Tensor, by name
    n_parameters, n_samples, n_outputs : int; p, N and C

    Raises
    ------
    DataError
        If outputs depend on the batch or on chance, if a parameter, input or output is not finite,
        if targets do not fit the outputs, or if the loss is not a mean over samples.

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
        self.network = network = striding_by_slices(as_network(network))
        trained = trained_parameters(network, only)
        self.parameters = {k: p.detach() for k, p in trained.items()}
        self._constants = {
            k: p.detach() for k, p in network.named_parameters() if k not in self.parameters
        }
        self._copied = {_INPUTS, *(name for name, _ in network.named_buffers())}
        self._changed: set[str] = set()
        self._ways: dict[str, Way] = {}
        first = next(iter(self.parameters.values()))
        self.dtype, self.device = first.dtype, first.device
        self.differentiable = Evaluation(network, self.device)
        self.inputs = as_samples(inputs, "inputs", first)
        self.targets = as_samples(targets, "targets", first)
        self.n_parameters = sum(p.numel() for p in self.parameters.values())
        self.n_samples = len(self.inputs)
        if self.n_samples != len(self.targets):
            raise DataError(
                f"inputs: {len(self.inputs)} samples and {len(self.targets)} targets, expected "
                "equal numbers"
            )
        self.loss = as_loss(loss)
        self.batch_size = None if batch_size is None else check_count(batch_size, "batch_size")
        z = tried_outputs(self)
        self._copied = set(self._changed)
        self.n_outputs = z.shape[1]
        self.targets = self.loss.accept(z, self.targets)
        self._check_derivatives()

    def outputs(self, parameters: Tangents, x: Tensor) -> Tensor:
        """Outputs (n, C) for inputs x, with the given weights."""
        # A forward pass may change buffers and inputs in place: where one does, they are copied.
        known = self.network.named_buffers()
        copies = {k: b.clone() for k, b in known if k in self._copied}
        x = x.clone() if _INPUTS in self._copied else x
        tensors = {**copies, **self._constants, **parameters}
        with self.differentiable():
            z = functional_call(self.network, tensors, (x,))
        self._changed.update(k for k, t in {**copies, _INPUTS: x}.items() if t._version)
        return z

    def leaves(self) -> Tangents:
        """The weights, as leaves of a new graph of `outputs`."""
        return leaves(self.parameters)

    def linearised(self, x: Tensor) -> Linearised:
        """Outputs for inputs x, and their Jacobian with respect to the weights.

        Raises
        ------
        DataError
            If torch cannot differentiate a layer.
        """
        if "jacobian" not in self._ways:
            few = partial(self.outputs, x=self.inputs[:2])
            search = partial(way_of_jacobian, few, self.parameters, self._possible)
            self._ways["jacobian"] = self._found(search, "the outputs", "; use JacobianGram")
        return Linearised(partial(self.outputs, x=x), self.parameters, self._ways["jacobian"])

    def second(self, x: Tensor, targets: Tensor, tangents: Tangents) -> Tangents:
        """The Hessian of the loss, summed over samples x, times tangents (b, ...).

        Raises
        ------
        DataError
            If torch cannot differentiate a layer twice.
        """

        def total(weights: Tangents, x: Tensor, targets: Tensor) -> Tensor:
            return self.loss.total(self.outputs(weights, x), targets)

        if "hessian" not in self._ways:
            search = partial(way_of_hessian, self._tried, self.parameters, self._possible)
            self._ways["hessian"] = self._found(search, "the loss", "; use Fisher or JacobianGram")
        of_these = partial(total, x=x, targets=targets)
        return second(of_these, self.parameters, tangents, self._ways["hessian"])

    @property
    def _tried(self) -> tuple[Callable[[dict[str, Tensor]], Tensor], ...]:
        """The loss of two samples, as it is and with random numbers in place of their outputs.

        For samples that the network fits, the former is nothing but rounding errors in single
        precision.
        """
        x, targets = self.inputs[:2], self.targets[:2]
        with torch.no_grad(), self.differentiable():
            z = self.outputs(self.parameters, x)
        rng = torch.Generator().manual_seed(0)
        shift = torch.randn(z.shape, generator=rng, dtype=z.dtype).to(z.device) - z

        def of_outputs(weights: dict[str, Tensor]) -> Tensor:
            return self.loss.total(self.outputs(weights, x), targets)

        def of_random_outputs(weights: dict[str, Tensor]) -> Tensor:
            return self.loss.total(self.outputs(weights, x) + shift, targets)

        return of_outputs, of_random_outputs

    @property
    def _possible(self) -> tuple[Way, ...]:
        """The ways to try: for convolutions, not with many vectors at once.

        They would become grouped convolutions, which are slower than one vector after another.
        """
        convolves = any(isinstance(m, _CONVOLUTIONS) for m in self.network.modules())
        return WAYS[1:] if convolves else WAYS

    def _found(self, search: Callable[[], Way], what: str, instead: str) -> Way:
        with self.differentiable():
            try:
                return search()
            except DataError as error:
                few = partial(self.outputs, self.parameters, self.inputs[:2])
                layer = without_second_derivatives(self.network, few)
                raise DataError(
                    f"network: {layer}lacks derivatives of {what} that this matrix needs "
                    f"({str(error).rstrip('.')}){instead}"
                ) from error

    def _check_derivatives(self) -> None:
        every = leaves({k: p for k, p in self.network.named_parameters() if p.requires_grad})
        with torch.enable_grad():
            z = self.outputs(every, self.inputs[:2])
        if not z.requires_grad:
            raise DataError("network: outputs depend on no parameter, as torch sees it; expected "
                            "no detach and no torch.no_grad in forward")  # fmt: skip
        try:
            gradients(z.sum(), every)
        except RuntimeError as error:
            raise DataError(f"network: not differentiable: {first_line(error)}") from error

    def flat_weights(self) -> np.ndarray:
        """The weights (p,), float64."""
        return self.flatten({k: p[None] for k, p in self.parameters.items()})[:, 0].astype(float)

    def flatten(self, tensors: dict[str, Tensor]) -> np.ndarray:
        """Vectors (p, b) from tensors (b, ...) by parameter; columns contiguous, same precision."""
        rows = [tensors[k].reshape(len(tensors[k]), -1) for k in self.parameters]
        return torch.cat(rows, dim=1).cpu().numpy().T

    def unflatten(self, vectors: np.ndarray) -> dict[str, Tensor]:
        """Tensors (b, ...) by parameter, from vectors (p, b).

        Raises
        ------
        DataError
            If the vectors do not have p components.
        """
        vectors = as_numpy(vectors, "vectors")
        if vectors.ndim != 2 or len(vectors) != self.n_parameters or not vectors.shape[1]:
            expected = f"({self.n_parameters}, b)"
            raise DataError(f"vectors: shape {vectors.shape}, expected {expected}")
        flat = torch.from_numpy(np.ascontiguousarray(vectors.T)).to(self.device, self.dtype)
        parts = flat.split([p.numel() for p in self.parameters.values()], dim=1)
        return {
            k: part.reshape(len(flat), *p.shape)
            for (k, p), part in zip(self.parameters.items(), parts, strict=True)
        }

    def with_weights(self, flat: np.ndarray) -> dict[str, Tensor]:
        """Parameters by name, from flat weights (p,)."""
        return {k: t[0] for k, t in self.unflatten(flat[:, None]).items()}

    def batches(self, vectors: int = 1) -> Iterator[tuple[Tensor, Tensor]]:
        """Inputs and targets in chunks sized for products with this number of vectors."""
        size = min(self.batch_size or max(1, ROWS // vectors), self.n_samples)
        yield from zip(self.inputs.split(size), self.targets.split(size), strict=True)

    @torch.no_grad()
    def all_outputs(self, flat: np.ndarray | None = None) -> Tensor:
        """Outputs (N, C) for all samples, with the network's weights or with flat weights (p,)."""
        parameters = self.parameters if flat is None else self.with_weights(flat)
        return torch.cat([self.outputs(parameters, x) for x, _ in self.batches(8)])


def kinks(problem: Problem) -> int:
    """Number of inputs to ReLU that are exactly 0, where the loss is not smooth.

    Weights of 0, or a bias of 0 after inputs of 0, cause many of them.
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


def error_of(problem: Problem, weights: np.ndarray | None = None) -> float:
    """Fraction of samples misclassified by the network, or with flat weights (p,)."""
    return misclassified(problem.all_outputs(weights), problem.targets)


def misclassified(outputs: Tensor, targets: Tensor) -> float:
    """Fraction of outputs (n, C) that are largest for a class other than the target."""
    return float((outputs.argmax(dim=1) != targets).double().mean())
