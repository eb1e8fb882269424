"""What embeddings show: their dimensions, signs, distances and spreads (thesis 2.3 to 2.5.4.3)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import Claim, NotHere, Ours
from hyperribbon.reporting.rules import (
    AT_LEAST,
    NEGATIVE,
    POSITIVE,
    about,
    between,
    not_worse,
)
from hyperribbon.reporting.statistics import (
    Tables,
    difference,
    drawn_share,
    of_split,
    of_step,
    sample_of,
    weighted_mean,
    weighted_median,
    with_interval,
)
from hyperribbon.studies.manifold.claims import CIFAR10, IMAGENET, manifold
from hyperribbon.studies.manifold.claims.pairs import described

SHOWN = ["pc1", "pc2", "pc3"]
NEAR_TRUTH = 0.2  # nats
KEYS = ["configuration", "seed", "checkpoint"]
BINS = np.linspace(0, 1, 11)  # of the error


def _from_truth(tables: Tables) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Models near the truth on train, their coordinates less the truth's, and the signature."""
    models = of_split(tables, "models", "train")
    models = models[models["distance_to_truth"] < NEAR_TRUTH].reset_index(drop=True)
    if models.empty:
        raise NotHere(f"no model is within {NEAR_TRUTH} nats of the truth")
    end = of_split(tables, "geodesic", "train").sort_values("alpha").iloc[-1]
    kinds = of_split(tables, "explained_stress", "train")["kind"][: len(SHOWN)]
    signature = np.where(kinds == "time-like", -1, 1)
    return models, models[SHOWN].to_numpy() - end[SHOWN].to_numpy(dtype=float), signature


def negative_to_truth(tables: Tables) -> Ours:
    """Share of models near the truth whose squared interval to it is negative, in 3 dimensions."""
    models, less, signature = _from_truth(tables)
    return drawn_share(less**2 @ signature < 0, models)


def far_to_truth(tables: Tables) -> Ours:
    """Median Euclidean distance of models near the truth from it, in three coordinates."""
    models, less, _ = _from_truth(tables)
    length = pd.Series(np.linalg.norm(less, axis=1))
    return with_interval(lambda w: weighted_median(length, w), models)


def geodesic_captured(tables: Tables) -> Ours:
    """Share of the pairwise distances along the geodesic that its coordinates explain, on train.

    Points alpha and beta of a geodesic of length l are -ln cos((alpha - beta) l) apart.
    """
    curve = of_split(tables, "geodesic", "train")
    summary = tables["summary"].set_index("quantity")["value"]
    angle = float(summary["length of the geodesic"]) * curve["alpha"].to_numpy()
    columns = [name for name in curve if name.startswith("pc")]
    kinds = of_split(tables, "explained_stress", "train")["kind"][: len(columns)]
    columns = columns[: len(kinds)]
    X, signature = curve[columns].to_numpy(), np.where(kinds == "time-like", -1, 1)
    D = -np.log(np.cos(angle[:, None] - angle))
    found = ((X[:, None] - X) ** 2 @ signature).astype(float)
    value = 1 - np.abs(D - found).sum() / D.sum()
    return _of_one_embedding(tables, value, f"{len(columns)} dimensions, {len(D)} points")


def _of_one_embedding(tables: Tables, value: float, note: str = "") -> Ours:
    """A value of the embedding of all models on train, of which no table has draws."""
    sample = sample_of(of_split(tables, "models", "train"))
    return Ours(float(value), note=note, drawn="no interval: one embedding", sample=sample)


def stress_on_test(dimension: int) -> Callable[[Tables], Ours]:
    """Explained stress on test, less that on train."""

    def measure(tables: Tables) -> Ours:
        test, train = (manifold.stress(split, dimension)(tables) for split in ("test", "train"))
        return difference(test, train)

    return measure


def _joint(tables: Tables, split: str, axes: str, dimension: int) -> Ours:
    found = of_split(tables, "joint_explained", split, axes=axes, dimension=dimension)
    if found.empty:
        raise NotHere(f"fewer than {dimension} models")
    value, *ends = found[["explained_pairwise_distance", "low", "high"]].iloc[0]
    return of_step(value, ends, of_split(tables, "models", split))


