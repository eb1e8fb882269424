"""Claims on the geometry of representations (Zavatone-Veth et al., arXiv:2301.11375).

The rules were written after a first look at small runs: XOR with four seeds, and networks of 1,500
images of 14 x 14 pixels. Beside what the source says stand the controls that it lacks: radius taken
out, change since initialisation, a boundary that is turned, images of the same class. A repetition
draws other seeds of the tasks in the plane, and other paths between images.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import spearmanr, t

from hyperribbon.reporting.claims import Claim, NotHere, Ours
from hyperribbon.reporting.combining import mean_over
from hyperribbon.reporting.rules import ALIKE, AT_LEAST, AT_MOST, NEGATIVE, POSITIVE, about
from hyperribbon.reporting.statistics import (
    Tables,
    rank_correlation,
    weighted_mean,
    weighted_median,
    with_interval,
)
from hyperribbon.studies.representations.figures import TITLES, at_end
from hyperribbon.studies.representations.names import STANDARD

SOURCE = "Zavatone-Veth et al."
FAMILIES = ("shallow", "deep", "residual")


def _table(tables: Tables, name: str, needs: str) -> pd.DataFrame:
    if name not in tables or tables[name].empty:
        raise NotHere(f"needs {needs}, as in config/representations.yaml")
    return tables[name]


def _of_task(tables: Tables, name: str, task: str) -> pd.DataFrame:
    found = _table(tables, name, "representations.planes")
    found = found[found["task"] == task]
    if found.empty:
        raise NotHere(f"needs representations.planes.{task}")
    return found


def _at_end(tables: Tables, task: str, variant: str, boundary: str) -> pd.DataFrame:
    found = _of_task(tables, "plane_magnification", task)
    found = found[found["epoch"] == found["epoch"].max()]
    found = found[(found["variant"] == variant) & (found["boundary"] == boundary)]
    if found.empty:
        raise NotHere(f"needs the variant {variant}")
    return found


def near_boundary(task: str, statistic: str, variant: str = STANDARD) -> Callable[[Tables], Ours]:
    """Rank correlation of log volume, or its change, with the distance from the boundary."""

    def measure(tables: Tables) -> Ours:
        found = _at_end(tables, task, variant, "network")
        return mean_over(found, statistic, unit="seed")

    return measure


def less_than_turned(task: str) -> Callable[[Tables], Ours]:
    """The change's correlation for the network's boundary, less that for the same turned."""

    def measure(tables: Tables) -> Ours:
        own, turned = (
            _at_end(tables, task, STANDARD, boundary).set_index("seed")["change_without_radius"]
            for boundary in ("network", "turned")
        )
        rows = (own - turned).rename("less").reset_index()
        return mean_over(rows, "less", f"{own.mean():.3g} less {turned.mean():.3g}", unit="seed")

    return measure


def lasts(task: str) -> Callable[[Tables], Ours]:
    """The change's correlation at the end of training, as a share of its strongest mean value."""

    def measure(tables: Tables) -> Ours:
        found = _of_task(tables, "plane_magnification", task)
        found = found[(found["variant"] == STANDARD) & (found["boundary"] == "network")]
        changes = found.pivot(index="seed", columns="epoch", values="change_without_radius")
        changes = changes.dropna(axis=1, how="all").dropna()
        means = changes.mean()
        if means.empty or not means.min() < 0:
            raise NotHere("the change is at no moment larger near the boundary")

        def statistic(weights: np.ndarray) -> float:
            drawn = weights @ changes.to_numpy()
            return float(drawn[-1] / drawn.min()) if drawn.min() < 0 else np.nan

        note = f"{means.iloc[-1]:.3g}; {means.min():.3g} at epoch {means.idxmin()}"
        return with_interval(statistic, changes.reset_index(), note, unit="seed")

    return measure


def condition_grows(task: str) -> Callable[[Tables], Ours]:
    """Median condition number at the end over that at initialisation, standard network."""

    def measure(tables: Tables) -> Ours:
        found = _of_task(tables, "plane_trainings", task)
        found = found[found["variant"] == STANDARD].set_index(["seed", "epoch"])
        logs = found["log_condition"].unstack("epoch").dropna()
        growth = logs.iloc[:, -1] - logs.iloc[:, 0]
        note = f"{10 ** logs.iloc[:, 0].mean():.3g} to {10 ** logs.iloc[:, -1].mean():.3g}; "
        note += f"at most {found['singular'].max():.2g} of the points are singular"

        def statistic(weights: np.ndarray) -> float:
            return float(10 ** weighted_mean(growth, weights))

        return with_interval(statistic, growth.reset_index(), note, unit="seed", scale="ratio")

    return measure


