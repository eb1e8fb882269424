"""Where trainings from random labels join the manifold, and where they end.

Thesis 2.5.4.1 and 2.5.4.2. Rules were written before any study was judged by them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import Claim, NotHere, Ours
from hyperribbon.reporting.rules import POSITIVE, about, at_least, at_most
from hyperribbon.reporting.statistics import (
    Tables,
    of_split,
    weighted_mean,
    weighted_median,
    with_interval,
)
from hyperribbon.studies.corners.claims import with_corners
from hyperribbon.studies.manifold.claims import manifold

CIFAR10 = ("cifar10",)


def _joined(tables: Tables, split: str, column: str) -> pd.DataFrame:
    """Trainings from corners that come near a directly trained model."""
    found = of_split(tables, "rejoining", split).dropna(subset=column).reset_index(drop=True)
    if found.empty:
        raise NotHere("no training from a corner came near a directly trained model")
    return found


def rejoining_epoch(tables: Tables) -> Ours:
    """Median epoch at which trainings first come near a directly trained model, on train."""
    found = _joined(tables, "train", "rejoining_epoch")
    epoch = found["rejoining_epoch"]
    return with_interval(lambda w: weighted_median(epoch, w), found, unit="training")


def _deviation(values: pd.Series, weights: np.ndarray) -> float:
    total = weights.sum()
    if total < 2:
        return np.nan
    mean = weighted_mean(values, weights)
    return float(np.sqrt(((values - mean) ** 2) @ weights / (total - 1)))


def spread_of_rejoining(tables: Tables) -> Ours:
    """Standard deviation of the progress at which trainings join, on train."""
    found = _joined(tables, "train", "rejoining_progress")
    if len(found) < 3:
        raise NotHere("needs three trainings that come near a directly trained model")
    progress = found["rejoining_progress"]
    return with_interval(lambda w: _deviation(progress, w), found, unit="training", scale="ratio")


def joins_more_diversely_on_test(tables: Tables) -> Ours:
    """Standard deviation of the progress at which trainings join, test less train."""
    both = _joined(tables, "train", "rejoining_progress").merge(
        _joined(tables, "test", "rejoining_progress"), on=["configuration", "stage", "seed"]
    )
    if len(both) < 3:
        raise NotHere(
            "needs three trainings that come near a directly trained model on both splits"
        )
    test, train = both["rejoining_progress_y"], both["rejoining_progress_x"]
    return with_interval(
        lambda w: _deviation(test, w) - _deviation(train, w), both, unit="training"
    )


def errs_more(tables: Tables) -> Ours:
    """Final test error of trainings from corners, less that of direct ones of the same network."""
    from_corner = of_split(tables, "rejoining", "test")
    direct = of_split(tables, "trajectories", "test", stage="direct")
    direct = direct[direct["network"].isin(from_corner["network"].unique())]
    if direct.empty or from_corner.empty:
        raise NotHere("needs trainings from corners, and direct ones of the same network")
    columns = ["configuration", "seed", "final_error"]
    rows = pd.concat([from_corner[columns], direct[columns]], ignore_index=True)
    first = np.arange(len(rows)) < len(from_corner)
    error = rows["final_error"]
    note = f"{len(from_corner)} trainings from corners, {len(direct)} direct ones"
    return with_interval(
        lambda w: weighted_mean(error, w * first) - weighted_mean(error, w * ~first), rows, note,
        unit="training",
    )  # fmt: skip


CLAIMS = [
    claim._replace(check=with_corners)
    for claim in (
        Claim(
            "Three dimensions explain 87% of the stress of trainings by way of random labels, test",
            "section 2.5.4.1, Fig. 2.21",
            at_least(0.05),
            manifold.stress("test", 3),
            0.87,
            CIFAR10,
        ),
        Claim(
            "From random labels, trainings come within 0.15 nats of models trained directly in 3 "
            "epochs, train (median)",
            "section 2.5.4.1",
            at_most(),
            rejoining_epoch,
            3,
            CIFAR10,
        ),
        Claim(
            "The progress at which trainings from random labels join direct ones varies by 0.15, "
            "train (standard deviation)",
            "section 2.5.4.1",
            about(0.05),
            spread_of_rejoining,
            0.15,
            CIFAR10,
        ),
        Claim(
            "The progress at which trainings from random labels join direct ones varies more on "
            "test than on train (standard deviation, difference)",
            "section 2.5.4.2, Fig. 2.21",
            POSITIVE,
            joins_more_diversely_on_test,
        ),
        Claim(
            "Trainings from random labels end with a larger test error than direct ones "
            "(difference)",
            "Fig. 2.21",
            POSITIVE,
            errs_more,
        ),
    )
]
