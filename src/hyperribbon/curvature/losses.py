"""Losses as functions of a network's outputs, with the derivatives that curvature needs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import grad, hessian, vmap
from torch.nn.functional import cross_entropy, one_hot

from hyperribbon.errors import DataError, first_line


class Loss:
    """A loss that is a mean over samples, as a function of the network's outputs z, (n, C).

    Attributes
    ----------
    likelihood : bool, whether the loss is the negative logarithm, in nats, of the probability that
        a model gives to the target, so that there is a Fisher information matrix
    """

    likelihood = True

    def accept(self, z: Tensor, targets: Tensor) -> Tensor:
        """All targets in the form that the other methods take; DataError if they do not fit z."""
        raise NotImplementedError

    def total(self, z: Tensor, targets: Tensor) -> Tensor:
        """Sum of the loss over the samples, a scalar."""
        raise NotImplementedError

    def gradient(self, z: Tensor, targets: Tensor) -> Tensor:
        """Gradient of each sample's loss in its outputs, (n, C)."""
        raise NotImplementedError

    def factor(self, z: Tensor, targets: Tensor) -> Tensor:
        """R (n, C, C) such that R R^T is the Hessian of each sample's loss in its outputs."""
        raise NotImplementedError

    def curve(self, z: Tensor, targets: Tensor, v: Tensor) -> Tensor:
        """Hessian of each sample's loss in its outputs, times v, (..., n, C)."""
        raise NotImplementedError


class CrossEntropy(Loss):
    """-ln p_y of the softmax p of the outputs, in nats; targets are classes (n,).

    Its Hessian in the outputs, diag(p) - p p^T, is the Fisher information of the label's
    distribution: the expectation over labels is exact, and no label is sampled (thesis 4.2).
    """

    def accept(self, z: Tensor, targets: Tensor) -> Tensor:
        """Classes as int64; DataError if they are not integers (n,) from 0 to C - 1."""
        n, n_classes = z.shape
        if targets.shape != (n,) or targets.is_floating_point():
            found = f"{targets.dtype} of shape {tuple(targets.shape)}"
            raise DataError(f"targets: {found}, expected integer classes of shape ({n},)")
        if not 0 <= int(targets.min()) <= int(targets.max()) < n_classes:
            found = f"{int(targets.min())} to {int(targets.max())}"
            raise DataError(f"targets: classes {found}, expected 0 to {n_classes - 1}")
        return targets.long()

    def total(self, z: Tensor, targets: Tensor) -> Tensor:
        """Sum over samples of -ln p_y."""
        return cross_entropy(z, targets, reduction="sum")

    def gradient(self, z: Tensor, targets: Tensor) -> Tensor:
        """Probabilities less one-hot targets, p - y, (n, C)."""
        return z.softmax(dim=1) - one_hot(targets, z.shape[1])

    def factor(self, z: Tensor, targets: Tensor) -> Tensor:
        """R = (I - p 1^T) diag(p)^(1/2), (n, C, C)."""
        p = z.softmax(dim=1)
        return torch.diag_embed(p.sqrt()) - p[:, :, None] * p.sqrt()[:, None, :]

    def curve(self, z: Tensor, targets: Tensor, v: Tensor) -> Tensor:
        """(diag(p) - p p^T) v, (..., n, C)."""
        p = z.softmax(dim=1)
        weighted = p * v
        return weighted - p * weighted.sum(dim=-1, keepdim=True)


class SquaredError(Loss):
    """|z - y|^2 / 2, a Gaussian likelihood of variance 1 up to a constant; targets y (n, C)."""

    def accept(self, z: Tensor, targets: Tensor) -> Tensor:
        """Targets in the precision of z; DataError if the shapes differ."""
        if targets.shape != z.shape:
            expected = f"that of the outputs, {tuple(z.shape)}"
            raise DataError(f"targets: shape {tuple(targets.shape)}, expected {expected}")
        return targets.to(z.dtype)

    def total(self, z: Tensor, targets: Tensor) -> Tensor:
        """Sum over samples of |z - y|^2 / 2."""
        return (z - targets).square().sum() / 2

    def gradient(self, z: Tensor, targets: Tensor) -> Tensor:
        """Outputs less targets, z - y, (n, C)."""
        return z - targets

    def factor(self, z: Tensor, targets: Tensor) -> Tensor:
        """The identity, (n, C, C)."""
        return torch.eye(z.shape[1], dtype=z.dtype, device=z.device).expand(len(z), -1, -1)

    def curve(self, z: Tensor, targets: Tensor, v: Tensor) -> Tensor:
        """The vectors v themselves, (..., n, C)."""
        return v


