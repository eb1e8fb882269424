"""Further claims on the inversion: runs with a known answer."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere
from hyperribbon.studies.inversion import further_claims as claims


def points(**columns):
    """Ten runs on each of two data sets, which invert after 90 to 110 of 1,100 steps."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({
        "data": np.repeat(["mnist", "kmnist"], 10), "run": np.tile(range(10), 2), "kind": "usual",
        "layer": 1, "inverts": 1, "step": rng.uniform(90, 110, 20), "rise": 0.1, "steps": 1100,
    })  # fmt: skip
    turns = {f"{name}_step": table["step"] for name in ("radius_0", "radius_1", "distance")}
    return {"inversion_points": table.assign(**turns).assign(**columns)}


def test_runs_invert_together():
    found = points()
    assert claims.inverts(found).value == 1 and claims.inverts(found).low > 0.8
    assert 0 < claims.spread_of_step(found).value < 0.1
    assert claims.turn_together(found).value == 1
    # A tenth of the drop in ten times its length: a hundred times as slow.
    assert claims.fast_then_slow(found).value == pytest.approx(100, rel=0.1)


def test_the_worst_data_set_counts():
    found = points()
    table = found["inversion_points"]
    other = table["data"] == "kmnist"
    table.loc[other, "distance_step"] *= 3
    table.loc[other, "rise"] = 10.0
    assert claims.turn_together(found).value == pytest.approx(3)
    assert claims.fast_then_slow(found).value == pytest.approx(1, rel=0.1)
    table.loc[other & (table["run"] < 5), "inverts"] = 0
    assert claims.inverts(found).value == pytest.approx(0.75)


def test_what_a_study_lacks_is_said():
    for columns, measure, words in (
        ({"inverts": 0}, claims.spread_of_step, "no run inverts"),
        ({"rise": 0.0}, claims.fast_then_slow, "radii rise"),
        ({"distance_step": np.nan}, claims.turn_together, "both radii"),
        ({"data": [f"set {k}" for k in range(20)]}, claims.spread_of_step, "three runs"),
        ({"kind": "width"}, claims.inverts, "no run to count"),
    ):
        with pytest.raises(NotHere, match=words):
            measure(points(**columns))
