"""Derivatives along weights, by the fastest way that torch offers for a network's layers.

The fastest way is forward differentiation along many vectors at once. Some layers lack rules for
that, so there are slower ways that need less. Each way is checked on two samples before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.func import grad, jvp, vjp, vmap

from hyperribbon.errors import DataError, first_line

Tangents = dict[str, Tensor]


class Way(NamedTuple):
    """How to differentiate.

    Attributes
    ----------
    forward : whether to use forward differentiation along vectors, or else reverse differentiation
        twice
    at_once : whether to take all vectors together, or else one after another
    """

    forward: bool
    at_once: bool


WAYS = (Way(True, True), Way(True, False), Way(False, False))


class Linearised:
    """Outputs z as a function of the weights, and products with their Jacobian J.

    Parameters
    ----------
    function : function of a dict of Tensor
    weights : point at which the function is linearised
    way : Way

    Attributes
    ----------
    z : Tensor, the outputs at the weights
    """

    def __init__(self, function: Callable[[Tangents], Tensor], weights: Tangents, way: Way):
        self._function, self._weights, self._way = function, weights, way
        if way.forward:
            self.z, self._pull = cast("tuple[Tensor, Callable]", vjp(function, weights))
        else:
            self._leaves = leaves(weights)
            with torch.enable_grad():
                self._graph = function(self._leaves)
            self.z = self._graph.detach()

    def along(self, tangents: Tangents) -> Tensor:
        """J v (b, *z.shape), for tangents v (b, ...)."""
        if self._way.forward:
            of_one = partial(_forward, self._function, self._weights)
            return _each(of_one, tangents, self._way)
        # J^T u is linear in u, so its derivative in u along v is J v.
        u = torch.zeros_like(self.z, requires_grad=True)
        pulled = gradients(self._graph, self._leaves, u, create_graph=True)
        with torch.enable_grad():
            return _each(lambda v: gradients(_dot(pulled, v), {"": u})[""], tangents, self._way)

    def back(self, u: Tensor) -> Tangents:
        """J^T u, tensors (b, ...) by parameter, for u (b, *z.shape)."""
        if self._way.forward:
            return _each(lambda one: self._pull(one)[0], u, self._way)
        return _each(lambda one: gradients(self._graph, self._leaves, one), u, self._way)


def second(
    function: Callable[[Tangents], Tensor], weights: Tangents, tangents: Tangents, way: Way
) -> Tangents:
    """H v, tensors (b, ...): second derivatives of a scalar function along tangents (b, ...)."""
    if way.forward:
        return _each(partial(_forward, grad(function), weights), tangents, way)
    at = leaves(weights)
    with torch.enable_grad():
        slope = gradients(function(at), at, create_graph=True)
        return _each(lambda v: gradients(_dot(slope, v), at), tangents, way)


def leaves(weights: Tangents) -> Tangents:
    """The weights as leaves of a new graph."""
    return {k: w.detach().requires_grad_() for k, w in weights.items()}


def gradients(
    of: Tensor, at: Tangents, along: Tensor | None = None, create_graph: bool = False
) -> Tangents:
    """Gradients of a tensor times `along`, of its shape; 0 where it does not depend on a weight."""
    if not of.requires_grad:
        return {k: torch.zeros_like(t) for k, t in at.items()}
    found = torch.autograd.grad(
        of, list(at.values()), along, True, create_graph, allow_unused=True, materialize_grads=True
    )
    return dict(zip(at, found, strict=True))


def way_of_jacobian(
    outputs: Callable[[Tangents], Tensor], weights: Tangents, ways: tuple[Way, ...]
) -> Way:
    """The first way for which J and its transpose agree with plain reverse differentiation.

    Raises
    ------
    DataError
        If there is none.
    """

    def agrees(way: Way) -> bool:
        linear = Linearised(outputs, weights, way)
        v, u = _random(weights), _random({"": linear.z})[""]
        Jv, JTu = linear.along(v), linear.back(u)
        expected = Linearised(outputs, weights, WAYS[-1]).back(u)
        tol = _tolerance(linear.z)
        here, there = _flat({"": Jv}), _flat(JTu)
        off = (_flat({"": u}) * here).sum(1) - (there * _flat(v)).sum(1)
        size = _flat({"": u}).norm() * here.norm() + there.norm() * _flat(v).norm()
        return bool(
            off.abs().max() <= tol * size
            and (there - _flat(expected)).norm() <= tol * _flat(expected).norm()
        )

    return _first(agrees, ways)


def way_of_hessian(
    totals: Sequence[Callable[[Tangents], Tensor]], weights: Tangents, ways: tuple[Way, ...]
) -> Way:
    """The first way for which the Hessian of one of the functions is symmetric.

    The functions are of the same kind, so a way that is right for one is right for all. Where one
    of them is so flat that its Hessian is nothing but rounding errors, another one decides.

    Raises
    ------
    DataError
        If there is none.
    """
    v = _random(weights)
    flat = _flat(v)

    def symmetric(total: Callable[[Tangents], Tensor], way: Way) -> bool:
        Hv = _flat(second(total, weights, v, way))
        off = flat[0] @ Hv[1] - flat[1] @ Hv[0]
        return bool(off.abs() <= _tolerance(flat) * flat.norm() * Hv.norm())

    return _first(lambda way: any(symmetric(total, way) for total in totals), ways)


def without_second_derivatives(network: nn.Module, call: Callable[[], Tensor]) -> str:
    """The name of a layer that cannot be differentiated twice, such as ``"GRU 'rnn' "``.

    Parameters
    ----------
    network : nn.Module
    call : function that evaluates the network

    Returns
    -------
    str, empty if each layer on its own can be differentiated twice
    """
    passed: list[tuple[str, nn.Module, tuple]] = []

    def keep(module: nn.Module, inputs: tuple, output, name: str) -> None:
        if inputs and isinstance(inputs[0], Tensor):
            passed.append((name, module, inputs))

    handles = [
        module.register_forward_hook(partial(_call_named, keep, name))
        for name, module in network.named_modules()
        if next(module.children(), None) is None
    ]
    try:
        call()
    finally:
        for handle in handles:
            handle.remove()
    for name, module, inputs in passed:
        at = leaves(dict(module.named_parameters()))
        if inputs[0].is_floating_point():
            at[""] = inputs[0].detach().requires_grad_()
        if at and not _twice(module, inputs, at):
            return f"{type(module).__name__} {name!r} "
    return ""


def _call_named(keep: Callable, name: str, module: nn.Module, inputs: tuple, output) -> None:
    keep(module, inputs, output, name)


def _twice(module: nn.Module, inputs: tuple, at: Tangents) -> bool:
    """Whether a layer on its own can be differentiated twice."""
    parameters = {k: t for k, t in at.items() if k}
    first = (at.get("", inputs[0]), *inputs[1:])
    try:
        with torch.enable_grad():
            found = torch.func.functional_call(module, parameters, first)
            found = found[0] if isinstance(found, tuple) else found
            slope = gradients(found.square().sum(), at, create_graph=True)
            gradients(_dot(slope, slope), at)
    except RuntimeError:
        return False
    return True


def _first(agrees: Callable[[Way], bool], ways: tuple[Way, ...]) -> Way:
    for way in ways:
        try:
            if agrees(way):
                return way
            reason = "they disagree with derivatives taken in another order"
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            reason = first_line(error)
    raise DataError(reason)


def _forward(function: Callable, weights: Tangents, v: Tangents) -> Any:
    return jvp(function, (weights,), (v,))[1]


def _each(function: Callable, vectors: Tangents | Tensor, way: Way) -> Any:
    """Results of a function of one vector, stacked over all b vectors: a tensor or `Tangents`."""
    found: Any
    if way.at_once:
        found = vmap(function)(vectors)
        # A result that depends on no vector is expanded, not copied; sums in place need copies.
        if isinstance(found, dict):
            return {k: t.contiguous() for k, t in found.items()}
        return found.contiguous()
    if isinstance(vectors, dict):
        b = len(next(iter(vectors.values())))
        found = [function({k: t[i] for k, t in vectors.items()}) for i in range(b)]
    else:
        found = [function(vector) for vector in vectors]
    if isinstance(found[0], dict):
        return {k: torch.stack([one[k] for one in found]) for k in found[0]}
    return torch.stack(found)


def _dot(a: Tangents, b: Tangents) -> Tensor:
    return cast("Tensor", sum((a[k] * b[k]).sum() for k in a))


def _random(like: Tangents) -> Tangents:
    """Two random tensors of each shape."""
    rng = torch.Generator().manual_seed(0)
    return {
        k: torch.randn(2, *t.shape, generator=rng, dtype=t.dtype).to(t.device)
        for k, t in like.items()
    }


def _flat(tensors: Tangents) -> Tensor:
    return torch.cat([t.detach().flatten(1) for t in tensors.values()], dim=1)


def _tolerance(t: Tensor) -> float:
    return torch.finfo(t.dtype).eps ** 0.5