def joint(axes: str) -> Callable[[Tables], Ours]:
    """Explained pairwise distance on test in ten dimensions, in some axes."""
    return lambda tables: _joint(tables, "test", axes, 10)


def pairwise_on_test(tables: Tables) -> Ours:
    """Explained pairwise distance of three dimensions on test, less that on train."""
    test, train = (_joint(tables, split, split, 3) for split in ("test", "train"))
    return difference(test, train)


def third_eigenvalue(tables: Tables) -> Ours:
    """Least of the first three eigenvalues over the first, on train."""
    values = of_split(tables, "explained_stress", "train")["eigenvalue"].to_numpy()[:3]
    if len(values) < 3:
        raise NotHere("fewer than three dimensions")
    return _of_one_embedding(tables, values.min() / values[0])


def mixed_classes(split: str) -> Callable[[Tables], Ours]:
    """Explained pairwise distance from mixed classes less that from all, three dimensions.

    Classes are mixed at random into the largest number that the table has.
    """

    def measure(tables: Tables) -> Ours:
        found = of_split(tables, "subsets", split, dimension=3)
        mixed = found[found["kind"] == "classes"]
        if mixed.empty:
            raise NotHere("needs more than two classes")
        mixed = mixed[mixed["size"] == mixed["size"].max()].reset_index(drop=True)
        samples = found[found["kind"] == "samples"]
        whole = samples.loc[samples["size"].idxmax(), "explained_pairwise_distance"]
        less = mixed["explained_pairwise_distance"] - whole
        note = f"{mixed['size'].iloc[0]} mixed classes, {len(mixed)} mixtures"
        return with_interval(
            lambda w: weighted_mean(less, w), mixed, note, unit="mixture", by=["draw"]
        )

    return measure


def like_signs(s: float) -> Callable[[Tables], Ours]:
    """Share of the first three dimensions of four points with the sign of the original's."""

    def measure(tables: Tables) -> Ours:
        found = of_split(tables, "four_points", "train", selection="all models")
        four = found[(found["points"] == "four") & np.isclose(found["s"], s)]
        whole = found[found["points"] == "all"]
        kinds = [part.sort_values("dimension")["kind"].to_numpy()[:3] for part in (four, whole)]
        if min(map(len, kinds)) < 3:
            raise NotHere(f"no models near progress {s:g} and {1 - s:g}")
        return _of_one_embedding(tables, np.mean(kinds[0] == kinds[1]))

    return measure


def space_like(points: str) -> Callable[[Tables], Ours]:
    """Space-like ones of the first three dimensions, of models near the manifold."""

    def measure(tables: Tables) -> Ours:
        found = of_split(tables, "four_points", "train", selection="near the manifold")
        found = found[
            (found["points"] == points) & ((points == "all") | np.isclose(found["s"], 0.2))
        ]
        if len(found) < 3:
            raise NotHere("no model is away from the manifold, or none is near 0.2 and 0.8")
        first = found.sort_values("dimension")["kind"].iloc[:3]
        return _of_one_embedding(tables, (first == "space-like").sum())

    return measure


def _radius(X: np.ndarray, weights: np.ndarray) -> float:
    """Root mean square distance of points (m, k) from their weighted mean; NaN without weights."""
    if not weights.any():
        return np.nan
    centre = np.average(X, axis=0, weights=weights)
    return float(np.sqrt(np.average(((X - centre) ** 2).sum(axis=1), weights=weights)))


def spread_midway(tables: Tables) -> Ours:
    """Radius of models with test errors of 0.3 to 0.4, fully-connected less ConvMixer, on test."""
    models = of_split(tables, "models", "test").query("0.3 <= error <= 0.4").reset_index(drop=True)
    architecture = models["configuration"].map(described(tables)["architecture"])
    sides = [(architecture == name).to_numpy() for name in ("fully_connected", "convmixer")]
    if not all(side.any() for side in sides):
        raise NotHere("needs fully-connected networks and ConvMixer with test errors of 0.3 to 0.4")
    X = models[SHOWN].to_numpy()
    return with_interval(lambda w: _radius(X, w * sides[0]) - _radius(X, w * sides[1]), models)


