"""Inputs to linear and convolutional layers, and gradients in their outputs, sample by sample.

A sample's gradient in the weights of such a layer is a sum of outer products of the gradient in the
output with the input, over the places where the weights are used: one place for a linear layer on
vectors, many for a convolution. Jacobians, their Gram matrix and Kronecker factors follow from
both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import unfold

from hyperribbon.curvature.derivatives import gradients
from hyperribbon.curvature.problem import Problem

Layer = nn.Linear | nn.Conv2d
CHUNK = 128  # samples evaluated at a time


class Traced(NamedTuple):
    """A chunk of samples at one layer.

    ingoing : (n, groups, T, I), inputs at the T places where the weights are used
    returning : (n, R, groups, T, O), gradients in the layer's outputs, of R scalars per sample
    """

    ingoing: Tensor
    returning: Tensor


def weighted_layers(problem: Problem) -> dict[str, Layer]:
    """Linear and convolutional layers by name, in the order in which they are used.

    A layer is left out if its inputs and outputs do not determine each sample's gradient: if it is
    used more than once, or not as a module; if it shares a parameter; if its first axis does not
    index samples, but time or frames; if it sees only some samples, or in another order; or if it
    is a convolution with padding other than zeros. Its parameters are among `other_parameters`.

    This is checked on all samples: for each chunk and layer, the gradient of a random combination
    of all outputs in the weights must be the one that follows from the tensors at the layer.
    """
    shared = Counter(id(p) for _, p in problem.network.named_parameters(remove_duplicate=False))
    layers = {
        name: module
        for name, module in problem.network.named_modules()
        if isinstance(module, Layer)
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
    problem: Problem, layers: dict[str, Layer], x: Tensor, seed: int
) -> dict[str, Layer]:
    """The layers that determine each sample's gradient, in the order in which they are used."""
    weights = problem.leaves()
    rng = torch.Generator().manual_seed(seed)
    with torch.enable_grad():
        z, calls = _calls(problem, weights, layers, x)
        once = {
            name: (entered, left)
            for name, ((entered, left), *more) in calls.items()
            if not more and entered is not None
            and _is_by_sample(layers[name], entered, left, len(x))
        }  # fmt: skip
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


def _is_by_sample(layer: Layer, entered: Tensor, left: Tensor, n: int) -> bool:
    """Whether the first axis may be that of the samples, judging by shapes."""
    return (
        len(entered) == len(left) == n
        and entered.ndim >= 2
        and (type(layer) is not nn.Conv2d or entered.ndim == 4)
        and left.requires_grad
    )


def parameter_name(layer: str, kind: str) -> str:
    """Name of a layer's ``"weight"`` or ``"bias"``; a layer that is the network has no name."""
    return f"{layer}.{kind}".lstrip(".")


def other_parameters(problem: Problem, layers: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Parameters that belong to none of the layers."""
    of_layers = {id(p) for module in layers.values() for p in module.parameters()}
    trained = dict(problem.network.named_parameters())
    return {k: p for k, p in problem.parameters.items() if id(trained[k]) not in of_layers}


def traced(
    problem: Problem,
    layers: Mapping[str, Layer],
    *,
    chunk: int = CHUNK,
) -> Iterator[tuple[dict[str, Traced], slice]]:
    """Inputs to the layers, and gradients of each network output in theirs, in chunks of samples.

    Each chunk takes one forward pass and C backward passes.

    Parameters
    ----------
    problem : Problem
    layers : some or all of `weighted_layers`
    chunk : samples per chunk
    """
    for part in _chunks(problem, chunk):
        with torch.enable_grad():
            z, calls = _calls(problem, problem.leaves(), layers, problem.inputs[part])
            passing = {name: calls[name][0] for name in layers}
            outputs = [output for _, output in passing.values()]
            back = [
                torch.autograd.grad(column.sum(), outputs, retain_graph=True)
                for column in z.unbind(dim=1)
            ]
        yield (
            {
                name: Traced(
                    places(layers[name], _given(entered)),
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
    problem: Problem, weights: dict[str, Tensor], layers: Mapping[str, Layer], x: Tensor
) -> tuple[Tensor, dict[str, list[tuple[Tensor | None, Tensor]]]]:
    """Outputs, and the input and output of each layer, each time it is used, in order."""
    calls: dict[str, list[tuple[Tensor | None, Tensor]]] = {}

    def keep(name: str):
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
            entered = inputs[0].detach().clone() if inputs else None  # None: passed by keyword
            if not isinstance(output, Tensor):
                entered, output = None, torch.empty(0)
            calls.setdefault(name, []).append((entered, output))
            return output.clone()  # later operations may change it in place

        return hook

    handles = [module.register_forward_hook(keep(name)) for name, module in layers.items()]
    try:
        z = problem.outputs(weights, x)
    finally:
        for handle in handles:
            handle.remove()
    return z, calls


def places(layer: Layer, entered: Tensor) -> Tensor:
    """A layer's inputs as the vectors that its weights multiply, (n, groups, T, I)."""
    if isinstance(layer, nn.Linear):
        return entered.reshape(len(entered), 1, -1, entered.shape[-1])
    assert not isinstance(layer.padding, str), "such layers are left out"
    patches = unfold(entered, layer.kernel_size, layer.dilation, layer.padding, layer.stride)
    return patches.unflatten(1, (layer.groups, -1)).transpose(2, 3)


def _given(entered: Tensor | None) -> Tensor:
    assert entered is not None, "layers whose input is passed by keyword are left out"
    return entered


def _returning(layer: Layer, gradients: list[Tensor]) -> Tensor:
    back = torch.stack(gradients, dim=1)  # (n, R, ...), otherwise in the shape of the outputs
    if isinstance(layer, nn.Linear):
        return back.reshape(*back.shape[:2], 1, -1, back.shape[-1])
    return back.flatten(3).unflatten(2, (layer.groups, -1)).transpose(3, 4)
