"""Passes over the weights of a posterior, compiled for the CPU.

Written as separate operations of torch, a step of the descent reads or writes 30 arrays of the size
of the weights, and twice as many numbers are updated as in plain training. These two passes need 20
and a third of the time.
"""

from __future__ import annotations

import numpy as np

from hyperribbon.numerics.compiling import compiled

_FAST = {"reassoc", "contract", "arcp", "nsz"}  # vectorised sums; NaN stays NaN
BETA1, BETA2, TINY = 0.9, 0.999, 1e-8  # as of torch.optim.Adam


@compiled(nogil=True, fastmath=_FAST, error_model="numpy")
def parts_of_kl(mean, centre, variance, log_variance, inverse, shaped):
    """Sums over weights: (variance + squared distance from the centre) / shape, log variances.

    Parameters
    ----------
    mean, variance, log_variance : (p,), of Q
    centre, inverse : (p,), of P, whose variances are proportional to 1 / inverse
    shaped : whether inverse counts; otherwise it is not read
    """
    squares = logs = 0.0
    for k in range(len(mean)):
        step = mean[k] - centre[k]
        square = variance[k] + step * step
        if shaped:
            square *= inverse[k]
        squares += np.float64(square)
        logs += np.float64(log_variance[k])
    return squares, logs


@compiled(nogil=True, fastmath=_FAST, error_model="numpy")
def adam_pass(
    mean, centre, variance, log_variance, inverse, shaped, of_mean, of_variance, free, restricted,
    moments, weight, half, rates, betas, unbiased, tiny,
):  # fmt: skip
    """A step of Adam on means and log variances; the gradients of KL are added here.

    Parameters
    ----------
    mean, centre, variance, log_variance, inverse, shaped : as in `parts_of_kl`
    of_mean, of_variance : (p,) gradients of the surrogate loss
    free, restricted : (p,) 1 where Q may differ from P, else 0; whether it counts
    moments : (4, p) first and second moments of mean, then of log variance; updated
    weight : slope of the objective in KL, times epsilon
    half : half of that slope
    rates : (2,) learning rates of mean and log variance, divided by Adam's first correction
    betas : (2,) decay of the moments
    unbiased : one over the root of Adam's second correction
    tiny : as epsilon of Adam
    """
    one = mean.dtype.type(1)
    for k in range(len(mean)):
        step, spread = mean[k] - centre[k], weight / (one + one)
        if shaped:
            step *= inverse[k]
            spread *= inverse[k]
        gradient = of_mean[k] + weight * step
        of_log = (of_variance[k] + spread) * variance[k] - half
        if restricted:
            gradient *= free[k]
            of_log *= free[k]
        first = betas[0] * moments[0, k] + (one - betas[0]) * gradient
        second = betas[1] * moments[1, k] + (one - betas[1]) * gradient * gradient
        moments[0, k], moments[1, k] = first, second
        mean[k] -= rates[0] * first / (np.sqrt(second) * unbiased + tiny)
        first = betas[0] * moments[2, k] + (one - betas[0]) * of_log
        second = betas[1] * moments[3, k] + (one - betas[1]) * of_log * of_log
        moments[2, k], moments[3, k] = first, second
        log_variance[k] -= rates[1] * first / (np.sqrt(second) * unbiased + tiny)
