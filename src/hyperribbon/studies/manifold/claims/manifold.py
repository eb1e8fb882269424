"""Measures of the manifold: its dimension, where models lie, what other embeddings explain."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.statistics import (
    TRAINING,
    Tables,
    of_split,
    of_step,
    share,
    weighted_mean,
    weighted_quantile,
    with_interval,
)

THREE_OF_FOUR = 0.75  # the interval of a higher quantile covers less


def stress(split: str, dimension: int) -> Callable[[Tables], Ours]:
    """Explained stress of all models, with the interval of the sampled ones."""

    def measure(tables: Tables) -> Ours:
        whole = of_split(tables, "explained_stress", split, dimension=dimension)
        sampled = of_split(tables, "null_model", split, kind="observed", dimension=dimension)
        if whole.empty:
            raise NotHere(f"fewer than {dimension} models")
        value, models = whole["explained_stress"].iloc[0], of_split(tables, "models", split)
        if sampled.empty:
            words = "no interval: more dimensions than sampled models"
            return of_step(value, (np.nan, np.nan), models)._replace(drawn=words)
        row = sampled.iloc[0]
        ends = row[["low", "high"]]
        return _from_sampled(value, row["explained_stress"], ends, models, row["models"], most=1)

    return measure


def _from_sampled(
    value: float, sampled: float, ends: pd.Series, models: pd.DataFrame, count: int, most=np.inf
) -> Ours:
    """A value of all models, with the interval of evenly spaced ones, moved to the value.

    These may lack the few models that decide the value; then the interval says nothing of it. That
    is so if it does not hold the value where it is.
    """
    low, high = ends
    if count < len(models) and not low <= value <= high:
        words = f"no interval: the {count:,} models to draw from have another value"
        return of_step(value, (np.nan, np.nan), models)._replace(drawn=words)
    ends = (ends + value - sampled).clip(upper=most)
    return of_step(value, ends, models, drawn_from=count)


def second_eigenvalue(tables: Tables) -> Ours:
    """Second eigenvalue relative to the first; negative if it is time-like."""
    eigenvalues = of_split(tables, "explained_stress", "train")["eigenvalue"]
    if len(eigenvalues) < 2:
        raise NotHere("fewer than two dimensions")
    value, row = eigenvalues[1] / eigenvalues[0], _of_metric(tables, "train", "bhattacharyya", 2)
    sampled = of_split(tables, "metrics", "train", metric="bhattacharyya")["eigenvalue"]
    ends, models = row[["ratio_low", "ratio_high"]], of_split(tables, "models", "train")
    return _from_sampled(value, sampled[1] / sampled[0], ends, models, row["models"])


def first_distance(tables: Tables) -> Ours:
    """Distance from ignorance within which three of four models are at initialisation, on test."""
    models = of_split(tables, "models", "test", step=0)
    if models.empty:
        raise NotHere("no model at step 0")
    return _three_of_four(models, "distance_to_ignorance")


def last_distance(split: str) -> Callable[[Tables], Ours]:
    """Distance from the truth within which three of four trainings end, of those that learn.

    They learn if their train error is at most 10%.
    """

    def measure(tables: Tables) -> Ours:
        ends = {s: of_split(tables, "models", s).groupby(TRAINING, sort=False).last()
                for s in ("train", "test")}  # fmt: skip
        trained = (ends["train"]["error"] <= 0.1).to_numpy()
        if not trained.any():
            raise NotHere("no training ended with a train error of at most 10%")
        return _three_of_four(ends[split][trained].reset_index(), "distance_to_truth")

    return measure


def _three_of_four(models: pd.DataFrame, column: str) -> Ours:
    note = f"the largest is {models[column].max():.3g}"
    return with_interval(
        lambda w: weighted_quantile(models[column], w, THREE_OF_FOUR), models, note, scale="ratio"
    )


def away_of(network: str) -> Callable[[Tables], Ours]:
    """Share of a network's configurations of which a model is away from the train manifold."""

    def measure(tables: Tables) -> Ours:
        models = of_split(tables, "models", "train")
        if not models["away"].any():
            raise NotHere("no model is away from the manifold")
        own = models[models["network"] == network]
        if own.empty:
            raise NotHere(f"no network {network}")
        away = own.groupby("configuration")["away"].any()
        note = f"{own['away'].mean():.2%} of its models"
        return share(away.sum(), len(away), "configuration", note)

    return measure


