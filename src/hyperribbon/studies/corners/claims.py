"""Trainings to random labels and from there to the truth."""

from __future__ import annotations

import numpy as np

from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.statistics import Tables, of_split, over_configurations


def with_corners(tables: Tables) -> None:
    """Raise NotHere unless the study has trainings by way of random labels."""
    if "rejoining" not in tables:
        raise NotHere("needs trainings to random labels and from there, as in config/corners.yaml")


def without_corners(tables: Tables) -> None:
    """Raise NotHere if the study has trainings by way of random labels."""
    if "rejoining" in tables:
        raise NotHere(
            "a study of trainings by way of random labels judges only the claims about these"
        )


def nearest_to_ignorance(tables: Tables) -> Ours:
    """Mean of the least distance from ignorance along trainings to the truth, on train, in nats."""
    return _of_rejoining(tables, "min_distance_to_ignorance")


def nearer_than_geodesic(tables: Tables) -> Ours:
    """`nearest_to_ignorance`, less the same for the geodesic from each training's start."""
    return _of_rejoining(
        tables, "min_distance_to_ignorance", less="start_geodesic_distance_to_ignorance"
    )


def geodesic_from_corner(tables: Tables) -> Ours:
    """Least distance of the geodesic from corner to truth from ignorance, on train, in nats."""
    return _of_rejoining(tables, "geodesic_distance_to_ignorance")


def rejoining_progress(tables: Tables) -> Ours:
    """Mean progress at which trainings first come near a directly trained model, on train."""
    return _of_rejoining(tables, "rejoining_progress")


def _of_rejoining(tables: Tables, column: str, less: str | None = None) -> Ours:
    found = of_split(tables, "rejoining", "train")
    values = found[column] if less is None else found[column] - found[less]
    kept = values.notna()
    if not kept.any():
        raise NotHere("no training from a corner progressed that far")
    found, values = found[kept].reset_index(drop=True), values[kept].to_numpy()
    # Seeds are resampled, because trainings from one corner share nothing but the labels.
    found["configuration"] = found["configuration"] + found["seed"].astype(str)
    note = f"{len(values)} trainings, standard deviation {values.std(ddof=1):.2g}"
    return over_configurations(
        lambda w: float(np.average(values, weights=w)), found, f"{note}; seeds resampled"
    )
