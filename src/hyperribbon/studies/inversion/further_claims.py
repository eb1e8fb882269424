"""Further claims on the inversion of class manifolds (arXiv:2303.05161).

The text at hand is a summary of the paper. Rules were written before any study was judged by them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import Claim, NotHere, Ours
from hyperribbon.reporting.combining import largest_of, least_of
from hyperribbon.reporting.rules import AT_LEAST, AT_MOST, between
from hyperribbon.reporting.statistics import Tables, share, with_interval

PAPER = "arXiv:2303.05161"


def _usual(tables: Tables) -> pd.DataFrame:
    """Runs of the usual network on all data sets, at its hidden layer."""
    found = tables["inversion_points"]
    return found[(found["kind"] == "usual") & (found["layer"] == 1)].reset_index(drop=True)


def _inverting(tables: Tables) -> pd.DataFrame:
    found = _usual(tables)
    found = found[found["inverts"] == 1].reset_index(drop=True)
    if found.empty:
        raise NotHere("no run inverts")
    return found


def inverts(tables: Tables) -> Ours:
    """Share of usual runs that invert."""
    found = _usual(tables)
    return share(int(found["inverts"].sum()), len(found), "run")


def _by_data_set(
    rows: pd.DataFrame, column: str, statistic: Callable[[np.ndarray], float]
) -> dict[str, Ours]:
    """A positive statistic of a column for the runs of each data set; runs are drawn."""
    found = {}
    for name, part in rows.groupby("data", sort=False):
        part, values = part.reset_index(drop=True), part[column].to_numpy()

        def of_drawn(weights: np.ndarray, values: np.ndarray = values) -> float:
            return float(statistic(np.repeat(values, weights.astype(int))))

        found[str(name)] = with_interval(of_drawn, part, unit="run", scale="ratio")
    return found


def spread_of_step(tables: Tables) -> Ours:
    """Relative standard deviation of t* over initial weights, largest over data sets."""
    found = _inverting(tables)
    found = found[found.groupby("data")["run"].transform("size") > 2]
    if found.empty:
        raise NotHere("needs three runs that invert on a data set")
    return largest_of(_by_data_set(found, "step", lambda x: x.std(ddof=1) / x.mean()))


def fast_then_slow(tables: Tables) -> Ours:
    """Rate at which radii fall before t* over that at which they rise, least over data sets.

    Rates are changes from the first step to t*, and from t* to the last step, over their length;
    the median over runs.
    """
    found = _inverting(tables)
    found = found[(found["rise"] > 0) & (found["step"] < found["steps"])].reset_index(drop=True)
    if found.empty:
        raise NotHere("radii rise in no run")
    after = found["rise"] / (found["steps"] - found["step"])
    found = found.assign(ratio=1 / found["step"] / after)
    return least_of(_by_data_set(found, "ratio", np.median))


def turn_together(tables: Tables) -> Ours:
    """Latest over earliest turn of both radii and the distance, largest over data sets.

    The median over the runs in which all three turn.
    """
    columns = ["radius_0_step", "radius_1_step", "distance_step"]
    found = _inverting(tables).dropna(subset=columns).reset_index(drop=True)
    if found.empty:
        raise NotHere("in no run do both radii and the distance turn")
    found = found.assign(ratio=found[columns].max(axis=1) / found[columns].min(axis=1))
    return largest_of(_by_data_set(found, "ratio", np.median))


CLAIMS = [
    Claim(
        "Segregation of class manifolds is not monotonic (share of runs that invert, over data "
        "sets)",
        PAPER,
        between(0.9, 1),
        inverts,
    ),
    Claim(
        "The epoch of the inversion barely fluctuates between initialisations (relative standard "
        "deviation, largest over data sets, at most a tenth)",
        PAPER,
        AT_MOST,
        spread_of_step,
        0.1,
    ),
    Claim(
        "Segregation is fast and the rearrangement after it slow (rate of the radii before over "
        "after, least over data sets)",
        PAPER,
        AT_LEAST,
        fast_then_slow,
        1,
    ),
    Claim(
        "Radii and distance of the class manifolds turn together (latest over earliest epoch, "
        "median, largest over data sets, at most 1.5)",
        PAPER,
        AT_MOST,
        turn_together,
        1.5,
    ),
]
