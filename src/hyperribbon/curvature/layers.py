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

from hyperribbon.curvature.derivatives import gradients
from hyperribbon.curvature.problem import Problem

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

    Left out are those of which what passes them does not give each sample's gradient: those used
    more than once, or not as modules; that share a parameter; whose first axis is not that of the
    samples, but of time or of frames; that are given only some samples, or in another order; and
    convolutions with another padding than zeros. Their parameters are among `other_parameters`.

    All samples pass the network: for each chunk and layer, the gradient in the weights of a random
    combination of all outputs must be what follows from the tensors at the layer, sample by sample.
    """
    shared = Counter(id(p) for _, p in problem.network.named_parameters(remove_duplicate=False))
    layers = {
        name: module
        for name, module in problem.network.named_modules()
        if isinstance(module, LAYERS)
        and getattr(module, "padding_mode", "zeros") == "zeros"
        and not isinstance(getattr(module, "padding", 0), str)
        and all(shared[id(p)] == 1 for p in module.parameters())
        and parameter_name(name, "weight") in problem.parameters
    }
    for part in _chunks(problem, CHUNK):
        if not layers:
            break
        layers = _as_traced(problem, layers, problem.inputs[part], seed=part.start)
    return layers


def _as_traced(
    problem: Problem, layers: dict[str, nn.Module], x: Tensor, seed: int
) -> dict[str, nn.Module]:
    """Those layers that give each sample's gradient in their weights, in the order of their use."""
    weights = problem.leaves()
    rng = torch.Generator().manual_seed(seed)
    with torch.enable_grad():
        z, calls = _calls(problem, weights, layers, x)
        once = {
            name: passed[0]
            for name, passed in calls.items()
            if len(passed) == 1 and _is_by_sample(layers[name], passed[0], len(x))
        }
        a, b = (torch.randn(n, generator=rng, dtype=z.dtype).to(z.device) for n in z.shape)
        scalars = z @ b
        outputs = {name: output for name, (_, output) in once.items()}
        back = gradients(scalars.sum(), outputs)
        truth = gradients(scalars @ a, weights)
    found = {}
    tolerance = torch.finfo(z.dtype).eps ** 0.5
    for name, (entered, _) in once.items():
        ingoing = places(layers[name], entered)
        returning = _returning(layers[name], [back[name]])[:, 0]
        traced_ones = {
            "weight": torch.einsum("n,ngto,ngti->goi", a, returning, ingoing),
            "bias": torch.einsum("n,ngto->go", a, returning),
        }
        lengths = a.abs() * returning.flatten(1).norm(dim=1)
        bounds = {
            "weight": lengths @ ingoing.flatten(1).norm(dim=1),
            "bias": lengths.sum() * ingoing.shape[2] ** 0.5,
        }
        if all(
            (traced_ones[kind].flatten() - truth[full].flatten()).norm() <= tolerance * bounds[kind]
            for kind in traced_ones
            if (full := parameter_name(name, kind)) in truth
        ):
            found[name] = layers[name]
    return found


def _is_by_sample(layer: nn.Module, passed: tuple[Tensor | None, Tensor], n: int) -> bool:
    """Whether shapes allow that the first axis is that of the samples."""
    entered, left = passed
    ndim = {nn.Conv2d: 4}.get(type(layer))
    return (
        entered is not None
        and len(entered) == len(left) == n
        and entered.ndim >= 2
        and ndim in (None, entered.ndim)
        and left.requires_grad
    )


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
    for part in _chunks(problem, chunk):
        x, targets = problem.inputs[part], problem.targets[part]
        with torch.enable_grad():
            z, calls = _calls(problem, problem.leaves(), layers, x)
            passing = {name: calls[name][0] for name in layers}
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


def _chunks(problem: Problem, size: int) -> Iterator[slice]:
    for start in range(0, problem.n_samples, size):
        yield slice(start, min(start + size, problem.n_samples))


def _calls(
    problem: Problem, weights: dict[str, Tensor], layers: dict[str, nn.Module], x: Tensor
) -> tuple[Tensor, dict[str, list[tuple[Tensor | None, Tensor]]]]:
    """Outputs, and what goes in and out of each layer, each time it is used, in order."""
    calls: dict[str, list[tuple[Tensor | None, Tensor]]] = {}

    def keep(name: str):
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
            entered = inputs[0].detach().clone() if inputs else None  # given by keyword
            if not isinstance(output, Tensor):
                entered, output = None, torch.empty(0)
            calls.setdefault(name, []).append((entered, output))
            return output.clone()  # what follows may change it in place

        return hook

    handles = [module.register_forward_hook(keep(name)) for name, module in layers.items()]
    try:
        z = problem.outputs(weights, x)
    finally:
        for handle in handles:
            handle.remove()
    return z, calls


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
