"""Passes over the weights of a posterior, compiled for the CPU.

A step of the descent is bound by memory: written as separate operations of torch it reads or writes
30 arrays of the size of the weights. One pass reads 9 and writes 6, because it updates variances in
place of their logarithms, and sums what the next KL needs.
"""

from __future__ import annotations

import numpy as np

from hyperribbon.numerics.compiling import compiled

_FAST = {"reassoc", "contract", "arcp", "nsz"}  # vectorised sums; NaN stays NaN
BETA1, BETA2, TINY = 0.9, 0.999, 1e-8  # as of torch.optim.Adam


@compiled(nogil=True, fastmath=_FAST, error_model="numpy")
def parts_of_kl(mean, centre, variance, inverse):
    """Sums over weights: (variance + squared distance from the centre) / shape, log variances.

    Parameters
    ----------
    mean, variance : (p,), of Q
    centre, inverse : (p,), of P, whose variances are proportional to 1 / inverse; all are equal
        where inverse is None
    """
    squares = logs = 0.0
    for k in range(len(mean)):
        step = mean[k] - centre[k]
        square = variance[k] + step * step
        if inverse is not None:
            square *= inverse[k]
        squares += np.float64(square)
        logs += np.log(np.float64(variance[k]))
    return squares, logs


@compiled(nogil=True, fastmath=_FAST, error_model="numpy")
def adam_pass(
    mean, centre, variance, inverse, of_mean, of_variance, free,
    moments, weight, half, rates, betas, unbiased, tiny,
):  # fmt: skip
    """A step of Adam on means and log variances; the gradients of KL are added here.

    A step d of the log variance multiplies the variance by exp(d), here the eighth power of a
    series for exp(d / 8), which vectorises: within single precision for |d| < 2.

    Parameters
    ----------
    mean, centre, variance, inverse : as in `parts_of_kl`; mean and variance are updated
    of_mean, of_variance : (p,) gradients of the surrogate loss
    free : (p,) 1 where Q may differ from P, else 0; None if everywhere
    moments : (4, p) first and second moments of mean, then of log variance; updated
    weight : slope of the objective in KL, times epsilon
    half : half of that slope
    rates : (2,) learning rates of mean and log variance, divided by Adam's first correction
    betas : (2,) decay of the moments
    unbiased : one over the root of Adam's second correction
    tiny : as epsilon of Adam

    Returns
    -------
    squares : as of `parts_of_kl`, after the step
    change : of the sum of log variances
    """
    one = mean.dtype.type(1)
    eighth, half_of, third, quarter, fifth, sixth = (
        one / 8, one / 2, one / 3, one / 4, one / 5, one / 6
    )  # fmt: skip
    squares = change = 0.0
    for k in range(len(mean)):
        start, middle, spread = mean[k], centre[k], variance[k]
        step, own = start - middle, weight * half_of
        if inverse is not None:
            step *= inverse[k]
            own *= inverse[k]
        gradient = of_mean[k] + weight * step
        of_log = (of_variance[k] + own) * spread - half
        if free is not None:
            gradient *= free[k]
            of_log *= free[k]
        first = betas[0] * moments[0, k] + (one - betas[0]) * gradient
        second = betas[1] * moments[1, k] + (one - betas[1]) * gradient * gradient
        moments[0, k], moments[1, k] = first, second
        start -= rates[0] * first / (np.sqrt(second) * unbiased + tiny)
        mean[k] = start
        first = betas[0] * moments[2, k] + (one - betas[0]) * of_log
        second = betas[1] * moments[3, k] + (one - betas[1]) * of_log * of_log
        moments[2, k], moments[3, k] = first, second
        log_step = -rates[1] * first / (np.sqrt(second) * unbiased + tiny)
        x = log_step * eighth
        factor = one + x * (one + x * half_of * (one + x * third * (
            one + x * quarter * (one + x * fifth * (one + x * sixth)))))  # fmt: skip
        factor *= factor
        factor *= factor
        spread *= factor * factor
        variance[k] = spread
        step = start - middle
        square = spread + step * step
        if inverse is not None:
            square *= inverse[k]
        squares += np.float64(square)
        change += np.float64(log_step)
    return squares, change
