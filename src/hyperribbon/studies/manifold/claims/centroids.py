"""Errors of networks and of their ensembles (thesis Table 2.1, Fig. 2.24)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import Claim, NotHere, Ours
from hyperribbon.reporting.rules import FIRST, POSITIVE, about, between
from hyperribbon.reporting.statistics import (
    Tables,
    of_split,
    weighted_mean,
    weighted_quantile,
    with_interval,
)
from hyperribbon.studies.manifold.claims import CIFAR10, IMAGENET, progress
from hyperribbon.studies.manifold.claims.pairs import described

SINGLE = "single network"
# Test errors of Fig. 2.24b in percent, of AllCNN trained by SGD, no augmentation or weight decay.
ENSEMBLE_ERRORS = {
    "arithmetic": 25.0, "sqrt_arithmetic": 22.8, "geometric": 20.9, "harmonic": 18.9,
    "bhattacharyya": 23.1, "jeffreys": 22.7,
}  # fmt: skip
ALLCNN = 399_486  # its parameters
# Quartiles of Table 2.1 in percent, train then test, by name and number of parameters.
QUARTILES = {
    "Fully-Connected": (3_837_066, (0.0, 4.4), (38.1, 41.9)),
    "AllCNN": (399_486, (0.0, 0.5), (11.7, 20.3)),
    "Small ResNet": (300_226, (0.0, 2.3), (12.5, 21.5)),
    "Large ResNet": (43_890_122, (0.0, 0.0), (6.5, 11.2)),
    "ConvMixer": (594_186, (0.0, 0.0), (9.9, 16.8)),
    "ViT": (9_523_722, (0.0, 18.6), (21.7, 36.2)),
}
IMAGENET_MEDIANS = {
    "ResNet-18": (11_689_512, 22.7, 31.9),
    "ResNet-50": (25_557_032, 15.8, 25.2),
    "ViT-S": (22_050_664, 16.6, 41.5),
}
IMAGENET_QUARTILES = {
    "ResNet-18": (11_689_512, (22.5, 22.7), (31.8, 31.9)),
    "ResNet-50": (25_557_032, (15.8, 15.8), (25.1, 25.3)),
    "ViT-S": (22_050_664, (15.1, 16.9), (41.3, 42.2)),
}


def quartile(network: str, split: str, parameters: int, upper: bool) -> Callable[[Tables], Ours]:
    """A quartile of the final error of networks with a number of parameters, in percent."""

    def measure(tables: Tables) -> Ours:
        ends = of_split(tables, "trajectories", split)
        own = described(tables)["parameters"].reindex(ends["configuration"]) == parameters
        ends = ends[own.to_numpy()].reset_index(drop=True)
        if ends.empty:
            raise NotHere(f"no network has {parameters:,} parameters, like {network}")
        errors, q = 100 * ends["final_error"], 0.75 if upper else 0.25
        return with_interval(lambda w: weighted_quantile(errors, w, q), ends)

    return measure


def _ends(tables: Tables) -> pd.DataFrame:
    """Ends of ensembles on test: one row per configuration and kind of centroid."""
    found = of_split(tables, "ensembles", "test")
    if found.empty:
        raise NotHere("each configuration has only one seed")
    return found.groupby(["configuration", "kind"], sort=False).last().reset_index()


def centroid_less(kind: str, other: str, column: str, unit: float) -> Callable[[Tables], Ours]:
    """Final value of one kind of centroid less that of another, on test."""

    def measure(tables: Tables) -> Ours:
        ends = _ends(tables).pivot(index="configuration", columns="kind", values=column)
        less = (unit * (ends[kind] - ends[other])).dropna().rename("less").reset_index()
        return with_interval(lambda w: weighted_mean(less["less"], w), less)

    return measure


def worst_is(kind: str) -> Callable[[Tables], Ours]:
    """Final test error of one kind of centroid less the largest of others, in percent."""

    def measure(tables: Tables) -> Ours:
        ends = _ends(tables).pivot(index="configuration", columns="kind", values="error")
        ends = 100 * ends[list(ENSEMBLE_ERRORS)].reset_index(drop=False)
        ends["configuration"] = ends.index

        def statistic(weights: np.ndarray) -> float:
            means = {name: weighted_mean(ends[name], weights) for name in ENSEMBLE_ERRORS}
            return means.pop(kind) - max(means.values())

        return with_interval(statistic, ends)

    return measure


def error_of(kind: str) -> Callable[[Tables], Ours]:
    """Final test error of ensembles of AllCNN by SGD without anything else, in percent."""

    def measure(tables: Tables) -> Ours:
        ends = _ends(tables)
        about = described(tables).loc[ends["configuration"]].reset_index(drop=True)
        plain = (about["parameters"] == ALLCNN) & (about["algorithm"] == "sgd")
        plain &= (about["augmentation"] == "none") & ~about["weight decay"]
        ends = ends[plain & (ends["kind"] == kind)].reset_index(drop=True)
        if ends.empty:
            raise NotHere(
                f"needs AllCNN with {ALLCNN:,} parameters, by SGD without augmentation or weight "
                "decay, in several seeds"
            )
        note = f"up to {ends['seeds'].max()} seeds"
        return with_interval(lambda w: 100 * weighted_mean(ends["error"], w), ends, note)

    return measure


def outside(tables: Tables) -> Ours:
    """Distance of centroids from the nearest model, arithmetic and harmonic less the others.

    In three coordinates, on train, mean over checkpoints; the nearer of the two means is compared
    with the farthest of the other kinds.
    """
    names = ["pc1", "pc2", "pc3"]
    centroids = of_split(tables, "ensemble_embedding", "train")
    if centroids.empty:
        raise NotHere("each configuration has only one seed")
    models = of_split(tables, "models", "train")
    models = models[models["configuration"].isin(centroids["configuration"])]
    apart = centroids[names].to_numpy()[:, None] - models[names].to_numpy()
    nearest = pd.Series(np.linalg.norm(apart, axis=-1).min(axis=1), centroids.index)
    means = nearest.groupby(centroids["kind"]).mean()
    own = means[["arithmetic", "harmonic"]]
    note = ", ".join(f"{name} {value:.3g}" for name, value in means.items())
    value = float(own.min() - means.drop(own.index).max())
    sample = f"{len(centroids)} centroids, {len(models)} models"
    return Ours(value, note=note, drawn="no interval: one configuration", sample=sample)


CLAIMS = [
    *(
        Claim(
            f"Median {split} error of {name} on ImageNet, percent",
            "Table 2.1",
            about(3.0),
            progress.median_error(name, split, parameters),
            value,
            IMAGENET,
        )
        for name, (parameters, *values) in IMAGENET_MEDIANS.items()
        for split, value in zip(("train", "test"), values, strict=True)
    ),
    *(
        Claim(
            f"{word} quartile of the {split} error of {name}{where}, percent",
            "Table 2.1",
            about(3.0),
            quartile(name, split, parameters, word == "Upper"),
            value,
            data,
        )
        for quartiles, data, where in (
            (QUARTILES, CIFAR10, ""),
            (IMAGENET_QUARTILES, IMAGENET, " on ImageNet"),
        )
        for name, (parameters, *values) in quartiles.items()
        for split, both in zip(("train", "test"), values, strict=True)
        for word, value in zip(("Lower", "Upper"), both, strict=True)
    ),
    *(
        Claim(
            f"Test error of an ensemble of AllCNN by its {kind.replace('_', ' ')} centroid, "
            "percent",
            "Fig. 2.24b",
            about(3.0),
            error_of(kind),
            value,
            CIFAR10,
        )
        for kind, value in ENSEMBLE_ERRORS.items()
    ),
    Claim(
        "The arithmetic mean has the largest test error of six centroids (to the next, percent)",
        "Fig. 2.24b",
        FIRST,
        worst_is("arithmetic"),
    ),
    Claim(
        "The arithmetic mean is like the Bhattacharyya centroid (difference of test errors, at "
        "most 2 percent; published 25.0 against 23.1)",
        "section 2.2",
        between(-2, 2),
        centroid_less("arithmetic", "bhattacharyya", "error", 100),
    ),
    Claim(
        "The harmonic mean of an ensemble makes more progress than its networks, test (difference)",
        "section 2.5.4.4",
        POSITIVE,
        centroid_less("harmonic", SINGLE, "progress", 1),
    ),
    Claim(
        "Arithmetic and harmonic means are farther from the manifold than other centroids (nearest "
        "model in three coordinates, train, difference)",
        "Fig. 2.24a",
        POSITIVE,
        outside,
    ),
]
