"""Measures of how fast and how well models learn: progress, errors, ensembles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.statistics import (
    Tables,
    of_split,
    over_configurations,
    r_squared,
    weighted_mean,
    weighted_median,
    with_less_without,
)


def progress_and_error(split: str) -> Callable[[Tables], Ours]:
    """R^2 of progress and error over all models of a split."""

    def measure(tables: Tables) -> Ours:
        models = of_split(tables, "models", split)
        return over_configurations(
            lambda w: r_squared(models["progress"], models["error"], w), models
        )

    return measure


def train_and_test_progress(tables: Tables) -> Ours:
    """R^2 of train and test progress over all models."""
    train, test = (of_split(tables, "models", split) for split in ("train", "test"))
    return over_configurations(lambda w: r_squared(train["progress"], test["progress"], w), train)


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
            rows.append({"configuration": "-".join(names), "less": less.mean()})
    if not rows:
        raise NotHere("networks of two sizes have no updates in common")
    pairs = pd.DataFrame(rows)
    return over_configurations(
        lambda w: weighted_mean(pairs["less"], w), pairs, f"over {len(pairs)} otherwise equal pairs"
    )


def median_error(network: str, split: str, parameters: int) -> Callable[[Tables], Ours]:
    """Median final error of networks with a given number of parameters, in percent."""

    def measure(tables: Tables) -> Ours:
        ends = of_split(tables, "trajectories", split).merge(
            tables["configurations"][["configuration", "parameters"]]
        )
        ends = ends[ends["parameters"] == parameters].reset_index(drop=True)
        if ends.empty:
            raise NotHere(f"no network has {parameters:,} parameters, like {network}")
        return over_configurations(lambda w: 100 * weighted_median(ends["final_error"], w), ends)

    return measure


def harmonic_error_less(*others: str) -> Callable[[Tables], Ours]:
    """Final test error of the harmonic mean, less that of the best other kind, in percent."""
    return _harmonic_less(others, "error", np.min, 100)


def harmonic_progress_less(*others: str) -> Callable[[Tables], Ours]:
    """Final test progress of the harmonic mean, less the largest of other kinds."""
    return _harmonic_less(others, "progress", np.max, 1)


def _harmonic_less(
    others: tuple[str, ...], column: str, best: Callable[[list[float]], float], unit: float
) -> Callable[[Tables], Ours]:
    def measure(tables: Tables) -> Ours:
        found = of_split(tables, "ensembles", "test")
        last = found.groupby(["configuration", "kind"], sort=False)[column].last().unstack("kind")
        if last.empty:
            raise NotHere("each configuration has only one seed")
        last = last.reset_index()

        def less(w: np.ndarray) -> float:
            means = [weighted_mean(last[kind], w) for kind in others]
            return unit * (weighted_mean(last["harmonic"], w) - best(means))

        seeds = found["seeds"].max()
        return over_configurations(
            less, last, f"{len(last)} configurations with up to {seeds} seeds"
        )

    return measure
