"""Jacobians of feature maps, in blocks of samples of bounded memory."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.func import jvp, vjp, vmap

from hyperribbon.bars import step_bar
from hyperribbon.errors import DataError, first_line
from hyperribbon.representations.features import FeatureMap, checked_features

BLOCK_BYTES = 2**27
_PASS_BYTES = 2**25  # of the largest tensor of a pass
_Result = TypeVar("_Result")


def jacobians(
    features: FeatureMap, x: Tensor, directions: Tensor, progress_bar: str | None = None
) -> Iterator[tuple[slice, Tensor]]:
    """Derivatives of the features along directions, divided by the root of their number.

    With fewer features than inputs, they come from n vector-Jacobian products; otherwise from k
    Jacobian-vector products, in which all samples of a block share what a first affine layer makes
    of the directions. A block takes about 128 MB, or what one sample takes.

    Parameters
    ----------
    features : function (B, d) -> (B, n)
    x : (B, d)
    directions : (d, k)
    progress_bar : str, optional
        Name of a progress bar to show; none if the output is not a terminal.

    Yields
    ------
    samples : slice
        Samples of the block.
    J : (b, k, n)
        Valid until the next block.

    Raises
    ------
    DataError
        If the features cannot be differentiated, or are constant at every point.
    """
    n, widest = sizes(features, x)
    directions, k = directions / n**0.5, directions.shape[1]
    rows = directions.T.contiguous()
    backward = n < min(k, x.shape[1])
    step = block_length(n * k)
    buffer = torch.empty(min(step, len(x)), k, n, dtype=x.dtype)

    def of_block(y: Tensor) -> Tensor:
        J, at_once = buffer[: len(y)], max(1, _PASS_BYTES // (8 * widest * len(y)))
        if backward:
            pull: Any = vjp(features, y)[1]
            of_feature = vmap(lambda e: pull(e.expand(len(y), n))[0])
            for some in torch.eye(n, dtype=y.dtype).split(at_once):
                columns = some.argmax(dim=1)
                J[:, :, columns] = (of_feature(some) @ directions).permute(1, 2, 0)
        else:
            along = vmap(lambda v: vmap(lambda point: _along(features, point, v))(y))
            for start in range(0, k, at_once):
                some = slice(start, start + at_once)
                J[:, some] = along(rows[some].clone()).transpose(0, 1)
        return J

    zero = True
    for samples, J in in_blocks(of_block, x, step, progress_bar):
        zero = zero and not J.any()
        yield samples, J
    if zero:
        raise DataError(
            "features: all derivatives are zero at every point; they are constant there, or not "
            "differentiable"
        )


def _along(features: FeatureMap, point: Tensor, direction: Tensor) -> Tensor:
    """Derivative of the features (n,) of a point (d,) along a direction (d,)."""
    return jvp(lambda p: features(p[None])[0], (point,), (direction,))[1]


def sizes(features: FeatureMap, x: Tensor) -> tuple[int, int]:
    """Number of features, and of numbers in the largest tensor on the way to them.

    Raises
    ------
    DataError
        If the features do not depend on the inputs in a way that can be differentiated.
    """
    n = checked_features(features, x).shape[1]
    widest = max(n, x.shape[1])

    def keep(tensor: Tensor) -> Tensor:
        nonlocal widest
        if tensor.ndim and len(tensor) == 1:  # else a weight
            widest = max(widest, tensor.numel())
        return tensor

    hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda saved: saved)
    with torch.enable_grad():
        one = x[:1].clone().requires_grad_()
        try:
            with hooks:
                found = features(one)
        except RuntimeError as error:
            if "saved tensor hooks" not in str(error):
                raise
            found = features(one)  # they are derivatives themselves, as those of `ntk_features`
    if not found.requires_grad:
        raise DataError("features: not differentiable with respect to the inputs")
    return n, widest


def block_length(numbers: int) -> int:
    """Samples in a block, from the numbers that one of them takes."""
    return max(1, BLOCK_BYTES // (8 * numbers))


def in_blocks(
    of_block: Callable[[Tensor], _Result], x: Tensor, step: int, progress_bar: str | None
) -> Iterator[tuple[slice, _Result]]:
    """Apply a function that differentiates features to blocks of samples, one by one.

    A block has storage of its own: of a part of a larger tensor, torch copies the directions for
    each sample, and samples no longer share what a first affine layer makes of them.
    """
    with step_bar(len(x), progress_bar) as bar:
        for start in range(0, len(x), step):
            rows = slice(start, min(start + step, len(x)))
            try:
                found = of_block(x[rows].clone())
            except (RuntimeError, NotImplementedError) as error:
                if "out of memory" in str(error) or "can't allocate" in str(error):
                    raise
                raise DataError(
                    f"features: cannot be differentiated ({first_line(error)})"
                ) from None
            yield rows, found
            bar.update(rows.stop - rows.start)
