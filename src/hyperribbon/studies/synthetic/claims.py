"""Claims on networks trained on synthetic data (thesis 2.5.5, and Fig. 4.1, bottom).

A claim about sloppy or isotropic data is judged only at the values of c that the dissertation
names. Where the dissertation calls something low-dimensional without a number, the rule requires
what Fig. 2.1b shows: 76% of the stress in three dimensions. The rules follow the words of the
dissertation; they were written after a first, reduced run of the study.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import (
    AT_LEAST,
    AT_MOST,
    NEGATIVE,
    POSITIVE,
    Claim,
    NotHere,
    Ours,
    Rule,
    not_worse,
)
from hyperribbon.reporting.statistics import Tables, with_less_without

ISOTROPIC, SLOPPY = 0.001, 0.5  # c of 2.5.5
STUDIED = 0.1  # c of the sloppy inputs of Fig. 4.1, bottom left
LOW_DIMENSIONAL = 0.76
SLIGHTLY_LOWER = Rule("ours is from -0.05 to 0", lambda ours, value: -0.05 <= ours.value <= 0)
THE_SAME = Rule("ours is at most 0.05", lambda ours, value: ours.value <= 0.05)


def _rows(tables: Tables, name: str, **equal: object) -> pd.DataFrame:
    """Rows of a table with given values in some columns."""
    table = tables[f"synthetic_{name}"]
    for column, value in equal.items():
        table = table[table[column] == value]
    if table.empty:
        asked = ", ".join(f"{column} {value}" for column, value in equal.items())
        raise NotHere(f"the study has no {name.replace('_', ' ')} with {asked}")
    return table.reset_index(drop=True)


def _stress(row: pd.Series, note: str = "") -> Ours:
    return Ours(row["explained_stress"], row["low"], row["high"], note)


def _less(first: Ours, second: Ours, digits: int = 3) -> Ours:
    """Difference of two measured values, with an interval as if they were independent."""
    value = first.value - second.value
    half = np.hypot(first.high - first.low, second.high - second.low) / 2
    note = f"{first.value:.{digits}f} less {second.value:.{digits}f}; interval from those of both"
    return Ours(value, value - half, value + half, note)


def least_stress(split: str, dimension: int) -> Callable[[Tables], Ours]:
    """Explained stress of trainings, at the c where it is smallest."""

    def measure(tables: Tables) -> Ours:
        found = _rows(tables, "stress", split=split, dimension=dimension)
        row = found.loc[found["explained_stress"].idxmin()]
        return _stress(row, f"least of {len(found)} c, at c = {row['decay']:g}")

    return measure


def sloppy_less_isotropic(tables: Tables) -> Ours:
    """Explained stress of ten dimensions on train, sloppy data less isotropic data."""
    first, second = (
        _stress(_rows(tables, "stress", split="train", dimension=10, decay=decay).iloc[0])
        for decay in (SLOPPY, ISOTROPIC)
    )
    return _less(first, second)


def splits_differ(tables: Tables) -> Ours:
    """Largest difference of the explained stress of ten dimensions between train and test."""
    train, test = (
        _rows(tables, "stress", split=split, dimension=10).set_index("decay")["explained_stress"]
        for split in ("train", "test")
    )
    unlike = (test - train).abs()
    return Ours(unlike.max(), note=f"at c = {unlike.idxmax():g}")


def isotropic_separates_more(factor: str) -> Callable[[Tables], Ours]:
    """Final distance of trainings that differ in a factor, relative to the distance of seeds.

    The value is that of isotropic data less that of sloppy data, on train.
    """

    def measure(tables: Tables) -> Ours:
        found = {}
        for decay in (ISOTROPIC, SLOPPY):
            rows = _rows(tables, "separation", split="train", factor=factor, decay=decay)
            last = rows.loc[rows["checkpoint"].idxmax()]
            if not last["within"] > 0:
                raise NotHere("needs two seeds")
            found[decay] = last["between"] / last["within"]
        first, second = found.values()
        return Ours(first - second, note=f"{first:.2f} less {second:.2f}")

    return measure


def nesterov_spreads(tables: Tables) -> Ours:
    """Spread of a configuration's models in three coordinates, Nesterov's over others', less 1.

    Measured on sloppy train data in the second half of training: root mean square over
    configurations, pooling values of weight decay and seeds.
    """
    models = _rows(tables, "embedding", split="train", decay=SLOPPY)
    models = models[models["fraction"] >= 0.5]
    nesterov = models["optimiser"].str.contains("Nesterov").rename("nesterov")
    if nesterov.nunique() < 2:
        raise NotHere("needs optimisers with and without Nesterov in their names")
    alike = [models[name] for name in ("network", "batch_size", "checkpoint")]
    square = models[["pc1", "pc2", "pc3"]].groupby([nesterov, *alike]).var(ddof=0).sum(axis=1)
    spread = np.sqrt(square.groupby("nesterov").mean())
    if not spread[False] > 0:
        raise NotHere("needs two seeds")
    return Ours(spread[True] / spread[False] - 1)


def least_corner_stress(dimension: int) -> Callable[[Tables], Ours]:
    """Explained stress of trainings from corners, where it is smallest."""

    def measure(tables: Tables) -> Ours:
        found = _rows(tables, "corners_stress", dimension=dimension)
        row = found.loc[found["explained_stress"].idxmin()]
        return _stress(row, f"least, at c = {row['decay']:g} and {row['corners']:g} corners")

    return measure


def corners_sloppy_less_isotropic(corners: int, dimension: int) -> Callable[[Tables], Ours]:
    """Explained stress of trainings from corners, sloppy data less isotropic data."""

    def measure(tables: Tables) -> Ours:
        equal = {"corners": corners, "dimension": dimension}
        first, second = (
            _stress(_rows(tables, "corners_stress", decay=decay, **equal).iloc[0])
            for decay in (SLOPPY, ISOTROPIC)
        )
        return _less(first, second)

    return measure


def slice_stress(decay: float, start: bool) -> Callable[[Tables], Ours]:
    """Explained stress of three dimensions (Eq. 2.2.8) for models from one corner at one time."""

    def measure(tables: Tables) -> Ours:
        found = _rows(tables, "slices", decay=decay, corners=1)
        found = found[(found["when"] == "start") == start]
        if found.empty:
            raise NotHere("the study has a slice only at the start")
        squares = found.sort_values("index")["eigenvalue"].to_numpy() ** 2
        if len(squares) < 10:
            raise NotHere("fewer than 10 models, which few dimensions explain anyway")
        value = 1 - np.sqrt(squares[3:].sum() / squares.sum())
        return Ours(value, note=f"{len(squares)} models, at {found['when'].iloc[0]}")

    return measure


def interpolating(tables: Tables) -> Ours:
    """Share of students that have no train error."""
    fits = tables["synthetic_students"]["train_error"] == 0
    return Ours(fits.mean(), note=f"{fits.sum()} of {len(fits)}")


def sloppiest_students(tables: Tables) -> Ours:
    """Test error of students that interpolate, largest c less smallest."""
    found = _rows(tables, "students", train_error=0)
    decays = found["decay"]
    ends = decays.isin([decays.min(), decays.max()])
    return _difference(found[ends], decays == decays.max(), "student_width", "two c")


def widest_students(tables: Tables) -> Ours:
    """Test error of students that interpolate, widest less narrowest."""
    found = _rows(tables, "students", train_error=0)
    widths = found.groupby(["teacher_width", "decay"])["student_width"]
    widest, narrowest = widths.transform("max"), widths.transform("min")
    ends = (found["student_width"] == widest) | (found["student_width"] == narrowest)
    ends &= widest > narrowest
    return _difference(found[ends], found["student_width"] == widest, "decay", "two widths")


def _difference(found: pd.DataFrame, having: pd.Series, alike: str, kinds: str) -> Ours:
    """Mean difference of the test error, among otherwise equal students of one teacher."""
    among = ["teacher_width", alike]
    named = found.assign(**found[among].astype(str))
    needs = f"students of {kinds} that interpolate"
    return with_less_without(named, "test_error", having[found.index], among, needs)


def small_student_of_sloppier_data(tables: Tables) -> Ours:
    """Test error with 500 hidden units at c = 0.1 less that with 10 at c = 0.5, teacher of 20."""
    large, small = (
        _rows(tables, "students", teacher_width=20, student_width=width, decay=decay)
        for width, decay in ((500, STUDIED), (10, SLOPPY))
    )
    errors = [part["test_error"].mean() for part in (large, small)]
    fits = (small["train_error"] == 0).sum()
    note = f"{errors[0]:.3f} less {errors[1]:.3f}; of {len(small)} small ones, {fits} interpolate"
    return Ours(errors[0] - errors[1], note=note)


def decays_faster(matrix: str) -> Callable[[Tables], Ours]:
    """Decay per index of a student's sloppy eigenvalues, c = 0.1 less c = 0.001."""

    def measure(tables: Tables) -> Ours:
        found = []
        for decay in (STUDIED, ISOTROPIC):
            row = _rows(tables, "student_sloppiness", decay=decay, matrix=matrix).iloc[0]
            if np.isnan(row["slope"]):
                raise NotHere(f"no slope could be fitted at c = {decay:g}")
            found.append(Ours(-row["slope"], -row["high"], -row["low"]))
        first, second = found
        return _less(first, second, digits=4)

    return measure