class CustomLoss(Loss):
    """Any function of (outputs (n, C), targets) that is a mean over samples.

    It has a Hessian, a Gauss-Newton and an empirical Fisher matrix. It has no Fisher matrix,
    because nothing says whether it is the likelihood of some distribution of targets.
    """

    likelihood = False

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]):
        self.function = function

    def _one(self, z: Tensor, target: Tensor) -> Tensor:
        return self.function(z[None], target[None])

    def accept(self, z: Tensor, targets: Tensor) -> Tensor:
        """The targets, if the function is a mean over the samples; otherwise a DataError.

        Gradients are compared sample by sample, because a sample that is left out or counts twice
        would not show in the mean over many.
        """
        z = z.detach()
        together = self._value(z, targets)
        if together.ndim:
            raise DataError(f"loss: of shape {tuple(together.shape)}, expected a scalar")
        alone = torch.stack([self._value(*one) for one in _singles(z, targets)])
        tolerance = torch.finfo(z.dtype).eps ** 0.5
        if not alone.isfinite().all():
            sample = int((~alone.isfinite()).nonzero()[0])
            raise DataError(f"loss: {alone[sample].item()} for sample {sample} alone, expected a "
                            "finite number for each")  # fmt: skip
        if not torch.allclose(together, alone.mean(), rtol=tolerance, atol=tolerance):
            raise DataError(
                f"loss: {together.item():.6g} for {len(z)} samples together, but a mean of "
                f"{alone.mean().item():.6g} over each alone; expected a mean over samples"
            )
        if not torch.equal(together, self._value(z, targets)):
            raise DataError("loss: differs from call to call, expected a function without chance")
        whole = grad(lambda z: self._value(z, targets))(z) * len(z)
        off = (whole - self.gradient(z, targets)).abs().amax(dim=1)
        if (off > tolerance * (1 + whole.abs().max())).any():
            raise DataError(
                f"loss: sample {int(off.argmax())} alone has another gradient than among "
                f"{len(z)} samples; expected a mean over samples"
            )
        return targets

    def _value(self, z: Tensor, targets: Tensor) -> Tensor:
        try:
            value = self.function(z, targets)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            given = f"outputs {tuple(z.shape)} and targets {tuple(targets.shape)} {targets.dtype}"
            raise DataError(f"loss: fails on {given}: {first_line(error)}") from error
        if not isinstance(value, Tensor):
            raise DataError(f"loss: a {type(value).__name__}, expected a tensor that torch can "
                            "differentiate")  # fmt: skip
        return value

    def total(self, z: Tensor, targets: Tensor) -> Tensor:
        """The function, a mean, times the number of samples."""
        return self.function(z, targets) * len(z)

    def gradient(self, z: Tensor, targets: Tensor) -> Tensor:
        """Gradient of the function of each sample alone, (n, C)."""
        return _each_sample(grad(self._one), z, targets)

    def factor(self, z: Tensor, targets: Tensor) -> Tensor:
        """R from eigenpairs of each sample's Hessian; DataError if one is not convex."""
        values, vectors = torch.linalg.eigh(self._hessian(z, targets))
        if (values < -1e-6 * values.abs().max()).any():
            raise DataError("loss: not convex in the outputs, so its Gauss-Newton has no factor")
        return vectors * values.clamp(min=0).sqrt()[:, None, :]

    def curve(self, z: Tensor, targets: Tensor, v: Tensor) -> Tensor:
        """Each sample's Hessian times v, (..., n, C)."""
        return torch.einsum("ncd,...nd->...nc", self._hessian(z, targets), v)

    def _hessian(self, z: Tensor, targets: Tensor) -> Tensor:
        return _each_sample(hessian(self._one), z, targets)


def _singles(z: Tensor, targets: Tensor):
    return zip(z.split(1), targets.split(1), strict=True)


def _each_sample(function: Callable, z: Tensor, targets: Tensor) -> Tensor:
    """Apply a function of one sample's outputs and target to each; at once where torch can."""
    try:
        return vmap(function)(z, targets)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError:  # for example, a branch on the values
        return torch.stack([function(*one) for one in zip(z, targets, strict=True)])


LOSSES = {"cross_entropy": CrossEntropy, "squared_error": SquaredError}


def as_loss(loss: str | Loss | Callable[[Tensor, Tensor], Tensor]) -> Loss:
    """The loss with the given name, or made of a function of (outputs, targets).

    Raises
    ------
    DataError
        If there is no loss with that name.
    """
    if isinstance(loss, Loss):
        return loss
    if callable(loss):
        return CustomLoss(loss)
    if not isinstance(loss, str) or loss not in LOSSES:
        expected = ", ".join(LOSSES)
        raise DataError(f'loss = "{loss}": expected one of {expected}, or a function')
    return LOSSES[loss]()
