"""Progress, loss and error of models from the samples of a basis alone, and how well they agree."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from hyperribbon.embedding.bases.samples import SampleBasis
from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import slices
from hyperribbon.numerics.bootstrap import DRAWS, bootstrap_interval
from hyperribbon.pairwise.stack import Stack
from hyperribbon.probability.distance import FLOOR
from hyperribbon.probability.distributions import as_distributions, check_labels
from hyperribbon.probability.progress import PlaneCoordinates, plane_coordinates, progress
from hyperribbon.probability.scores import loss_and_error
from hyperribbon.probability.views import are_trajectories, trajectories_of

QUANTITIES = ("progress", "loss", "error")
_HALVINGS = 32  # of progress, which is then exact to 2e-10


def monitor(basis: SampleBasis, P, labels, *, smoothing: float = 0.0, prior=None) -> pd.DataFrame:
    """Progress, loss and error of models, from the samples of a basis and its weights.

    Each is that of all samples with a weighted mean in place of the mean over samples: progress
    minimises the weighted mean of the arcs.

    Parameters
    ----------
    basis : fitted SampleBasis
    P : (m, N, C) models of all samples, or (m, K, C) of those of the basis alone, in its order;
        also several trajectories
    labels : (N,) or (K,) true classes, likewise
    smoothing, prior : of the truth and of ignorance, as in `hyperribbon.progress`

    Returns
    -------
    DataFrame, one row per model: progress, loss (nats), error

    Raises
    ------
    DataError
        If the models have other samples, or labels do not fit.

    Examples
    --------
    >>> P = np.random.default_rng(0).dirichlet(np.ones(3), size=(8, 6))
    >>> basis = SampleBasis(2).fit(P)
    >>> few = P[:, basis.indices_]
    >>> monitor(basis, few, np.array([0, 2])).shape
    (8, 3)
    """
    few = basis.on_basis(P)
    n_classes, n_few = few.shape[2], few.shape[1]
    labels = check_labels(labels, n_classes)
    if len(labels) == basis.n_samples_:
        labels = labels[basis.indices_]
    labels = check_labels(labels, n_classes, n_few)
    counted = basis.weights_ > 0
    weights = basis.weights_[counted] / basis.weights_.sum()
    few, labels = few[:, counted], labels[counted]
    found = np.empty((len(few), 3))
    for block in slices(few):
        rows = as_distributions(few[block])
        plane = plane_coordinates(rows, labels, smoothing=smoothing, prior=prior)
        of_truth = rows[:, np.arange(len(labels)), labels]
        found[block, 0] = _progress(plane, weights)
        found[block, 1] = -np.log(np.maximum(of_truth, FLOOR**2)) @ weights
        found[block, 2] = (rows.argmax(axis=2) != labels) @ weights
    return pd.DataFrame(found, columns=list(QUANTITIES))


def _progress(plane: PlaneCoordinates, weights: np.ndarray) -> np.ndarray:
    """Where the weighted mean arc, which is convex, has its minimum, by halving."""
    low, high = np.zeros(len(plane.along)), np.ones(len(plane.along))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        before = plane.slopes(middle) @ weights < 0
        low, high = np.where(before, middle, low), np.where(before, high, middle)
    return (low + high) / 2


def agreement(
    basis: SampleBasis,
    P,
    labels,
    *,
    groups: Sequence | np.ndarray | None = None,
    smoothing: float = 0.0,
    prior=None,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """How well the samples of a basis rank models: progress, loss and error against all samples.

    Parameters
    ----------
    basis : fitted SampleBasis
    P : (m, N, C) models, such as checkpoints or the ends of trainings that were not fitted; also
        several trajectories
    labels : (N,) true classes
    groups : (m,) labels of what is drawn with replacement for the intervals, such as the training
        of each model; by default, the trajectories if there are several, else the models
    smoothing, prior : of the truth and of ignorance, as in `hyperribbon.progress`
    draws, seed : of the bootstrap intervals

    Returns
    -------
    DataFrame, one row for each of progress, loss and error

        - samples, all_samples, models: K, N and m
        - cost_cut: N / K, by which evaluating a model gets cheaper
        - pearson, spearman: correlation over models, with 95% bootstrap intervals (``_low``,
          ``_high``); NaN if all models have the same value
        - mean_difference, rmsd: of the values from the basis less those from all samples

    Raises
    ------
    DataError
        If the models have other samples, or labels or groups do not fit.

    Examples
    --------
    >>> P = np.random.default_rng(0).dirichlet(np.ones(3), size=(20, 6))
    >>> labels = np.array([0, 1, 2, 0, 1, 2])
    >>> found = agreement(SampleBasis(6).fit(P), P, labels)
    >>> found["spearman"].round(2).tolist(), found["cost_cut"].tolist()
    ([1.0, 1.0, 1.0], [1.0, 1.0, 1.0])
    """
    stack = Stack(P, "P")
    labels = check_labels(labels, stack.shape[2], stack.shape[1])
    if stack.shape[1] != getattr(basis, "n_samples_", stack.shape[1]):
        raise DataError(f"P: shape {stack.shape}, expected all {basis.n_samples_} samples")
    if groups is None:
        parts = trajectories_of(P) if are_trajectories(P) else [[k] for k in range(len(stack))]
        groups = [k for k, part in enumerate(parts) for _ in range(len(part))]
    members = list(groups)
    if len(members) != len(stack):
        raise DataError(f"groups: {len(members)}, expected one per model, {len(stack)}")
    from_few = monitor(basis, P, labels, smoothing=smoothing, prior=prior)
    loss, error = loss_and_error(stack, labels)
    from_all = {
        "progress": np.ravel(progress(stack, labels, smoothing=smoothing, prior=prior)),
        "loss": loss,
        "error": error,
    }
    rows = []
    for quantity, true in from_all.items():
        found = from_few[quantity].to_numpy()
        r = _correlations(true, found, np.ones(len(true)))
        statistic = partial(_correlations, true, found)
        low, high = bootstrap_interval(statistic, members, r, draws=draws, seed=seed)
        low, high = np.clip(low, -1, 1), np.clip(high, -1, 1)
        row: dict[str, object] = {"quantity": quantity}
        for k, name in enumerate(("pearson", "spearman")):
            row |= {name: r[k], f"{name}_low": low[k], f"{name}_high": high[k]}
        difference = found - true
        row["mean_difference"] = difference.mean()
        rows.append(row | {"rmsd": np.sqrt((difference**2).mean())})
    table = pd.DataFrame(rows)
    count, n_samples = len(basis.indices_), stack.shape[1]
    sizes = {"samples": count, "all_samples": n_samples, "models": len(stack)}
    for place, (name, value) in enumerate({**sizes, "cost_cut": n_samples / count}.items(), 1):
        table.insert(place, name, value)
    return table


def _correlations(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pearson's and Spearman's correlation of values that count as often as their weights say."""
    repeats = weights.astype(int)
    # Without rounding errors, which would rank models that have the same value.
    x, y = (np.repeat(values.round(9), repeats) for values in (x, y))
    found = np.full(2, np.nan)
    if np.ptp(x) and np.ptp(y):
        found[0] = np.corrcoef(x, y)[0, 1]
        found[1] = np.corrcoef(rankdata(x), rankdata(y))[0, 1]
    return found