def critical_with_stiff(tables: Tables) -> Ours:
    """Rank correlation of students' critical fraction of directions with the inputs' stiff one."""
    found = _rows(tables, "student_critical")
    if found["stiff_fraction"].nunique() < 3:
        raise NotHere("needs reduced students for three c")
    rank = found["critical_fraction"].corr(found["stiff_fraction"], method="spearman")
    medians = found.groupby("decay")["critical_fraction"].median()
    shares = ", ".join(f"{share:.2f} (c = {decay:g})" for decay, share in medians.items())
    return Ours(rank, note=f"medians {shares}")


CLAIMS = [
    *(
        Claim(
            f"Ten dimensions explain 99% of the stress of trainings on synthetic data for every c, "
            f"{split}",
            "Fig. 2.26a",
            AT_LEAST,
            least_stress(split, 10),
            0.99,
        )
        for split in ("train", "test")
    ),
    Claim(
        "With sloppy inputs the explained stress is slightly lower (ten dimensions, c = 0.5 less "
        "0.001, train)",
        "section 2.5.5",
        SLIGHTLY_LOWER,
        sloppy_less_isotropic,
    ),
    Claim(
        "The explained stress on test data is essentially the same (ten dimensions, largest "
        "difference)",
        "section 2.5.5",
        THE_SAME,
        splits_differ,
    ),
    *(
        Claim(
            f"If inputs are not sloppy, trainings of two {words} are more separate (distance "
            "relative to that of seeds, difference)",
            "Fig. 2.26b",
            POSITIVE,
            isotropic_separates_more(factor),
        )
        for factor, words in (
            ("network", "architectures"),
            ("optimiser", "optimisers"),
            ("batch_size", "batch sizes"),
        )
    ),
    Claim(
        "With sloppy inputs, models spread more late in training with Nesterov's acceleration "
        "(ratio of spreads, less 1)",
        "Fig. 2.26b",
        POSITIVE,
        nesterov_spreads,
    ),
    Claim(
        "Few dimensions explain much of the stress also from several corners (three dimensions; "
        "at least as in Fig. 2.1b)",
        "Fig. 2.27a, b",
        AT_LEAST,
        least_corner_stress(3),
        LOW_DIMENSIONAL,
    ),
    *(
        Claim(
            f"Three dimensions explain more with sloppy inputs, from {name} (difference)",
            "Fig. 2.27a, b",
            POSITIVE,
            corners_sloppy_less_isotropic(corners, 3),
        )
        for corners, name in (
            (1, "1 corner"),
            (2, "2 corners"),
            (5, "5 corners"),
            (10, "10 corners"),
        )
    ),
    Claim(
        "Ten dimensions explain less with sloppy inputs, from 10 corners (difference)",
        "Fig. 2.27a, b",
        NEGATIVE,
        corners_sloppy_less_isotropic(10, 10),
    ),
    *(
        Claim(
            f"Models {when} are not low-dimensional, c = {decay} (three dimensions; at most as in "
            "Fig. 2.1b)",
            figure,
            AT_MOST,
            slice_stress(decay, start),
            LOW_DIMENSIONAL,
        )
        for when, start, figure in (
            ("at the start of trainings from a corner", True, "Fig. 2.28a"),
            ("after 0.5% of trainings from a corner", False, "Fig. 2.28b"),
        )
        for decay in (ISOTROPIC, SLOPPY)
    ),
    *(
        Claim(
            f"With sloppy inputs {words} of a trained student decay faster (per index, c = 0.1 "
            "less 0.001)",
            "Fig. 4.1, bottom left",
            POSITIVE,
            decays_faster(matrix),
        )
        for matrix, words in (
            ("activations", "eigenvalues of activations"),
            ("gradients", "eigenvalues of activation gradients"),
            ("jacobian_summed", "eigenvalues of the logits' Jacobian"),
            ("fisher", "eigenvalues of the Fisher matrix"),
        )
    ),
    Claim(
        "All students interpolate (share)",
        "Fig. 4.1, bottom right",
        AT_LEAST,
        interpolating,
        1.0,
    ),
    Claim(
        "Students that interpolate generalise better the sloppier the inputs (test error, largest "
        "c less smallest)",
        "Fig. 4.1, bottom right",
        NEGATIVE,
        sloppiest_students,
    ),
    Claim(
        "Larger students generalise better (test error, widest less narrowest that interpolates)",
        "Fig. 4.1, bottom right",
        NEGATIVE,
        widest_students,
    ),
    Claim(
        "With sloppier inputs a student of 10 does as well as one of 500 (test error at c = 0.1 of "
        "the latter less at 0.5 of the former, teacher of 20)",
        "Fig. 4.1, bottom right",
        not_worse(0.05),
        small_student_of_sloppier_data,
    ),
    Claim(
        "The number of eigenvectors that a reduced model needs may depend on the stiff fraction of "
        "the inputs' (rank correlation, over students and c)",
        "section Model Reduction (Cowlagi & Chaudhari)",
        POSITIVE,
        critical_with_stiff,
    ),
]
