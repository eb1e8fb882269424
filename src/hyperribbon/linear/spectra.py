"""Tables of the eigenvalues in Figs. 5.1, 5.2, 5.4 and 5.5, and of the variants in section 5.3.

Inputs have K of eigenvalues exp(-c (i - 1)); the step size is 1 = 1 / lambda_1, but for the
variants. Settings are those of the captions; what they leave open is marked so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from hyperribbon.linear.bounds import decay_bound, initialisation_bound
from hyperribbon.linear.covariance import sampled_covariance, trajectory_covariance
from hyperribbon.linear.dimension import ribbon_dimension
from hyperribbon.linear.phase import true_weights
from hyperribbon.linear.two_layers import train_two_layers

INITIAL = 1  # random stream of initial weights; true weights use the seed itself
ROUNDING = 1e-15  # relative to the largest eigenvalue
COLUMNS = ["figure", "part", "slope", "steps", "index", "eigenvalue", "bound"]

INITIALISATION_SLOPE = 0.5
INITIALISATION_STEPS = [1, 10, 10**2, 10**4, 10**6, 10**8, 10**12]  # not given
PARTS: dict[str, Any] = {"slope": 0.2, "steps": 50, "sigma_w": np.sqrt(0.1), "sigma": np.sqrt(2.0)}
BOUND_SLOPES, BOUND_STEPS = [0.1, 0.2, 0.5, 1.0], [10, 10_000]  # not given; sigma as in Fig. 5.2
MODELS_SLOPE = 0.1
MODELS_STEPS, MODELS = [1, 10, 100, 1000, 10_000], 1000  # not given; sigma_* = 1 neither

VARIANTS_SLOPE, VARIANTS_SIGMA_W = 0.1, 0.1  # as for networks of two layers; sigma_* = 1
VARIANTS_STEP_SIZE = 0.05  # small enough for linear networks of two layers
VARIANTS_STEPS = [1, 3, 10, 30, 100, 300, 1000]
BATCH_SIZE, WEIGHT_DECAY, TRAININGS = 1, 0.1, 20


def sloppy(n: int, slope: float) -> np.ndarray:
    """Eigenvalues (n,) of K, exp(-c (i - 1)).

    >>> sloppy(3, 0.5).round(3)
    array([1.   , 0.607, 0.368])
    """
    return np.exp(-slope * np.arange(n))


def eigenvalues_of(P: np.ndarray) -> np.ndarray:
    """Eigenvalues (n,) of a covariance, descending; NaN in place of rounding errors.

    >>> eigenvalues_of(np.diag([1e-20, 2.0]))
    array([ 2., nan])
    """
    found = np.linalg.eigvalsh(P)[::-1]
    return np.where(found > ROUNDING * found[0], found, np.nan)


def chapter_spectra(n: int, seed: int) -> pd.DataFrame:
    """Eigenvalues in the four figures, one row each.

    Parameters
    ----------
    n : number of samples, 50 in the dissertation
    seed : seed of true and initial weights

    Returns
    -------
    DataFrame of figure, part, slope, steps, index (from 1), eigenvalue, bound (NaN where none is
    drawn). Eigenvalues are those of T P1 in Fig. 5.1 and of T P in Fig. 5.5, and relative to the
    largest in Fig. 5.4.

    Examples
    --------
    >>> sorted(chapter_spectra(10, 0)["figure"].unique())
    ['5.1', '5.2', '5.4', '5.5']
    """
    true = true_weights(1, n, seed)[0]  # the targets are sqrt(lambda_i) times these
    return pd.concat(
        [*_initialisation(n), *_parts(n, true), *_bounds(n, true), *_models(n, true, seed)],
        ignore_index=True,
    )


def _initialisation(n: int) -> Iterator[pd.DataFrame]:
    K = sloppy(n, INITIALISATION_SLOPE)
    for T in INITIALISATION_STEPS:
        found = trajectory_covariance(K, np.ones(n), step_size=1.0, steps=T)
        bound = -np.sort(-initialisation_bound(K, 1.0, T))
        values = -np.sort(-T * found.initialisation)
        yield _rows("5.1", "initialisation", INITIALISATION_SLOPE, T, values, bound)


def _parts(n: int, true: np.ndarray) -> Iterator[pd.DataFrame]:
    K = sloppy(n, PARTS["slope"])
    y = PARTS["sigma"] * np.sqrt(K) * true
    T = PARTS["steps"]
    found = trajectory_covariance(K, y, step_size=1.0, steps=T, sigma_w=PARTS["sigma_w"])
    for part, P in (
        ("both", found.first),
        ("initialisation", np.diag(found.initialisation)),
        ("targets", found.targets),
    ):
        yield _rows("5.2", part, PARTS["slope"], T, eigenvalues_of(P))


def _bounds(n: int, true: np.ndarray) -> Iterator[pd.DataFrame]:
    for slope in BOUND_SLOPES:
        K = sloppy(n, slope)
        y = PARTS["sigma"] * np.sqrt(K) * true
        for T in BOUND_STEPS:
            settings: dict[str, Any] = {"step_size": 1.0, "steps": T, "sigma_w": PARTS["sigma_w"]}
            values = eigenvalues_of(trajectory_covariance(K, y, **settings).first)
            yield _rows("5.4", "both", slope, T, values / values[0], decay_bound(K, y, **settings))


def _models(n: int, true: np.ndarray, seed: int) -> Iterator[pd.DataFrame]:
    K = sloppy(n, MODELS_SLOPE)
    y = np.sqrt(K) * true
    for T in MODELS_STEPS:
        settings: dict[str, Any] = {"step_size": 1.0, "steps": T}
        rng = np.random.default_rng([seed, INITIAL])
        P = sampled_covariance(K, y, models=MODELS, random_state=rng, **settings)
        limit = trajectory_covariance(K, y, **settings).total
        for part, matrix in (("models", P), ("limit", limit)):
            yield _rows("5.5", part, MODELS_SLOPE, T, T * eigenvalues_of(matrix))


def _rows(figure, part, slope, steps, values, bound=np.nan) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "figure": figure, "part": part, "slope": slope, "steps": steps,
            "index": np.arange(1, len(values) + 1), "eigenvalue": values, "bound": bound,
        },
        columns=COLUMNS,
    ).dropna(subset="eigenvalue")  # fmt: skip


def variant_spectra(
    n: int, fraction: float, seed: int, progress_bar: str | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Gradient descent and its variants, on the same data with the same step size.

    Parameters
    ----------
    n : samples
    fraction : of the variance that the dimensions hold
    seed : of the true weights, and of networks' initial ones
    progress_bar : name of a bar to show

    Returns
    -------
    spectra : spectra of P in the columns of `chapter_spectra`, with figure ``variants`` and the
        variant as part
    variants : one row per variant and T: dimension and, for networks of two layers, the relative
        change of their kernel and of their imbalance
    """
    K = sloppy(n, VARIANTS_SLOPE)
    y = np.sqrt(K) * true_weights(1, n, seed)[0]
    spectra, rows = [], []
    for T in VARIANTS_STEPS:
        for variant, P, about in _variants(K, y, T, seed, progress_bar):
            spectra.append(_rows("variants", variant, VARIANTS_SLOPE, T, eigenvalues_of(P)))
            dimension = int(ribbon_dimension(P, fraction))
            rows.append({"variant": variant, "steps": T, "dimension": dimension, **about})
    columns = ["variant", "steps", "dimension", "kernel_change", "imbalance_change"]
    return pd.concat(spectra, ignore_index=True), pd.DataFrame(rows, columns=columns)