def goes_with_accuracy(task: str, *, standard: bool) -> Callable[[Tables], Ours]:
    """Rank correlation of accuracy with magnification, over trainings."""

    def measure(tables: Tables) -> Ours:
        _of_task(tables, "plane_magnification", task)
        found = at_end(dict(tables))
        found = found[(found["task"] == task) & (found["varied"] != "labels")]
        if standard:
            found = found[found["variant"] == STANDARD]
        found = found.dropna(subset="change_without_radius")
        if len(found) < 5:
            raise NotHere("needs five trainings")
        found = found.assign(magnified=-found["change_without_radius"]).reset_index(drop=True)
        if standard:
            return rank_correlation(found["magnified"], found["accuracy"], "seed")

        def statistic(weights: np.ndarray) -> float:
            drawn = found.loc[found.index.repeat(weights.astype(int)), ["magnified", "accuracy"]]
            if (drawn.nunique() < 2).any():
                return np.nan
            return float(spearmanr(*drawn.to_numpy().T).statistic)

        ours = with_interval(statistic, found, unit="variant", scale="correlation")
        sample = f"{found['variant'].nunique()} variants, {len(found)} trainings"
        return ours._replace(sample=sample)

    return measure


def _contrasts(tables: Tables, family: str, kind: str, pair: str | None = None) -> pd.DataFrame:
    """Contrasts at the end of training."""
    found = _table(tables, "image_contrasts", "representations.images")
    found = found[found["family"] == family]
    if found.empty:
        raise NotHere(f"needs a {family} network")
    last = found.groupby("configuration")["step"].transform("max")
    found = found[(found["step"] == last) & (found["kind"] == kind)]
    return found if pair is None else found[found["pair"] == pair]


def _left_out(found: pd.DataFrame) -> str:
    left_out = found["contrast"].isna().sum()
    return f"{len(found)} paths, {left_out} of them left out for their rank"


def contrast(family: str, column: str, pair: str, kind: str = "straight"):
    """Mean over paths and networks of the contrast at the boundary, or of its change."""

    def measure(tables: Tables) -> Ours:
        found = _contrasts(tables, family, kind, pair)
        return mean_over(found, column, _left_out(found), unit="path")

    return measure


def more_than_same_class(family: str, kind: str) -> Callable[[Tables], Ours]:
    """Mean change of contrast between different classes, less that within classes."""

    def measure(tables: Tables) -> Ours:
        found = _contrasts(tables, family, kind).dropna(subset="change")
        other = (found["pair"] == "different classes").to_numpy()
        if other.all() or not other.any():
            raise NotHere("needs paths of constant rank of both kinds of pairs")
        values = found["change"].to_numpy()

        def statistic(weights: np.ndarray) -> float:
            parts = [weights * other, weights * ~other]
            if not all(part.sum() for part in parts):
                return np.nan
            different, same = (np.average(values, weights=part) for part in parts)
            return float(different - same)

        return with_interval(statistic, found.reset_index(drop=True), unit="path")

    return measure


def rate_of(activation: str) -> Callable[[Tables], Ours]:
    """Exponent of the width with which the mean square asymmetry of a random layer falls.

    Layers of each width are drawn independently, so that the line's standard error is that of the
    exponent; the quantile is that of Student's distribution, because widths are few.
    """

    def measure(tables: Tables) -> Ours:
        found = _table(tables, "width_rates", "representations.widths")
        found = found[(found["activation"] == activation) & (found["quantity"] == "asymmetry")]
        if found.empty:
            raise NotHere(f"needs {activation} in representations.widths.activations")
        slope, error = found[["slope", "error"]].iloc[0]
        deviations = tables["width_deviations"]
        widths = deviations.loc[deviations["activation"] == activation, "width"].nunique()
        half = t.ppf(0.975, widths - 2) * error
        drawn = "standard error of the line through independent draws of layers"
        return Ours(slope, slope - half, slope + half, "", drawn, f"{widths} widths")

    return measure


