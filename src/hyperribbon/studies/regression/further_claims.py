"""What grows in the Fisher matrix of networks that learn a regression (Cowlagi & Chaudhari).

Rules were written before any study was judged by them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import Claim, NotHere, Ours
from hyperribbon.reporting.rules import ALIKE, POSITIVE
from hyperribbon.reporting.statistics import (
    Tables,
    weighted_mean,
    weighted_median,
    with_interval,
)

SOURCE = "Cowlagi & Chaudhari, Fig. 2"
TRAINING = ["network", "seed"]


def _growth(tables: Tables) -> pd.DataFrame:
    """Growth of each Fisher eigenvalue on the housing data during training, natural logarithm."""
    found = tables["regression_spectra"]
    found = found[(found["matrix"] == "fisher") & (found["data"] == "boston")]
    moments = found.sort_values("epoch")["moment"].unique()
    if len(moments) < 2:
        raise NotHere("needs spectra at two moments")
    wide = found.pivot_table(index=[*TRAINING, "index"], columns="moment", values="eigenvalue")
    wide = wide[[moments[0], moments[-1]]].dropna()
    return np.log(wide[moments[-1]] / wide[moments[0]]).rename("growth").reset_index()


def sloppy_grow_more(tables: Tables) -> Ours:
    """Growth of the median sloppy eigenvalue less that of the largest, in orders of magnitude."""
    table = tables["regression_sloppiness"]
    at_end = (
        (table["matrix"] == "fisher") & (table["data"] == "boston") & (table["moment"] == "end")
    )
    growth = _growth(tables).merge(table.loc[at_end, [*TRAINING, "elbow"]], on=TRAINING)
    first = growth[growth["index"] == 1].set_index(TRAINING)["growth"]
    sloppy = growth[growth["index"] > growth["elbow"]].groupby(TRAINING)["growth"].median()
    less = ((sloppy - first) / np.log(10)).dropna().rename("less").reset_index()
    return with_interval(
        lambda w: weighted_mean(less["less"], w), less, unit="training", by=TRAINING
    )


def growth_of_largest(tables: Tables) -> Ours:
    """Largest eigenvalue at the end over that at first, median over trainings."""
    growth = _growth(tables)
    first = growth[growth["index"] == 1].reset_index(drop=True)
    ratio = np.exp(first["growth"])
    return with_interval(
        lambda w: weighted_median(ratio, w), first, unit="training", by=TRAINING, scale="ratio"
    )


CLAIMS = [
    Claim(
        "Sloppy eigenvalues grow during training more than the largest (orders of magnitude, "
        "difference)",
        SOURCE,
        POSITIVE,
        sloppy_grow_more,
    ),
    Claim(
        "Stiff eigenvalues are essentially unchanged (largest at the end over the first moment)",
        SOURCE,
        ALIKE,
        growth_of_largest,
    ),
]