def spread_at_equal_error(tables: Tables) -> Ours:
    """Radius of models of similar error over that of all, mean over tenths, test less train."""
    of = {}
    for split in ("train", "test"):
        models = of_split(tables, "models", split)
        of[split] = models, models[SHOWN].to_numpy(), np.digitize(models["error"], BINS)

    def spread(split: str, weights: np.ndarray) -> dict[int, float]:
        _, X, bins = of[split]
        whole = _radius(X, weights)
        return {k: _radius(X, weights * (bins == k)) / whole for k in np.unique(bins)}

    def statistic(weights: np.ndarray) -> float:
        test, train = (spread(split, weights) for split in ("test", "train"))
        return float(np.nanmean([test[k] - train[k] for k in test.keys() & train.keys()]))

    return with_interval(statistic, of["train"][0])


class _Metric:
    """Models in the embedding by one distance, on train."""

    def __init__(self, tables: Tables, metric: str):
        found = of_split(tables, "metric_embedding", "train", metric=metric)
        curve = of_split(tables, "metric_geodesic", "train", metric=metric)
        away = of_split(tables, "models", "train")[[*KEYS, "away"]]
        self.models = found.merge(away, on=KEYS, how="left")
        self.X = self.models[SHOWN].to_numpy()
        apart = self.X[:, None] - curve[SHOWN].to_numpy()
        self.to_curve = np.linalg.norm(apart, axis=-1).min(axis=1)
        self.away = self.models["away"].fillna(value=False).astype(bool).to_numpy()
        last = self.models.groupby(["configuration", "seed"])["checkpoint"].transform("max")
        self.last = (self.models["checkpoint"] == last).to_numpy()

    def from_geodesic(self, weights: np.ndarray) -> float:
        """Mean distance from the geodesic, over the radius of all."""
        return float(np.average(self.to_curve, weights=weights)) / _radius(self.X, weights)

    def spread_away(self, weights: np.ndarray) -> float:
        """Radius of models that are away about the others' centre, over the others' radius."""
        if not (weights * self.away).any() or not (weights * ~self.away).any():
            return np.nan
        centre = np.average(self.X, axis=0, weights=weights * ~self.away)
        square = ((self.X - centre) ** 2).sum(axis=1)
        beyond = np.sqrt(np.average(square, weights=weights * self.away))
        return float(beyond / _radius(self.X, weights * ~self.away))

    def spread_of_ends(self, weights: np.ndarray) -> float:
        """Radius of the ends of trainings, over that of all models."""
        return _radius(self.X, weights * self.last) / _radius(self.X, weights)


def embedding_less_inpca(metric: str, quantity: str) -> Callable[[Tables], Ours]:
    """A quantity of another embedding, less that of InPCA, in three coordinates, on train."""

    def measure(tables: Tables) -> Ours:
        other, inpca = (_Metric(tables, name) for name in (metric, "bhattacharyya"))
        if quantity == "spread_away" and not inpca.away.any():
            raise NotHere("no model is away from the manifold")
        statistics = [getattr(found, quantity) for found in (other, inpca)]
        one = np.ones(len(inpca.models))
        note = f"{statistics[0](one):.3g} less {statistics[1](one):.3g}"
        return with_interval(lambda w: statistics[0](w) - statistics[1](w), inpca.models, note)

    return measure


