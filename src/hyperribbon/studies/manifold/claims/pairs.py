"""Pairs of configurations, what they have in common, and statistics of their distances."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.statistics import Tables, of_split, without_groups

OPTIMISATION = ("algorithm", "batch size", "weight decay")
# What two configurations can differ in; the rate is left out where another factor implies it.
FACTORS = ["architecture", "network", *OPTIMISATION, "augmentation"]
GROUPS = 20  # of configurations, at most


def described(tables: Tables) -> pd.DataFrame:
    """What each configuration is, by its name: the factors of `FACTORS`, and its parameters.

    Nesterov's acceleration, which is recognised by the optimiser's name, makes another algorithm.
    Raises NotHere for recordings, whose factors are not known.
    """
    table = tables["configurations"].set_index("configuration")
    if table[["architecture", "algorithm"]].isna().any(axis=None):
        raise NotHere("needs trainings of known networks and optimisers, not recordings")
    nesterov = table["optimiser"].str.contains("nesterov", case=False)
    columns = {
        "algorithm": table["algorithm"] + np.where(nesterov, " with Nesterov", ""),
        "batch size": table["batch_size"],
        "weight decay": table["weight_decay"] > 0,
    }
    about = table[["architecture", "network", "parameters", "augmentation"]]
    return about.assign(**columns)


def largest_residual(tables: Tables) -> str:
    """Name of the larger residual network; raises NotHere without two sizes of one."""
    about = described(tables).drop_duplicates("network")
    residual = about[about["architecture"].isin(["wide_resnet", "resnet"])]
    if residual["architecture"].duplicated().sum() == 0:
        raise NotHere("needs residual networks of two sizes")
    return str(residual.loc[residual["parameters"].idxmax(), "network"])


class Pairs(NamedTuple):
    """Pairs of configurations with trajectories that have some progress in common.

    Attributes
    ----------
    names : names of all configurations in a pair
    distance : (m,) nats
    first, second : (m,) positions of both configurations among the names
    about, other : what both configurations are, one row per pair
    cell : (m,) number of the pair of networks, regardless of their order
    """

    names: np.ndarray
    distance: np.ndarray
    first: np.ndarray
    second: np.ndarray
    about: pd.DataFrame
    other: pd.DataFrame
    cell: np.ndarray

    def same(self, factor: str) -> np.ndarray:
        """Whether both configurations have the same value of a factor."""
        return (self.about[factor] == self.other[factor]).to_numpy()

    def only(self, factor: str) -> np.ndarray:
        """Whether they differ in one factor; with the architecture, the network differs, too."""
        given = {factor, "network"} if factor == "architecture" else {factor}
        alike = [self.same(name) for name in FACTORS if name not in given]
        return ~self.same(factor) & np.logical_and.reduce(alike)

    def both(self, factor: str, *values: object) -> np.ndarray:
        """Whether both have one of some values of a factor."""
        return (self.about[factor].isin(values) & self.other[factor].isin(values)).to_numpy()

    def mean(self, chosen: np.ndarray, weights: np.ndarray) -> float:
        """Mean distance of chosen pairs, given the multiplicity of each name.

        It is the mean over pairs of networks of their mean distance: a study chooses its networks,
        so that how often each is drawn must not count.
        """
        w = (weights[self.first] * weights[self.second])[chosen]
        cell = np.unique(self.cell[chosen], return_inverse=True)[1]
        total = np.bincount(cell, w)
        known = total > 0
        if not known.any():
            return np.nan
        return float((np.bincount(cell, w * self.distance[chosen])[known] / total[known]).mean())


Choice = Callable[[Pairs], np.ndarray]


def pairs_of(tables: Tables, split: str) -> Pairs:
    """Pairs of different configurations; raises NotHere if none has a progress in common."""
    found = of_split(tables, "configuration_distances", split).dropna(subset="distance")
    found = found[found["configuration"] != found["other"]]
    if found.empty:
        raise NotHere("no two configurations reach a common progress")
    names = pd.unique(found[["configuration", "other"]].to_numpy().ravel())
    place, about = pd.Series(range(len(names)), index=names), described(tables)
    sides = [found["configuration"], found["other"]]
    both = [about.loc[side].reset_index(drop=True) for side in sides]
    code, networks = pd.factorize(pd.concat([side["network"] for side in both]))
    code = np.sort(code.reshape(2, -1), axis=0)
    first, second = (place.loc[side].to_numpy() for side in sides)
    cell = code[0] * len(networks) + code[1]
    return Pairs(names, found["distance"].to_numpy(), first, second, both[0], both[1], cell)


def left_out(statistic: Callable[[np.ndarray], float], pairs: Pairs, note: str) -> Ours:
    """A statistic of the configurations' multiplicities, without some after the other.

    A configuration that is drawn twice would be compared with itself, which makes intervals too
    wide: of three configurations per network, by more than half.
    """
    names = len(pairs.names)
    order = np.random.default_rng(0).permutation(names)
    without = []
    for group in np.array_split(order, min(GROUPS, names)):
        kept = np.ones(names)
        kept[group] = 0
        without.append(statistic(kept))
    sample = f"{names} configurations, {len(pairs.distance)} pairs"
    return without_groups(statistic(np.ones(names)), without, "configuration", note, sample)


def chosen(pairs: Pairs, needs: str, *choices: Choice) -> list[np.ndarray]:
    """Whether each pair is chosen, by each choice; raises NotHere if one chooses none."""
    found = [choice(pairs) for choice in choices]
    if not all(one.any() for one in found):
        raise NotHere(f"needs {needs}")
    return found
