"""Further claims on trainings on synthetic data (thesis 2.4, 2.5.5, Fig. 4.1).

Rules were written before any study was judged by them, but with the results in docs/synthetic.md
known.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import Claim, NotHere, Ours
from hyperribbon.reporting.combining import least_of
from hyperribbon.reporting.rules import (
    AT_MOST,
    NEGATIVE,
    POSITIVE,
    about,
    at_least,
    within_factor,
)
from hyperribbon.reporting.statistics import Tables, difference, with_interval
from hyperribbon.studies.synthetic.measures import ISOTROPIC, SLOPPY, STUDIED, least_stress

SHOWN = ["pc1", "pc2", "pc3"]
MANY = 10  # corners
KINDS = {ISOTROPIC: "isotropic", SLOPPY: "sloppy"}


def _corners(tables: Tables, corners: int, dimension: int) -> pd.DataFrame:
    """Explained stress of trainings from some corners: one row per c."""
    table = tables["synthetic_corners_stress"]
    found = table[(table["corners"] == corners) & (table["dimension"] == dimension)]
    if found.empty:
        raise NotHere(f"the study has no trainings from {corners} corners")
    return found.set_index("decay")


def _ours(row: pd.Series) -> Ours:
    value, low, high = row[["explained_stress", "low", "high"]]
    sample = f"{row['trajectories']:g} trainings"
    return Ours(value, low, high, drawn="starts drawn with replacement", sample=sample)


def least_from_many(tables: Tables) -> Ours:
    """Explained stress of ten dimensions from ten corners, at the c where it is smallest."""
    found = _corners(tables, MANY, 10)
    return least_of({f"c = {decay:g}": _ours(row) for decay, row in found.iterrows()})


def fewer_corners(decay: float) -> Callable[[Tables], Ours]:
    """Explained stress of three dimensions, from one corner less that from ten."""

    def measure(tables: Tables) -> Ours:
        one, many = (_corners(tables, corners, 3) for corners in (1, MANY))
        if not {decay} <= set(one.index) & set(many.index):
            raise NotHere(f"the study has no trainings from corners with c = {decay:g}")
        return difference(_ours(one.loc[decay]), _ours(many.loc[decay]))

    return measure


def _embedded(tables: Tables) -> pd.DataFrame:
    """Models along trainings from corners, for isotropic and for sloppy data."""
    found = tables["synthetic_corner_embedding"]
    found = found[found["decay"].isin(KINDS)].reset_index(drop=True)
    if found["decay"].nunique() < 2 or found["corner"].nunique() < 2:
        raise NotHere("needs trainings from two corners on isotropic and on sloppy data")
    return found


def _radius(X: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Root mean square distance of points (..., m, 3) from their weighted mean."""
    if not weights.any():
        return np.full(X.shape[:-2], np.nan)
    centre = np.average(X, axis=-2, weights=weights)
    square = ((X - centre[..., None, :]) ** 2).sum(axis=-1)
    return np.sqrt(np.average(square, axis=-1, weights=weights))


def corners_merge(tables: Tables) -> Ours:
    """Distance of corners' mean models in the first half of training, over that at the start.

    In three coordinates, mean over checkpoints; sloppy data less isotropic data.
    """
    found = _embedded(tables)
    found = found[found["fraction"] <= 0.5]
    means = found.groupby(["decay", "fraction", "corner"])[SHOWN].mean()
    corners = means.index.unique("corner")
    of = {}
    for decay in KINDS:
        part = means.loc[decay].unstack("corner").stack("corner", future_stack=True)
        of[decay] = part.to_numpy().reshape(-1, len(corners), len(SHOWN))
    if min(map(len, of.values())) < 2:
        raise NotHere("needs checkpoints in the first half of training")

    def merging(decay: float, weights: np.ndarray) -> float:
        apart = _radius(of[decay], weights)
        return float(apart[1:].mean() / apart[0]) if apart[0] else np.nan

    one = np.ones(len(corners))
    note = ", ".join(f"{words} {merging(decay, one):.3g}" for decay, words in KINDS.items())
    return with_interval(
        lambda w: merging(SLOPPY, w) - merging(ISOTROPIC, w), pd.DataFrame({"corner": corners}),
        note, unit="corner",
    )  # fmt: skip


