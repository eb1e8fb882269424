"""Measures of the manifold: its dimension, where models lie, what other embeddings explain."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.statistics import Tables, of_split, over_configurations


def stress(split: str, dimension: int) -> Callable[[Tables], Ours]:
    """Explained stress of all models, with the interval of the sampled ones."""

    def measure(tables: Tables) -> Ours:
        whole = of_split(tables, "explained_stress", split, dimension=dimension)
        sampled = of_split(tables, "null_model", split, kind="observed", dimension=dimension)
        if whole.empty:
            raise NotHere(f"fewer than {dimension} models")
        value = whole["explained_stress"].iloc[0]
        if sampled.empty:
            return Ours(value)
        row = sampled.iloc[0]
        moved = value - row["explained_stress"]
        return Ours(value, row["low"] + moved, min(row["high"] + moved, 1.0))

    return measure


def second_eigenvalue(tables: Tables) -> Ours:
    """Second eigenvalue relative to the first; negative if it is time-like."""
    eigenvalues = of_split(tables, "explained_stress", "train")["eigenvalue"]
    return Ours(eigenvalues[1] / eigenvalues[0])


def first_distance(tables: Tables) -> Ours:
    """Largest distance from ignorance at initialisation, on test."""
    models = of_split(tables, "models", "test", step=0)
    if models.empty:
        raise NotHere("no model at step 0")
    to_ignorance = models["distance_to_ignorance"]
    return over_configurations(lambda w: to_ignorance[w > 0].max(), models)


def last_distance(split: str) -> Callable[[Tables], Ours]:
    """Largest distance from the truth among ends of trainings with at most 10% train error."""

    def measure(tables: Tables) -> Ours:
        keys = ["configuration", "seed"]
        ends = {s: of_split(tables, "models", s).groupby(keys, sort=False).last()
                for s in ("train", "test")}  # fmt: skip
        trained = (ends["train"]["error"] <= 0.1).to_numpy()
        if not trained.any():
            raise NotHere("no training ended with a train error of at most 10%")
        found = ends[split][trained].reset_index()
        return over_configurations(lambda w: found["distance_to_truth"][w > 0].max(), found)

    return measure


def away_of(network: str) -> Callable[[Tables], Ours]:
    """Share of a network's models that are away from the train manifold."""

    def measure(tables: Tables) -> Ours:
        models = of_split(tables, "models", "train")
        if not models["away"].any():
            raise NotHere("no model is away from the manifold")
        own = of_split(tables, "models", "train", network=network)
        if own.empty:
            raise NotHere(f"no network {network}")
        return Ours(own["away"].mean())

    return measure


def train_axes_on_test(tables: Tables) -> Ours:
    """Explained pairwise distance on test in the axes of train, relative to its own axes."""
    found = of_split(tables, "joint_explained", "test")
    last = found[found["dimension"] == found["dimension"].max()].set_index("axes")
    own, placed = last.loc["test"], last.loc["train"]
    scale = own["explained_pairwise_distance"]
    value, low, high = placed[["explained_pairwise_distance", "low", "high"]] / scale
    note = f"{placed.iloc[2]:.2f} of {scale:.2f} in {placed['dimension']} dimensions"
    return Ours(value, low, high, note)


def few_samples(split: str, size: int) -> Callable[[Tables], Ours]:
    """Explained pairwise distance in three dimensions from few samples, less that from all."""

    def measure(tables: Tables) -> Ours:
        found = of_split(tables, "subsets", split, kind="samples", dimension=3)
        whole = found["size"].max()
        few = found[found["size"] == size]["explained_pairwise_distance"]
        if few.empty or whole <= size:
            raise NotHere(f"needs more than {size} {split} samples")
        less = few - found[found["size"] == whole]["explained_pairwise_distance"].iloc[0]
        return Ours(less.mean(), less.min(), less.max(), "lowest and highest draw")

    return measure


def four_points(s: float, dimension: int) -> Callable[[Tables], Ours]:
    """Explained pairwise distance of four points, less that of InPCA's first dimensions."""

    def measure(tables: Tables) -> Ours:
        four, whole = _four(tables, 3, s), _four(tables, dimension)
        if four.empty or whole.empty:
            raise NotHere(f"no models near progress {s:g} and {1 - s:g}")
        less = four[["explained_pairwise_distance", "low", "high"]].iloc[0]
        value = whole["explained_pairwise_distance"].iloc[0]
        difference, low, high = less - value
        return Ours(difference, low, high, f"{less.iloc[0]:.2f} against {value:.2f}")

    return measure


def four_points_rmsd(tables: Tables) -> Ours:
    """RMSD of the aligned embeddings at s = 0.2."""
    rmsd = _four(tables, 3, 0.2)["rmsd"].dropna()
    if rmsd.empty:
        raise NotHere(
            "the two embeddings have different signatures, or no models are near 0.2 and 0.8"
        )
    return Ours(rmsd.iloc[0])


def _four(tables: Tables, dimension: int, s: float | None = None) -> pd.DataFrame:
    """Rows of averages at s, or of the original embedding; without models that are away."""
    equal = {"points": "all"} if s is None else {"points": "four", "s": s}
    return of_split(tables, "four_points", "train", dimension=dimension, **equal).tail(1)


def pca(split: str) -> Callable[[Tables], Ours]:
    """Explained variance of three dimensions of PCA."""

    def measure(tables: Tables) -> Ours:
        row = _of_metric(tables, split, "euclidean")
        return Ours(row["explained_pairwise_distance"], row["pairwise_low"], row["pairwise_high"])

    return measure


def iskl_less_inpca(tables: Tables) -> Ours:
    """Explained stress of three dimensions, IsKL less InPCA, on train."""
    ours, other = (_of_metric(tables, "train", m) for m in ("symmetric_kl", "bhattacharyya"))
    value = ours["explained_stress"] - other["explained_stress"]
    half = np.hypot(ours["high"] - ours["low"], other["high"] - other["low"]) / 2
    return Ours(value, value - half, value + half, "interval from those of both")


def _of_metric(tables: Tables, split: str, metric: str) -> pd.Series:
    return of_split(tables, "metrics", split, metric=metric, dimension=3).iloc[0]
