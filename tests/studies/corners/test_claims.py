"""Claims on trainings by way of random labels."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere
from hyperribbon.studies.corners import claims


def rejoining():
    rows = [
        {"split": split, "configuration": f"from-{corner}", "seed": seed, "corner": corner,
         "min_distance_to_ignorance": 0.2 + 0.01 * seed + 0.001 * corner,
         "start_geodesic_distance_to_ignorance": 0.5,
         "geodesic_distance_to_ignorance": 0.83 + 0.001 * corner,
         "rejoining_progress": np.nan if seed == 3 else 0.3 + 0.02 * seed}
        for split in ("train", "test") for corner in range(3) for seed in range(4)
    ]  # fmt: skip
    return {"rejoining": pd.DataFrame(rows)}


def test_trainings_are_drawn_for_those_from_one_corner_share_only_its_labels():
    ours = claims.nearest_to_ignorance(rejoining())
    assert ours.value == pytest.approx(0.216)
    assert ours.drawn == "12 trainings drawn with replacement"
    assert ours.low < ours.value < ours.high
    less = claims.nearer_than_geodesic(rejoining())
    assert less.value == pytest.approx(0.216 - 0.5)
    assert less.high < 0


def test_of_a_geodesic_the_labels_are_drawn():
    """It is the same for all trainings from a corner."""
    ours = claims.geodesic_from_corner(rejoining())
    assert ours.value == pytest.approx(0.831)
    assert ours.drawn == "3 random labellings drawn with replacement"


def test_trainings_that_do_not_rejoin_do_not_count():
    ours = claims.rejoining_progress(rejoining())
    assert ours.value == pytest.approx(0.32)
    assert ours.drawn == "9 trainings drawn with replacement"
    tables = {"rejoining": rejoining()["rejoining"].assign(rejoining_progress=np.nan)}
    with pytest.raises(NotHere, match="no training"):
        claims.rejoining_progress(tables)


def test_a_study_is_of_one_kind_or_the_other():
    claims.with_corners(rejoining())
    claims.without_corners({})
    with pytest.raises(NotHere, match="needs trainings to random labels"):
        claims.with_corners({})
    with pytest.raises(NotHere, match="by way of random labels"):
        claims.without_corners(rejoining())
