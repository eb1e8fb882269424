"""Losses of outputs: the derivatives that curvature needs, sample by sample."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import grad, hessian, vmap
from torch.nn.functional import cross_entropy, one_hot

from hyperribbon.errors import DataError


class Loss:
    """A loss that is a mean over samples, as a function of the network's outputs z, (n, C).

    Attributes
    ----------
    likelihood : bool, whether it is the negative logarithm, in nats, of a model's probability of
        the target, so that there is a Fisher information matrix
    """

    likelihood = True

    def check(self, z: Tensor, targets: Tensor) -> None:
        """Refuse targets that do not go with the outputs, with a DataError."""

    def total(self, z: Tensor, targets: Tensor) -> Tensor:
        """Sum over the samples, a scalar."""
        raise NotImplementedError

    def gradient(self, z: Tensor, targets: Tensor) -> Tensor:
        """Of each sample's loss in its outputs, (n, C)."""
        raise NotImplementedError

    def factor(self, z: Tensor, targets: Tensor) -> Tensor:
        """R (n, C, C) with each sample's Hessian in its outputs R R^T."""
        raise NotImplementedError

    def curve(self, z: Tensor, targets: Tensor, v: Tensor) -> Tensor:
        """Each sample's Hessian in its outputs times v, (..., n, C)."""
        raise NotImplementedError


class CrossEntropy(Loss):
    """-ln p_y of the softmax p of the outputs, in nats; targets are classes (n,).

    Its Hessian in the outputs, diag(p) - p p^T, is the Fisher information of the label's
    distribution: the expectation over labels is exact, and none is sampled (thesis 4.2).
    """

    def check(self, z: Tensor, targets: Tensor) -> None:
        n, n_classes = z.shape
        if targets.shape != (n,) or targets.is_floating_point():
            found = f"{targets.dtype} of shape {tuple(targets.shape)}"
            raise DataError(f"targets: {found}, expected integer classes of shape ({n},)")
        if n and not 0 <= int(targets.min()) <= int(targets.max()) < n_classes:
            found = f"{int(targets.min())} to {int(targets.max())}"
            raise DataError(f"targets: classes {found}, expected 0 to {n_classes - 1}")

    def total(self, z: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(z, targets, reduction="sum")

    def gradient(self, z: Tensor, targets: Tensor) -> Tensor:
        return z.softmax(dim=1) - one_hot(targets, z.shape[1])

    def factor(self, z: Tensor, targets: Tensor) -> Tensor:
        p = z.softmax(dim=1)
        return torch.diag_embed(p.sqrt()) - p[:, :, None] * p.sqrt()[:, None, :]

    def curve(self, z: Tensor, targets: Tensor, v: Tensor) -> Tensor:
        p = z.softmax(dim=1)
        weighted = p * v
        return weighted - p * weighted.sum(dim=-1, keepdim=True)


class SquaredError(Loss):
    """|z - y|^2 / 2, the Gaussian likelihood of variance 1 but for a constant; targets (n, C)."""

    def check(self, z: Tensor, targets: Tensor) -> None:
        if targets.shape != z.shape:
            expected = f"as the outputs, {tuple(z.shape)}"
            raise DataError(f"targets: shape {tuple(targets.shape)}, expected {expected}")

    def total(self, z: Tensor, targets: Tensor) -> Tensor:
        return (z - targets).square().sum() / 2

    def gradient(self, z: Tensor, targets: Tensor) -> Tensor:
        return z - targets

    def factor(self, z: Tensor, targets: Tensor) -> Tensor:
        return torch.eye(z.shape[1], dtype=z.dtype, device=z.device).expand(len(z), -1, -1)

    def curve(self, z: Tensor, targets: Tensor, v: Tensor) -> Tensor:
        return v


class CustomLoss(Loss):
    """Any function of (outputs (n, C), targets) that is a mean over samples.

    It has Hessian, Gauss-Newton and empirical Fisher matrix; which distribution of targets it is
    the likelihood of, if of any, cannot be known, so it has no Fisher matrix.
    """

    likelihood = False

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]):
        self.function = function

    def _one(self, z: Tensor, target: Tensor) -> Tensor:
        return self.function(z[None], target[None])

    def check(self, z: Tensor, targets: Tensor) -> None:
        whole = self.function(z, targets)
        if whole.ndim:
            raise DataError(f"loss: of shape {tuple(whole.shape)}, expected a scalar")
        apart = torch.stack([self._one(*one) for one in zip(z, targets, strict=True)]).mean()
        if not torch.allclose(whole, apart, rtol=1e-3):
            raise DataError(
                f"loss: {whole.item():.6g} of {len(z)} samples together, {apart.item():.6g} in the "
                "mean of them alone; expected a mean over samples"
            )

    def total(self, z: Tensor, targets: Tensor) -> Tensor:
        return self.function(z, targets) * len(z)

    def gradient(self, z: Tensor, targets: Tensor) -> Tensor:
        return vmap(grad(self._one))(z, targets)

    def factor(self, z: Tensor, targets: Tensor) -> Tensor:
        values, vectors = torch.linalg.eigh(self._hessian(z, targets))
        if (values < -1e-6 * values.abs().max()).any():
            raise DataError("loss: not convex in the outputs, so its Gauss-Newton has no factor")
        return vectors * values.clamp(min=0).sqrt()[:, None, :]

    def curve(self, z: Tensor, targets: Tensor, v: Tensor) -> Tensor:
        return torch.einsum("ncd,...nd->...nc", self._hessian(z, targets), v)

    def _hessian(self, z: Tensor, targets: Tensor) -> Tensor:
        return vmap(hessian(self._one))(z, targets)


LOSSES = {"cross_entropy": CrossEntropy, "squared_error": SquaredError}


def as_loss(loss: str | Loss | Callable[[Tensor, Tensor], Tensor]) -> Loss:
    """The loss of a name, or of a function of (outputs, targets).

    Raises
    ------
    DataError
        If there is none of that name.
    """
    if isinstance(loss, Loss):
        return loss
    if callable(loss):
        return CustomLoss(loss)
    if loss not in LOSSES:
        expected = ", ".join(LOSSES)
        raise DataError(f'loss = "{loss}": expected one of {expected}, or a function')
    return LOSSES[loss]()