def peak_at_boundary(family: str) -> Callable[[Tables], Ours]:
    """Median distance of the largest volume from the crossing, as a share of the path."""

    def measure(tables: Tables) -> Ours:
        found = _contrasts(tables, family, "straight", "different classes")
        found = found[found["crossings"] > 0].dropna(subset="peak")
        if found.empty:
            raise NotHere("no path of constant rank crosses a boundary")
        found = found.reset_index(drop=True)
        away = (found["peak"] - found["position"]).abs()
        note = f"the largest {away.max():.2g}"
        return with_interval(partial(weighted_median, away), found, note, unit="path")

    return measure


CLAIMS = [
    *(
        Claim(
            "Random layers approach spherical symmetry: their mean square deviation falls as 1/n, "
            f"{activation} (exponent)",
            f"{SOURCE}, section 3",
            about(0.1),
            rate_of(activation),
            -1,
        )
        for activation in ("erf", "sigmoid", "tanh", "gelu")
    ),
    *(
        Claim(f"{text}, {TITLES[task]} ({words})", source, rule, measure, value)
        for task, source in (("xor", f"{SOURCE}, Fig. 1"), ("sinusoid", f"{SOURCE}, appendix"))
        for text, words, rule, measure, value in (
            (
                "After training, volume is larger near the decision boundary",
                "rank correlation of log volume and distance",
                NEGATIVE, near_boundary(task, "volume"), np.nan,
            ),
            (
                "After training, volume is larger near the decision boundary, the radius taken out",
                "partial rank correlation",
                NEGATIVE, near_boundary(task, "volume_without_radius"), np.nan,
            ),
            (
                "Training expands volume near the boundary more than elsewhere",
                "change since initialisation, the radius taken out",
                NEGATIVE, near_boundary(task, "change_without_radius"), np.nan,
            ),
            (
                "Training expands volume near the boundary more than near the same boundary turned "
                "about the origin",
                "difference of correlations", NEGATIVE, less_than_turned(task), np.nan,
            ),
            (
                "The expansion lasts to the end of training",
                "correlation of the change at the end over its strongest value",
                AT_LEAST, lasts(task), 0.5,
            ),
            (
                "Expansion is no artefact of a degenerate metric",
                "condition number at the end over that at initialisation",
                ALIKE, condition_grows(task), np.nan,
            ),
            (
                "A ReLU network expands volume near the boundary as well",
                "change since initialisation, the radius taken out",
                NEGATIVE, near_boundary(task, "change_without_radius", "relu"), np.nan,
            ),
            (
                "Expansion goes with accuracy, over widths, weight decays and activations",
                "rank correlation of accuracy and magnification",
                POSITIVE, goes_with_accuracy(task, standard=False), np.nan,
            ),
            (
                "Expansion goes with accuracy, over seeds of the standard network",
                "rank correlation of accuracy and magnification",
                POSITIVE, goes_with_accuracy(task, standard=True), np.nan,
            ),
        )
    ),
    *(
        Claim(f"{text}, {family} networks ({words})", f"{SOURCE}, {figure}", rule, measure, value)
        for family, figure in zip(FAMILIES, ("Fig. 3", "section 4", "Fig. 4"), strict=True)
        for text, words, rule, measure, value in (
            (
                "Between images of different classes, volume is larger at the decision boundary "
                "than at the images",
                "contrast on straight paths, nats",
                POSITIVE, contrast(family, "contrast", "different classes"), np.nan,
            ),
            (
                "Training raises the volume at the decision boundary between images of different "
                "classes",
                "change of the contrast since initialisation, nats",
                POSITIVE, contrast(family, "change", "different classes"), np.nan,
            ),
            (
                "Between images of the same class there is no such peak",
                "contrast on straight paths, nats",
                AT_MOST, contrast(family, "contrast", "same class"), 0.0,
            ),
            (
                "Training raises the volume between images of different classes more than between "
                "images of the same",
                "difference of changes on straight paths, nats",
                POSITIVE, more_than_same_class(family, "straight"), np.nan,
            ),
            (
                "Training raises the volume between images of different classes more than between "
                "images of the same, on paths by way of neighbours",
                "difference of changes, nats",
                POSITIVE, more_than_same_class(family, "neighbours"), np.nan,
            ),
            (
                "Volume has its peak at the boundary",
                "median distance from the crossing, as a share of the path",
                AT_MOST, peak_at_boundary(family), 0.1,
            ),
        )
    ),
]  # fmt: skip
