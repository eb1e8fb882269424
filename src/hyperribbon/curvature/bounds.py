"""Bounds by the norms of the weights, beside what is measured (thesis 4.3.1, 4.7.3).

For networks z = w^L s(w^(L-1) s(... w^0 x)) of linear layers without biases, with activations of
slope at most a = 1 that are 0 at 0. All norms are spectral, all matrices in nats and over the
samples of the problem; F is the Fisher matrix, which for the cross-entropy is the Gauss-Newton
approximation of the Hessian.

The printed proof of Corollary 4.7.7 bounds F by the Jacobian of the *sum* of the logits, which is
wrong: terms of different logits cancel in the sum. Its statement holds all the same, as Lemma 4.3.2
bounds each logit's part by one and the same matrix, in the sense of semidefinite matrices.
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
    statement : where it is from, such as ``"Theorem 4.3.1"``
    quantity : what is bounded
    layer : int k, or -1 where it concerns the whole network
    measured, bound : float; of a spectrum, the eigenvalues at ``index``
    index : int, of the eigenvalue that comes nearest to its bound; 0 of a trace
    """

    statement: str
    quantity: str
    layer: int
    measured: float
    bound: float
    index: int = 0


def norm_bounds(problem: Problem) -> list[Bound]:
    """Theorem 4.3.1, Lemmas 4.7.2, 4.7.3 and 4.3.2 and Corollary 4.7.7 on a network.

    Parameters
    ----------
    problem : Problem, of cross-entropy, with N C up to some 10,000: Gram matrices are formed for
        each layer

    Returns
    -------
    list of Bound; of eigenvalues, the one whose ratio to its bound is largest

    Raises
    ------
    DataError
        If the network is not of linear layers without biases, with ReLU or tanh between them.
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
        # Each eigenvalue of E[h h^T] as often as the layer has outputs, h^k that goes into it.
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
    # Of both, what is below the rounding error of the largest says nothing.
    sure = measured[:n] > 1e-10 * measured[0]
    ratio = np.divide(measured[:n], bound[:n], out=np.full(n, np.inf), where=bound[:n] > 0)
    index = int(np.argmax(np.where(sure, ratio, -np.inf)))
    quantity = f"eigenvalues, {quantity}"
    return Bound(statement, quantity, layer, measured[index], bound[index], index + 1)


def _plain_layers(problem: Problem) -> list[nn.Linear]:
    layers = []
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
                f"network: {kind} {name!r}; the bounds are of linear layers without biases, with "
                "ReLU, LeakyReLU or tanh between them (fully_connected: batchnorm and bias false)"
            )
    return layers
