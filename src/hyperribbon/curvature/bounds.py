"""Bounds from the norms of the weights, compared with measured values (thesis 4.3.1, 4.7.3).

They hold for networks z = w^L s(w^(L-1) s(... w^0 x)) of linear layers without biases, whose
activations are 0 at 0 and have slopes of at most a = 1. All norms are spectral; all matrices are
means over the samples of the problem, in nats; F is the Fisher matrix, which for the cross-entropy
is the Gauss-Newton approximation of the Hessian.

The printed proof of Corollary 4.7.7 bounds F by the Jacobian of the *sum* of the logits, which is
wrong, because terms of different logits cancel in the sum. The statement still holds, because
Lemma 4.3.2 bounds the contribution of every logit by the same matrix, in the order of semidefinite
matrices.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from torch import nn

from hyperribbon.curvature.correlations import layer_spectra
from hyperribbon.curvature.gram import JacobianGram
from hyperribbon.curvature.layers import parameter_name, weighted_layers
from hyperribbon.curvature.problem import Problem
from hyperribbon.errors import DataError

_ELEMENTWISE = (nn.ReLU, nn.Tanh, nn.LeakyReLU)
_NEUTRAL = (nn.Flatten, nn.Identity, nn.Dropout)


class Bound(NamedTuple):
    """A measured value and its bound.

    Attributes
    ----------
    statement : source of the bound, such as ``"Theorem 4.3.1"``
    quantity : what is bounded
    layer : int k, or -1 where it concerns the complete network
    measured, bound : float; for a spectrum, the values at ``index``
    index : int, index of the eigenvalue that comes nearest to its bound, from 1; 0 for a trace
    """

    statement: str
    quantity: str
    layer: int
    measured: float
    bound: float
    index: int = 0  # type: ignore[assignment] # hides the method of tuples, on purpose


def norm_bounds(problem: Problem) -> list[Bound]:
    """Check Theorem 4.3.1, Lemmas 4.7.2, 4.7.3 and 4.3.2 and Corollary 4.7.7 on a network.

    Parameters
    ----------
    problem : Problem with cross-entropy, and N C up to about 10,000, because a Gram matrix is
        formed for each layer

    Returns
    -------
    list of Bound; for a spectrum, the eigenvalue whose ratio to its bound is largest

    Raises
    ------
    DataError
        If the network does not consist of linear layers without biases, with ReLU, LeakyReLU or
        tanh between them.
    """
    layers = _plain_layers(problem)
    norms = [np.linalg.norm(layer.weight.detach().cpu().double().numpy(), 2) for layer in layers]
    L, m = len(layers) - 1, problem.n_outputs
    entering = [found["activations"] for found in layer_spectra(problem).values()]
    squares = np.array(norms) ** 2
    every = math.prod(squares)
    input_trace = entering[0].sum()
    whole = JacobianGram(problem)
    fisher_trace, jacobian_trace = whole.fisher().sum(), whole.all_logits().sum()
    del whole
    trace_bound = m * input_trace * every * (1 / squares).sum()
    found = [
        Bound("Theorem 4.3.1", "tr F / ln 2", -1, fisher_trace / math.log(2), 2 * trace_bound),
        Bound("Equation 4.7.6", "tr F", -1, fisher_trace, jacobian_trace),
        Bound("Equation 4.7.6", "tr of all logits' Jacobians", -1, jacobian_trace, trace_bound),
    ]
    for k in range(1, L + 1):
        trace = entering[k].sum()
        bound = squares[k - 1] * entering[k - 1].sum()
        found.append(Bound("Lemma 4.7.2", "tr E[h h^T]", k, trace, bound))
    for k, (name, layer) in enumerate(weighted_layers(problem).items()):
        only = [parameter_name(name, "weight")]
        gram = JacobianGram(
            Problem(problem.network, problem.inputs, problem.targets, problem.loss, only=only)
        )
        # Each eigenvalue of E[h h^T], with h the layer's inputs, once per output of the layer.
        repeated = np.repeat(entering[k], layer.weight.shape[0]) * math.prod(squares[k + 1 :])
        traces = input_trace * every / squares[k]
        for i in range(m):
            of_logit = gram.logit(i)
            name = f"of logit {i}"
            trace = of_logit.sum()
            found.append(Bound("Lemma 4.7.3", f"tr of the Jacobian {name}", k, trace, traces))
            found.append(_nearest("Lemma 4.3.2", f"Jacobian {name}", k, of_logit, repeated))
        fisher = gram.fisher()
        found.append(_nearest("Corollary 4.7.7", "F of the layer", k, fisher, 2 * m * repeated))
    return found


def _nearest(
    statement: str, quantity: str, layer: int, measured: np.ndarray, bound: np.ndarray
) -> Bound:
    """The eigenvalue that comes nearest to its bound, or is farthest above it."""
    n = min(len(measured), len(bound))
    # Eigenvalues below the rounding error of the largest are noise.
    sure = measured[:n] > 1e-10 * measured[0]
    ratio = np.divide(measured[:n], bound[:n], out=np.full(n, np.inf), where=bound[:n] > 0)
    index = int(np.argmax(np.where(sure, ratio, -np.inf)))
    quantity = f"eigenvalues, {quantity}"
    return Bound(statement, quantity, layer, measured[index], bound[index], index + 1)


def _plain_layers(problem: Problem) -> list[nn.Linear]:
    layers: list[nn.Linear] = []
    for name, module in problem.network.named_modules():
        if next(module.children(), None) is not None or isinstance(module, _NEUTRAL):
            continue
        slope = getattr(module, "negative_slope", 0)
        if isinstance(module, nn.Linear) and module.bias is None:
            layers.append(module)
        elif not isinstance(module, _ELEMENTWISE) or abs(slope) > 1:
            has_bias = isinstance(module, nn.Linear)
            kind = "Linear with a bias" if has_bias else type(module).__name__
            raise DataError(
                f"network: {kind} {name!r}; expected linear layers without biases, with ReLU, "
                "LeakyReLU or tanh between them (fully_connected: batchnorm and bias false)"
            )
    return layers
