"""What goes into each linear or convolutional layer, and what comes back to it, sample by sample.

Of such a layer, a sample's gradient in the weights is a sum, over the places where the weights are
used (one of a linear layer on vectors, many of a convolution), of outer products of what comes back
with what went in. So both together give Jacobians, their Gram matrix and Kronecker factors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import unfold

from hyperribbon.curvature.problem import Problem, differentiable_attention

LAYERS = (nn.Linear, nn.Conv2d)
CHUNK = 128  # samples that pass the network at a time


class Traced(NamedTuple):
    """A chunk of samples at one layer.

    ingoing : (n, groups, T, I), at the T places where the weights are used
    returning : (n, R, groups, T, O), gradients in the layer's outputs of R scalars a sample
    """

    ingoing: Tensor
    returning: Tensor


def weighted_layers(problem: Problem) -> dict[str, nn.Module]:
    """Linear and convolutional layers by name, in the order in which they are used.

    Left out are those used more than once or not as modules, those that share a parameter, and
    convolutions with another padding than zeros; their parameters are among `other_parameters`.
    """
    network = problem.network
    calls: Counter[str] = Counter()  # in the order of the first ones
    shared = Counter(id(p) for _, p in network.named_parameters(remove_duplicate=False))
    candidates = {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, LAYERS)
        and getattr(module, "padding_mode", "zeros") == "zeros"
        and not isinstance(getattr(module, "padding", 0), str)
        and all(shared[id(p)] == 1 for p in module.parameters())
        and parameter_name(name, "weight") in problem.parameters
    }
    handles = [
        module.register_forward_hook(lambda *_, name=name: calls.update([name]))
        for name, module in candidates.items()
    ]
    try:
        with torch.no_grad():
            problem.outputs(problem.parameters, problem.inputs[:2])
    finally:
        for handle in handles:
            handle.remove()
    return {name: candidates[name] for name, count in calls.items() if count == 1}


def parameter_name(layer: str, kind: str) -> str:
    """Name of a layer's ``"weight"`` or ``"bias"``; a network that is one layer has none itself."""
    return f"{layer}.{kind}".lstrip(".")


def other_parameters(problem: Problem, layers: dict[str, nn.Module]) -> dict[str, Tensor]:
    """Parameters of none of the layers."""
    of_layers = {id(p) for module in layers.values() for p in module.parameters()}
    trained = dict(problem.network.named_parameters())
    return {k: p for k, p in problem.parameters.items() if id(trained[k]) not in of_layers}


def traced(
    problem: Problem,
    layers: dict[str, nn.Module],
    scalars=None,
    *,
    chunk: int = CHUNK,
) -> Iterator[tuple[dict[str, Traced], slice]]:
    """What passes the layers, in chunks of samples; a forward and R backward passes each.

    Parameters
    ----------
    problem : Problem
    layers : those of `weighted_layers` that are wanted
    scalars : function of (outputs, targets) that gives (n, R), of which the gradients are; by
        default the outputs, one after another
    chunk : samples at a time
    """
    for start in range(0, problem.n_samples, chunk):
        part = slice(start, min(start + chunk, problem.n_samples))
        x, targets = problem.inputs[part], problem.targets[part]
        with torch.enable_grad():
            z, passing = _forward(problem, layers, x)
            found = z if scalars is None else scalars(z, targets)
            outputs = [output for _, output in passing.values()]
            back = [
                torch.autograd.grad(column.sum(), outputs, retain_graph=True)
                for column in found.unbind(dim=1)
            ]
        yield (
            {
                name: Traced(
                    places(layers[name], entered),
                    _returning(layers[name], [gradients[k] for gradients in back]),
                )
                for k, (name, (entered, _)) in enumerate(passing.items())
            },
            part,
        )


def _forward(
    problem: Problem, layers: dict[str, nn.Module], x: Tensor
) -> tuple[Tensor, dict[str, tuple[Tensor, Tensor]]]:
    """Outputs, and what goes in and out of each layer."""
    passing: dict[str, tuple[Tensor, Tensor]] = {}

    def keep(name: str):
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            passing[name] = inputs[0].detach().clone(), output
            return output.clone()  # what follows may change it in place

        return hook

    handles = [module.register_forward_hook(keep(name)) for name, module in layers.items()]
    try:
        with differentiable_attention():
            z = problem.network(x)
    finally:
        for handle in handles:
            handle.remove()
    return z, {name: passing[name] for name in layers}


def places(layer: nn.Module, entered: Tensor) -> Tensor:
    """What goes in, (n, groups, T, I): the vectors that the weights are multiplied with."""
    if isinstance(layer, nn.Linear):
        return entered.reshape(len(entered), 1, -1, entered.shape[-1])
    patches = unfold(entered, layer.kernel_size, layer.dilation, layer.padding, layer.stride)
    return patches.unflatten(1, (layer.groups, -1)).transpose(2, 3)


def _returning(layer: nn.Module, gradients: Sequence[Tensor]) -> Tensor:
    back = torch.stack(gradients, dim=1)  # (n, R, ...) in the shape of the outputs
    if isinstance(layer, nn.Linear):
        return back.reshape(*back.shape[:2], 1, -1, back.shape[-1])
    return back.flatten(3).unflatten(2, (layer.groups, -1)).transpose(3, 4)
