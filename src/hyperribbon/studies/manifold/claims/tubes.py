"""How wide tubes of seeds are, and how far trajectories are from the geodesic (2.5.4.1)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import Claim, NotHere, Ours
from hyperribbon.reporting.combining import least_of, mean_over
from hyperribbon.reporting.rules import (
    AT_MOST_TWICE,
    FIRST,
    POSITIVE,
    at_most,
)
from hyperribbon.reporting.statistics import (
    Tables,
    of_split,
    weighted_mean,
    with_interval,
    with_less_without,
)
from hyperribbon.studies.manifold.claims import CIFAR10
from hyperribbon.studies.manifold.claims.configurations import OTHERS
from hyperribbon.studies.manifold.claims.pairs import (
    described,
    largest_residual,
    left_out,
    pairs_of,
)

WIDTH, GEODESIC = "to_mean", "to_geodesic"
TENTHS = 10


def _binned(tables: Tables, split: str, column: str) -> pd.DataFrame:
    """Mean of a column by training and tenth of progress; these rows are few."""
    tubes = of_split(tables, "tubes", split).dropna(subset=column)
    if tubes.empty:
        raise NotHere("no configuration has two seeds that reach the same progress")
    tenth = (tubes["progress"] * TENTHS).astype(int).clip(upper=TENTHS - 1).rename("tenth")
    keys = ["configuration", "network", "optimiser", "seed", tenth]
    return tubes.groupby(keys)[column].mean().reset_index()


def _by_group(rows: pd.DataFrame, by: str, column: str, weights: np.ndarray) -> np.ndarray:
    """Mean of a column by group and tenth, (groups, tenths); NaN where a group has no row."""
    group, names = pd.factorize(rows[by])
    place, size = group * TENTHS + rows["tenth"].to_numpy(), len(names) * TENTHS
    total = np.bincount(place, weights, size)
    value = np.bincount(place, weights * rows[column].to_numpy(), size)
    with np.errstate(invalid="ignore"):
        return (value / total).reshape(len(names), TENTHS)


def width_throughout(tables: Tables) -> Ours:
    """Largest mean tube width over tenths of progress, on train, of the median configuration."""
    rows = _binned(tables, "train", WIDTH)
    names = rows.groupby(["configuration", "tenth"])[WIDTH].mean().reset_index()

    def statistic(weights: np.ndarray) -> float:
        repeated = names.loc[names.index.repeat(weights.astype(int))]
        return float(repeated.groupby("tenth")[WIDTH].median().max())

    return with_interval(statistic, names)


def widening(tables: Tables) -> Ours:
    """Mean tube width in the second half of each training's progress less the first, on test."""
    tubes = of_split(tables, "tubes", "test").dropna(subset=WIDTH)
    if tubes.empty:
        raise NotHere("no configuration has two seeds that reach the same progress")
    half = tubes.groupby("configuration")["progress"].transform("max") / 2
    late = (tubes["progress"] > half).rename("late")
    return with_less_without(
        tubes, WIDTH, late, ["configuration"], "trainings with progress in both halves"
    )


def _widest_over_narrowest(tables: Tables, split: str, by: str, column: str):
    """Rows, and a function of their weights: widest over narrowest group, mean over tenths."""
    rows = _binned(tables, split, column)
    if rows[by].nunique() < 2:
        raise NotHere(f"needs two values of {by} with two seeds each")

    def statistic(weights: np.ndarray) -> float:
        means = _by_group(rows, by, column, weights)
        common = means[:, ~np.isnan(means).any(axis=0)]
        if not common.size:
            return np.nan
        return float((common.max(axis=0) / common.min(axis=0)).mean())

    if np.isnan(statistic(np.ones(len(rows)))):
        raise NotHere(f"values of {by} reach no progress in common")
    return rows, statistic


def widest_over_narrowest(split: str, by: str, column: str = WIDTH) -> Callable[[Tables], Ours]:
    """Largest over smallest mean of a column over groups at equal progress, mean over tenths."""

    def measure(tables: Tables) -> Ours:
        rows, statistic = _widest_over_narrowest(tables, split, by, column)
        note = f"{rows[by].nunique()} values of {by}"
        return with_interval(statistic, rows, note, scale="ratio")

    return measure


def differ_more_on_test(tables: Tables) -> Ours:
    """Widest over narrowest tube of networks at equal progress, test less train."""
    of = {s: _widest_over_narrowest(tables, s, "network", WIDTH) for s in ("train", "test")}
    names = pd.unique(np.concatenate([rows["configuration"] for rows, _ in of.values()]))
    place = {
        s: rows["configuration"].map({name: k for k, name in enumerate(names)}).to_numpy()
        for s, (rows, _) in of.items()
    }

    def statistic(weights: np.ndarray) -> float:
        test, train = (of[s][1](weights[place[s]]) for s in ("test", "train"))
        return test - train

    return with_interval(statistic, pd.DataFrame({"configuration": names}))