def ends_spread(tables: Tables) -> Ours:
    """Radius of the last models over that of all, in three coordinates, sloppy less isotropic."""
    found = _embedded(tables)
    last = (found["fraction"] == found["fraction"].max()).to_numpy()
    sides = {decay: (found["decay"] == decay).to_numpy() for decay in KINDS}

    X = found[SHOWN].to_numpy()

    def spread(decay: float, weights: np.ndarray) -> float:
        w = weights * sides[decay]
        return float(_radius(X, w * last) / _radius(X, w))

    keys = ["decay", "optimiser", "weight_decay", "corner", "seed"]
    return with_interval(
        lambda w: spread(SLOPPY, w) - spread(ISOTROPIC, w), found, unit="training", by=keys
    )


def _fisher(tables: Tables, decay: float) -> pd.Series:
    table = tables["synthetic_student_sloppiness"]
    found = table[(table["matrix"] == "fisher") & (table["decay"] == decay)]
    if "moment" in found:
        found = found[found["moment"] == "end"]
    if found.empty or found["slope"].isna().all():
        raise NotHere(f"the study has no slope of a student's Fisher matrix with c = {decay:g}")
    return found.iloc[0]


def orders_of_students(decay: float) -> Callable[[Tables], Ours]:
    """Orders of magnitude by which a student's sloppy Fisher eigenvalues fall."""

    def measure(tables: Tables) -> Ours:
        row = _fisher(tables, decay)
        scale = -(row["last"] - row["first"]) / np.log(10)
        low, high = sorted(row[["low", "high"]] * scale)
        return Ours(
            row["slope"] * scale, low, high, drawn="95% interval of the line's slope",
            sample="one student",
        )  # fmt: skip

    return measure


def elbow_of_students(tables: Tables) -> Ours:
    """Stiff Fisher eigenvalues of a student of isotropic data."""
    row = _fisher(tables, ISOTROPIC)
    return Ours(row["elbow"], drawn="no interval: one student", sample="one student")


CLAIMS = [
    *(
        Claim(
            f"Ten dimensions explain 87% of the stress of trainings on synthetic data, {split} "
            "(least over c)",
            "section 2.4",
            at_least(0.05),
            least_stress(split, 10),
            0.87,
        )
        for split in ("train", "test")
    ),
    Claim(
        "From ten corners, ten dimensions explain 85% of the stress (least over c)",
        "section 2.4",
        at_least(0.05),
        least_from_many,
        0.85,
    ),
    *(
        Claim(
            f"Three dimensions explain more from fewer corners, {words} data (one corner less ten)",
            "section 2.4, Fig. 2.27",
            POSITIVE,
            fewer_corners(decay),
        )
        for decay, words in KINDS.items()
    ),
    Claim(
        "With sloppy inputs, trainings from different corners come together sooner (distance of "
        "corners in the first half over that at the start, sloppy less isotropic)",
        "section 2.4, Fig. 2.27c",
        NEGATIVE,
        corners_merge,
    ),
    Claim(
        "With sloppy inputs, models from corners spread more near the truth (radius at the end "
        "over that of all, sloppy less isotropic)",
        "Fig. 2.27c",
        POSITIVE,
        ends_spread,
    ),
    Claim(
        "A student's Fisher matrix falls by about 3 orders of magnitude with sloppy inputs, c = "
        "0.1 (line of the sloppy range)",
        "Fig. 4.1, bottom left",
        about(1),
        orders_of_students(STUDIED),
        3,
    ),
    Claim(
        "A student's Fisher matrix is flat with isotropic inputs, c = 0.001 (orders of magnitude "
        "of the line, at most 1)",
        "Fig. 4.1, bottom left",
        AT_MOST,
        orders_of_students(ISOTROPIC),
        1,
    ),
    Claim(
        "There it drops after about 100 eigenvalues",
        "Fig. 4.1, bottom left",
        within_factor(2),
        elbow_of_students,
        100,
    ),
]
