"""Measures of trajectories: tubes, the geodesic, and what sets configurations apart."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.statistics import (
    Tables,
    of_split,
    of_step,
    sample_of,
    share,
    weighted_mean,
    weighted_median,
    with_interval,
    with_less_without,
    without_groups,
)

TO_GEODESIC = "distance to geodesic"
LEAST_ARRANGEMENTS = 20  # for a p-value of at most 0.05


def trajectory_stress(split: str) -> Callable[[Tables], Ours]:
    """Explained stress of two dimensions of the embedding of trajectories."""

    def measure(tables: Tables) -> Ours:
        found = of_split(tables, "trajectory_stress", split, dimension=2)
        if found.empty:
            raise NotHere("too few trajectories reach a common progress")
        row, points = found.iloc[0], of_split(tables, "trajectory_embedding", split)
        return of_step(row["explained_stress"], row[["low", "high"]], points)

    return measure


def architecture_first(split: str) -> Callable[[Tables], Ours]:
    """Importance of the architecture less that of the next factor."""

    def measure(tables: Tables) -> Ours:
        factors = _importance(tables, split)
        own = _architecture(factors.index)
        if len(factors) == 1:
            raise NotHere("architecture is the only factor whose importance can be measured")
        return _ahead(tables, split, factors, [own], [f for f in factors.index if f != own])

    return measure


def optimisation_second(split: str) -> Callable[[Tables], Ours]:
    """Largest importance of a factor of optimisation less that of other factors."""

    def measure(tables: Tables) -> Ours:
        factors = _importance(tables, split)
        others = factors.index.drop(_architecture(factors.index))
        optimisation = others.isin(["optimiser", "algorithm", "batch_size", "learning_rate"])
        if optimisation.all() or not optimisation.any():
            raise NotHere(
                "needs factors of optimisation, and another one apart from the architecture"
            )
        return _ahead(
            tables, split, factors, list(others[optimisation]), list(others[~optimisation])
        )

    return measure


def architecture_by_chance(split: str) -> Callable[[Tables], Ours]:
    """P-value of the importance of the architecture."""

    def measure(tables: Tables) -> Ours:
        factors = _importance(tables, split)
        row = factors.loc[_architecture(factors.index)]
        if np.isnan(row["p_value"]) or row["arrangements"] < LEAST_ARRANGEMENTS:
            raise NotHere("too few configurations agree in all other factors")
        permutations = int(row["permutations"])
        as_good = round(row["p_value"] * (1 + permutations)) - 1
        note = f"{row['arrangements']:g} arrangements"
        return share(as_good, permutations, "permutation", note)._replace(value=row["p_value"])

    return measure


def _importance(tables: Tables, split: str) -> pd.DataFrame:
    """Importance of a configuration's factors, by name."""
    factors = of_split(tables, "importance", split).set_index("factor")
    return factors.drop(index=TO_GEODESIC, errors="ignore")


def _architecture(factors: pd.Index) -> str:
    for name in ("network", "architecture"):
        if name in factors:
            return name
    raise NotHere("too few configurations, or architectures, for a random forest")


def _ahead(
    tables: Tables, split: str, factors: pd.DataFrame, ours: list[str], others: list[str]
) -> Ours:
    """Largest importance of some factors less the largest of others."""

    def ahead(importance: pd.Series) -> float:
        known = importance.reindex([*ours, *others])
        # Without some configurations a factor may have no importance; then nothing is known.
        return np.nan if known.isna().any() else known[ours].max() - known[others].max()

    importance = factors["importance"]
    without = [
        ahead(part.set_index("factor")["importance"])
        for _, part in of_split(tables, "importance_without", split).groupby("left_out")
    ]
    first, second = (importance[names].idxmax() for names in (ours, others))
    note = f"{first} {importance[first]:.2f}, {second} {importance[second]:.2f}"
    sample = f"{int(factors['pairs'].iloc[0])} pairs of configurations"
    return without_groups(ahead(importance), without, "configuration", note, sample)


def configuration_distance(tables: Tables) -> Ours:
    """Mean distance between trajectories of different configurations, on train."""
    found = _different(tables)
    names, first, second = _both(found)
    ours = with_interval(
        lambda w: weighted_mean(found["distance"], w[first] * w[second]),
        pd.DataFrame({"configuration": names}),
        scale="ratio",
    )
    return ours._replace(sample=f"{len(names)} configurations, {len(found)} pairs")


def _different(tables: Tables) -> pd.DataFrame:
    """Distances on train of different configurations that reach a common progress."""
    found = of_split(tables, "configuration_distances", "train").dropna(subset="distance")
    found = found[found["configuration"] != found["other"]].reset_index(drop=True)
    if found.empty:
        raise NotHere("no two configurations reach a common progress")
    return found


def _both(found: pd.DataFrame) -> tuple[pd.Index, np.ndarray, np.ndarray]:
    """Configurations, and the position of each row's two among them."""
    names = pd.Index(pd.unique(found[["configuration", "other"]].to_numpy().ravel()))
    return names, names.get_indexer(found["configuration"]), names.get_indexer(found["other"])


def tube_width(split: str) -> Callable[[Tables], Ours]:
    """Median distance of models from the mean of their seeds."""

    def measure(tables: Tables) -> Ours:
        widths = _tubes(tables, split)
        return with_interval(lambda w: weighted_median(widths["to_mean"], w), widths, scale="ratio")

    return measure


def tube_in_configuration_distances(tables: Tables) -> Ours:
    """Median tube width less the median distance of different configurations, on train."""
    widths, found = _tubes(tables, "train"), _different(tables)
    names, first, second = _both(found)
    names = names.union(pd.unique(widths["configuration"]), sort=False)
    own = names.get_indexer(widths["configuration"])

    def medians(w: np.ndarray) -> tuple[float, float]:
        distance = weighted_median(found["distance"], w[first] * w[second])
        return weighted_median(widths["to_mean"], w[own]), distance

    def less(w: np.ndarray) -> float:
        width, distance = medians(w)
        return width - distance

    width, distance = medians(np.ones(len(names)))
    ours = with_interval(
        less,
        pd.DataFrame({"configuration": names}),
        f"median tube width {width:.3g}, median distance of configurations {distance:.3g} nats",
    )
    return ours._replace(sample=sample_of(widths))


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
    return with_interval(
        lambda w: weighted_mean(distance, w * middle) - weighted_mean(distance, w * ends), tubes
    )


def geodesic_test_less_train(tables: Tables) -> Ours:
    """Mean distance from the geodesic, test less train."""
    tubes = tables["tubes"].reset_index(drop=True)
    test = (tubes["split"] == "test").to_numpy()
    distance = tubes["to_geodesic"]
    return with_interval(
        lambda w: weighted_mean(distance, w * test) - weighted_mean(distance, w * ~test), tubes
    )


def nearest_to_geodesic(network: str) -> Callable[[Tables], Ours]:
    """Mean distance from the geodesic of the nearest other network, less that of one, on train."""

    def measure(tables: Tables) -> Ours:
        tubes = of_split(tables, "tubes", "train")
        others = [name for name in tubes["network"].unique() if name != network]
        if network not in tubes["network"].unique() or not others:
            raise NotHere(f"needs the network {network} and another one")
        own, distance = (tubes["network"] == network).to_numpy(), tubes["to_geodesic"]
        each = [(tubes["network"] == name).to_numpy() for name in others]

        def nearer(w: np.ndarray) -> float:
            means = [weighted_mean(distance, w * member) for member in each]
            return np.fmin.reduce(means) - weighted_mean(distance, w * own)

        return with_interval(nearer, tubes)

    return measure