def augmentation_widens_on_test(tables: Tables) -> Ours:
    """Mean tube width above progress 0.8 with augmentation less without, on test."""
    tubes = of_split(tables, "tubes", "test").dropna(subset=WIDTH).query("progress > 0.8")
    return with_less_without(
        tubes, WIDTH, tubes["augmentation"] != "none", ["network", "optimiser"],
        "trainings with and without augmentation, with two seeds that reach progress 0.8 on test",
    )  # fmt: skip


def _last(tables: Tables, split: str) -> pd.DataFrame:
    """The last row of each training with two seeds."""
    tubes = of_split(tables, "tubes", split).dropna(subset=WIDTH)
    return tubes.groupby(["configuration", "seed"], sort=False).tail(1)


def ends_differ_more_on_test(tables: Tables) -> Ours:
    """Width of the tube at its end, test less train."""
    both = _last(tables, "train").merge(_last(tables, "test"), on=["configuration", "seed"])
    return mean_over(both.assign(less=both[f"{WIDTH}_y"] - both[f"{WIDTH}_x"]), "less")


def _means_of_networks(rows: pd.DataFrame, column: str) -> Callable[[np.ndarray], pd.Series]:
    group, names = pd.factorize(rows["network"])
    values = rows[column].to_numpy()

    def means(weights: np.ndarray) -> pd.Series:
        total = np.bincount(group, weights, len(names))
        with np.errstate(invalid="ignore"):
            return pd.Series(np.bincount(group, weights * values, len(names)) / total, names)

    return means


def _first_of(rows: pd.DataFrame, column: str, network: str, sign: int) -> Ours:
    """By how much a network's mean exceeds the largest of others, or falls below with sign -1."""
    if network not in rows["network"].unique() or rows["network"].nunique() < 2:
        raise NotHere(f"needs the network {network} and another one")
    means = _means_of_networks(rows, column)

    def statistic(weights: np.ndarray) -> float:
        found = sign * means(weights)
        return found[network] - found.drop(network).max()

    note = ", ".join(f"{name} {x:.3g}" for name, x in means(np.ones(len(rows))).items())
    return with_interval(statistic, rows, note)


def nearest_to_geodesic_on_test(network: str) -> Callable[[Tables], Ours]:
    """How much nearer to the geodesic a network is than the next one, on test."""
    return lambda tables: _first_of(_binned(tables, "test", GEODESIC), GEODESIC, network, -1)


def large_is_farthest(tables: Tables) -> Ours:
    """How much farther the larger residual network is than the next one, on train."""
    rows = _binned(tables, "train", GEODESIC)
    return _first_of(rows, GEODESIC, largest_residual(tables), 1)


def optimisers_differ(network: str) -> Callable[[Tables], Ours]:
    """Range over optimisers of the distance midway, of a network less the largest of others."""

    def measure(tables: Tables) -> Ours:
        rows = _binned(tables, "train", GEODESIC)
        rows = rows[rows["tenth"].between(3, 6)].reset_index(drop=True)
        several = rows.groupby("network")["optimiser"].transform("nunique") > 1
        rows = rows[several].reset_index(drop=True)
        if network not in rows["network"].unique() or rows["network"].nunique() < 2:
            raise NotHere(f"needs {network} and another network with two optimisers, midway")
        cell = rows.groupby(["network", "optimiser"]).ngroup().to_numpy()
        size, values = cell.max() + 1, rows[GEODESIC].to_numpy()
        of = rows.groupby(cell)["network"].first()

        def statistic(weights: np.ndarray) -> float:
            with np.errstate(invalid="ignore"):
                means = np.bincount(cell, weights * values, size) / np.bincount(cell, weights, size)
            spread = pd.Series(means).groupby(of).agg(lambda x: x.max() - x.min())
            return spread[network] - spread.drop(network).max()

        return with_interval(statistic, rows, f"{rows['network'].nunique()} networks")

    return measure


def farther_on_test(tables: Tables) -> Ours:
    """Distance from the geodesic at equal progress, test less train; least over architectures."""
    keys = ["configuration", "network", "optimiser", "seed", "tenth"]
    train, test = (_binned(tables, s, GEODESIC) for s in ("train", "test"))
    both = train.merge(test, on=keys)
    if both.empty:
        raise NotHere("no progress is reached on both splits")
    architecture = both["configuration"].map(described(tables)["architecture"])
    less = (both[f"{GEODESIC}_y"] - both[f"{GEODESIC}_x"]).rename("less")
    found = {}
    for name, rows in both.join(less).groupby(architecture, sort=False):
        found[str(name)] = mean_over(rows, "less")
    return least_of(found)