def sample_table(P, labels) -> pd.DataFrame:
    """How hard each sample is for models.

    Parameters
    ----------
    P : (m, N, C) models; any sliceable arrays, read in blocks; also several trajectories
    labels : (N,) true classes

    Returns
    -------
    DataFrame, one row per sample, with means over the models

        - sample, label
        - difficulty: loss of the sample, nats; its rank among all, from 0 (easiest) to 1, is
          ``rank``
        - margin: probability of the true class less that of the most probable other one
        - error: share of models that misclassify it

    Raises
    ------
    DataError
        If rows are not distributions or labels do not fit.

    Examples
    --------
    >>> P = np.array([[[0.9, 0.1], [0.6, 0.4]], [[0.8, 0.2], [0.4, 0.6]]])
    >>> sample_table(P, np.array([0, 0]))[["margin", "error", "rank"]].round(6).values.tolist()
    [[0.7, 0.0, 0.0], [0.0, 0.5, 1.0]]
    """
    stack = Stack(P, "P")
    m, n_samples, n_classes = stack.shape
    labels = check_labels(labels, n_classes, n_samples)
    places, total = np.arange(n_samples), np.zeros((3, n_samples))
    for models in slices(stack):
        rows = as_distributions(stack.read(models))
        wrong = rows.argmax(axis=2) != labels
        of_truth = rows[:, places, labels]
        rows[:, places, labels] = -1
        others = rows.max(axis=2) if n_classes > 1 else np.zeros_like(of_truth)
        loss = -np.log(np.maximum(of_truth, FLOOR**2))
        total += [loss.sum(axis=0), (of_truth - others).sum(axis=0), wrong.sum(axis=0)]
    difficulty, margin, error = total / m
    rank = (rankdata(difficulty) - 1) / max(n_samples - 1, 1)
    return pd.DataFrame(
        {
            "sample": places,
            "label": labels,
            "difficulty": difficulty,
            "rank": rank,
            "margin": margin,
            "error": error,
        }
    )


def chosen_samples(basis: SampleBasis, P, labels) -> pd.DataFrame:
    """Which samples a basis chose: rows of `sample_table`, with their weights.

    Parameters
    ----------
    basis : fitted SampleBasis
    P, labels : as of `sample_table`

    Returns
    -------
    DataFrame, one row per sample of the basis, in the order of choice: those of `sample_table`, and
    ``weight``, whose sum is about 1

    Raises
    ------
    DataError
        If the models have other samples, or labels do not fit.
    """
    stack = Stack(P, "P")
    if stack.shape[1] != basis.n_samples_:
        raise DataError(f"P: shape {stack.shape}, expected all {basis.n_samples_} samples")
    table = sample_table(stack if isinstance(P, Stack) else P, labels)
    table = table.iloc[basis.indices_].reset_index(drop=True)
    table.insert(1, "weight", basis.weights_)
    return table
