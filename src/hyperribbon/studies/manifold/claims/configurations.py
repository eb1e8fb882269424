"""Which configurations have similar trajectories (thesis 2.3, Figs. 2.6a, 2.8, 2.19a)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import Claim, NotHere, Ours
from hyperribbon.reporting.rules import ALIKE, NEGATIVE, POSITIVE, about, between
from hyperribbon.reporting.statistics import Tables, of_split, share, without_groups

CIFAR10 = ("cifar10",)
CONVOLUTIONAL = ("allcnn", "wide_resnet", "resnet", "convmixer")
OTHERS = ("fully_connected", "vit")
OPTIMISATION = ("algorithm", "batch size", "weight decay")
# What two configurations can differ in; the rate is left out where another factor implies it.
FACTORS = ["architecture", "network", *OPTIMISATION, "augmentation"]
CUT = 0.05  # nats
SPLITS = ("train", "test")
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


def _left_out(statistic: Callable[[np.ndarray], float], pairs: Pairs, note: str) -> Ours:
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


def _chosen(pairs: Pairs, needs: str, *choices: Choice) -> list[np.ndarray]:
    found = [choice(pairs) for choice in choices]
    if not all(one.any() for one in found):
        raise NotHere(f"needs {needs}")
    return found


def farther(split: str, far: Choice, near: Choice, needs: str) -> Callable[[Tables], Ours]:
    """Mean distance of some pairs, less that of others."""

    def measure(tables: Tables) -> Ours:
        pairs = pairs_of(tables, split)
        a, b = _chosen(pairs, needs, far, near)
        one = np.ones(len(pairs.names))
        note = f"{pairs.mean(a, one):.3g} less {pairs.mean(b, one):.3g}"
        return _left_out(lambda w: pairs.mean(a, w) - pairs.mean(b, w), pairs, note)

    return measure


def mean_of(split: str, choice: Choice, needs: str) -> Callable[[Tables], Ours]:
    """Mean distance of some pairs."""

    def measure(tables: Tables) -> Ours:
        pairs = pairs_of(tables, split)
        (chosen,) = _chosen(pairs, needs, choice)
        return _left_out(lambda w: pairs.mean(chosen, w), pairs, f"{chosen.sum()} pairs")

    return measure


def ratio_of(split: str, above: Choice, below: Choice, needs: str) -> Callable[[Tables], Ours]:
    """Mean distance of some pairs over that of others."""

    def measure(tables: Tables) -> Ours:
        pairs = pairs_of(tables, split)
        a, b = _chosen(pairs, needs, above, below)
        one = np.ones(len(pairs.names))
        note = f"{pairs.mean(a, one):.3g} over {pairs.mean(b, one):.3g}"
        logarithm = _left_out(lambda w: np.log(pairs.mean(a, w) / pairs.mean(b, w)), pairs, note)
        value, low, high = np.exp(logarithm[:3])
        return logarithm._replace(value=value, low=low, high=high)

    return measure


def _both_splits(tables: Tables) -> tuple[Pairs, Pairs]:
    """Pairs on train and test, of the same configurations in the same order."""
    table = tables["configuration_distances"].dropna(subset="distance")
    on_both = table.groupby(["configuration", "other"])["split"].transform("nunique") == 2
    table = table[on_both].sort_values(["configuration", "other"])
    train, test = (pairs_of({**tables, "configuration_distances": table}, s) for s in SPLITS)
    return train, test


def test_less_train(tables: Tables) -> Ours:
    """Mean distance of configurations on test, less that on train."""
    train, test = _both_splits(tables)
    every = np.ones(len(train.distance), dtype=bool)
    return _left_out(lambda w: test.mean(every, w) - train.mean(every, w), train, "")


def sizes_less_distinguishable(tables: Tables) -> Ours:
    """Distance of two sizes of an architecture over that within one, test less train."""
    both = _both_splits(tables)
    needs = "an architecture in two sizes, each in two configurations"
    chosen = _chosen(both[0], needs, sizes, lambda pairs: within_sizes(pairs))

    def relative(pairs: Pairs, w: np.ndarray) -> float:
        return pairs.mean(chosen[0], w) / pairs.mean(chosen[1], w)

    return _left_out(lambda w: relative(both[1], w) - relative(both[0], w), both[0], "")


def separated(tables: Tables) -> Ours:
    """Share of configurations whose nearest other one is farther than a cut, on train."""
    pairs = pairs_of(tables, "train")
    ends = np.concatenate([pairs.first, pairs.second])
    nearest = pd.Series(np.tile(pairs.distance, 2)).groupby(ends).min()
    return share(int((nearest > CUT).sum()), len(nearest), "configuration")


def sizes(pairs: Pairs) -> np.ndarray:
    """Pairs of two sizes of one architecture."""
    return pairs.same("architecture") & ~pairs.same("network")


def within_sizes(pairs: Pairs) -> np.ndarray:
    """Pairs of one network, of an architecture that comes in two sizes."""
    several = pairs.about.loc[sizes(pairs), "architecture"].unique()
    return pairs.same("network") & pairs.both("architecture", *several)


def architectures(pairs: Pairs) -> np.ndarray:
    """Pairs of different architectures."""
    return ~pairs.same("architecture")


def group(*names: str) -> Choice:
    """Pairs of which both have one of some architectures."""
    return lambda pairs: pairs.both("architecture", *names)


def within_groups(pairs: Pairs) -> np.ndarray:
    """Pairs in one of the two groups of architectures."""
    return group(*CONVOLUTIONAL)(pairs) | group(*OTHERS)(pairs)


def differing(factor: str, *names: str) -> Choice:
    """Pairs that differ in one factor only, of some architectures or all."""

    def choice(pairs: Pairs) -> np.ndarray:
        inside = group(*names)(pairs) if names else True
        return pairs.only(factor) & inside

    return choice


def trained_by(*algorithms: str) -> Choice:
    """Pairs of one convolutional network of which both have one of some algorithms."""

    def choice(pairs: Pairs) -> np.ndarray:
        inside = pairs.same("network") & group(*CONVOLUTIONAL)(pairs)
        return inside & pairs.same("algorithm") & pairs.both("algorithm", *algorithms)

    return choice


TWO_GROUPS = "two convolutional networks, and two fully-connected or attention-based ones"
CLAIMS = [
    *(
        Claim(
            f"Trajectories cluster by architecture, {split} (distance of configurations of "
            "different architectures less that of one, nats)",
            source,
            POSITIVE,
            farther(
                split,
                architectures,
                lambda pairs: pairs.same("architecture"),
                "two architectures, one of them in two configurations",
            ),
        )
        for split, source in (("train", "Fig. 2.6a"), ("test", "Fig. 2.19a"))
    ),
    *(
        Claim(
            f"Trajectories of {words} networks are about 0.1 nats apart, train",
            "section 2.3, Fig. 2.6a",
            about(0.05),
            mean_of("train", group(*names), f"two configurations of {words} networks"),
            0.1,
            CIFAR10,
        )
        for words, names in (
            ("convolutional", CONVOLUTIONAL),
            ("fully-connected and attention-based", OTHERS),
        )
    ),
    Claim(
        "Convolutional networks are about as far apart as fully-connected and attention-based "
        "ones, train (ratio of mean distances)",
        "section 2.3, Fig. 2.6a",
        ALIKE,
        ratio_of("train", group(*CONVOLUTIONAL), group(*OTHERS), TWO_GROUPS),
    ),
    Claim(
        "The former train along different trajectories than the latter, train (distance of both "
        "groups less that within them, nats)",
        "section 2.3, Fig. 2.6a",
        POSITIVE,
        farther("train", lambda pairs: ~within_groups(pairs), within_groups, TWO_GROUPS),
    ),
    *(
        Claim(
            f"Small and large networks of an architecture have similar trajectories, {split} "
            "(distance of sizes less that of architectures, nats)",
            source,
            NEGATIVE,
            farther(split, sizes, architectures, "an architecture in two sizes, and another one"),
        )
        for split, source in (("train", "Figs. 2.6a, 2.8"), ("test", "Fig. 2.19a"))
    ),
    Claim(
        "Small and large networks are less distinguishable on test than on train (distance of "
        "sizes over that within a size, test less train)",
        "Fig. 2.19a",
        NEGATIVE,
        sizes_less_distinguishable,
    ),
    *(
        Claim(
            f"Configurations that differ only in {words} are nearer to each other than those that "
            "differ only in the architecture, train (difference, nats)",
            "section 2.3",
            NEGATIVE,
            farther(
                "train",
                differing(factor),
                differing("architecture"),
                f"configurations that differ in {words} only, and in the architecture only",
            ),
        )
        for factor, words in (
            ("algorithm", "the algorithm"),
            ("batch size", "the batch size"),
            ("weight decay", "weight decay or none"),
            ("augmentation", "the augmentation"),
        )
    ),
    Claim(
        "Configurations of one network are nearer if they have the same algorithm, train "
        "(different ones less the same, nats)",
        "section 2.3",
        POSITIVE,
        farther(
            "train",
            lambda pairs: pairs.same("network") & ~pairs.same("algorithm"),
            lambda pairs: pairs.same("network") & pairs.same("algorithm"),
            "a network trained by two algorithms, and twice by one",
        ),
    ),
    Claim(
        "Convolutional networks trained by Adam are more similar to each other than those trained "
        "by SGD, train (difference, nats)",
        "section 2.3",
        NEGATIVE,
        farther(
            "train",
            trained_by("adam"),
            trained_by("sgd", "sgd with Nesterov"),
            "a convolutional network in two configurations with Adam, and in two with SGD",
        ),
    ),
    Claim(
        "For fully-connected and attention-based networks, augmentation matters more than the "
        "algorithm, train (distance, difference in nats)",
        "section 2.3",
        POSITIVE,
        farther(
            "train",
            differing("augmentation", *OTHERS),
            differing("algorithm", *OTHERS),
            "such networks with and without augmentation, and by two algorithms",
        ),
    ),
    Claim(
        "On test, augmentation sets fully-connected and attention-based networks farther apart "
        "than convolutional ones (difference, nats)",
        "section 2.3, Fig. 2.4",
        POSITIVE,
        farther(
            "test",
            differing("augmentation", *OTHERS),
            differing("augmentation", *CONVOLUTIONAL),
            "networks of both kinds with and without augmentation",
        ),
    ),
    Claim(
        "Trajectories are farther apart on test than on train (mean distance of configurations, "
        "difference in nats)",
        "section 2.3, Fig. 2.19a",
        POSITIVE,
        test_less_train,
    ),
    Claim(
        "A cut at 0.05 nats separates most configurations, train (share whose nearest other one "
        "is farther)",
        "section 2.5.4.1",
        between(0.5, 1),
        separated,
        data=CIFAR10,
    ),
]
