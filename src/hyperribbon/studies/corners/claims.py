"""Trainings to random labels and from there to the truth."""

from __future__ import annotations

from collections.abc import Sequence

from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.combining import mean_over
from hyperribbon.reporting.statistics import Tables, of_split


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
    column, unit = "geodesic_distance_to_ignorance", "random labelling"
    return _of_rejoining(tables, column, unit=unit, by=["corner"])


def rejoining_progress(tables: Tables) -> Ours:
    """Mean progress at which trainings first come near a directly trained model, on train."""
    return _of_rejoining(tables, "rejoining_progress")


def _of_rejoining(
    tables: Tables,
    column: str,
    *,
    less: str | None = None,
    unit: str = "training",
    by: Sequence[str] = (),
) -> Ours:
    """Mean of a column; trainings are drawn, for those from one corner share only its labels."""
    found = of_split(tables, "rejoining", "train")
    found = found.assign(value=found[column] if less is None else found[column] - found[less])
    found = found.dropna(subset="value")
    if found.empty:
        raise NotHere("no training from a corner progressed that far")
    note = f"standard deviation {found['value'].std():.2g}"
    return mean_over(found, "value", note, unit=unit, by=by)