CLAIMS = [
    *(
        Claim(
            f"{dimension} dimensions explain less of the stress on test than on train (difference)",
            "section 2.3, Fig. 2.4b",
            NEGATIVE,
            stress_on_test(dimension),
        )
        for dimension in (3, 50)
    ),
    Claim(
        "Three dimensions explain less of the pairwise distances on test than on train "
        "(difference)",
        "Figs. 2.13, 2.14",
        NEGATIVE,
        pairwise_on_test,
    ),
    Claim(
        "The first three eigenvalues are positive, train (least over the first)",
        "section 2.3, Fig. 2.1e",
        POSITIVE,
        third_eigenvalue,
        data=IMAGENET,
    ),
    Claim(
        "The geodesic is largely captured by the top dimensions, train (share of its pairwise "
        "distances, at least half)",
        "section 2.3",
        between(0.5, 1),
        geodesic_captured,
    ),
    Claim(
        "Most models within 0.2 nats of the truth are at a negative Minkowski distance from it in "
        "three dimensions, train (share)",
        "section 2.3, Fig. 2.2b",
        between(0.5, 1),
        negative_to_truth,
        data=CIFAR10,
    ),
    Claim(
        "Models within 0.2 nats of the truth look far from it, more than 4 in a Euclidean sense "
        "(median, three coordinates, train)",
        "section 2.3, Fig. 2.2b",
        AT_LEAST,
        far_to_truth,
        4.0,
        CIFAR10,
    ),
    *(
        Claim(
            f"{words} explain {value:.0%} of the pairwise distances on test, in ten dimensions",
            "section 2.3",
            about(0.05),
            joint(axes),
            value,
            CIFAR10,
        )
        for words, axes, value in (
            ("The axes of train", "train", 0.52),
            ("The axes of test", "test", 0.56),
        )
    ),
    *(
        Claim(
            f"{size} {split} samples give an embedding that explains pairwise distances nearly as "
            "well as all (difference in 3 dimensions)",
            source,
            not_worse(0.05),
            manifold.few_samples(split, size),
        )
        for split, size, source in (
            ("train", 500, "Figs. 2.5b, 2.13a"),
            ("train", 5000, "Figs. 2.5b, 2.13a"),
            ("test", 10, "section 2.3, Fig. 2.13b"),
            ("test", 1000, "Fig. 2.13b"),
        )
    ),
    *(
        Claim(
            f"Mixing the classes at random changes the embedding little, {split} (explained "
            "pairwise distances in 3 dimensions, difference)",
            "section 2.3",
            not_worse(0.05),
            mixed_classes(split),
        )
        for split in ("train", "test")
    ),
    Claim(
        "The leading eigenvalues of four points have the signs of the original ones, train (s = "
        "0.3, share of three)",
        "section 2.4, Fig. 2.9",
        between(1, 1),
        like_signs(0.3),
    ),
    *(
        Claim(
            f"Without models that are away, the top three coordinates are space-like, train "
            f"({words}, number)",
            "Fig. 2.10",
            between(3, 3),
            space_like(points),
            data=CIFAR10,
        )
        for points, words in (("four", "four points, s = 0.2"), ("all", "original embedding"))
    ),
    Claim(
        "At test errors of 30 to 40%, fully-connected networks spread more than ConvMixer (radius "
        "in three coordinates, test, difference)",
        "section 2.5.4.2, Fig. 2.18",
        POSITIVE,
        spread_midway,
    ),
    Claim(
        "At equal error, models spread more on test than on train (radius in three coordinates "
        "over that of all models, difference)",
        "section 2.5.4.2, Fig. 2.18b",
        POSITIVE,
        spread_at_equal_error,
    ),
    *(
        Claim(
            f"{text}, train ({words}, difference from InPCA)",
            source,
            rule,
            embedding_less_inpca(metric, quantity),
        )
        for metric, text, quantity, words, rule, source in (
            (
                "euclidean", "In PCA, trajectories are nearer to the geodesic", "from_geodesic",
                "distance over the radius of all models", NEGATIVE, "section 2.5.4.3, Fig. 2.23",
            ),
            (
                "euclidean", "PCA does not show models that are away", "spread_away",
                "their radius over that of the others", NEGATIVE, "section 2.5.4.3, Fig. 2.23",
            ),
            (
                "euclidean", "PCA tells ends of trainings apart less", "spread_of_ends",
                "their radius over that of all models", NEGATIVE, "section 2.5.4.3, Fig. 2.23",
            ),
            (
                "symmetric_kl", "IsKL spreads ends of trainings more", "spread_of_ends",
                "their radius over that of all models", POSITIVE, "section 2.5.4.3, Fig. 2.22",
            ),
        )
    ),
]  # fmt: skip
