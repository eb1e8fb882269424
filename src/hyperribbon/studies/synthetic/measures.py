"""What the claims on synthetic data measure, from a study's tables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.combining import largest_of, least_of, magnitude, mean_over
from hyperribbon.reporting.statistics import (
    Tables,
    difference,
    rank_correlation,
    share,
    weighted_mean,
    with_interval,
    with_less_without,
)

ISOTROPIC, SLOPPY = 0.001, 0.5  # c of 2.5.5
STUDIED = 0.1  # c of the sloppy inputs of Fig. 4.1, bottom left


def _rows(tables: Tables, name: str, **equal: object) -> pd.DataFrame:
    """Rows of a table with given values in some columns."""
    table = tables[f"synthetic_{name}"]
    for column, value in equal.items():
        table = table[table[column] == value]
    if table.empty:
        asked = ", ".join(f"{column} {value}" for column, value in equal.items())
        raise NotHere(f"the study has no {name.replace('_', ' ')} with {asked}")
    return table.reset_index(drop=True)


def _stress(row: pd.Series, unit: str = "configuration") -> Ours:
    """A row's explained stress, with the interval that its table has."""
    one = np.isnan(row["low"])
    units = f"1 {unit}" if one else f"{row['groups']:.0f} {unit}s"
    drawn = f"no interval: {units}" if one else f"{units} drawn with replacement"
    sample = f"{units}, {row['models']:.0f} models"
    return Ours(row["explained_stress"], row["low"], row["high"], "", drawn, sample)


def least_stress(split: str, dimension: int) -> Callable[[Tables], Ours]:
    """Explained stress of trainings, at the c where it is smallest."""

    def measure(tables: Tables) -> Ours:
        found = _rows(tables, "stress", split=split, dimension=dimension)
        return least_of({f"c = {row['decay']:g}:": _stress(row) for _, row in found.iterrows()})

    return measure


def sloppy_less_isotropic(tables: Tables) -> Ours:
    """Explained stress of ten dimensions on train, sloppy data less isotropic data."""
    first, second = (
        _stress(_rows(tables, "stress", split="train", dimension=10, decay=decay).iloc[0])
        for decay in (SLOPPY, ISOTROPIC)
    )
    return difference(first, second)


def splits_differ(tables: Tables) -> Ours:
    """Largest difference of the explained stress of ten dimensions between train and test."""
    train, test = (
        _rows(tables, "stress", split=split, dimension=10).set_index("decay")
        for split in ("train", "test")
    )
    unlike = {
        f"c = {decay:g}:": magnitude(
            difference(_stress(test.loc[decay]), _stress(train.loc[decay]))
        )
        for decay in train.index.intersection(test.index)
    }
    largest = largest_of(unlike)
    # The same trainings are compared, so that their difference varies less than this.
    return largest._replace(drawn=largest.drawn.replace("both drawn", "both as if drawn"))


def isotropic_separates_more(factor: str) -> Callable[[Tables], Ours]:
    """Final distance of trainings that differ in a factor, relative to the distance of seeds.

    The value is that of isotropic data less that of sloppy data, on train.
    """

    def measure(tables: Tables) -> Ours:
        found = []
        for decay in (ISOTROPIC, SLOPPY):
            rows = _rows(tables, "separation", split="train", factor=factor, decay=decay)
            last = rows.loc[rows["checkpoint"].idxmax()]
            if not last["within"] > 0:
                raise NotHere("needs two seeds")
            settings = f"{last['settings']:.0f} settings of the other factors"
            drawn = f"{settings} drawn with replacement"
            if last["settings"] == 1:
                drawn = "no interval: one setting of the other factors"
            value = last["between"] / last["within"]
            found.append(Ours(value, last["low"], last["high"], "", drawn, settings))
        return difference(found[0], found[1], digits=2)

    return measure


def nesterov_spreads(tables: Tables) -> Ours:
    """Logarithm of the ratio of spreads with Nesterov's acceleration and without.

    The spread is that of a configuration's models in three coordinates, on sloppy train data in the
    second half of training: root mean square over configurations, pooling values of weight decay
    and seeds.
    """
    models = _rows(tables, "embedding", split="train", decay=SLOPPY)
    models = models[models["fraction"] >= 0.5]
    nesterov = models["optimiser"].str.contains("Nesterov").rename("nesterov")
    if nesterov.nunique() < 2:
        raise NotHere("needs optimisers with and without Nesterov in their names")
    alike = [models[name] for name in ("network", "batch_size", "checkpoint")]
    square = models[["pc1", "pc2", "pc3"]].groupby([nesterov, *alike]).var(ddof=0).sum(axis=1)
    if not square[False].sum() > 0:
        raise NotHere("needs two seeds")
    square = square.rename("square").reset_index()
    having = square["nesterov"].to_numpy()

    def statistic(weights: np.ndarray) -> float:
        means = [weighted_mean(square["square"][k], weights[k]) for k in (having, ~having)]
        return float(np.log(means[0] / means[1]) / 2)

    of = ["network", "batch_size"]
    note = f"{np.exp(statistic(np.ones(len(square)))):.2f} times"
    ours = with_interval(statistic, square, note, unit="network and batch size", by=of)
    return ours._replace(sample=f"{len(models)} models")


