"""Which configurations have similar trajectories (thesis 2.3, Figs. 2.6a, 2.8, 2.19a)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import Claim, Ours
from hyperribbon.reporting.rules import ALIKE, NEGATIVE, POSITIVE, about, between
from hyperribbon.reporting.statistics import Tables, share
from hyperribbon.studies.manifold.claims import CIFAR10
from hyperribbon.studies.manifold.claims.pairs import (
    Choice,
    Pairs,
    chosen,
    left_out,
    pairs_of,
)

CONVOLUTIONAL = ("allcnn", "wide_resnet", "resnet", "convmixer")
OTHERS = ("fully_connected", "vit")
CUT = 0.05  # nats
SPLITS = ("train", "test")


def farther(split: str, far: Choice, near: Choice, needs: str) -> Callable[[Tables], Ours]:
    """Mean distance of some pairs, less that of others."""

    def measure(tables: Tables) -> Ours:
        return _compared(tables, split, (far, near), needs, "less", np.subtract)

    return measure


def _compared(
    tables: Tables,
    split: str,
    choices: tuple[Choice, Choice],
    needs: str,
    word: str,
    statistic: Callable[[float, float], float],
) -> Ours:
    """A statistic of the mean distances of two choices of pairs."""
    pairs = pairs_of(tables, split)
    two = chosen(pairs, needs, *choices)

    def means(weights: np.ndarray) -> list[float]:
        return [pairs.mean(one, weights) for one in two]

    first, second = means(np.ones(len(pairs.names)))
    note = f"{first:.3g} {word} {second:.3g}"
    return left_out(lambda w: statistic(*means(w)), pairs, note)


def mean_of(split: str, choice: Choice, needs: str) -> Callable[[Tables], Ours]:
    """Mean distance of some pairs."""

    def measure(tables: Tables) -> Ours:
        pairs = pairs_of(tables, split)
        (some,) = chosen(pairs, needs, choice)
        return left_out(lambda w: pairs.mean(some, w), pairs, f"{some.sum()} pairs")

    return measure


def ratio_of(split: str, above: Choice, below: Choice, needs: str) -> Callable[[Tables], Ours]:
    """Mean distance of some pairs over that of others."""

    def measure(tables: Tables) -> Ours:
        both = above, below
        logarithm = _compared(tables, split, both, needs, "over", lambda a, b: np.log(a / b))
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
    return left_out(lambda w: test.mean(every, w) - train.mean(every, w), train, "")


def sizes_less_distinguishable(tables: Tables) -> Ours:
    """Distance of two sizes of an architecture over that within one, test less train."""
    both = _both_splits(tables)
    needs = "an architecture in two sizes, each in two configurations"
    apart, within = chosen(both[0], needs, sizes, within_sizes)

    def relative(pairs: Pairs, w: np.ndarray) -> float:
        return pairs.mean(apart, w) / pairs.mean(within, w)

    return left_out(lambda w: relative(both[1], w) - relative(both[0], w), both[0], "")


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
