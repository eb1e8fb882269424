"""Measures of how fast and how well models learn: progress, errors, ensembles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.statistics import (
    Tables,
    of_split,
    r_squared,
    sample_of,
    weighted_mean,
    weighted_median,
    with_interval,
    with_less_without,
)


def progress_and_error(split: str) -> Callable[[Tables], Ours]:
    """R^2 of progress and error over all models of a split."""

    def measure(tables: Tables) -> Ours:
        models = of_split(tables, "models", split)
        return with_interval(
            lambda w: r_squared(models["progress"], models["error"], w),
            models,
            scale="determination",
        )

    return measure


def train_and_test_progress(tables: Tables) -> Ours:
    """R^2 of train and test progress over all models."""
    train, test = (of_split(tables, "models", split) for split in ("train", "test"))
    return with_interval(
        lambda w: r_squared(train["progress"], test["progress"], w), train, scale="determination"
    )


def nesterov_is_early(tables: Tables) -> Ours:
    """Mean train progress in the first epoch, with Nesterov's acceleration less without it."""
    models = of_split(tables, "models", "train").query("step > 0 and epoch <= 1")
    return with_less_without(
        models, "progress", models["optimiser"].str.contains("nesterov", case=False),
        ["network", "augmentation"],
        "an optimiser named after Nesterov, another one, and checkpoints in the first epoch",
    )  # fmt: skip


def larger_is_faster(tables: Tables) -> Ours:
    """Train progress at equal updates, larger network less smaller one of an architecture."""
    sizes = tables["configurations"].groupby("architecture")["parameters"].nunique()
    models = of_split(tables, "models", "train").merge(
        tables["configurations"][["configuration", "architecture", "parameters"]]
    )
    models = models[models["architecture"].isin(sizes.index[sizes > 1]) & (models["step"] > 0)]
    among = ["architecture", "optimiser", "augmentation"]
    mean = models.groupby([*among, "step", "parameters"])["progress"].mean().unstack("parameters")
    if mean.empty:
        raise NotHere("no architecture in two sizes")
    rows = []
    for names, steps in mean.groupby(among):
        known = steps.dropna(axis=1, how="all").dropna()
        if known.shape[1] > 1 and len(known):
            less = known[known.columns.max()] - known[known.columns.min()]
            rows.append({"pair": "-".join(names), "less": less.mean()})
    if not rows:
        raise NotHere("networks of two sizes have no updates in common")
    pairs = pd.DataFrame(rows)
    note = f"over {len(pairs)} otherwise equal pairs"
    ours = with_interval(lambda w: weighted_mean(pairs["less"], w), pairs, note, unit="pair")
    return ours._replace(sample=sample_of(models))


def median_error(network: str, split: str, parameters: int) -> Callable[[Tables], Ours]:
    """Median final error of networks with a given number of parameters, in percent."""

    def measure(tables: Tables) -> Ours:
        ends = of_split(tables, "trajectories", split).merge(
            tables["configurations"][["configuration", "parameters"]]
        )
        ends = ends[ends["parameters"] == parameters].reset_index(drop=True)
        if ends.empty:
            raise NotHere(f"no network has {parameters:,} parameters, like {network}")
        return with_interval(lambda w: 100 * weighted_median(ends["final_error"], w), ends)

    return measure


def harmonic_less_arithmetic(tables: Tables) -> Ours:
    """Final test error of the harmonic mean, less that of the arithmetic one, in percent."""
    last = _last_of_ensembles(tables, "error")
    return _of_ensembles(
        lambda w: 100 * weighted_mean(last["harmonic"] - last["arithmetic"], w), last, tables
    )


def harmonic_is_best(*others: str) -> Callable[[Tables], Ours]:
    """Final test error of the best other kind, less that of the harmonic mean, in percent."""
    return _harmonic_ahead(others, "error", -100)


def harmonic_is_farthest(*others: str) -> Callable[[Tables], Ours]:
    """Final test progress of the harmonic mean, less the largest of other kinds."""
    return _harmonic_ahead(others, "progress", 1)


def _harmonic_ahead(others: tuple[str, ...], column: str, unit: int) -> Callable[[Tables], Ours]:
    """How far the harmonic mean is ahead of the best other kind, of which more units are better."""

    def measure(tables: Tables) -> Ours:
        last = _last_of_ensembles(tables, column)

        def ahead(w: np.ndarray) -> float:
            return min(unit * weighted_mean(last["harmonic"] - last[kind], w) for kind in others)

        return _of_ensembles(ahead, last, tables)

    return measure


def _last_of_ensembles(tables: Tables, column: str) -> pd.DataFrame:
    """A column of each configuration's last centroids on test, by kind."""
    found = of_split(tables, "ensembles", "test")
    last = found.groupby(["configuration", "kind"], sort=False)[column].last().unstack("kind")
    if last.empty:
        raise NotHere("each configuration has only one seed")
    return last.reset_index()


def _of_ensembles(
    statistic: Callable[[np.ndarray], float], last: pd.DataFrame, tables: Tables
) -> Ours:
    seeds = of_split(tables, "ensembles", "test")["seeds"].max()
    words = f"{len(last)} configurations with up to {seeds} seeds"
    return with_interval(statistic, last)._replace(sample=words)
