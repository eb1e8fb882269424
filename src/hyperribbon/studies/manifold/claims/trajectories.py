"""Measures of trajectories: tubes, the geodesic, and what sets configurations apart."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from hyperribbon.numerics.bootstrap import bootstrap_interval
from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.statistics import (
    Tables,
    of_split,
    over_configurations,
    weighted_mean,
    weighted_median,
    with_less_without,
)

TO_GEODESIC = "distance to geodesic"


def trajectory_stress(split: str) -> Callable[[Tables], Ours]:
    """Explained stress of two dimensions of the embedding of trajectories."""

    def measure(tables: Tables) -> Ours:
        found = of_split(tables, "trajectory_stress", split, dimension=2)
        if found.empty:
            raise NotHere("too few trajectories reach a common progress")
        return Ours(*found[["explained_stress", "low", "high"]].iloc[0])

    return measure


def architecture_first(split: str) -> Callable[[Tables], Ours]:
    """Importance of the architecture less that of the next factor."""

    def measure(tables: Tables) -> Ours:
        factors = _importance(tables, split)
        own = _architecture(factors)
        others = factors.drop(index=own)
        if others.empty:
            raise NotHere("architecture is the only factor whose importance can be measured")
        return _less(factors.loc[own], others.loc[others["importance"].idxmax()])

    return measure


def optimisation_second(split: str) -> Callable[[Tables], Ours]:
    """Largest importance of a factor of optimisation less that of other factors."""

    def measure(tables: Tables) -> Ours:
        factors = _importance(tables, split)
        others = factors.drop(index=_architecture(factors))
        optimisation = others.index.isin(["optimiser", "algorithm", "batch_size", "learning_rate"])
        if optimisation.all() or not optimisation.any():
            raise NotHere(
                "needs factors of optimisation, and another one apart from the architecture"
            )
        first, next_one = (
            part.loc[part["importance"].idxmax()]
            for part in (others[optimisation], others[~optimisation])
        )
        return _less(first, next_one)

    return measure


def architecture_by_chance(split: str) -> Callable[[Tables], Ours]:
    """P-value of the importance of the architecture."""

    def measure(tables: Tables) -> Ours:
        factors = _importance(tables, split)
        row = factors.loc[_architecture(factors)]
        if np.isnan(row["p_value"]):
            raise NotHere("too few configurations agree in all other factors")
        return Ours(row["p_value"], note=f"{row['arrangements']:g} arrangements")

    return measure


def _importance(tables: Tables, split: str) -> pd.DataFrame:
    """Importance of a configuration's factors, by name."""
    factors = of_split(tables, "importance", split).set_index("factor")
    return factors.drop(index=TO_GEODESIC, errors="ignore")


def _architecture(factors: pd.DataFrame) -> str:
    for name in ("network", "architecture"):
        if name in factors.index:
            return name
    raise NotHere("too few configurations, or architectures, for a random forest")


def _less(first: pd.Series, second: pd.Series) -> Ours:
    """Difference of importances, with an interval from the spread of their permutations."""
    value = first["importance"] - second["importance"]
    half = 1.96 * np.hypot(first["std"], second["std"])
    note = f"{first.name} {first['importance']:.2f}, {second.name} {second['importance']:.2f}"
    return Ours(value, value - half, value + half, f"{note}; interval from permutations")


def configuration_distance(tables: Tables) -> Ours:
    """Mean distance between trajectories of different configurations, on train."""
    found = of_split(tables, "configuration_distances", "train").dropna(subset="distance")
    found = found[found["configuration"] != found["other"]].reset_index(drop=True)
    if found.empty:
        raise NotHere("no two configurations reach a common progress")
    names = pd.unique(found[["configuration", "other"]].to_numpy().ravel())
    first, second = (
        found[side].map({name: k for k, name in enumerate(names)}).to_numpy()
        for side in ("configuration", "other")
    )

    def mean(weights: np.ndarray) -> float:
        return weighted_mean(found["distance"], weights[first] * weights[second])

    value = mean(np.ones(len(names)))
    low, high = bootstrap_interval(mean, names, value)
    return Ours(value, float(low), float(high))


def tube_width(split: str) -> Callable[[Tables], Ours]:
    """Median distance of models from the mean of their seeds."""

    def measure(tables: Tables) -> Ours:
        widths = _tubes(tables, split)
        return over_configurations(lambda w: weighted_median(widths["to_mean"], w), widths)

    return measure


def tube_in_configuration_distances(tables: Tables) -> Ours:
    """Median tube width less the median distance of different configurations, on train."""
    width = tube_width("train")(tables)
    found = of_split(tables, "configuration_distances", "train")
    other = found["configuration"] != found["other"]
    distance = found["distance"][other].median()
    if np.isnan(distance):
        raise NotHere("no two configurations reach a common progress")
    note = f"median tube width less {distance:.3g} nats, the median distance of configurations"
    return Ours(width.value - distance, width.low - distance, width.high - distance, note)


def _tubes(tables: Tables, split: str) -> pd.DataFrame:
    tubes = of_split(tables, "tubes", split).dropna(subset="to_mean").reset_index(drop=True)
    if tubes.empty:
        raise NotHere("no configuration has two seeds that reach the same progress")
    return tubes


def augmentation_widens(tables: Tables) -> Ours:
    """Mean tube width above progress 0.8, with augmentation less without, on train."""
    tubes = _tubes(tables, "train").query("progress > 0.8")
    return with_less_without(
        tubes, "to_mean", tubes["augmentation"] != "none", ["network", "optimiser"],
        "trainings with and without augmentation, with two seeds that reach progress 0.8",
    )  # fmt: skip


def geodesic_middle(tables: Tables) -> Ours:
    """Mean distance from the geodesic at progress 0.3 to 0.7, less that at both ends."""
    tubes = of_split(tables, "tubes", "train")
    middle = tubes["progress"].between(0.3, 0.7).to_numpy()
    ends = ~tubes["progress"].between(0.1, 0.9).to_numpy()
    distance = tubes["to_geodesic"]
    return over_configurations(
        lambda w: weighted_mean(distance, w * middle) - weighted_mean(distance, w * ends), tubes
    )


def geodesic_test_less_train(tables: Tables) -> Ours:
    """Mean distance from the geodesic, test less train."""
    tubes = tables["tubes"].reset_index(drop=True)
    test = (tubes["split"] == "test").to_numpy()
    distance = tubes["to_geodesic"]
    return over_configurations(
        lambda w: weighted_mean(distance, w * test) - weighted_mean(distance, w * ~test), tubes
    )


def nearest_to_geodesic(network: str) -> Callable[[Tables], Ours]:
    """Mean distance of a network from the geodesic, less that of the next one, on train."""

    def measure(tables: Tables) -> Ours:
        tubes = of_split(tables, "tubes", "train")
        others = [name for name in tubes["network"].unique() if name != network]
        if network not in tubes["network"].unique() or not others:
            raise NotHere(f"needs the network {network} and another one")
        own, distance = (tubes["network"] == network).to_numpy(), tubes["to_geodesic"]
        each = [(tubes["network"] == name).to_numpy() for name in others]

        def less_nearest(w: np.ndarray) -> float:
            means = [weighted_mean(distance, w * member) for member in each]
            return weighted_mean(distance, w * own) - np.fmin.reduce(means)

        return over_configurations(less_nearest, tubes)

    return measure