def least_corner_stress(dimension: int) -> Callable[[Tables], Ours]:
    """Explained stress of trainings from corners, where it is smallest."""

    def measure(tables: Tables) -> Ours:
        found = _rows(tables, "corners_stress", dimension=dimension)
        return least_of(
            {
                f"c = {row['decay']:g}, {row['corners']:g} corners:": _stress(row, "start")
                for _, row in found.iterrows()
            }
        )

    return measure


def corners_sloppy_less_isotropic(corners: int, dimension: int) -> Callable[[Tables], Ours]:
    """Explained stress of trainings from corners, sloppy data less isotropic data."""

    def measure(tables: Tables) -> Ours:
        equal = {"corners": corners, "dimension": dimension}
        first, second = (
            _stress(_rows(tables, "corners_stress", decay=decay, **equal).iloc[0], "start")
            for decay in (SLOPPY, ISOTROPIC)
        )
        return difference(first, second)

    return measure


def slice_stress(decay: float, start: bool) -> Callable[[Tables], Ours]:
    """Explained stress of three dimensions (Eq. 2.2.8) for models from one corner at one time."""

    def measure(tables: Tables) -> Ours:
        found = _rows(tables, "slices", decay=decay, corners=1)
        found = found[(found["when"] == "start") == start]
        if found.empty:
            raise NotHere("the study has a slice only at the start")
        row = found[found["index"] == 3].iloc[0] if (found["index"] == 3).any() else None
        if row is None or row["models"] < 10:
            raise NotHere("fewer than 10 models, which few dimensions explain anyway")
        return _stress(row, "start")._replace(note=f"at {row['when']}")

    return measure


def interpolating(tables: Tables) -> Ours:
    """Share of students that have no train error."""
    fits = tables["synthetic_students"]["train_error"] == 0
    return share(int(fits.sum()), len(fits), "student")


def sloppiest_students(tables: Tables) -> Ours:
    """Test error of students that interpolate, largest c less smallest."""
    found = _rows(tables, "students", train_error=0)
    decays = found["decay"]
    ends = decays.isin([decays.min(), decays.max()])
    return _of_ends(found[ends], decays == decays.max(), "student_width", "two c")


def widest_students(tables: Tables) -> Ours:
    """Test error of students that interpolate, widest less narrowest."""
    found = _rows(tables, "students", train_error=0)
    widths = found.groupby(["teacher_width", "decay"])["student_width"]
    widest, narrowest = widths.transform("max"), widths.transform("min")
    ends = (found["student_width"] == widest) | (found["student_width"] == narrowest)
    ends &= widest > narrowest
    return _of_ends(found[ends], found["student_width"] == widest, "decay", "two widths")


def _of_ends(found: pd.DataFrame, having: pd.Series, alike: str, kinds: str) -> Ours:
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
    errors = [mean_over(found, "test_error", unit="seed") for found in (large, small)]
    fits = (small["train_error"] == 0).sum()
    return difference(errors[0], errors[1], f"of {len(small)} small ones, {fits} interpolate")


def decays_faster(matrix: str) -> Callable[[Tables], Ours]:
    """Decay per index of a student's sloppy eigenvalues, c = 0.1 less c = 0.001."""

    def measure(tables: Tables) -> Ours:
        slopes = []
        for decay in (STUDIED, ISOTROPIC):
            row = _rows(tables, "student_sloppiness", decay=decay, matrix=matrix).iloc[0]
            if np.isnan(row["slope"]):
                raise NotHere(f"no slope could be fitted at c = {decay:g}")
            slopes.append(-row["slope"])
        note = "{:.4f} less {:.4f}".format(*slopes)
        drawn = "no interval: one student of each c"
        return Ours(slopes[0] - slopes[1], note=note, drawn=drawn, sample="2 students")

    return measure


def critical_with_stiff(tables: Tables) -> Ours:
    """Rank correlation of students' critical fraction of directions with the inputs' stiff one.

    Students of one c share the inputs, so that their mean counts.
    """
    found = _rows(tables, "student_critical")
    if found["stiff_fraction"].nunique() < 3:
        raise NotHere("needs reduced students for three c")
    means = found.groupby("decay")[["stiff_fraction", "critical_fraction"]].mean()
    critical = means["critical_fraction"]
    note = ", ".join(f"{share:.2f} (c = {decay:g})" for decay, share in critical.items())
    ours = rank_correlation(means["stiff_fraction"], critical, "data set", f"means {note}")
    return ours._replace(sample=f"{len(means)} data sets, {len(found)} students")
