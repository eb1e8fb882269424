"""Linear models, kernel machines and wide networks on real data: theory and measurement (5.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics.pairwise import (
    euclidean_distances,
    laplacian_kernel,
    manhattan_distances,
    rbf_kernel,
)

from hyperribbon.curvature.tables import sloppiness_row, thinned
from hyperribbon.data.sloppy import sloppy_inputs
from hyperribbon.linear.dimension import ribbon_dimension
from hyperribbon.linear.kernels import kernels_covariance, linearised_covariance
from hyperribbon.linear.networks import train_lazily
from hyperribbon.linear.simulation import train_linear
from hyperribbon.probability.arrays import as_float64

SLOPPY = "sloppy"  # name of the data set of Gaussian inputs
DATA, INITIAL = 0, 1  # random streams
# Slightly below 1, so that rounding cannot put the step size 1 above 1 / the largest eigenvalue.
LARGEST = 1 - 1e-9
LINEAR_MODELS = 1000  # the theory is for infinitely many; these cost little
KERNEL_COLUMNS = ["kernel", "ratio", "steps", "dimension"]
TRAINED_COLUMNS = ["model", "ratio", "steps", "models", "predicted", "measured", "difference"]
TRAINED_COLUMNS += ["kernel_change"]


class Experiment(NamedTuple):
    """Samples on which all models are trained.

    Attributes
    ----------
    X : (n, d), scaled so that the largest eigenvalue of X X^T is 1
    y : (n,), targets
    """

    X: np.ndarray
    y: np.ndarray


def sloppy_experiment(n: int, features: int, decay: float, seed: int) -> Experiment:
    """Gaussian inputs with variances that decay as exp(-c i), and targets of a linear teacher.

    >>> X, y = sloppy_experiment(20, 5, 0.1, 0)
    >>> X.shape, y.shape, round(float(np.linalg.norm(X, 2)), 6)
    ((20, 5), (20,), 1.0)
    """
    rng = np.random.default_rng([seed, DATA])
    X = sloppy_inputs(n, features, decay, rng)
    return scaled(X, X @ rng.standard_normal(features))


def scaled(X: np.ndarray, y: np.ndarray) -> Experiment:
    """Scale inputs so that X X^T has largest eigenvalue 1, and targets to mean square 1."""
    X, y = as_float64(X, "X"), as_float64(y, "y")
    return Experiment(X * np.sqrt(LARGEST) / np.linalg.norm(X, 2), y / np.sqrt(np.mean(y**2)))


def kernels_of(X: np.ndarray) -> dict[str, np.ndarray]:
    """Kernels of inputs (n, d) by name, each (n, n) with largest eigenvalue 1.

    The width w of RBF, exp(-|x - x'|^2 / (2 w^2)), and of Laplace, exp(-|x - x'|_1 / w), is the
    median distance between two samples in the same norm.
    """
    upper = np.triu_indices(len(X), 1)
    width = np.median(euclidean_distances(X)[upper])
    wide = np.median(manhattan_distances(X)[upper])
    kernels = {
        "linear": X @ X.T,
        "RBF": rbf_kernel(X, gamma=1 / (2 * width**2)),
        "Laplace": laplacian_kernel(X, gamma=1 / wide),
    }
    return {name: _normalised(K) for name, K in kernels.items()}


def at_steps(most: int) -> list[int]:
    """Lengths of training to compare: 1, 3, 10, 30, ... and the last.

    >>> at_steps(50)
    [1, 3, 10, 30, 50]
    """
    found = {k * 10**p for p in range(len(str(most))) for k in (1, 3)}
    return sorted({T for T in found if most > T} | {most})


def run_experiment(
    name: str,
    experiment: Experiment,
    *,
    steps: int,
    ratios: Sequence[float],
    networks: Sequence[Sequence[int]] = (),
    models: int = 10,
    fraction: float = 0.95,
    seed: int = 0,
    progress_bar: bool = False,
) -> dict[str, pd.DataFrame]:
    """Train linear models and networks on one data set, and compare them with the theory.

    Parameters
    ----------
    name : name of the data set
    experiment : Experiment
    steps : of gradient descent
    ratios : of the sizes of true and initial weights, for linear models and kernel machines
    networks : widths of the hidden layers of each
    models : trainings of each network, from different weights; linear models are 1,000
    fraction : of the variance that the dimensions hold
    seed : of initial weights
    progress_bar : whether to show bars

    Returns
    -------
    - ``linear_kernel_spectra``: eigenvalues of each kernel, thinned out, and the slope of their
      sloppy range
    - ``linear_kernels``: dimension predicted of each kernel's machines, by ratio and T
    - ``linear_experiments``: dimension predicted and measured of linear models, by ratio, and of
      networks, from their kernels and outputs at first alone; relative difference of both
      covariances, by Frobenius norm; relative change of the kernel in training

    Examples
    --------
    >>> found = run_experiment("sloppy", sloppy_experiment(20, 5, 0.1, 0), steps=10, ratios=[1.0])
    >>> found["linear_experiments"][["model", "steps"]].values.tolist()
    [['linear', 1], ['linear', 3], ['linear', 10]]
    """
    X, y = experiment
    kernels, due = kernels_of(X), at_steps(steps)
    machines = _machines(kernels, y, ratios, due, fraction)
    trained = []
    for ratio in ratios:
        bar = f"{name}, linear, ratio {ratio:g}" if progress_bar else None
        settings = {"step_size": 1.0, "sigma_w": _sigma_w([kernels["linear"]], ratio)}
        rng = np.random.default_rng([seed, INITIAL])
        measured = train_linear(
            X, y, steps=due, models=LINEAR_MODELS, random_state=rng, progress_bar=bar, **settings
        )
        predicted = kernels_covariance([kernels["linear"]], y, steps=np.array(due), **settings)
        rows = _compared(predicted, measured, due, fraction)
        trained += [("linear", ratio, T, LINEAR_MODELS, *row, 0.0) for T, *row in rows]
    inputs = X * np.sqrt(X.size) / np.linalg.norm(X)  # networks see numbers of mean square 1
    for widths in networks:
        units = "-".join(map(str, widths))
        bar = f"{name}, networks of {units}" if progress_bar else None
        found = train_lazily(
            inputs, y, widths, steps=due, models=models, random_state=seed, progress_bar=bar
        )
        predicted = linearised_covariance(
            list(found.kernels), found.residuals, step_size=found.step_size, steps=due
        )
        change = found.kernel_change.mean()
        rows = _compared(predicted, found.covariances, due, fraction)
        trained += [(units, np.nan, T, models, *row, change) for T, *row in rows]
        kernels[f"tangent, {units}"] = _normalised(found.kernels[0])
    spectra = pd.concat([_spectrum(kernel, K) for kernel, K in kernels.items()], ignore_index=True)
    tables = {
        "linear_kernel_spectra": spectra,
        "linear_kernels": pd.DataFrame(machines, columns=KERNEL_COLUMNS),
        "linear_experiments": pd.DataFrame(trained, columns=TRAINED_COLUMNS),
    }
    for table in tables.values():
        table.insert(0, "data", name)
    return tables


def _machines(
    kernels: Mapping[str, np.ndarray],
    y: np.ndarray,
    ratios: Sequence[float],
    due: list[int],
    fraction: float,
) -> list[tuple[str, float, int, int]]:
    """Kernel, ratio, T and predicted dimension of its machines, also for two kernels at once."""
    each = {name: [K] for name, K in kernels.items()}
    each["RBF and Laplace"] = [kernels["RBF"], kernels["Laplace"]]
    found = []
    for ratio, (name, Ks) in product(ratios, each.items()):
        sigma_w = _sigma_w(Ks, ratio)
        P = kernels_covariance(Ks, y, step_size=1.0, steps=np.array(due), sigma_w=sigma_w)
        dimensions = ribbon_dimension(P, fraction).tolist()
        found += [(name, ratio, T, d) for T, d in zip(due, dimensions, strict=True)]
    return found


def _sigma_w(kernels: Sequence[np.ndarray], ratio: float) -> float:
    """Scale of initial weights, with sigma_* such that targets have mean square 1 (5.2.11)."""
    return np.sqrt(len(kernels[0]) / np.mean([np.trace(K) for K in kernels])) / ratio


def _normalised(K: np.ndarray) -> np.ndarray:
    """The kernel, scaled to largest eigenvalue 1."""
    return K * (LARGEST / np.linalg.eigvalsh(K)[-1])


def _compared(
    predicted: np.ndarray, measured: np.ndarray, due: list[int], fraction: float
) -> Iterable[tuple]:
    """T, predicted and measured dimension, and the relative difference of the covariances."""
    dimensions = ribbon_dimension(predicted, fraction), ribbon_dimension(measured, fraction)
    apart = np.linalg.norm(measured - predicted, axis=(1, 2))
    apart = apart / np.linalg.norm(predicted, axis=(1, 2))
    return zip(due, *(d.tolist() for d in dimensions), apart.tolist(), strict=True)


def _spectrum(kernel: str, K: np.ndarray) -> pd.DataFrame:
    values = np.linalg.eigvalsh(K)[::-1]
    slope = sloppiness_row(values[values > 0]).get("slope", np.nan)
    table = thinned(values)
    table.insert(0, "kernel", kernel)
    table.insert(1, "slope", slope)
    return table
