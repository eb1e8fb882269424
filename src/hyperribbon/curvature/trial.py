"""A network's outputs of all samples, evaluated again and in other company before they are used."""

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

# Of the largest output, in units of the precision's rounding error.
SAME_CALL = 64  # threads and GPUs may add in another order
_REENTRANT = "None of the inputs have requires_grad=True"  # the warning of such a checkpoint
SAME_SAMPLE = 8192  # products of another size are computed in another order, layer upon layer


def tried_outputs(problem: Problem) -> Tensor:
    """Outputs (N, C) of all samples, if each depends on its sample and the weights alone.

    All are evaluated twice, and once more in other batches and in reverse; the first one also
    alone. Random generators are left as they were.

    Raises
    ------
    DataError
        If the network fails, outputs are not (n, C) finite numbers, differ from call to call, or
        depend on the other samples of the batch.
    """
    with _generators_left():
        whole = torch.cat([_outputs(problem, x) for x, _ in problem.batches(8)])
        bad = ~whole.isfinite().all(dim=1)
        if bad.any():
            where = int(bad.nonzero()[0])
            raise DataError(f"network: outputs of sample {where} contain NaN or infinity")
        again = torch.cat([_outputs(problem, x) for x, _ in problem.batches(8)])
        if _differ(whole, again, SAME_CALL):
            raise DataError(
                f"network: outputs differ by {_off(whole, again):.2g} between two calls; expected "
                "no dropout in forward, random augmentation or state kept from call to call"
            )
        alone = _outputs(problem, problem.inputs[:1])
        halves = [x.flip(0).tensor_split(2) for x, _ in problem.batches(8)]
        parts = [[_outputs(problem, half) for half in both if len(half)] for both in halves]
        elsewhere = torch.cat([torch.cat(both).flip(0) for both in parts])
        for found, expected in ((elsewhere, whole), (alone, whole[:1])):
            if found.shape != expected.shape or _differ(expected, found, SAME_SAMPLE):
                raise DataError(
                    "network: outputs of a sample differ with the other samples of its batch; "
                    "expected samples along the first axis, each on its own"
                )
    return whole


@torch.no_grad()
def _outputs(problem: Problem, x: Tensor) -> Tensor:
    """Outputs (n, C) of a batch."""

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
        instead = "; expected forward to take them alone" * isinstance(error, TypeError)
        raise DataError(f"network: {where}fails on {given}: {reason}{instead}") from error
    if not isinstance(z, Tensor):
        raise DataError(f"network: outputs are a {type(z).__name__}, expected a tensor (n, C); "
                        "wrap it in a module that returns the logits alone")  # fmt: skip
    n, shape = len(x), tuple(z.shape)
    if z.ndim != 2 or len(z) != n or not z.shape[1]:
        instead = ""
        if shape == (n,) or n == 1:
            instead = "; drop the squeeze, or let it name its axis"
        expected = f"({n}, C) of {n} sample{'s' * (n > 1)}"
        raise DataError(f"network: outputs of shape {shape}, expected {expected}{instead}")
    if z.dtype != problem.dtype:
        raise DataError(f"network: outputs of {z.dtype}, expected {problem.dtype} as its weights; "
                        "let forward keep the type, or call network.double() first")  # fmt: skip
    return z


def innermost(network: nn.Module, call: Callable[[], object]) -> str:
    """The innermost layer in which a call fails, such as ``"Linear '0' "``; empty if it does not.

    Parameters
    ----------
    network : nn.Module
    call : evaluates it
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
    """The state of every random generator that a network may draw from, as it was."""
    numpy_state, python_state = np.random.get_state(), random.getstate()
    with torch.random.fork_rng():
        try:
            yield
        finally:
            np.random.set_state(numpy_state)
            random.setstate(python_state)
