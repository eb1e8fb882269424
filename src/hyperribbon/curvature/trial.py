"""A network's outputs for all samples, checked by evaluating them again and in other batches."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from hyperribbon.errors import DataError, first_line

if TYPE_CHECKING:
    from hyperribbon.curvature.problem import Problem

# Tolerances relative to the largest output, in units of the precision's epsilon.
SAME_CALL = 64  # threads and GPUs may add in another order
SAME_SAMPLE = 8192  # products of another size are computed in another order, in every layer
_REENTRANT = "None of the inputs have requires_grad=True"  # warning of a reentrant checkpoint


def tried_outputs(problem: Problem) -> Tensor:
    """Outputs (N, C) for all samples, if each depends on its sample and the weights alone.

    All samples are evaluated twice, and once more in other batches and in reverse order; the first
    sample is also evaluated alone. Random generators keep their states.

    Raises
    ------
    DataError
        If the network fails, if outputs are not (n, C) finite numbers, if they differ from call to
        call, or if they depend on the other samples of the batch.
    """
    with _generators_left():
        whole = torch.cat([_outputs(problem, x) for x, _ in problem.batches(8)])
        bad = ~whole.isfinite().all(dim=1)
        if bad.any():
            where = int(bad.nonzero()[0])
            raise DataError(f"network: outputs for sample {where} contain NaN or infinity")
        again = torch.cat([_outputs(problem, x) for x, _ in problem.batches(8)])
        if _differ(whole, again, SAME_CALL):
            raise DataError(
                f"network: outputs differ by {_off(whole, again):.2g} between two calls; expected "
                "no dropout in forward, random augmentation or state that changes with each call"
            )
        alone = _outputs(problem, problem.inputs[:1])
        halves = [x.flip(0).tensor_split(2) for x, _ in problem.batches(8)]
        parts = [[_outputs(problem, half) for half in both if len(half)] for both in halves]
        elsewhere = torch.cat([torch.cat(both).flip(0) for both in parts])
        for found, expected in ((elsewhere, whole), (alone, whole[:1])):
            if found.shape != expected.shape or _differ(expected, found, SAME_SAMPLE):
                raise DataError(
                    "network: outputs for a sample depend on the other samples of its batch; "
                    "expected samples along the first axis, independent of each other"
                )
    return whole


@torch.no_grad()
def _outputs(problem: Problem, x: Tensor) -> Tensor:
    """Outputs (n, C) for a batch."""

    def call() -> Tensor:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", _REENTRANT)
            return problem.outputs(problem.parameters, x)

    try:
        z = call()
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        where, reason = innermost(problem.network, call), first_line(error)
        if reason.startswith(_REENTRANT):
            hides = "checkpoints with use_reentrant=True, which hides weights from derivatives"
            raise DataError(f"network: {where}{hides}; set use_reentrant=False") from error
        given = f"inputs of shape {tuple(x.shape)} and {x.dtype}"
        instead = "; expected forward(inputs)" * isinstance(error, TypeError)
        raise DataError(f"network: {where}fails on {given}: {reason}{instead}") from error
    if not isinstance(z, Tensor):
        raise DataError(f"network: outputs are a {type(z).__name__}, expected a tensor (n, C); "
                        "wrap it in a module that returns the logits alone")  # fmt: skip
    n, shape = len(x), tuple(z.shape)
    if z.ndim != 2 or len(z) != n or not z.shape[1]:
        instead = ""
        if shape == (n,) or n == 1:
            instead = "; remove squeeze(), or give it an axis"
        expected = f"({n}, C) for {n} sample{'s' * (n > 1)}"
        raise DataError(f"network: outputs of shape {shape}, expected {expected}{instead}")
    if z.dtype != problem.dtype:
        raise DataError(f"network: outputs of {z.dtype}, expected {problem.dtype} like its weights"
                        "; keep the type in forward, or call network.double() first")  # fmt: skip
    return z


def innermost(network: nn.Module, call: Callable[[], object]) -> str:
    """The innermost layer in which a call fails, such as ``"Linear '0' "``; empty if none does.

    Parameters
    ----------
    network : nn.Module
    call : function that evaluates the network
    """
    entered: list[str] = []
    handles = []
    for name, module in network.named_modules():
        label = f"{type(module).__name__} {name!r} "
        enter = partial(_append, entered, label)
        handles.append(module.register_forward_pre_hook(enter))
        handles.append(module.register_forward_hook(lambda *_: entered.pop() and None))
    try:
        call()
    except Exception:
        return entered[-1] if entered else ""
    finally:
        for handle in handles:
            handle.remove()
    return ""


def _append(entered: list[str], label: str, *_) -> None:
    entered.append(label)


def _off(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max())


def _differ(a: Tensor, b: Tensor, roundings: float) -> bool:
    return _off(a, b) > roundings * torch.finfo(a.dtype).eps * float(a.abs().max())


@contextmanager
def _generators_left() -> Iterator[None]:
    """Restore the state of every random generator that a network may draw from."""
    numpy_state, python_state = np.random.get_state(), random.getstate()
    with torch.random.fork_rng():
        try:
            yield
        finally:
            np.random.set_state(numpy_state)
            random.setstate(python_state)