def train_axes_on_test(tables: Tables) -> Ours:
    """Explained pairwise distance on test in the axes of train, less that in its own axes."""
    found = of_split(tables, "joint_explained", "test")
    last = found[found["dimension"] == found["dimension"].max()].set_index("axes")
    own, placed = (last.loc[axes, "explained_pairwise_distance"] for axes in ("test", "train"))
    ends = last.loc["train", ["less_own_low", "less_own_high"]]
    note = f"{placed:.2f} and {own:.2f} in {found['dimension'].max()} dimensions"
    return of_step(placed - own, ends, of_split(tables, "models", "test"), note)


def few_samples(split: str, size: int) -> Callable[[Tables], Ours]:
    """Explained pairwise distance in three dimensions from few samples, less that from all."""

    def measure(tables: Tables) -> Ours:
        found = of_split(tables, "subsets", split, kind="samples", dimension=3)
        whole = found["size"].max()
        few = found[found["size"] == size].reset_index(drop=True)
        if few.empty or whole <= size:
            raise NotHere(f"needs more than {size} {split} samples")
        of_all = found[found["size"] == whole]["explained_pairwise_distance"].iloc[0]
        less = few["explained_pairwise_distance"] - of_all
        ours = with_interval(
            lambda w: weighted_mean(less, w), few, unit="random subset", by=["draw"]
        )
        return ours._replace(
            sample=f"{few['models'].iloc[0]} models, {len(few)} random subsets of samples"
        )

    return measure


def four_points(s: float, dimension: int) -> Callable[[Tables], Ours]:
    """Explained pairwise distance of four points, less that of InPCA's first dimensions."""

    def measure(tables: Tables) -> Ours:
        four, whole = _four(tables, 3, s), _four(tables, dimension)
        if four.empty or whole.empty:
            raise NotHere(f"no models near progress {s:g} and {1 - s:g}")
        ours, others = (table["explained_pairwise_distance"].iloc[0] for table in (four, whole))
        less = _four(tables, dimension, s, points="four less all")
        note = f"{ours:.2f} and {others:.2f}"
        ends, models = less[["low", "high"]].iloc[0], of_split(tables, "models", "train")
        used = less["models"].iloc[0]
        if used < len(models):
            note += "; without models that are away from the manifold"
        return of_step(ours - others, ends, models, note, used=used)

    return measure


def four_points_rmsd(tables: Tables) -> Ours:
    """RMSD of the aligned embeddings at s = 0.2."""
    found = _four(tables, 3, 0.2).dropna(subset="rmsd")
    if found.empty:
        raise NotHere(
            "the two embeddings have different signatures, or no models are near 0.2 and 0.8"
        )
    row, models = found.iloc[0], of_split(tables, "models", "train")
    return of_step(row["rmsd"], row[["rmsd_low", "rmsd_high"]], models, used=row["models"])


def _four(
    tables: Tables, dimension: int, s: float | None = None, points: str = "four"
) -> pd.DataFrame:
    """Rows of averages at s, or of the original embedding; without models that are away."""
    equal = {"points": "all"} if s is None else {"points": points, "s": s}
    return of_split(tables, "four_points", "train", dimension=dimension, **equal).tail(1)


def pca(split: str) -> Callable[[Tables], Ours]:
    """Explained variance of three dimensions of PCA."""

    def measure(tables: Tables) -> Ours:
        row = _of_metric(tables, split, "euclidean")
        ends, models = row[["pairwise_low", "pairwise_high"]], of_split(tables, "models", split)
        return of_step(row["explained_pairwise_distance"], ends, models, used=row["models"])

    return measure


def iskl_less_inpca(tables: Tables) -> Ours:
    """Explained stress of three dimensions, IsKL less InPCA, on train."""
    ours, other = (_of_metric(tables, "train", m) for m in ("symmetric_kl", "bhattacharyya"))
    value = ours["explained_stress"] - other["explained_stress"]
    note = f"{ours['explained_stress']:.3f} and {other['explained_stress']:.3f}"
    ends, models = ours[["less_inpca_low", "less_inpca_high"]], of_split(tables, "models", "train")
    return of_step(value, ends, models, note, used=ours["models"])


def _of_metric(tables: Tables, split: str, metric: str, dimension: int = 3) -> pd.Series:
    found = of_split(tables, "metrics", split, metric=metric, dimension=dimension)
    if found.empty:
        raise NotHere(f"fewer than {dimension} models")
    return found.iloc[0]