def far_at_large_progress(tables: Tables) -> Ours:
    """Distance from the geodesic late on test, fully-connected and ViT less other networks."""
    tubes = of_split(tables, "tubes", "test")
    last = tubes.groupby(["configuration", "seed"])["progress"].transform("max")
    tubes = tubes[tubes["progress"] >= 0.8 * last]
    about = described(tables).loc[tubes["configuration"]]
    tubes = tubes.assign(other=about["architecture"].isin(OTHERS).to_numpy())
    rows = tubes.groupby(["configuration", "seed", "other"])[GEODESIC].mean().reset_index()
    other = rows["other"].to_numpy()
    if other.all() or not other.any():
        raise NotHere("needs fully-connected or attention-based networks, and convolutional ones")
    values = rows[GEODESIC]
    return with_interval(
        lambda w: weighted_mean(values, w * other) - weighted_mean(values, w * ~other), rows
    )


def geodesic_is_far(tables: Tables) -> Ours:
    """Distance of trajectories from the geodesic, less that of configurations, on train."""
    pairs = pairs_of(tables, "train")
    ends = of_split(tables, "trajectories", "train").dropna(subset="distance_to_geodesic")
    means = ends.groupby("configuration")["distance_to_geodesic"].mean().reindex(pairs.names)
    every = np.ones(len(pairs.distance), dtype=bool)
    note = f"{means.mean():.3g} less {pairs.mean(every, np.ones(len(means))):.3g}"
    return left_out(lambda w: weighted_mean(means, w) - pairs.mean(every, w), pairs, note)


CLAIMS = [
    Claim(
        "The median tube width is about 0.05 nats throughout training, train (largest over tenths "
        "of progress)",
        "section 2.5.4.1, Fig. 2.16a",
        at_most(0.02),
        width_throughout,
        0.05,
        CIFAR10,
    ),
    Claim(
        "Tubes widen with progress, test (second half less first, nats)",
        "Fig. 2.16b",
        POSITIVE,
        widening,
    ),
    Claim(
        "Tubes of all networks are about equally wide at equal progress, train (widest over "
        "narrowest)",
        "section 2.5.4.1",
        AT_MOST_TWICE,
        widest_over_narrowest("train", "network"),
    ),
    Claim(
        "Tubes of networks differ more on test than on train (widest over narrowest, difference)",
        "section 2.5.4.1",
        POSITIVE,
        differ_more_on_test,
    ),
    Claim(
        "Optimisation and regularisation do not make tubes wide, train (widest over narrowest "
        "optimiser at equal progress)",
        "section 2.5.4.1",
        AT_MOST_TWICE,
        widest_over_narrowest("train", "optimiser"),
    ),
    Claim(
        "With augmentation, tubes are wider at large progress, test (difference, nats)",
        "section 2.5.4.1, Fig. 2.15",
        POSITIVE,
        augmentation_widens_on_test,
    ),
    Claim(
        "At the end of training, seeds are more similar on train than on test (tube width, test "
        "less train, nats)",
        "section 2.5.4.1",
        POSITIVE,
        ends_differ_more_on_test,
    ),
    Claim(
        "Trajectories are farther from the geodesic than from each other, train (difference, nats)",
        "section 2.3, Fig. 2.6a",
        POSITIVE,
        geodesic_is_far,
    ),
    Claim(
        "Of all networks, the larger residual one is farthest from the geodesic, train (difference "
        "to the next, nats)",
        "section 2.3, Fig. 2.17a",
        FIRST,
        large_is_farthest,
    ),
    Claim(
        "AllCNN is nearest to the geodesic, test (difference to the next, nats)",
        "section 2.5.4.3, Fig. 2.17b",
        FIRST,
        nearest_to_geodesic_on_test("AllCNN"),
    ),
    Claim(
        "Midway, optimisers differ in their distance from the geodesic for AllCNN more than for "
        "other networks, train (range, difference to the next, nats)",
        "Fig. 2.17a",
        FIRST,
        optimisers_differ("AllCNN"),
    ),
    Claim(
        "At equal progress, every architecture is farther from the geodesic on test than on train "
        "(least difference, nats)",
        "Fig. 2.17",
        POSITIVE,
        farther_on_test,
    ),
    Claim(
        "On test, all networks are about equally far from the geodesic (farthest over nearest at "
        "equal progress)",
        "Fig. 2.17b",
        AT_MOST_TWICE,
        widest_over_narrowest("test", "network", GEODESIC),
    ),
    Claim(
        "At large progress, fully-connected and attention-based networks are far from the geodesic "
        "on test (less others, last fifth of their progress, nats)",
        "Fig. 2.17b",
        POSITIVE,
        far_at_large_progress,
    ),
]
