"""Further claims on synthetic data: corners that merge, and students' spectra."""

import itertools

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere
from hyperribbon.studies.synthetic import further_claims as claims


def stress():
    rows = [
        (c, corners, k, value + (corners == 1) * 0.1 + (k == 10) * 0.05, 200)
        for (c, value), corners, k in itertools.product(
            ((0.001, 0.7), (0.5, 0.8)), (1, 10), (3, 10)
        )
    ]
    columns = ["decay", "corners", "dimension", "explained_stress", "trajectories"]
    table = pd.DataFrame(rows, columns=columns)
    table = table.assign(
        low=table["explained_stress"] - 0.01, high=table["explained_stress"] + 0.01
    )
    return {"synthetic_corners_stress": table}


def test_stress_from_few_and_many_corners():
    found = stress()
    assert claims.least_from_many(found).value == pytest.approx(0.75)
    ours = claims.fewer_corners(0.5)(found)
    assert ours.value == pytest.approx(0.1) and ours.low == pytest.approx(0.1 - 0.01 * 2**0.5)
    few = {"synthetic_corners_stress": found["synthetic_corners_stress"].query("corners == 1")}
    with pytest.raises(NotHere, match="10 corners"):
        claims.least_from_many(few)


def embedded(speed, spread):
    """Corners 1 to 4 approach each other by a factor, while trainings fall apart at the end."""
    rng = np.random.default_rng(0)
    rows = []
    for decay, corner, seed in itertools.product((0.001, 0.5), range(1, 5), range(5)):
        place = np.array([np.cos(corner * np.pi / 2), np.sin(corner * np.pi / 2), 0])
        for fraction in (0, 0.25, 0.5, 1.0):
            X = place * (1 - fraction) ** (speed[decay] + 1e-8 * corner)
            X = X + (fraction == 1) * spread[decay] * rng.normal(size=3)
            rows.append((decay, "O", 0.0, corner, seed, fraction, *X))
    columns = ["decay", "optimiser", "weight_decay", "corner", "seed", "fraction"]
    columns += ["pc1", "pc2", "pc3"]
    return {"synthetic_corner_embedding": pd.DataFrame(rows, columns=columns)}


def test_corners_merge_and_ends_spread():
    found = embedded(speed={0.001: 1, 0.5: 3}, spread={0.001: 0.01, 0.5: 0.3})
    ours = claims.corners_merge(found)
    expected = np.mean([0.75**3, 0.5**3]) - np.mean([0.75, 0.5])
    assert ours.value == pytest.approx(expected) and ours.high < 0
    assert claims.ends_spread(found).low > 0.2
    one = {name: table[table["decay"] == 0.5] for name, table in found.items()}
    with pytest.raises(NotHere, match="isotropic"):
        claims.corners_merge(one)


def test_students():
    table = pd.DataFrame({
        "decay": [0.1, 0.001], "matrix": "fisher", "slope": [-0.07, -0.001], "low": [-0.08, -0.002],
        "high": [-0.06, 0.0], "first": 10, "last": 110, "elbow": [20.0, 90.0],
    })  # fmt: skip
    found = {"synthetic_student_sloppiness": table}
    ours = claims.orders_of_students(0.1)(found)
    assert ours[:3] == pytest.approx(tuple(x / np.log(10) for x in (7, 6, 8)))
    assert claims.orders_of_students(0.001)(found).value < 0.1
    assert claims.elbow_of_students(found).value == 90
    with pytest.raises(NotHere, match="c = 0.5"):
        claims.orders_of_students(0.5)(found)
