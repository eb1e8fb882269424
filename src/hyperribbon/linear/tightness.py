"""How tight the bounds of chapter 5 are, over a sweep of slopes, lengths and ratios."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from hyperribbon.bars import bar_over
from hyperribbon.linear.bounds import (
    decay_bound,
    initialisation_bound,
    kernels_decay_bound,
    targets_decay,
    targets_largest,
)
from hyperribbon.linear.covariance import trajectory_covariance
from hyperribbon.linear.phase import true_weights
from hyperribbon.linear.spectra import sloppy

SLOPES = [0.05, 0.1, 0.2, 0.5, 1.0]
STEPS = [1, 10, 100, 10_000, 10**6, 10**8]
RATIOS = [1.0, 10.0]
FLOOR = 1e-12  # relative to the largest eigenvalue; smaller ones have too few correct digits
TOLERANCE = 1e-9
OF_DECAY = "Lemma 5.2.1"
FEWEST = 5  # eigenvalues for a fitted line; the first four have a bound of about 1
Pair = tuple[np.ndarray, np.ndarray]  # eigenvalues in descending order, and their bounds
COLUMNS = ["bound", "slope", "steps", "ratio", "draws", "eigenvalues", "violations"]
COLUMNS += ["tightest", "median", "decay", "decay_of_bound"]


def bounds_table(n: int, draws: int, seed: int, progress_bar: str | None = None) -> pd.DataFrame:
    """Measured eigenvalues relative to their bounds.

    Parameters
    ----------
    n : samples
    draws : of the true weights
    seed : of the draws
    progress_bar : name of a bar to show; quiet when the output is not a terminal

    Returns
    -------
    DataFrame with one row per bound, slope, T and ratio: number of eigenvalues compared (above
    1e-12 of the largest), number of violations, largest and median ratio of an eigenvalue to its
    bound (for the lower bound of Lemma 5.2.2, of the bound to the eigenvalue), and, for Lemma
    5.2.1, how fast both decay: minus the slope of the logarithm over the index, mean over draws.
    Eq. 5.3.2 uses two kernels with the same eigenvectors and slopes c and c / 2. The ratio is NaN
    where it does not matter; there is one draw where the true weights do not matter.

    Examples
    --------
    >>> int(bounds_table(20, 2, 0)["violations"].sum())
    0
    """
    true = true_weights(draws, n, seed)
    cases = [(slope, T) for slope in SLOPES for T in STEPS]
    rows = []
    for slope, T in bar_over(cases, progress_bar):
        K = sloppy(n, slope)
        found = {("Eq. 5.2.10", np.nan): [_initialisation(K, T)]}
        for z in true:
            compared = [(name, np.nan, pair) for name, pair in _targets(K, z, T)]
            compared += [(name, r, pair) for r in RATIOS for name, pair in _both(K, r * z, T)]
            for name, ratio, pair in compared:
                found.setdefault((name, ratio), []).append(pair)
        for (name, ratio), pairs in found.items():
            kept = [values > FLOOR * values[0] for values, _ in pairs]
            pairs = [(v[k], b[k]) for k, (v, b) in zip(kept, pairs, strict=True)]
            share = np.concatenate([values / bound for values, bound in pairs])
            decays = np.array([[np.nan, np.nan]])
            if name == OF_DECAY:
                decays = np.array([[_decay(v), _decay(b)] for v, b in pairs])
            rows.append(
                (name, slope, T, ratio, len(pairs), len(share), int((share > 1 + TOLERANCE).sum()),
                 share.max(), np.median(share), *decays.mean(axis=0))
            )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _initialisation(K: np.ndarray, T: int) -> Pair:
    noise = T * trajectory_covariance(K, np.ones(len(K)), step_size=1.0, steps=T).initialisation
    order = np.argsort(-noise)
    return noise[order], initialisation_bound(K, 1.0, T)[order]


def _targets(K: np.ndarray, true: np.ndarray, T: int) -> Iterator[tuple[str, Pair]]:
    y = np.sqrt(K) * true
    targets = _eigenvalues(trajectory_covariance(K, y, step_size=1.0, steps=T).targets)
    yield OF_DECAY, (targets / targets[0], targets_decay(K))
    low, high = targets_largest(K, y, 1.0, T)
    yield "Lemma 5.2.2, lower", (np.array([low]), T * targets[:1])
    yield "Lemma 5.2.2, upper", (T * targets[:1], np.array([high]))


def _both(K: np.ndarray, true: np.ndarray, T: int) -> Iterator[tuple[str, Pair]]:
    y = np.sqrt(K) * true
    settings: dict[str, Any] = {"step_size": 1.0, "steps": T}
    one, other = (trajectory_covariance(k, y, **settings).first for k in (K, np.sqrt(K)))
    first, both = _eigenvalues(one), _eigenvalues(one + other)
    yield "Lemma 5.2.3", (first / first[0], decay_bound(K, y, **settings))
    bound = kernels_decay_bound([K, np.sqrt(K)], y, **settings)
    yield "Eq. 5.3.2", (both / both[0], bound)


def _eigenvalues(P: np.ndarray) -> np.ndarray:
    return np.linalg.eigvalsh(P)[::-1]


def _decay(values: np.ndarray) -> float:
    """How fast a spectrum decays, per index; NaN for too few eigenvalues."""
    if len(values) < FEWEST:
        return np.nan
    return -np.polyfit(np.arange(len(values)), np.log(values), 1)[0]