def _variants(K: np.ndarray, y: np.ndarray, T: int, seed: int, progress_bar: str | None):
    settings: dict[str, Any] = {"step_size": VARIANTS_STEP_SIZE, "steps": T}
    changes: list[tuple[str, dict[str, Any]]] = [
        ("gradient descent", {}),
        (f"SGD, batches of {BATCH_SIZE}", {"batch_size": BATCH_SIZE}),
        (f"weight decay {WEIGHT_DECAY:g}", {"weight_decay": WEIGHT_DECAY}),
    ]
    for variant, more in changes:
        found = trajectory_covariance(K, y, sigma_w=VARIANTS_SIGMA_W, **settings, **more)
        yield variant, found.total, {}
    for variant, balanced in (("two layers", False), ("two layers, balanced", True)):
        rng = np.random.default_rng([seed, INITIAL])
        trained = train_two_layers(
            np.diag(np.sqrt(K)), y, width=len(K), balanced=balanced, models=TRAININGS,
            random_state=rng, progress_bar=progress_bar and f"{progress_bar}, {variant}",
            **settings,
        )  # fmt: skip
        about = {
            "kernel_change": trained.kernel_change.mean(),
            "imbalance_change": trained.imbalance_change.mean(),
        }
        yield variant, trained.covariance, about
