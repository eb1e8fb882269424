"""Scales on which statistics are drawn: those of Fisher for correlations, logarithms for ratios."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from hyperribbon.numerics.bootstrap import bootstrap_draws

DRAWS = 400
PERFECT = 1 - 1e-12
OF_PAIRS = ("correlation", "determination")  # scales of statistics of pairs of values


def _fisher(r: np.ndarray | float) -> np.ndarray:
    """Fisher's z; NaN of a perfect correlation, which any two units have."""
    return np.arctanh(np.where(np.abs(r) < PERFECT, r, np.nan))


SCALES: dict[str, tuple[Callable, Callable]] = {
    "correlation": (_fisher, np.tanh),
    "determination": (
        lambda r: _fisher(np.sqrt(np.maximum(r, 0))),
        lambda z: np.tanh(np.maximum(z, 0)) ** 2,
    ),
    "ratio": (lambda r: np.log(np.where(np.asarray(r) > 0, r, np.nan)), np.exp),
}


def scaled_draws(
    statistic: Callable[[np.ndarray], np.ndarray | float],
    names: Sequence,
    value: np.ndarray | float,
    scale: str = "",
) -> np.ndarray:
    """Values of a statistic, from units drawn with replacement.

    `hyperribbon.reporting.statistics.with_interval` draws them so.

    Parameters
    ----------
    statistic : function of the multiplicities of the rows
    names : the unit of each row
    value : the statistic of all rows
    scale : one of `SCALES`, or none

    Returns
    -------
    (DRAWS, ...), of the statistic's shape after the first axis
    """
    if not scale:
        return bootstrap_draws(statistic, names, value, draws=DRAWS)
    to, back = SCALES[scale]
    return back(
        bootstrap_draws(lambda w: to(statistic(w)), names, to(value), draws=DRAWS, unbiased=True)
    )
