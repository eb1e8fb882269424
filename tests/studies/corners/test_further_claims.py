"""Trainings from corners: who is compared with whom."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere
from hyperribbon.studies.corners import further_claims as claims


def rejoining(train=(0.1, 0.2, 0.3, 0.4), test=(0.1, 0.3, 0.5, 0.7), error=0.5):
    rows = [
        {
            "split": split, "configuration": "c", "network": "N", "stage": "from corner 1",
            "seed": seed, "rejoining_progress": progress, "rejoining_epoch": seed + 1,
            "final_error": error,
        }
        for split, values in (("train", train), ("test", test))
        for seed, progress in enumerate(values)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_when_and_how_diversely_trainings_join():
    found = {"rejoining": rejoining()}
    assert claims.rejoining_epoch(found).value == 2.5
    deviation = np.std([0.1, 0.2, 0.3, 0.4], ddof=1)
    assert claims.spread_of_rejoining(found).value == pytest.approx(deviation)
    ours = claims.joins_more_diversely_on_test(found)
    assert ours.value == pytest.approx(deviation) and ours.low < ours.value < ours.high
    never = {"rejoining": rejoining(train=(np.nan,) * 4)}
    for measure in (claims.spread_of_rejoining, claims.joins_more_diversely_on_test):
        with pytest.raises(NotHere, match="directly trained"):
            measure(never)
    with pytest.raises(NotHere, match="three trainings"):
        claims.spread_of_rejoining({"rejoining": rejoining(train=(0.1, 0.2))})


def test_ends_are_compared_with_direct_ones_of_the_same_network():
    ends = pd.DataFrame({
        "split": "test", "configuration": ["d", "d", "e", "c"], "network": ["N", "N", "M", "N"],
        "stage": ["direct", "direct", "direct", "from corner 1"], "seed": [0, 1, 0, 0],
        "final_error": [0.1, 0.3, 0.9, 0.9],
    })  # fmt: skip
    found = {"rejoining": rejoining(), "trajectories": ends}
    ours = claims.errs_more(found)
    assert ours.value == pytest.approx(0.3) and "2 direct ones" in ours.note
    found["trajectories"] = ends[ends["network"] == "M"]
    with pytest.raises(NotHere, match="same network"):
        claims.errs_more(found)
